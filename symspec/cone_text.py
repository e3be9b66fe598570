r"""The law of cones in words and in LaTeX: by sets of pixels the exponent, its standing, and the leading term.

>>> from symspec.convolution import cnn
>>> from symspec.activations import relu
>>> from symspec.receptive_cones import cone_law
>>> print(*cone_law(cnn(relu, 2, 2, 2, first_layer="pointwise").ck, 3).summary(), sep="\n")
frequencies in 1 pixel (0; 1): |k|^-5, derived with exact constant
frequencies in pixels 0, 1: |k|^-7, derived with exact constant
no remainder is bounded
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, S

from .cone_overlap import transform
from .cone_terms import Term
from .errors import DomainError, ExpressionTooLarge, NoClosedForm
from .latex import tex
from .program import tree_size

if TYPE_CHECKING:
    from .receptive_cones import ConeLaw

MOST_PIXELS, MOST_SETS = 4, 12
LONGEST_CONSTANT = 120
NO_REMAINDER = "no remainder is bounded"
Support = frozenset[int]


def standings(law: ConeLaw) -> dict[Support, tuple[int | None, bool]]:
    """Set of pixels -> (exponent, whether such laws were compared with eigenvalues), for all sets that one output sees, or for the strata alone of large fields; the exponent is None where
    the kernel is smooth. Sets with eigenvalues exactly 0 are left out.
    """
    largest = max(len(position.field) for position in law.positions)
    if largest <= MOST_PIXELS:
        sets: Iterable[Support] = {frozenset(part) for position in law.positions for size in range(1, len(position.field) + 1) for part in combinations(sorted(position.field),
        size)}
    else:
        sets = {frozenset({pixel}) for pixel in law.kernel.receptive_field} | set(law.strata)
    found: dict[Support, tuple[int | None, bool]] = {}
    for support in sorted(sets, key=lambda part: (len(part), sorted(part))):
        try:
            found[support] = law.exponent(support), law.is_checked(support)
        except DomainError:
            continue
        except NoClosedForm:
            found[support] = None, False
    return found


def _grouped(law: ConeLaw) -> list[tuple[list[Support], int | None, bool]]:
    """Sets of one size with the same standing."""
    groups: dict[tuple[int, int | None, bool], list[Support]] = {}
    for support, (exponent, checked) in standings(law).items():
        groups.setdefault((len(support), exponent, checked), []).append(support)
    return [(members, exponent, checked) for (_, exponent, checked), members in groups.items()]


def pixel_names(support: Support) -> str:
    """Pixels, counted from 0 as everywhere."""
    return ", ".join(str(pixel) for pixel in sorted(support))


def standing(*, checked: bool) -> str:
    """What is known of a law."""
    return "derived with exact constant" + ("" if checked else ", not compared with eigenvalues")


def summary(law: ConeLaw) -> list[str]:
    """See :meth:`symspec.receptive_cones.ConeLaw.summary`."""
    lines = []
    for members, exponent, checked in _grouped(law):
        size = len(members[0])
        listed = "; ".join(pixel_names(support) for support in members[:MOST_SETS]) + ("; ..." if len(members) > MOST_SETS else "")
        where = f"pixel{'s' if size > 1 else ''} {listed}" if len(members) == 1 else f"{size} pixel{'s' if size > 1 else ''} ({listed})"
        decay = "faster than every power" if exponent is None else f"|k|^-{exponent}, {standing(checked=checked)}"
        lines.append(f"frequencies in {where}: {decay}")
    return [*lines, NO_REMAINDER]


def statement(law: ConeLaw) -> str:
    """See :meth:`symspec.receptive_cones.ConeLaw.statement`."""
    shift = Rational(law.channels - 2, 2)
    name = r"\hat k_i=k_i" + (rf"+{tex(shift)}" if shift else "")
    parts = [
        rf"Let $|k|\to\infty$ along a ray of multi-indices, on pixels in $\mathbf R^{{{law.channels}}}$, with degree 0 in the pixels that are not named.",
        rf"With ${name}$, and without a bound of the remainder:",
        r"\begin{itemize}",
    ]
    for members, exponent, checked in _grouped(law):
        listed = "; ".join(f"$\\{{{pixel_names(support)}\\}}$" for support in members[:MOST_SETS]) + ("; \\dots" if len(members) > MOST_SETS else "")
        if exponent is None:
            parts.append(rf"\item[$\bullet$] frequencies in the pixels {listed}: faster than every power of $|k|$;")
            continue
        known = rf"of order $|k|^{{-{exponent}}}$ where not exactly 0 ({standing(checked=checked)})"
        parts.append(rf"\item[$\bullet$] frequencies in the pixels {listed}: {known}" + _formulas(law, members))
    parts.append(r"\end{itemize}")
    return "\n".join(parts)


def _formulas(law: ConeLaw, members: list[Support]) -> str:
    """The leading term of the first set; the others follow by their own weights."""
    by_form: dict[str, list[Term]] = {}
    try:
        for term in law.decisive_terms(members[0]):
            by_form.setdefault(_form(term, members[0]), []).append(term)
        lines = [_line(law, form, group, members[0]) for form, group in by_form.items()]
    except (NoClosedForm, ExpressionTooLarge):
        return "; its constant is too long to write out;"
    if len(lines) > MOST_SETS:
        return "; its terms are too many to write out;"
    where = f" for $\\{{{pixel_names(members[0])}\\}}$" if len(members) > 1 else ""
    if len(lines) == 1:
        return f",{where}\n\\[ \\lambda_k\\sim {lines[0]} \\]"
    joined = r" \\ &+ ".join(lines)
    return f",{where}\n\\[ \\begin{{aligned}}\\lambda_k\\sim{{}}& {joined}\\end{{aligned}} \\]"


def _line(law: ConeLaw, form: str, group: list[Term], support: Support) -> str:
    """(A + (-1)^sum A') times the forms of the cones."""
    zero = dict.fromkeys(range(law.kernel.pixels), 0)
    constants: dict[str, Expr] = {}
    for term in group:
        unused = sum(1 for part in term.parts if not part & support)
        sign = _sign(term, support)
        constants[sign] = constants.get(sign, S.Zero) + 2**unused * term.weight * term.size() * term.mean(zero) * _scale(term)
    tidy = {sign: sympy.factor_terms(sympy.simplify(value)) if sympy.count_ops(value) < 200 and not value.has(sympy.Integral) else value for sign, value in constants.items()}
    if max(map(tree_size, tidy.values())) > LONGEST_CONSTANT:
        raise ExpressionTooLarge("the constant of a leading term is too long to print")
    end = _signed(support)
    if set(tidy) == {"", end} and tidy[""] == tidy[end]:
        tidy = {rf"\bigl(1+{end}\bigr)": tidy[""]}
    front = " + ".join(rf"{tex(value)}\,{sign}" if sign else tex(value) for sign, value in tidy.items()).replace("+ - ", "- ")
    return (rf"\Bigl[{front}\Bigr]" if len(tidy) > 1 else front) + rf"\,{form}"


def _scale(term: Term) -> Expr:
    """What the transforms of the cones hold besides their forms."""
    from .cone_overlap import factor_of

    n = term.channels - 1
    total = S.One
    for group in term.groups:
        if len(group) == 1:
            total *= factor_of(group, n) * sympy.Mul(*(weight ** Rational(-n, 2) for weight in group[0].weights.values()))
    return total


def _form(term: Term, support: Support) -> str:
    """The forms of the cones in LaTeX; pixels of degree 0 have the frequency (C-2)/2."""
    n, shift = term.channels - 1, Rational(term.channels - 2, 2)
    forms = []
    for group in term.groups:
        if len(group) == 1:
            cone = group[0]
            rest = sum((shift**2 / weight for pixel, weight in cone.weights.items() if pixel not in support), S.Zero)
            square = " + ".join(rf"{tex(1 / weight) if weight != 1 else ''}\hat k_{{{pixel}}}^2" for pixel, weight in sorted(cone.weights.items()) if pixel in support)
            square += f" + {tex(rest)}" if rest else ""
            forms.append(rf"\Bigl({square}\Bigr)^{{-{tex(Rational(cone.order + len(cone.field) * n, 2))}}}")
        else:
            union = frozenset[int]().union(*(cone.field for cone in group))
            symbols = {pixel: sympy.Symbol(rf"\hat{{k}}_{{{pixel}}}", positive=True) if pixel in support else shift for pixel in sorted(union)}
            forms.append(tex(transform(group, n, symbols)))
    return r"\,".join(forms)


def _sign(term: Term, support: Support) -> str:
    """The signs of the images of the point in LaTeX."""
    factors = "".join(rf"\bigl(1+{_signed(part & support)}\bigr)" for part in term.parts if part & support)
    return (_signed(term.reversed & support) if term.reversed & support else "") + factors


def _signed(pixels: Support) -> str:
    return rf"(-1)^{{{'+'.join(f'k_{{{pixel}}}' for pixel in sorted(pixels))}}}"


__all__ = ["pixel_names", "standing", "standings", "statement", "summary"]
