"""Ball series of kernels at both ends and between, against exact expansions and certified values."""

from __future__ import annotations

import pytest
from flint import arb

import numerics
import symspec as ss
from numerics.endpoint_series import at_end, at_haversine, roots
from numerics.precision import working_precision
from symspec import errors
from symspec.singularity import expansion, puiseux

KERNELS = [
    ss.mlp(ss.relu, 3).ntk,
    ss.mlp(ss.absolute, 2).ck,
    ss.mlp(ss.rectified_monomial(2), 2).ntk,
    ss.mlp(ss.sign, 1).ck,
    ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2=1).ntk,
    ss.resnet(ss.relu, 2, "1/2").ntk,
    ss.mlp(ss.activation("Max(x,0) + sin(x)"), 2).ck,
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
@pytest.mark.parametrize("end", [1, -1])
def test_coefficients_are_those_of_the_exact_expansion(kernel, end):
    exact = expansion(kernel, end, 6)
    with working_precision(200):
        found = at_end(kernel, end, 6)
        for j in range(6):
            wanted = numerics.ball(exact.written_out(exact.coefficient(j)))
            assert abs(found[j] - wanted) < arb("1e-45")


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_sums_are_values_of_the_kernel(kernel):
    with working_precision(200):
        near, far, middle = at_end(kernel, 1, 70), at_end(kernel, -1, 70), at_haversine(kernel, arb("0.3"), 90)
        for y, terms, x in (("1/400", near, "1/20"), ("399/400", far, "1/20"), ("31/100", middle, "1/100")):
            rho = f"{1 - 2 * _number(y)}"
            wanted = numerics.evaluate(kernel, rho, 40)
            total = sum((c * arb(str(float(_number(x)))) ** n for n, c in enumerate(terms)), arb(0))
            assert abs(total - wanted) < arb("1e-14") * (1 + abs(wanted))


def _number(text):
    from fractions import Fraction

    return Fraction(text)


@pytest.mark.parametrize(("depth", "end"), [(2, 1), (2, -1), (3, 1), (3, -1)])
def test_composed_jumps_are_series_in_a_root(depth, end):
    kernel = ss.mlp(ss.step, depth).ck
    exact = puiseux(kernel, end, 6)
    with working_precision(200):
        found = at_end(kernel, end, 6)
        per_step = exact.root // roots(kernel)[0 if end > 0 else 1]
        for n in range(6 // per_step):
            wanted = numerics.ball(exact.written_out(exact.series.coefficient(n * per_step)))
            assert abs(found[n] - wanted) < arb("1e-45")


def test_thresholds_have_no_series_at_the_far_end():
    with pytest.raises(errors.Undecided):
        at_end(ss.mlp(ss.activation("Max(x-1,0)"), 1).ck, -1, 4)
