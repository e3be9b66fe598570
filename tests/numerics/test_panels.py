"""Taylor panels agree with the other methods and with mpmath, and give up honestly."""

from __future__ import annotations

import mpmath
import pytest
from flint import arb, arb_series

import numerics
import symspec as ss
from numerics import panels
from numerics.precision import working_precision
from symspec import errors


@pytest.mark.parametrize(("kernel", "d", "k"), [(ss.mlp(ss.relu, 1).ck, 6, 2), (ss.mlp(ss.erf, 1).ck, 4, 3), (ss.mlp(ss.step, 1).ck, 2, 5), (ss.mlp(ss.relu, 2).ntk, 4, 5)])
def test_agrees_with_the_other_methods(kernel, d, k):
    first = panels.eigenvalues(kernel, d, [k], 40)[k]
    second = numerics.eigenvalues(kernel, ss.Sphere(d), k, 25)[0]
    assert first.overlaps(second)
    assert first.rel_accuracy_bits() >= 40


def test_degrees_share_the_panels_and_do_not_change_each_other():
    kernel = ss.mlp(ss.sign, 2).ck
    together = panels.eigenvalues(kernel, 3, [1, 3], 40)
    alone = panels.eigenvalues(kernel, 3, [3], 40)
    assert together[3].overlaps(alone[3])


def test_two_composed_signs_against_a_substitution():
    """theta = x^2 takes the square root of the angle out of the integrand."""
    value = numerics.eigenvalues(ss.mlp(ss.sign, 2).ck, ss.Sphere(3), 1, digits=10)[0]
    with mpmath.workdps(20):

        def integrand(x):
            r = mpmath.cos(x * x)
            for _ in range(2):
                r = 2 / mpmath.pi * mpmath.asin(max(-1, min(1, r)))
            return r * mpmath.cos(x * x) * mpmath.sin(x * x) * 2 * x

        half = mpmath.sqrt(mpmath.pi / 2)
        wanted = mpmath.quad(integrand, [0, half / 2, half])  # an even integrand, halved by the measure
    assert abs(value - arb(mpmath.nstr(wanted, 15))) < arb("1e-10")


def test_a_threshold_away_from_zero_against_hermite_sums():
    """max(x-1, 0) on the circle: the dual from its own Mehler series, summed by mpmath."""
    kernel = ss.mlp(ss.activation("Max(x-1,0)"), 1).ck
    found = numerics.eigenvalues(kernel, ss.Circle(), [0, 1], digits=8)
    with mpmath.workdps(15):
        phi = mpmath.npdf(1)
        # a_n^2 = (He_{n-2}(1) phi)^2/n!, in the normalised form u_n = He_n(1)/sqrt(n!)
        u = [mpmath.mpf(1), mpmath.mpf(1)]
        for n in range(1, 6000):
            u.append((u[n] - mpmath.sqrt(n) * u[n - 1]) / mpmath.sqrt(n + 1))
        squares = [(phi - mpmath.ncdf(-1)) ** 2, mpmath.ncdf(-1) ** 2] + [(phi * u[n - 2]) ** 2 / (n * (n - 1)) for n in range(2, 6000)]
        second = 2 * mpmath.ncdf(-1) - phi  # E max(Z-1, 0)^2
        # mu_k(t^n) on the circle is binom(n, (n-k)/2)/2^n; the terms fall like n^-3.
        weight0, weight1, sums = mpmath.mpf(1), mpmath.mpf(1) / 2, [mpmath.mpf(0), mpmath.mpf(0)]
        for n in range(0, 6000, 2):
            sums[0] += squares[n] * weight0
            weight0 *= mpmath.mpf((n + 1) * (n + 2)) / ((n + 2) * (n + 2))
        for n in range(1, 6000, 2):
            sums[1] += squares[n] * weight1
            weight1 *= mpmath.mpf((n + 1) * (n + 2)) / ((n + 1) * (n + 3))
    for value, total in zip(found, sums, strict=True):
        assert abs(value - arb(mpmath.nstr(total / second, 12))) < arb("1e-6")


def test_the_coefficients_over_a_panel_contain_those_inside():
    kernel = ss.mlp(ss.relu, 2).ck
    with working_precision(120, 21):
        panel = panels._panel(kernel, arb("0.4"), arb("0.03"), 20)
        assert panel is not None
        for share in ("-0.9", "0.1", "0.7"):
            at = arb_series([arb("0.4") + arb(share) * arb("0.03"), arb("0.03")])
            inner = kernel.program.run(panels.table(at.cos(), at))
            assert all(panel.over[n].contains(inner[n].mid()) for n in (0, 1, 2, 5, 20))


def test_an_effort_limit_is_undecided(monkeypatch):
    monkeypatch.setattr(panels, "MAX_PANELS", 20)
    with pytest.raises(errors.Undecided, match="more than 20 panels"):
        panels.eigenvalues(ss.mlp(ss.sign, 3).ck, 3, [1], 60)


def test_a_kernel_of_unknown_sign_is_undecided():
    import sympy

    from symspec.kernel import zonal_kernel

    rough = zonal_kernel(sympy.sqrt(sympy.acos(sympy.Symbol("rho"))))
    with pytest.raises(errors.Undecided):
        numerics.eigenvalues(rough, ss.Sphere(3), 0, digits=10)
