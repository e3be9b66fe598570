"""Random exponential polynomials in the words of the grammar."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

SLOPES = st.sampled_from([Fraction(1, 2), Fraction(1), Fraction(3, 2), Fraction(-1), Fraction(-1, 3), Fraction(2)])
NUMBERS = st.fractions(Fraction(-2), Fraction(2), max_denominator=3)
FACTORS = ("1", "exp({b}*x)", "cos({b}*x + ({c}))", "sin({b}*x + ({c}))", "exp({b}*x)", "cos({b}*x)")
MIXED = "exp(x/2)*cos(x/2)"


@st.composite
def exponential_polynomial_texts(draw, parts=2, powers=1, mixed=True):
    """Sums of products of a power and an exponential or a wave."""
    found = []
    for _ in range(draw(st.integers(1, parts))):
        factor = draw(st.sampled_from((*FACTORS, MIXED) if mixed else FACTORS)).format(b=f"({draw(SLOPES)})", c=draw(NUMBERS))
        found.append(f"({draw(NUMBERS)})*x**{draw(st.integers(0, powers))}*{factor}")
    return " + ".join(found)
