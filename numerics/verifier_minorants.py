r"""Lower bounds of the power series of smooth kernels, for the verifier alone.

For :math:`x=2r/(1+r^2)` let :math:`g_n=\frac{(d/2)_n}{n!}x^n`, the coefficients of :math:`(1-xt)^{-d/2}`, whose eigenvalues are
:math:`(1+r^2)^{d/2}r^k/(1-r^2)` by the Poisson kernel. A :class:`Minorant` of a series :math:`\sum b_n\rho^n`, :math:`b_n\ge0`, says

.. math:: b_0\ge c_0,\qquad b_1\ge c_1,\qquad b_n\ge g_n\sum_{s\le n}\beta_s\quad(n=0,1,\dots),

with a table :math:`s\mapsto\beta_s\ge0` for even n and one for odd n. It follows sums, products and compositions, because all
coefficients are non-negative and, as d >= 2, :math:`g_{n-1}/g_n=n/(x(n-1+d/2))` increases. It is the fifth carrier of the networks.

The tables begin in the first layer, :math:`F(\rho)=V(w\rho)` for a dual V at variance q. With :math:`e_n` the coefficients of
:math:`(1-u^2)^{-1/2}`, :math:`e_0=1`, :math:`e_{n+2}=\frac{n+1}{n+2}e_n`, the closed forms of :mod:`numerics.verifier_duals` give

* erf, :math:`X=\frac{2w}{1+2q}`: :math:`\frac2\pi\arcsin u` has :math:`F_n=\frac2\pi X^n\frac{e_{n-1}}n`, n odd;
* gaussian, :math:`X=\frac w{1+q}`: :math:`F_n=X^ne_n/(1+q)`, n even;
* gelu, :math:`X=\frac w{1+q}`: :math:`2\pi V-\frac{\pi c}2=\frac{u^2(1-u^2)^{-1/2}+q^2(1-u^2)^{1/2}}{1+q}+(1+q)u\arcsin u`, whose three
  pieces have the coefficients :math:`e_n\frac n{n-1}`, :math:`-\frac{e_n}{n-1}`, :math:`e_n\frac n{(n-1)^2}`; together
  :math:`F_n=\frac{X^ne_n}{2\pi(1+q)}\bigl(\frac{n+q}{n-1}\bigr)^2`, n even.

:math:`F_{n+2}/F_n\ge g_{n+2}/g_n` for every n from some N on is an inequality of polynomials with rational coefficients.
A bias b makes it :math:`V(b+w\rho)`, whose coefficients are at least those of :math:`F+\frac bwF'`.

>>> from flint import fmpq
>>> print(leading("gelu", fmpq(1), fmpq(1), 4).str(10))
[0.005180824970 +/- 4.40e-13]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb, arb_series, fmpq, fmpq_poly

from symspec.errors import CertificateError

from .verifier_kernels import Network

Table = dict[int, arb]


@dataclass(frozen=True)
class Sequence:
    """The g_n of a dimension and an x."""

    d: int
    x: fmpq

    def before(self, n: int) -> fmpq:
        """g_(n-1)/g_n."""
        return n / (self.x * (n - 1 + fmpq(self.d, 2)))

    def shifted(self, table: Table, least: int) -> Table:
        """For b_(n-1), n >= least."""
        starts = {s: _at_least(s + 1, least) for s in table}
        return _sum(*({starts[s]: beta * self.before(starts[s])} for s, beta in table.items()))

    def derivative(self, table: Table) -> Table:
        """For (n+1) b_(n+1): (n+1) g_(n+1) = x (n + d/2) g_n."""
        starts = {s: s - 1 if s else 1 for s in table}
        return _sum(*({starts[s]: beta * self.x * (starts[s] + fmpq(self.d, 2))} for s, beta in table.items()))


@dataclass(frozen=True)
class Minorant:
    """Lower bounds of the coefficients of a series; see the module docstring."""

    g: Sequence
    first: tuple[arb, arb]
    tables: tuple[Table, Table]

    def __add__(self, other: Any) -> Minorant:
        if not isinstance(other, Minorant):
            return Minorant(self.g, (self.first[0] + other, self.first[1]), self.tables)
        (a, b), (c, d) = self.tables, other.tables
        return Minorant(self.g, (self.first[0] + other.first[0], self.first[1] + other.first[1]), (_sum(a, c), _sum(b, d)))

    def __mul__(self, other: Any) -> Minorant:
        if not isinstance(other, Minorant):
            return Minorant(self.g, (self.first[0] * other, self.first[1] * other), (_scaled(self.tables[0], other), _scaled(self.tables[1], other)))
        (a, b), (c, d) = self.first, other.first
        tables = [_sum(*(part for one, two in ((self, other), (other, self)) for part in one._acting(two, parity, one.first[0], one.first[1]))) for parity in (0, 1)]
        return Minorant(self.g, (a * c, a * d + b * c), (tables[0], tables[1]))

    def __truediv__(self, other: Any) -> Minorant:
        return self * (1 / arb(other))

    __radd__ = __add__
    __rmul__ = __mul__

    def inside(self, f: list[arb]) -> Minorant:
        """f_0 + f_1 z + f_2 z^2 of this series z without its constant term, whose coefficient in z^2 is at least 2 b_1 b_(n-1) for n >= 3."""
        even, odd = (_sum(*self._acting(self, parity, f[1], 2 * f[2] * self.first[1])) for parity in (0, 1))
        return Minorant(self.g, (f[0], f[1] * self.first[1]), (even, odd))

    def _acting(self, other: Minorant, parity: int, constant: arb, linear: arb) -> tuple[Table, Table]:
        """(constant + linear rho) other, n >= 1 and n >= 3: no coefficient of a product is then counted twice."""
        own = _sum(*({_at_least(s, 1): beta} for s, beta in other.tables[parity].items()))
        return _scaled(own, constant), _scaled(self.g.shifted(other.tables[1 - parity], 3), linear)


def minorant(network: Network, g: Sequence, induction: int) -> Minorant:
    """That of the kernel, the inequality of polynomials being proved from the degree ``induction`` on."""
    bias, linear = network.sigma_b2, fmpq(1) if network.sigma_w2 is None else network.sigma_w2 * network.input_variance
    signals, duals, slopes = [Minorant(g, (arb(bias), arb(linear)), ({}, {}))], [], []
    for index, layer in enumerate(network.layers()):
        inner = signals[-1]
        series = network.activation.dual(layer.q, arb_series([_low(inner.first[0]), 1], 4))
        f = [_low(series[i]) for i in range(4)]
        if index == 0:
            tables = _first_tables(network.activation.name, bias, linear, g, induction)
            value = Minorant(g, (f[0], f[1] * linear), tables)
            slope = Minorant(g, (f[1], 2 * f[2] * linear), (_scaled(g.derivative(tables[1]), 1 / arb(linear)), _scaled(g.derivative(tables[0]), 1 / arb(linear))))
        else:
            value, slope = inner.inside(f[:3]), inner.inside([f[1], 2 * f[2], 3 * f[3]])
        duals.append(value / layer.second)
        slopes.append(slope * layer.weight)
        signals.append((inner * layer.skip + value * layer.gain) * layer.after + bias)
    found = network._read(signals, duals, slopes) * arb(network.scale)
    assert isinstance(found, Minorant)
    return found


def lower_constant(found: Minorant, r: fmpq, start: int, parity: int) -> arb:
    """c with mu_k >= c r^k for every k >= start of the parity."""
    beta = sum((beta for s, beta in found.tables[parity].items() if s <= start), arb(0))
    return beta * arb(1 + r * r) ** (fmpq(found.g.d, 2)) / (1 - r * r)


def _first_tables(name: str, bias: fmpq, linear: fmpq, g: Sequence, induction: int) -> tuple[Table, Table]:
    start, beta = _first(name, linear, linear + bias, g, induction)
    own: Table = {start: _low(beta)}
    other = _scaled(g.derivative(own), arb(bias / linear)) if bias != 0 else {}
    return (other, own) if start else (own, other)


def _first(name: str, w: fmpq, q: fmpq, g: Sequence, induction: int) -> tuple[int, arb]:
    """(s, beta): F_n >= beta g_n for every n >= s of the parity of s."""
    if name not in ("erf", "gelu", "gaussian"):
        raise CertificateError("lower", "an entire kernel decays faster than every geometric sequence")
    X, start, n, half = _share(name, w, q), int(name == "erf"), fmpq_poly([0, 1]), fmpq(g.d, 2)
    # F_(n+2)/F_n = X^2 above/((n+1)(n+2) below) from the formulas above; g_(n+2)/g_n = x^2 (n+d/2)(n+1+d/2)/((n+1)(n+2)).
    above, below = {
        "erf": (n * n, fmpq_poly([1])),
        "gaussian": ((n + 1) * (n + 1), fmpq_poly([1])),
        "gelu": ((n + 2 + q) * (n + 2 + q) * (n - 1) * (n - 1), (n + q) * (n + q)),
    }[name]
    difference = X * X * above - g.x * g.x * (n + half) * (n + 1 + half) * below
    if not all(c >= 0 for c in difference(fmpq_poly([induction, 1])).coeffs()):
        raise CertificateError("lower", f"the ratios of the coefficients are not shown to be large enough from degree {induction} on")
    smallest, power = arb("inf"), arb(1) if start == 0 else half * arb(g.x)
    e, ratio = arb(1), arb(X) ** start
    for m in range(start, induction + 2, 2):
        smallest = smallest.min(_prefactor(name, q, m) * e * ratio / power)
        e *= fmpq(m - start + 1, m - start + 2)
        ratio *= X * X
        power *= g.x * g.x * (m + half) * (m + 1 + half) / ((m + 1) * (m + 2))
    return start, smallest


def leading(name: str, w: fmpq, q: fmpq, n: int) -> arb:
    """F_n for n of the parity that the formulas of the module docstring cover."""
    e = arb(1)
    for m in range(0, n - int(name == "erf"), 2):
        e *= fmpq(m + 1, m + 2)
    return _prefactor(name, q, n) * e * arb(_share(name, w, q)) ** n


def _share(name: str, w: fmpq, q: fmpq) -> fmpq:
    return 2 * w / (1 + 2 * q) if name == "erf" else w / (1 + q)


def _prefactor(name: str, q: fmpq, n: int) -> arb:
    if name == "erf":
        return 2 / (arb.pi() * n)
    return arb(1 / (1 + q)) if name == "gaussian" else arb(((n + q) / (n - 1)) ** 2 / (2 * (1 + q))) / arb.pi()


def _low(value: arb) -> arb:
    """An exact lower bound of a non-negative number."""
    low = value.lower()
    return low if low > 0 else arb(0)


def _at_least(start: int, least: int) -> int:
    """The first degree >= least of the parity of start, or start."""
    return start if start >= least else least + (least - start) % 2


def _scaled(table: Table, factor: Any) -> Table:
    return {s: beta * factor for s, beta in table.items()}


def _sum(*tables: Table) -> Table:
    total: Table = {}
    for table in tables:
        for s, beta in table.items():
            if beta > 0:
                total[s] = total.get(s, arb(0)) + beta
    return total


__all__ = ["Minorant", "Sequence", "leading", "lower_constant", "minorant"]
