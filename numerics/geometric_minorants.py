r"""Lower bounds :math:`\mu_k\ge c\,r^k` of smooth kernels, for every degree of a parity.

The Poisson kernel :math:`(1-r^2)/(1-2rt+r^2)^{d/2}=\sum_kN(d,k)r^kP_k(t)` has the eigenvalues :math:`r^k` (Atkinson and Han, Spherical
Harmonics and Approximations on the Unit Sphere, proposition 2.28). Hence with :math:`x=2r/(1+r^2)`

.. math:: (1-xt)^{-d/2}=\sum_ng_nt^n,\quad g_n=\frac{(d/2)_n}{n!}x^n,\qquad\mu_k=\frac{(1+r^2)^{d/2}}{1-r^2}\,r^k .

The power :math:`t^n` contributes to :math:`\mu_k` only for :math:`n\ge k` of the same parity, and never negatively. So if
:math:`K=\sum b_n\rho^n`, :math:`b_n\ge0`, has :math:`b_n\ge\beta g_n` for every n >= s of one parity, then
:math:`\mu_k\ge\beta(1+r^2)^{d/2}r^k/(1-r^2)` for every k >= s of that parity.

**First layer.** For a dual V at variance q, the coefficients of :math:`F(\rho)=V(w\rho)` have a rational ratio,
:math:`F_{n+2}/F_n=X^2\frac{p(n)}{(n+1)(n+2)t(n)}`:

========  =====================  ===========================  ===================  ======
erf       :math:`X=2w/(1+2q)`    :math:`p=n^2`                :math:`t=1`          n odd
gaussian  :math:`X=w/(1+q)`      :math:`p=(n+1)^2`            :math:`t=1`          n even
gelu      :math:`X=w/(1+q)`      :math:`p=((n+2+q)(n-1))^2`   :math:`t=(n+q)^2`    n even
========  =====================  ===========================  ===================  ======

(from :math:`\arcsin` and :math:`(1-u^2)^{-1/2}`; for gelu :math:`F_n\propto X^n\frac{(1/2)_{n/2}}{(n/2)!}\bigl(\frac{n+q}{n-1}\bigr)^2`, in which q is 1 in the
normalised recursion). If x < X, :math:`F_n/g_n` grows from some degree on, which the signs of a shifted polynomial prove; the least
of the finitely many quotients before is the :math:`\beta` of every n. With a bias, :math:`q=w+b` and :math:`V(b+w\rho)` has at
least the coefficients of :math:`F+\frac bwF'`, because every derivative of V increases: then both parities are bounded.

**Later layers.** :math:`K_l=f_l(K_{l-1})`, and :math:`f_l(b_0+z)` has non-negative coefficients in z at :math:`b_0=K_{l-1}(0)`: those
of :math:`K_l` are at least those of :math:`f_l'z+\frac12f_l''z^2`, where :math:`z^2` has at least :math:`2b_1b_{n-1}`, n >= 3. The
numbers :math:`f_l',\frac12f_l''` follow from the first coefficients of the two kernels. A tangent kernel has at least the coefficients of its conjugate kernel.

Entire kernels (sin, cos, exp) have no such bound: they decay faster than every geometric sequence.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> found = lower_bounds(mlp(ss.erf, 1).ck, 3)
>>> found.r, found.parity(0), found.parity(1).start
(367/1024, None, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor, log2, sqrt
from typing import Any

import sympy
from flint import arb, arb_series, fmpq, fmpq_poly

from symspec.kernel import Kernel
from symspec.network import mlp
from symspec.program import compile_lines

from .constants import ball
from .kernel_description import smooth_description_of
from .power_series import coefficients, table
from .precision import working_precision

PRECISION = 192
STEPS = (1, 2, 4, 6, 8, 12, 16, 24)  # below the limit, which is 256 to 512 steps
SERVED_DEGREE = 32
MAX_INDUCTION = 100_000
SPARE = 1 - fmpq(1, 2**30)


@dataclass(frozen=True)
class ParityBound:
    """mu_k >= constant r^k for every k >= start of one parity; the constant is an exact dyadic number."""

    start: int
    constant: arb


@dataclass(frozen=True)
class LowerBounds:
    """Those of both parities, None where there is none; from ``induction`` on the ratios of coefficients are compared as polynomials."""

    r: fmpq
    induction: int
    even: ParityBound | None
    odd: ParityBound | None

    def parity(self, k: int) -> ParityBound | None:
        return self.odd if k % 2 else self.even

    def at(self, k: int) -> arb:
        """A number that mu_k is not below; 0 where nothing is claimed."""
        found = self.parity(k)
        if found is None or k < found.start:
            return arb(0)
        with working_precision(PRECISION + k.bit_length()):
            return (found.constant * arb(self.r) ** k).lower()


@dataclass(frozen=True)
class _First:
    """F of the first layer, times what K_1 multiplies V by: its w, b and X, its first degree s, p and t, and F_s."""

    w: fmpq
    b: fmpq
    X: fmpq
    start: int
    above: fmpq_poly
    below: fmpq_poly
    value: arb


Tails = tuple[tuple[int, arb] | None, tuple[int, arb] | None]  # for even and odd n: b_n >= beta g_n for n >= s


def lower_bounds(kernel: Kernel, d: int) -> LowerBounds | None:
    """The bounds with the r that serves degrees near 32 best; None for a kernel that the theorem does not cover."""
    origin, record = kernel.origin, smooth_description_of(kernel)
    if origin is None or record is None or not _covered(record):
        return None
    with working_precision(PRECISION):
        first = _first(record)
        if first is None:
            return None
        factors = _factors(origin.network)
        found = [item for r in _candidates(first.X) if (item := _bounds(first, factors, r, d, ball(origin.scale))) is not None]
        return max(found, key=_quality, default=None)


def _covered(record: dict[str, Any]) -> bool:
    """Conjugate kernels, and tangent kernels that contain them."""
    if record["architecture"] == "resnet":
        return bool(record["kind"] == "ck")
    return record["kind"] in ("ck", "ntk") or bool(record["layer"] == record["depth"] + 1)


def _first(record: dict[str, Any]) -> _First | None:
    weight, alpha = (None if record[key] is None else _rational(record[key]) for key in ("sigma_w2", "alpha"))
    b, v = _rational(record["sigma_b2"]), _rational(record["input_variance"])
    name, w = record["activation"]["name"], v if weight is None else weight * v
    q, n = w + b, fmpq_poly([0, 1])
    if name == "erf":
        X, start, above, below = 2 * w / (1 + 2 * q), 1, n * n, fmpq_poly([1])
    elif name == "gaussian":
        X, start, above, below = w / (1 + q), 0, (n + 1) * (n + 1), fmpq_poly([1])
    elif name == "gelu":
        X, start, above, below = w / (1 + q), 0, (n + 2 + q) ** 2 * (n - 1) ** 2, (n + q) ** 2
    else:
        return None
    from symspec.activations import NAMED

    # F_s from the kernel without a bias at the same variance, whose argument is q rho.
    plain = mlp(NAMED[name], 1) if weight is None else mlp(NAMED[name], 1, sigma_w2=1, sigma_b2=0, input_variance=sympy.Rational(int(q.p), int(q.q)))
    gain = fmpq(1) if weight is None else weight
    if alpha is not None:
        gain = alpha * alpha / (1 + alpha * alpha)
    return _First(w, b, X, start, above, below, gain * coefficients(plain.ck, 2, arb(w / q))[start])


def _rational(text: str) -> fmpq:
    value = sympy.Rational(text)
    return fmpq(int(value.p), int(value.q))


def _factors(network: Any) -> list[tuple[arb, arb, arb]]:
    """f_l', f_l''/2 at b_0 and b_1 of K_(l-1), l = 2, ..., depth."""
    # Both architectures call the covariance after layer l of a smooth activation c_l.
    lines = network.ck.program.lines
    covariances = {line.symbol.name: line.symbol for line in lines}
    tape = compile_lines(lines, tuple(covariances[f"c_{layer}"] for layer in range(1, network.depth + 1)))
    with working_precision(PRECISION, 3):
        layers = tape.run(table(arb_series([0, 1])))
    found = []
    for before, after in pairwise(layers):
        if before[1] > 0:
            slope = after[1] / before[1]
            found.append((slope, (after[2] - slope * before[2]) / before[1] ** 2, before[1]))
        else:
            # An even kernel, b_1 = 0 exactly: f_l' is seen in the square, and f_l'' adds nothing.
            found.append((after[2] / before[2] if before[1] == 0 else arb(0), arb(0), arb(0)))
    return found


