r"""The law of cones in words and in LaTeX: by sets of pixels the exponent, its standing, and the leading term.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> from symspec.receptive_cones import cone_law
>>> print(*cone_law(cnn(relu, 2, 2, 2, first_layer="pointwise").ck, 3).summary(), sep="\n")
frequencies in 1 pixel (0; 1): |k|^-5, exponent conjectured
frequencies in pixels 0, 1: |k|^-7, derived with exact constant
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational

from .errors import DomainError, NoClosedForm
from .latex import tex

if TYPE_CHECKING:
    from .receptive_cones import ConeLaw, Unit

MOST_PIXELS, MOST_SETS = 4, 12
Support = frozenset[int]


def standings(law: ConeLaw) -> dict[Support, tuple[int | None, bool]]:
    """Set of pixels -> (exponent, whether it is derived), for all sets that one output sees, or for the strata alone of large fields; the exponent is None where
    the kernel is smooth. Sets with eigenvalues exactly 0 are left out.
    """
    largest = max(len(position.field) for position in law.positions)
    if largest <= MOST_PIXELS:
        sets: Iterable[Support] = {frozenset(part) for position in law.positions for size in range(1, len(position.field) + 1) for part in combinations(sorted(position.field), size)}
    else:
        sets = {frozenset({pixel}) for pixel in law.kernel.receptive_field} | set(law.strata)
    found: dict[Support, tuple[int | None, bool]] = {}
    for support in sorted(sets, key=lambda part: (len(part), sorted(part))):
        try:
            found[support] = law.exponent(support), law.is_derived(support)
        except DomainError:
            continue
        except NoClosedForm:
            found[support] = None, False
    return found


def _grouped(law: ConeLaw) -> list[tuple[list[Support], int | None, bool]]:
    """Sets of one size with the same standing."""
    groups: dict[tuple[int, int | None, bool], list[Support]] = {}
    for support, (exponent, derived) in standings(law).items():
        groups.setdefault((len(support), exponent, derived), []).append(support)
    return [(members, exponent, derived) for (_, exponent, derived), members in groups.items()]


def pixel_names(support: Support) -> str:
    """Pixels, counted from 0 as everywhere."""
    return ", ".join(str(pixel) for pixel in sorted(support))


def summary(law: ConeLaw) -> list[str]:
    """See :meth:`symspec.receptive_cones.ConeLaw.summary`."""
    lines = []
    for members, exponent, derived in _grouped(law):
        size = len(members[0])
        listed = "; ".join(pixel_names(support) for support in members[:MOST_SETS]) + ("; ..." if len(members) > MOST_SETS else "")
        where = f"pixel{'s' if size > 1 else ''} {listed}" if len(members) == 1 else f"{size} pixel{'s' if size > 1 else ''} ({listed})"
        decay = "faster than every power" if exponent is None else f"|k|^-{exponent}, " + ("derived with exact constant" if derived else "exponent conjectured")
        lines.append(f"frequencies in {where}: {decay}")
    return lines


def statement(law: ConeLaw) -> str:
    """See :meth:`symspec.receptive_cones.ConeLaw.statement`."""
    shift = Rational(law.channels - 2, 2)
    name = r"\hat k_i=k_i" + (rf"+{tex(shift)}" if shift else "")
    parts = [rf"Let $|k|\to\infty$ along a ray of multi-indices, on pixels in $\mathbf R^{{{law.channels}}}$. With ${name}$:", r"\begin{itemize}"]
    for members, exponent, derived in _grouped(law):
        listed = "; ".join(f"$\\{{{pixel_names(support)}\\}}$" for support in members[:MOST_SETS]) + ("; \\dots" if len(members) > MOST_SETS else "")
        if exponent is None:
            parts.append(rf"\item[$\bullet$] frequencies in the pixels {listed}: faster than every power of $|k|$;")
            continue
        standing = "derived and checked, with an exact constant" if derived else "the exponent is conjectured"
        parts.append(rf"\item[$\bullet$] frequencies in the pixels {listed}: of order $|k|^{{-{exponent}}}$ where not exactly 0 ({standing})" + (_formulas(law, members) if derived else ";"))
    parts.append(r"\end{itemize}")
    return "\n".join(parts)


def _formulas(law: ConeLaw, members: list[Support]) -> str:
    """The leading term of the first set; the others follow by their own weights."""
    units = law.decisive_units(members[0])
    by_weights: dict[tuple[tuple[int, Expr], ...], list[tuple[Rational, Unit]]] = {}
    for weight, unit in units:
        by_weights.setdefault(tuple(sorted(unit.weights.items())), []).append((weight, unit))
    try:
        terms = [_term(law, list(weights), group) for weights, group in by_weights.items()]
    except NoClosedForm:
        return ";"
    if len(terms) > MOST_SETS:
        return ";"
    where = f" for $\\{{{pixel_names(members[0])}\\}}$" if len(members) > 1 else ""
    if len(terms) == 1:
        return f",{where}\n\\[ \\lambda_k\\sim {terms[0]} \\]"
    lines = r" \\ &+ ".join(terms)
    return f",{where}\n\\[ \\begin{{aligned}}\\lambda_k\\sim{{}}& {lines}\\end{{aligned}} \\]"


def _term(law: ConeLaw, weights: list[tuple[int, Expr]], group: list[tuple[Rational, Unit]]) -> str:
    """(A + (-1)^sum A') (quadratic form)^(-e/2)."""
    constants: dict[str, Expr] = {}
    for weight, unit in group:
        sign = _sign(unit)
        constants[sign] = constants.get(sign, sympy.S.Zero) + weight * unit.constant(law.channels)
    tidy = {sign: sympy.factor_terms(sympy.simplify(value)) if sympy.count_ops(value) < 200 else value for sign, value in constants.items()}
    if len(tidy) == 2 and set(tidy) == {"", _sign(group[0][1], -1)} and tidy[""] == tidy[_sign(group[0][1], -1)]:
        tidy = {rf"\bigl(1+{_sign(group[0][1], -1)}\bigr)": tidy[""]}
    front = " + ".join(rf"{tex(value)}\,{sign}" if sign else tex(value) for sign, value in tidy.items())
    front = rf"\Bigl[{front}\Bigr]" if len(tidy) > 1 else front
    square = " + ".join(rf"{tex(1 / value) if value != 1 else ''}\hat k_{{{pixel}}}^2" for pixel, value in weights)
    return rf"{front}\,\Bigl({square}\Bigr)^{{-{tex(Rational(group[0][1].exponent(law.channels), 2))}}}"


def _sign(unit: Unit, end: int | None = None) -> str:
    """The signs of the images of the point in LaTeX."""
    if unit.parts:
        return "".join(rf"\bigl(1+(-1)^{{{_sum(part)}}}\bigr)" for part in unit.parts)
    return "" if (unit.end if end is None else end) > 0 else rf"(-1)^{{{_sum(unit.field)}}}"


def _sum(pixels: Support) -> str:
    return "+".join(f"k_{{{pixel}}}" for pixel in sorted(pixels))


__all__ = ["pixel_names", "standings", "statement", "summary"]
