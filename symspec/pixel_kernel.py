r"""Kernels of images: what a convolutional network gives, a function of the correlations of all pairs of pixels.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> K = cnn(relu, 1, 2, 3).ck
>>> K([1, Rational(1, 2), -1])
(-3*acos(3/4)/pi + sqrt(7)/pi + 3)/4
>>> K.receptive_field, K.is_diagonal
((0, 1), True)
>>> K([[2, 0, 0], [0, 1, 0], [0, 0, 1]])
Traceback (most recent call last):
    ...
symspec.errors.DomainError: the correlation of pixels 0 and 0 is 2, outside [-1, 1]: pixels have norm 1 unless variances=(x, z) says otherwise
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import sympy
from sympy import Expr, Rational, S, sqrt

from .dual import at_the_end
from .errors import DomainError, ExpressionTooLarge, InputError
from .exact import exact
from .expectation import P, Q
from .form import Form
from .pair_dual import PairDual
from .pixel_program import Pair, PairCarrier, PixelProgram, Units, Variances
from .program import MAX_TREE, RHO, tree_size

CYCLE_TOLERANCE = Rational(1, 10**9)
CYCLE_PIXELS = 8


@dataclass(frozen=True)
class PixelInput:
    """Checked exact covariances of the pairs that are read, and variances."""

    covariances: Mapping[Pair, Expr]
    variances: Variances


@dataclass(frozen=True)
class PixelKernel:
    """A kernel K(x, z) of images, given by the matrix of correlations <x_i, z_j>.

    ``factors`` are programs of which K is the product, one for the kernel of a network. ``origin`` is the network.
    """

    program: PixelProgram
    name: str = field(default="K", compare=False)
    origin: Any = field(default=None, compare=False)
    more: tuple[PixelProgram, ...] = ()

    @property
    def factors(self) -> tuple[PixelProgram, ...]:
        return (self.program, *self.more)

    @property
    def pixels(self) -> int:
        return self.program.pixels

    @cached_property
    def receptive_field(self) -> tuple[int, ...]:
        """The pixels that the kernel depends on, ascending."""
        return tuple(sorted(frozenset().union(*(factor.receptive_field for factor in self.factors))))

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """The pixels of x that the kernel depends on, ascending; those of z are others where outputs at different positions are paired."""
        return tuple(sorted({i for factor in self.factors for i, _ in factor.levels[0]}))

    @property
    def is_diagonal(self) -> bool:
        """Whether K depends on the correlations t_i = <x_i, z_i> only: heads eq and trace."""
        return all(factor.is_diagonal for factor in self.factors)

    @cached_property
    def diagonal_is_infinite(self) -> bool:
        """Whether K(x, x) is infinite: a tangent kernel of an activation with a jump, its delta kept."""
        return any(factor.diagonal_is_infinite for factor in self.factors)

    def __call__(self, matrix: Any, variances: Any = None) -> Expr:
        """K as a sympy expression: ``matrix`` is pixels x pixels, or the list of the t_i for heads eq and trace.

        Entries are exact numbers or symbols. ``variances`` = (squared norms of the pixels of x, of z) makes the entries covariances.
        Raises InputError for a wrong shape, DomainError for entries that are no covariances or a pixel of norm zero,
        ExpressionTooLarge where the result written out is too long.
        """
        given = pixel_input(self, matrix, variances)
        if self.diagonal_is_infinite and all(given.covariances[pair] == sqrt(given.variances.side(0, pair[0]) * given.variances.side(1, pair[1])) for pair in given.covariances):
            return S.Infinity
        value = sympy.Mul(*(factor.run(Expressions(given), given.variances) for factor in self.factors))
        return sympy.factor_terms(sympy.expand(value)) if tree_size(value) < 300 else value

    def at(self, pairs: Sequence[tuple[Pair, Rational]]) -> PixelKernel:
        """The kernel with another head on the same layers: weights of the pairs of output positions it reads."""
        return replace(self, program=self.program.with_head(pairs), more=tuple(factor.with_head(pairs) for factor in self.more))

    def __mul__(self, other: Any) -> PixelKernel:
        if not isinstance(other, PixelKernel) or other.pixels != self.pixels:
            raise InputError("a kernel of images can be multiplied by another one with the same pixels")
        return PixelKernel(self.program, f"({self.name})({other.name})", None, (*self.more, *other.factors))

    def latex(self) -> str:
        """LaTeX of the recursion over pairs of positions."""
        from .pixel_latex import recursion

        return recursion(self)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __repr__(self) -> str:
        return f"PixelKernel({self.name})"


def pixel_input(kernel: PixelKernel, matrix: Any, variances: Any = None) -> PixelInput:
    """The matrix and the variances, checked; see :meth:`PixelKernel.__call__`."""
    entries = _entries(matrix, kernel)
    norms = _variances(variances, kernel.pixels)
    needed = sorted(frozenset().union(*(factor.levels[0] for factor in kernel.factors)))
    covariances = {pair: _entry(entries[pair], f"entry {pair}") for pair in needed}
    for (i, j), value in covariances.items():
        limit = norms.side(0, i) * norms.side(1, j)
        if value.free_symbols or limit.free_symbols:
            continue
        if bool(value**2 > limit):
            hint = "pixels have norm 1 unless variances=(x, z) says otherwise" if variances is None else "by Cauchy-Schwarz its square is at most the product of the two variances"
            low = "[-1, 1]" if variances is None else f"[-{sqrt(limit)}, {sqrt(limit)}]"
            raise DomainError(f"the {'correlation' if variances is None else 'covariance'} of pixels {i} and {j} is {value}, outside {low}: {hint}")
    _require_cycles(covariances, norms)
    return PixelInput(covariances, norms)


def _entries(matrix: Any, kernel: PixelKernel) -> dict[Pair, Any]:
    size = kernel.pixels
    if isinstance(matrix, sympy.MatrixBase):
        matrix = matrix.tolist()
    try:
        rows = [list(row) if hasattr(row, "__len__") and not isinstance(row, str) else row for row in matrix]
    except TypeError:
        raise InputError(f"a kernel of images takes the {size} x {size} matrix of correlations, not {type(matrix).__name__}") from None
    if kernel.is_diagonal and len(rows) == size and not any(isinstance(row, list) for row in rows):
        return {(i, i): value for i, value in enumerate(rows)}
    if len(rows) != size or any(not isinstance(row, list) or len(row) != size for row in rows):
        alternative = f" or the list of its {size} diagonal entries" if kernel.is_diagonal else ""
        raise InputError(f"a kernel of {size} pixels takes the {size} x {size} matrix of correlations <x_i, z_j>{alternative}; the shape given is another one")
    return {(i, j): value for i, row in enumerate(rows) for j, value in enumerate(row)}


def _entry(value: Any, what: str) -> Expr:
    return value if isinstance(value, Expr) and value.free_symbols else exact(value, what)


def _variances(variances: Any, size: int) -> Variances:
    if variances is None:
        return Variances()
    try:
        sides = [tuple(_entry(value, "variance") for value in side) for side in variances]
    except TypeError:
        raise InputError("variances must be a pair of lists: the squared norms of the pixels of x and of z") from None
    if len(sides) != 2 or any(len(side) != size for side in sides):
        raise InputError(f"variances must be two lists of {size} squared norms, those of x and of z")
    for name, side in zip("xz", sides, strict=True):
        for pixel, value in enumerate(side):
            if value.is_zero or value.is_negative:
                raise DomainError(f"pixel {pixel} of {name} has the squared norm {value}: a pixel of norm zero has no correlation; leave a small constant in every pixel or add a channel of ones")
    return Variances(*sides)


def _require_cycles(covariances: Mapping[Pair, Expr], norms: Variances) -> None:
    """Refuse four correlations x_i z_k, x_i z_l, x_j z_k, x_j z_l that no four unit vectors have.

    <z_k, z_l> lies within sqrt((1-a^2)(1-b^2)) of ab for the correlations a, b with any one x; two such intervals must meet. Necessary for a
    matrix of correlations, and sufficient for two pixels (the chordal completion of a cycle of four).
    """
    rows, columns = sorted({i for i, _ in covariances}), sorted({j for _, j in covariances})
    if len(rows) > CYCLE_PIXELS or any(value.free_symbols for value in covariances.values()) or any(v.free_symbols for v in (*(norms.x or ()), *(norms.z or ()))):
        return
    rho = {(i, j): (value / sqrt(norms.side(0, i) * norms.side(1, j))).evalf(30) for (i, j), value in covariances.items()}
    for i, j in combinations(rows, 2):
        for k, l in combinations(columns, 2):
            if not all(pair in rho for pair in ((i, k), (i, l), (j, k), (j, l))):
                continue
            gap = abs(rho[i, k] * rho[i, l] - rho[j, k] * rho[j, l]) - _slack(rho[i, k], rho[i, l]) - _slack(rho[j, k], rho[j, l])
            if bool(gap > CYCLE_TOLERANCE):
                raise DomainError(f"no unit vectors have the correlations given for the pixels {i}, {j} of x and {k}, {l} of z: it is no matrix of correlations")


def _slack(a: Expr, b: Expr) -> Expr:
    return sqrt(sympy.Max(0, 1 - a**2) * sympy.Max(0, 1 - b**2))


class Expressions(PairCarrier):
    """The carrier of sympy expressions; a state is the covariance."""

    def __init__(self, given: PixelInput) -> None:
        self.given = given

    def constant(self, value: Expr) -> Expr:
        return value

    def combined(self, scale: Expr, bias: Expr, parts: Sequence[Expr]) -> Expr:
        return scale * sympy.Add(*parts) + bias

    def patched(self, scale: Expr, bias: Expr, parts: Sequence[Expr], lonely: Sequence[Expr]) -> Expr:
        return self.combined(scale, bias, parts)

    def times(self, a: Expr, b: Expr) -> Expr:
        return a * b

    def second_moment(self, dual: PairDual, q: Expr) -> Expr:
        return dual.second_moment_at(q)

    def state(self, pair: Pair) -> Expr:
        return self.given.covariances[pair]

    def covariance(self, p: Expr, q: Expr, state: Expr) -> Expr:
        return state

    def activated(self, dual: PairDual, units: Units, state: Expr) -> tuple[Expr, Expr]:
        p, q, same = units.p, units.q, units.same
        rho = _correlation(state, q if same else sqrt(p * q))
        layer = dual.nonlinearity
        forms = [form for form in (layer.activation.form, layer.derivative.form) if isinstance(form, Form)]
        if rho in (1, -1) and len(forms) == 2:
            values = [at_the_end(form, int(rho), p, q) for form in forms]
        else:
            values = [template.xreplace({RHO: rho, P: p, Q: q}) for template in dual.readable(same=same)]
        if max(map(tree_size, values)) > MAX_TREE:
            raise ExpressionTooLarge("written out, the kernel is too long; use numerics.evaluate for values")
        return values[0], values[1]


def _correlation(covariance: Expr, scale: Expr) -> Expr:
    """covariance/scale, 1 or -1 where they are seen to be equal or opposite."""
    for sign in (1, -1):
        if sympy.expand(covariance - sign * scale) == 0:
            return sympy.Integer(sign)
    return covariance / scale


def require_pixel_kernel(kernel: Any, who: str) -> PixelKernel:
    """The kernel, if it is one of images; else InputError."""
    if not isinstance(kernel, PixelKernel):
        raise InputError(f"{who} on images takes a kernel of a convolutional network (ss.cnn(...).ck, .ntk), not {type(kernel).__name__}")
    return kernel


__all__ = ["Expressions", "PixelInput", "PixelKernel", "pixel_input", "require_pixel_kernel"]
