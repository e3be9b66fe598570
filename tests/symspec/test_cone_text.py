"""The law of cones in words and LaTeX."""

from __future__ import annotations

import symspec as ss
from symspec.cone_text import standings


def test_every_set_of_pixels_that_an_output_sees_is_listed():
    law = ss.cone_law(ss.cnn(ss.relu, 1, 2, 3, "trace").ck, 3)
    assert standings(law) == {frozenset(pixels): (7, True) for pixels in ({0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2})}
    assert law.summary() == [
        "frequencies in 1 pixel (0; 1; 2): |k|^-7, derived with exact constant",
        "frequencies in 2 pixels (0, 1; 0, 2; 1, 2): |k|^-7, derived with exact constant",
        "no remainder is bounded",
    ]


def test_sets_without_eigenvalues_and_smooth_ones():
    linear = ss.cone_law(ss.hierarchical([ss.relu, [0, 1]], [1, 2]), 3)
    assert set(standings(linear)) == {frozenset({0}), frozenset({1})}
    assert ss.cone_law(ss.hierarchical([ss.relu, ss.erf], [1, 2]), 3).summary()[-2] == "frequencies in pixels 0, 1: |k|^-10, derived with exact constant"


def test_large_fields_list_the_strata():
    law = ss.cone_law(ss.cnn(ss.relu, 2, 3, 8).ck, 3)
    assert law.summary()[-2] == "frequencies in pixels 0, 1, 2, 6, 7: |k|^-13, derived with exact constant"


def test_statements():
    one = ss.cone_law(ss.cnn(ss.relu, 1, 2, 2).ck, 4).statement()
    assert r"\bigl(1+(-1)^{k_{0}+k_{1}}\bigr)" in one
    assert r"\hat k_i=k_i+1$" in one
    even = ss.cone_law(ss.cnn(ss.absolute, 2, 2, 2, first_layer="pointwise").ck, 3).statement()
    assert r"\bigl(1+(-1)^{k_{0}}\bigr)\bigl(1+(-1)^{k_{1}}\bigr)" in even
    several = ss.cone_law(ss.cnn(ss.leaky_relu("1/3"), 2, 2, 2, sigma_b2="1/4").ntk, 3).statement()
    assert r"\begin{aligned}\lambda_k\sim{}&" in several
    mean = ss.cone_law(ss.cnn(ss.relu, 2, 2, 2, first_layer="pointwise").ck, 3).statement()
    assert r"\, dt_{1}" in mean
    assert r"without a bound of the remainder" in mean
