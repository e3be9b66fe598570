r"""Divided differences of the exponential at imaginary nodes, in balls: integrals of waves over simplices.

For a simplex S with vertices :math:`v_0,\dots,v_n` and volume vol (Hermite–Genocchi)

.. math:: \int_Se^{-ik\cdot x}dx=n!\,\mathrm{vol}\,\exp[z_0,\dots,z_n],\qquad \int_S\lambda_je^{-ik\cdot x}dx=n!\,\mathrm{vol}\,\exp[z_0,\dots,z_n,z_j],\qquad z_j=-ik\cdot v_j,

:math:`\lambda_j` the barycentric coordinates; :math:`\exp[z_0,\dots,z_n]` is also the corner entry of the exponential of the bidiagonal matrix with the nodes on the diagonal and ones above.
Nodes may coincide or nearly so: the recursion :math:`(\exp[z_1..z_n]-\exp[z_0..z_{n-1}])/(z_n-z_0)` serves where the outer nodes are more than 1/2 apart, and otherwise the series

.. math:: \exp[z_0,\dots,z_n]=e^{z_0}\sum_{m\ge0}\frac{h_m(z_0-z_0,\dots,z_n-z_0)}{(m+n)!},\qquad
          \Bigl|\sum_{m\ge M}\Bigr|\le\frac{\rho^M}{M!\,n!}e^\rho ,

with the complete homogeneous symmetric polynomials :math:`h_m`, whose :math:`\binom{m+n}n` monomials are at most :math:`\rho^m`. So nothing is divided by a small number.

>>> print(divided_exponential([arb(0), arb(0), arb(0)]).real.str(10, radius=False))
0.5000000000
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

from flint import acb, arb, ctx

# Where the series would need more than this, the nodes are not known well enough for any digit.
WIDEST = 64


def wave(node: arb) -> acb:
    """e^(-is)."""
    return acb(node.cos(), -node.sin())


def divided_exponential(nodes: Sequence[arb], waves: Sequence[acb] | None = None) -> acb:
    """exp[-i s_0, ..., -i s_n] at real nodes s, in any order; ``waves`` are e^(-is) where they are known already."""
    known = [wave(node) for node in nodes] if waves is None else waves
    order = sorted(range(len(nodes)), key=lambda j: float(nodes[j].mid()))
    return _between([nodes[j] for j in order], [known[j] for j in order])


def _between(nodes: list[arb], waves: list[acb]) -> acb:
    if len(nodes) == 1:
        return waves[0]
    spread = nodes[-1] - nodes[0]
    if spread > 0.5:
        upper, lower = _between(nodes[1:], waves[1:]), _between(nodes[:-1], waves[:-1])
        return (upper - lower) * acb(0, 1) / spread
    return waves[0] * _series([node - nodes[0] for node in nodes[1:]])


def _series(distances: list[arb]) -> acb:
    """sum of h_m(-i u)/(m+n)! over m, the node 0 included in h_m."""
    n, reach = len(distances), arb(0)
    for u in distances:
        reach = reach.max(abs(u).upper())
    if not reach < WIDEST:
        return acb("nan")
    count, bound = 1, reach
    goal = arb(2) ** (-ctx.prec - 8)
    while bound > goal and count < 40 * WIDEST + ctx.prec:
        count += 1
        bound = (bound * reach / count).upper()
    symmetric = [arb(1)] + [arb(0)] * (count - 1)
    for u in distances:
        for m in range(1, count):
            symmetric[m] += u * symmetric[m - 1]
    parts = [arb(0), arb(0)]
    scale = arb(1) / factorial(n)
    for m, value in enumerate(symmetric):
        # (-i)^m is 1, -i, -1, i.
        parts[m % 2] += (value if m % 4 in (0, 3) else -value) * scale
        scale /= m + n + 1
    tail = arb(0, (bound * reach.exp() / factorial(n)).upper())
    return acb(parts[0] + tail, parts[1] + tail)


__all__ = ["divided_exponential", "wave"]