def _candidates(X: fmpq) -> list[fmpq]:
    """Numbers r with 2r/(1+r^2) a little below X; floats choose them only."""
    x = int(X.p) / int(X.q)
    limit = x / (1 + sqrt(1 - x * x))
    unit = 2 ** (8 - floor(log2(limit)))
    found = [fmpq(int(limit * unit) - step, unit) for step in STEPS]
    return [r for r in found if 0 < r < 1 and 2 * r / (1 + r * r) < X]


def _bounds(first: _First, factors: list[tuple[arb, arb, arb]], r: fmpq, d: int, scale: arb) -> LowerBounds | None:
    x = 2 * r / (1 + r * r)
    induction = _induction(first, x, d)
    if induction is None:
        return None
    tails = _first_tails(first, x, d, _smallest(first, x, d, induction))
    for factor in factors:
        tails = _next(tails, factor, x, d)
    poisson = scale * arb(1 + r * r) ** fmpq(d, 2) / (1 - r * r) * arb(SPARE)
    even, odd = (None if tail is None or not (low := (tail[1] * poisson).lower()) > 0 else ParityBound(tail[0], low) for tail in tails)
    return None if even is None and odd is None else LowerBounds(r, induction, even, odd)


def _induction(first: _First, x: fmpq, d: int) -> int | None:
    """A degree from which X^2 p(n) >= x^2 (n+d/2)(n+1+d/2) t(n)."""
    n, half = fmpq_poly([0, 1]), fmpq(d, 2)
    difference = first.X**2 * first.above - x**2 * (n + half) * (n + 1 + half) * first.below

    def holds(start: int) -> bool:
        return all(c >= 0 for c in difference(fmpq_poly([start, 1])).coeffs())

    low, high = 0, 1
    while not holds(high):
        low, high = high, 2 * high
        if high > MAX_INDUCTION:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _smallest(first: _First, x: fmpq, d: int, induction: int) -> arb:
    """The least F_n/g_n, n up to the start of the induction."""
    half = fmpq(d, 2)
    quotient = first.value if first.start == 0 else first.value / (half * x)
    least = quotient
    for n in range(first.start, induction, 2):
        quotient *= first.X**2 * first.above(n) / (x**2 * (n + half) * (n + 1 + half) * first.below(n))
        least = least.min(quotient)
    return least


