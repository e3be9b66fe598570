r"""Whether one kernel's eigenvalues are at least another's: a decision for every degree and every dimension.

Let f = A - B be the difference of two kernels with Taylor coefficients :math:`f_n`. On the sphere and on the boolean cube of any
dimension :math:`\mu_k(t^n)\ge0`, and :math:`\mu_k(t^n)=0` for n < k; and :math:`d^k\mu_k(f)\to k!\,f_k` as :math:`d\to\infty`. Hence

    *A dominates B at every degree k >= k_0 on every sphere and cube if and only if* :math:`f_n\ge0` *for every* :math:`n\ge k_0`

(for "only if": :math:`\mu_k(f)\ge0` in every dimension gives :math:`f_k\ge0`). The signs of all :math:`f_n` are decided: finitely many by
balls, those from some degree N on by the singular blocks and the proved remainder of :mod:`numerics.taylor_law`. For
:math:`n\ge N` the ratios of later blocks to the first one, :math:`\Gamma(n-\nu)/\Gamma(n-\nu_0)`, decrease in n, and so does
:math:`n^{-m}/t_{\nu_0}(n)` once :math:`n(m-1-\nu_0)\ge m\nu_0` (by Bernoulli's inequality); so one evaluation at N of each parity
gives the sign of all later ones. On a given domain the least :math:`k_0` may be smaller: :meth:`Domination.on`.

For consecutive weight layers of a fully connected network the difference has a closed form
(:mod:`symspec.layer_pairs`), which decides some pairs without any number, and those whose duals are entire
(:mod:`numerics.entire_dominance`), or power series by activations with Fourier transforms of one sign
(:mod:`numerics.series_dominance`): no law of a singularity, but the terms of a convolution.

>>> import symspec as ss
>>> net = ss.mlp(ss.relu, 2)
>>> found = domination(net.ntk_layers[0], net.ntk_layers[1])
>>> found.holds_from, found.negative, found.on(ss.Sphere(3))
(2, (0, 1), 2)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import sympy
from flint import arb

from symspec.errors import InputError, Undecided
from symspec.exact import is_zero, natural
from symspec.kernel import Kernel
from symspec.layer_pairs import LayerDifference, layer_difference
from symspec.network import Network
from symspec.program import RHO
from symspec.strip import StripForm

from . import power_series
from .entire_dominance import EntireTail, entire_tail
from .exponential_polynomials import is_exponential_polynomial
from .precision import working_precision
from .search import least
from .series_dominance import SeriesTail, series_tail
from .smooth_taylor_law import smooth_difference
from .spectrum import sole_eigenvalues
from .taylor_law import TaylorLaw, power_coefficient, taylor_law
from .values import evaluate

ORDERS = (4, 6, 8)
SMOOTH_ORDERS = (2, 3, 4)
MAX_CUT = 3000
MAX_BITS = 4096
SIGN_DIGITS = 8


@dataclass(frozen=True)
class Domination:
    """The signs of all Taylor coefficients of ``first`` - ``second``.

    ``holds_from`` is the least k_0 of the module docstring, None where infinitely many coefficients are negative; ``negative`` lists
    the degrees of negative ones below ``cut``, from which the sign of each parity is constant (``tail``: 1, -1, or 0 for zero).
    ``tail`` is 1 also where single coefficients may vanish. What proves the tail: ``law``, the expansion at the first singularities,
    ``difference``, the closed form, or ``convolution``, the terms of the convolutions that the differences of consecutive layers are.
    """

    first: Kernel
    second: Kernel
    holds_from: int | None
    negative: tuple[int, ...]
    cut: int
    tail: tuple[int, int]
    law: TaylorLaw | None = None
    difference: LayerDifference | None = None
    convolution: tuple[EntireTail | SeriesTail, ...] = ()

    def on(self, domain: Any) -> int:
        """The least k_0 such that mu_k(first) >= mu_k(second) for every k >= k_0 on this sphere or cube.

        Raises Undecided where infinitely many coefficients are negative, or a difference of eigenvalues is not told from 0.
        """
        if self.holds_from is None:
            raise Undecided("infinitely many Taylor coefficients of the difference are negative, which decides no single dimension; numerics.certify bounds each kernel there")
        last = domain.highest_degree
        degrees = list(range(self.holds_from if last is None else min(self.holds_from, last + 1)))
        pairs = zip(*(sole_eigenvalues(kernel, domain, degrees, SIGN_DIGITS) for kernel in (self.first, self.second)), strict=True)
        for k, (a, b) in reversed(list(enumerate(pairs))):
            if not (a >= b or (not a < b and self._is_at_least(domain, k))):
                return k + 1
        return 0

    def _is_at_least(self, domain: Any, k: int) -> bool:
        """Whether mu_k(first) >= mu_k(second), by more digits."""
        for digits in (30, 120):
            a, b = (sole_eigenvalues(kernel, domain, [k], digits)[0] for kernel in (self.first, self.second))
            if a >= b or a < b:
                return bool(a >= b)
        raise Undecided(f"the eigenvalues of degree {k} of the two kernels are not told apart")

    def statement(self) -> str:
        """LaTeX of the theorem."""
        names = rf"Let $\mu_k$, $\mu_k'$ be the eigenvalues of the {_escaped(self.first)} and of the {_escaped(self.second)}."
        if self.holds_from is None:
            return f"{names} Infinitely many Taylor coefficients of the difference of the kernels are negative: the first does not dominate the second from any degree on in high dimension."
        sharp = f"In high dimension ${self.holds_from}$ cannot be lowered." if self.holds_from else ""
        return rf"{names} Then $\mu_k\ge\mu_k'$ for every $k\ge{self.holds_from}$ on the sphere and on the boolean cube of every dimension. {sharp}".rstrip()

    def __str__(self) -> str:
        if self.holds_from is None:
            return f"{self.first.name} does not dominate {self.second.name} from any degree on in high dimension"
        exceptions = f" (negative: {', '.join(map(str, self.negative))})" if self.negative else ""
        return f"{self.first.name} dominates {self.second.name} at every degree k >= {self.holds_from}, in every dimension{exceptions}"


def layer_domination(network: Any, layer: Any) -> Domination:
    """Whether weight layer l (from 1) dominates layer l + 1 in the tangent kernel, at every degree from which on.

    By the closed form of the difference where its sign is plain, else by :func:`domination`.
    """
    parts = network.ntk_layers
    index = natural(layer, "layer", 1)
    if index >= len(parts):
        raise InputError(f"layer {index} has no layer after it: this network has {len(parts)} parts")
    first, second = parts[index - 1], parts[index]
    try:
        difference = layer_difference(network, index)
    except InputError:
        return domination(first, second)
    start = difference.nonnegative_from
    if start is None:
        return domination(first, second)
    negative = (0,) if start and _negative_at_zero(first, second) else ()
    return Domination(first, second, len(negative), negative, start, (1, 1), difference=difference)


def _layers_of_one_network(first: Kernel, second: Kernel) -> tuple[Network, int, int] | None:
    """(network, i, j) where the kernels are the parts of the weight layers i and j of one fully connected network, with duals that have no law of a singularity."""
    mine, other = first.origin, second.origin
    if mine is None or other is None or not isinstance(mine.network, Network) or mine.network != other.network or mine.scale != other.scale:
        return None
    form = mine.network.activation.form
    if not (is_exponential_polynomial(form) or isinstance(form, StripForm)):
        return None
    places = {part.origin.part: layer for layer, part in enumerate(mine.network.ntk_layers, 1) if part.origin is not None}
    return (mine.network, places[mine.part], places[other.part]) if {mine.part, other.part} <= set(places) else None


def _by_convolution(first: Kernel, second: Kernel, network: Network, layers: range) -> Domination:
    """The differences of consecutive layers add up; the degrees below the last start of their proofs by balls."""
    proofs, start = [], 1
    for layer in layers:
        plain = layer_difference(network, layer).nonnegative_from
        if plain is None:
            proofs.append(entire_tail(network, layer) if is_exponential_polynomial(network.activation.form) else series_tail(network, layer))
            plain = proofs[-1].start
        start = max(start, plain)
    ends = [int(top) + 1 for kernel in (first, second) for parity in (0, 1) if (top := _reach(kernel, parity)) < inf]
    cut = max([start, *ends])
    negative = _negative_below(first, second, cut)
    tail = tuple(int(max(_reach(kernel, parity) for kernel in (first, second)) == inf) for parity in (0, 1))
    return Domination(first, second, max(negative, default=-1) + 1, tuple(negative), cut, (tail[0], tail[1]), convolution=tuple(proofs))


def _negative_at_zero(first: Kernel, second: Kernel) -> bool:
    """The sign of the difference at rho = 0."""
    for digits in (20, 200):
        a, b = (evaluate(kernel, 0, digits) for kernel in (first, second))
        if a < b or a >= b:
            return bool(a < b)
    raise Undecided("the values of the two kernels at rho = 0 are not told apart; they may be equal")


def domination(first: Kernel, second: Kernel) -> Domination:
    """Decide the signs of all Taylor coefficients of first - second.

    Any two polynomials are decided, equal coefficients by exact arithmetic; an earlier and a later layer of one fully connected network with
    entire duals, or duals that are series, by the differences of the layers between them. Raises InputError for anything but kernels with
    non-negative power series, Undecided where a kernel is not analytic in the angle, or smooth with a first singularity that is not
    understood (or none), or a sign is not settled.
    """
    for kernel in (first, second):
        if not isinstance(kernel, Kernel) or kernel.support is None:
            raise InputError("domination compares two kernels of networks, whose power series have non-negative coefficients")
    if all(_reach(kernel, parity) < inf for kernel in (first, second) for parity in (0, 1)):
        return _of_polynomials(first, second)
    layers = _layers_of_one_network(first, second)
    if layers is not None and layers[1] < layers[2]:
        return _by_convolution(first, second, layers[0], range(layers[1], layers[2]))
    best: tuple[int, TaylorLaw, tuple[int, int]] | None = None
    smooth = first.program.inputs | second.program.inputs <= {RHO}
    for m in SMOOTH_ORDERS if smooth else ORDERS:
        law = smooth_difference(first, second, m) if smooth else taylor_law(first, m).minus(taylor_law(second, m))
        with working_precision(256):
            found = _cut(first, second, law)
        if found and (best is None or found[0] < best[0]):
            best = found[0], law, found[1]
        elif best is not None:
            break
    if best is None:
        raise Undecided(f"the sign of the Taylor coefficients is not settled by degree {MAX_CUT}")
    cut, law, tail = best
    negative = _negative_below(first, second, cut)
    last = [k for k in negative if k < cut]
    holds = None if -1 in tail else (max(last) + 1 if last else 0)
    return Domination(first, second, holds, tuple(negative), cut, tail, law)


def _of_polynomials(first: Kernel, second: Kernel) -> Domination:
    """Finitely many coefficients: nothing is left beyond the larger degree."""
    cut = int(max(_reach(kernel, parity) for kernel in (first, second) for parity in (0, 1))) + 1
    if cut > MAX_CUT:
        raise Undecided(f"the coefficients of polynomials of degree {cut - 1} are not compared; the limit is {MAX_CUT}")
    negative = _negative_below(first, second, cut)
    return Domination(first, second, max(negative, default=-1) + 1, tuple(negative), cut, (0, 0))


def _cut(first: Kernel, second: Kernel, law: TaylorLaw) -> tuple[int, tuple[int, int]] | None:
    """The degree from which the leading blocks rule, and their signs for even and odd degrees."""
    leads = [_leading(first, second, law, parity) for parity in (0, 1)]

    def good(n: int) -> bool:
        return all(lead is None or _rules(law, lead, n, parity) for parity, lead in enumerate(leads))

    ends = [int(top) for kernel in (first, second) for parity in (0, 1) if (top := _reach(kernel, parity)) < inf]
    cut = least(good, max([law.m + 2, *(top + 1 for top in ends)]), MAX_CUT)
    if cut is None:
        return None
    signs = [0 if lead is None else _sign(lead) for lead in leads]
    return cut, (signs[0], signs[1])


def _leading(first: Kernel, second: Kernel, law: TaylorLaw, parity: int) -> tuple[int, arb] | None:
    """The first (j, amplitude) of a parity; None where both series end in that parity."""
    if all(_reach(kernel, parity) < inf for kernel in (first, second)):
        return None
    for j, value in law.amplitudes(-1 if parity else 1):
        if value > 0 or value < 0:
            return j, value
        raise Undecided(f"the coefficient of s^{j} in the difference is not told from 0")
    raise Undecided("no singular term of the difference is known in the orders tried")


def _sign(lead: tuple[int, arb]) -> int:
    j, value = lead
    # t_(j/2)(n) has the sign of Gamma(-j/2): negative for j = 1, 5, 9, ...
    return (-1 if j > 0 and j % 4 == 1 else 1) * (1 if value > 0 else -1)


def _rules(law: TaylorLaw, lead: tuple[int, arb], n: int, parity: int) -> bool:
    """Whether from degree n on the other blocks and the remainder stay below the leading block; all ratios decrease from n on."""
    j0, value = lead
    # n (m - 1 - nu_0) >= m nu_0 and n > J/2, so that every ratio decreases.
    if not (n * (2 * law.m - 2 - j0) >= law.m * j0 and 2 * n > 2 * law.m - 1):
        return False
    main = abs(value * power_coefficient(j0, n))
    rest = sum((abs(a * power_coefficient(j, n)) for j, a in law.amplitudes(-1 if parity else 1) if j > j0), arb(0))
    return bool(rest + law.remainder / arb(n) ** law.m < main)


def _negative_below(first: Kernel, second: Kernel, cut: int) -> list[int]:
    """The degrees below ``cut`` at which the difference has a negative coefficient."""
    bits = 128 + 2 * cut
    while bits <= 32 * (MAX_BITS + cut):
        with working_precision(bits):
            one = arb(1)
            a, b = (power_series.coefficients(kernel, cut, one) for kernel in (first, second))
            differences = [x - y for x, y in zip(a, b, strict=True)]
        open_ = [n for n, value in enumerate(differences) if not (value > 0 or value < 0 or _both_vanish(first, second, n) or _are_equal(first, second, n))]
        if not open_:
            return [n for n, value in enumerate(differences) if value < 0 and not _both_vanish(first, second, n)]
        bits *= 4
    raise Undecided(f"the coefficients of degree {', '.join(map(str, open_[:5]))} are not told apart; they may be equal")


def _reach(kernel: Kernel, parity: int) -> float:
    """The largest degree of a parity that the power series reaches."""
    assert kernel.support is not None
    return kernel.support.odd if parity else kernel.support.even


def _both_vanish(first: Kernel, second: Kernel, n: int) -> bool:
    """Whether both series end below degree n in its parity."""
    return all(n > _reach(kernel, n % 2) for kernel in (first, second))


def _are_equal(first: Kernel, second: Kernel, n: int) -> bool:
    """Whether two coefficients are equal, by an exact argument: those of polynomials, and those of degree 1 of the first and the last layer.

    Without a bias both are a times the product of the slopes at rho = 0: the first part is a rho times that product, the last is the conjugate kernel.
    """
    layers = _layers_of_one_network(first, second)
    if n == 1 and layers is not None and layers[0].is_plain and set(layers[1:]) == {1, layers[0].depth + 1}:
        return True
    polynomials = [kernel.polynomial for kernel in (first, second)]
    if None in polynomials:
        return False
    a, b = (polynomial.coeff_monomial(RHO**n) for polynomial in polynomials if polynomial is not None)
    return is_zero(sympy.expand(a - b))


def _escaped(kernel: Kernel) -> str:
    from symspec.latex import escape

    return escape(kernel.name)


__all__ = ["Domination", "domination", "layer_domination"]