def _first_tails(first: _First, x: fmpq, d: int, beta: arb) -> Tails:
    """F, and b/w F' with (n+1) g_(n+1) = x (n + d/2) g_n."""
    own, before = (first.start, beta), first.start - 1 if first.start else 1
    other = (before, beta * (first.b / first.w * x * (before + fmpq(d, 2)))) if first.b != 0 else None
    return (other, own) if first.start else (own, other)


def _next(tails: Tails, factor: tuple[arb, arb, arb], x: fmpq, d: int) -> Tails:
    """The next layer: f' b_n for n >= 1, and where the parity is not reached so, f'' b_1 b_(n-1)."""
    slope, bend, b1 = factor
    found: list[tuple[int, arb] | None] = []
    for parity in (0, 1):
        own, other = tails[parity], tails[1 - parity]
        if own is not None:
            found.append((own[0] or 2, own[1] * slope))
        elif other is not None and b1 > 0 and bend > 0:
            start = max(other[0] + 1, 3 if parity else 4)
            # g_(n-1)/g_n = n/(x(n-1+d/2)) increases with n.
            found.append((start, other[1] * (2 * bend * b1 * (start / (x * (start - 1 + fmpq(d, 2)))))))
        else:
            found.append(None)
    return found[0], found[1]


def _quality(found: LowerBounds) -> float:
    constants = [bound.constant for bound in (found.even, found.odd) if bound is not None]
    return min(float((c.log() + SERVED_DEGREE * arb(found.r).log()).mid()) for c in constants)


__all__ = ["LowerBounds", "ParityBound", "lower_bounds"]
