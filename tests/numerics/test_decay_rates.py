"""Radii and rates of smooth kernels: against mpmath, closed forms, power series and eigenvalues."""

from __future__ import annotations

import json

import mpmath
import pytest
import sympy
from flint import arb
from sympy import Rational, sqrt

import numerics
import symspec as ss
from numerics.exact_text import ball_from_record
from numerics.power_series import coefficients
from numerics.precision import working_precision
from symspec import errors
from symspec.cli import main
from symspec.inversion import NEVER, inverse, least
from symspec.program import RHO
from symspec.radius import first_singularity
from symspec.support import INFINITE, Support

DIGITS = 30
TIE = {"sigma_w2": 1, "sigma_b2": (sqrt(2) - 1) / 2}


def _gelu(c, q):
    """E gelu(u) gelu(v) for variances q and covariance c, by Stein's lemma twice."""
    a = 1 / (2 * mpmath.pi * mpmath.sqrt((1 + q) ** 2 - c * c))
    gates = mpmath.mpf(1) / 4 + mpmath.asin(c / (1 + q)) / (2 * mpmath.pi)
    return q * (q - c * c / (1 + q)) * a + c * gates + c * c * a / (1 + q)


def _erf_and_square(c, q):
    """E f(u) f(v) for f = erf(x) + x^2 (the parts are odd and even)."""
    return 2 / mpmath.pi * mpmath.asin(2 * c / (1 + 2 * q)) + q * q + 2 * c * c


def _radius(dual, singular, depth, weight=None, bias=0):
    """Backwards through the layers from the last singular value, where it is the last layer that decides."""
    q = mpmath.mpf(1) if weight is None else mpmath.mpf(weight + bias)
    variances = [q]
    for _ in range(depth - 1):
        q = mpmath.mpf(1) if weight is None else weight * dual(q, q) + bias
        variances.append(q)
    value = singular(variances[-1])
    for q in reversed(variances[:-1]):
        scale, shift = (1 / dual(q, q), 0) if weight is None else (weight, bias)
        value = mpmath.findroot(lambda c, q=q, value=value, scale=scale, shift=shift: scale * dual(c, q) + shift - value, (q, singular(q) * (1 - mpmath.mpf(10) ** -9)), solver="anderson", tol=1e-75)
    return value if weight is None else (value - bias) / weight


def _close(ball, number):
    with working_precision(300):
        return abs(ball / arb(mpmath.nstr(number, 50)) - 1) < arb(10) ** (2 - DIGITS)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("numbers", [{}, {"sigma_w2": 2, "sigma_b2": Rational(1, 10)}, {"sigma_w2": 1, "sigma_b2": Rational(1, 2)}], ids=str)
def test_gelu_against_mpmath(depth, numbers):
    net = ss.mlp(ss.gelu, depth, **numbers)
    with mpmath.workdps(60):
        weight, bias = (mpmath.mpf(numbers[n].p) / numbers[n].q if isinstance(numbers[n], Rational) else numbers[n] for n in ("sigma_w2", "sigma_b2")) if numbers else (None, 0)
        wanted = _radius(_gelu, lambda q: 1 + q, depth, weight, bias)
        rate = wanted + mpmath.sqrt(wanted**2 - 1)
    for kernel in (net.ck, net.ntk):
        law = ss.decay(kernel, ss.Sphere(5))
        assert _close(numerics.decay_radius(law, DIGITS), wanted)
        assert _close(numerics.decay_rate(law, DIGITS), rate)
        with pytest.raises(errors.NoClosedForm, match=r"numerics\.decay_rate"):
            _ = law.rate


@pytest.mark.parametrize("depth", [2, 3])
def test_a_mixture_against_mpmath(depth):
    with mpmath.workdps(60):
        wanted = _radius(_erf_and_square, lambda q: q + mpmath.mpf(1) / 2, depth)
    assert _close(numerics.decay_radius(ss.mlp("erf(x) + x**2", depth).ck, DIGITS), wanted)


@pytest.mark.parametrize(
    ("kernel", "radius"),
    [
        (ss.mlp(ss.erf, 1).ck, Rational(3, 2)),
        (ss.mlp(ss.erf, 2).ntk, 3 * sympy.sin(3 * sympy.asin(Rational(2, 3)) / 2) / 2),
        (ss.mlp(ss.erf, 4).ck, None),
        (ss.mlp(ss.gelu, 1).ntk, sympy.Integer(2)),
        (ss.mlp(ss.gaussian, 3).ck, 2 * sqrt(130) / 13),
        (ss.mlp(ss.gaussian, 2, sigma_w2=1, sigma_b2="0.3").ck, None),
        (ss.mlp("exp(x**2/10)", 2).ck, sqrt(241) / 4),
        # The inner covariance ends at 1/10, below the singular value of the second layer: the first decides.
        (ss.mlp(ss.erf, 2, sigma_w2=Rational(1, 10)).ck, sympy.Integer(6)),
    ],
    ids=lambda value: value.name if isinstance(value, ss.Kernel) else str(value),
)
def test_closed_forms(kernel, radius):
    law = ss.decay(kernel, ss.Sphere(3))
    assert law.radius is not None
    assert radius is None or sympy.simplify(law.radius - radius) == 0
    with working_precision(400):
        assert numerics.decay_radius(kernel, 100).overlaps(numerics.ball(law.radius))
        assert numerics.decay_rate(law, 100).overlaps(numerics.ball(law.rate))


def test_an_algebraic_radius_that_is_not_inverted():
    """x exp(-x^2/2): 3 sqrt(3) rho = 2 (4 - rho^2)^(3/2)."""
    radius = numerics.decay_radius(ss.mlp("x*exp(-x**2/2)", 2).ck, 50)
    assert (27 * radius**2 - 4 * (4 - radius**2) ** 3).contains(0)


def test_digits():
    law = ss.decay(ss.mlp(ss.gelu, 3).ntk, ss.Sphere(3))
    previous = None
    for digits in (1, 10, 100, 400):
        value = numerics.decay_rate(law, digits)
        assert value.rel_accuracy_bits() > 3.3 * digits
        assert previous is None or previous.overlaps(value)
        previous = value


def test_two_barriers_met_at_once():
    """sigma_b2 = (sqrt(2) - 1)/2: at rho = 3/2 the first layer is singular and its value is the singular value of the second."""
    net = ss.mlp(ss.erf, 2, **TIE)
    assert [str(barrier.symbol) for barrier in first_singularity(net.ck).barriers] == ["rho", "c_1"]
    assert numerics.decay_radius(net.ck, 60).overlaps(arb(3) / 2)
    same = ss.mlp(ss.erf, 1).ck + ss.mlp(ss.erf, 1).ck * ss.mlp(ss.gaussian, 1).ck
    assert numerics.decay_radius(same, 60).overlaps(arb(3) / 2)
    assert ss.decay(same, ss.Sphere(3)).radius == Rational(3, 2)


@pytest.mark.parametrize(("weight", "size"), [(Rational(1, 10**30), 30), (10**20, 0)])
def test_extreme_weights(weight, size):
    radius = numerics.decay_radius(ss.mlp(ss.gelu, 2, sigma_w2=weight).ck, 20)
    assert abs(radius / arb(10) ** size - 1) < arb(10) ** -15
    assert radius > 1 or size == 0


def test_the_rate_close_to_one():
    """gelu with weight 10^20: R - 1 is about 5e-41, and the digits of r do not suffer."""
    rate = numerics.decay_rate(ss.mlp(ss.gelu, 2, sigma_w2=10**20).ck, 40)
    assert rate > 1
    assert rate.rel_accuracy_bits() > 132


@pytest.mark.parametrize("net", [ss.mlp(ss.gelu, 2), ss.mlp(ss.gelu, 3, sigma_w2=2, sigma_b2=Rational(1, 10)), ss.mlp("erf(x) + x**2", 3), ss.mlp("erf(x + 1)", 2)], ids=str)
def test_power_series(net):
    """b_n R^n changes like a power of n: neither growth nor decay at a geometric rate."""
    radius = numerics.decay_radius(net.ck, 60)
    terms = 200
    with working_precision(1500):
        values = coefficients(net.ck, terms + 1, radius.mid())
        ratio = values[terms] / values[terms // 2]
    assert arb(2) ** -6 < ratio < 2


def test_eigenvalues():
    net = ss.mlp(ss.gelu, 2)
    low, high = numerics.eigenvalues(net.ntk, ss.Sphere(3), [300, 340], digits=8)
    measured = ((low / high).log() / 40).exp()
    assert abs(measured / numerics.decay_rate(net.ntk, 10) - 1) < 0.01


def test_deeper_is_never_wider():
    values = [numerics.decay_rate(ss.mlp(ss.gelu, depth).ntk, 15) for depth in (1, 2, 3, 8, 32)]
    assert all(a > b for a, b in zip(values, values[1:], strict=False))
    assert values[-1] > 1


def test_the_statement_says_what_defines_the_radius():
    law = ss.decay(ss.mlp(ss.gelu, 2, sigma_w2=2).ntk, ss.Sphere(3))
    assert law.radius is None
    assert "R the least rho > 1 with rho = 3/2 or c_1 = q_1 + 1" in law.summary()
    for text in (law.statement(), law.proof()):
        assert r"$c_{1}=q_{1} + 1$" in text
    assert "c_{1} &=" in law.statement()
    assert "q_{1} &=" in law.statement()
    deep = ss.decay(ss.mlp(ss.gelu, 20).ck, ss.Sphere(3)).summary()
    assert deep.endswith("rho = 2 or c_1 = 2 or ... or c_19 = 2")


def test_refusals():
    for kernel in (ss.mlp(ss.relu, 2).ck, ss.mlp(ss.sin, 2).ck, ss.mlp(ss.monomial(2), 2).ck):
        for function in (numerics.decay_radius, numerics.decay_rate):
            with pytest.raises(errors.NoClosedForm):
                function(kernel)
            with pytest.raises(errors.NoClosedForm, match="no geometric rate"):
                function(ss.decay(kernel, ss.Sphere(3)))
    with pytest.raises(errors.InputError, match="DecayLaw"):
        numerics.decay_rate(2)
    with pytest.raises(errors.InputError, match="digits"):
        numerics.decay_rate(ss.mlp(ss.gelu, 2).ck, 0)
    with pytest.raises(errors.Undecided, match="signs"):
        numerics.decay_rate(ss.zonal_kernel(1 / (2 - RHO)))


def test_kernels_of_expressions():
    everything = Support(even=INFINITE, odd=INFINITE)
    assert numerics.decay_radius(ss.zonal_kernel(1 / (2 - RHO), everything)).overlaps(arb(2))
    assert numerics.decay_radius(ss.zonal_kernel(-sympy.log(3 - sympy.exp(RHO / 2)), everything)).overlaps(2 * arb(3).log())
    for wrong in (sympy.tan(RHO), 1 / (1 - RHO), 1 / (1 - 2 * RHO)):
        with pytest.raises(errors.Undecided):
            numerics.decay_radius(ss.zonal_kernel(wrong, everything))


def test_inversion():
    x = sympy.Symbol("x", real=True)
    for expr, value, wanted in (
        (sympy.asin(x / 2) / 3 + 1, Rational(7, 6), 2 * sympy.sin(Rational(1, 2))),
        (2 * sympy.exp(x) - 1, sympy.Integer(5), sympy.log(3)),
        (sympy.sinh(x) / 2, sympy.Integer(1), sympy.asinh(2)),
        (x**2 + x, sympy.Integer(6), sympy.Integer(2)),
        (x**3, sympy.Integer(8), sympy.Integer(2)),
        ((4 - x**2) ** Rational(-3, 2), sympy.Integer(1), sqrt(3)),
    ):
        assert sympy.simplify(inverse(expr, x, value) - wanted) == 0
    assert inverse(sympy.asin(x), x, sympy.Integer(2)) is NEVER
    assert inverse(x * sympy.exp(x), x, sympy.Integer(2)) is None
    assert least([sqrt(3), sympy.pi, sympy.Integer(2)]) == sqrt(3)
    assert least([sqrt(3 + 2 * sqrt(2)), 1 + sqrt(2)]) - 1 - sqrt(2) in (0, sqrt(3 + 2 * sqrt(2)) - 1 - sqrt(2))
    assert least([]) is None


CALL = ["decay", "gelu", "--depth", "2", "--kernel", "ntk", "--domain", "sphere:3", "--digits", "25"]


def test_the_command(capsys):
    assert main(CALL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("with rho = 2 or c_1 = 2")
    assert lines[2].startswith("R = 1.699434400355978271395817")
    assert lines[3].startswith("rate r = R + sqrt(R^2 - 1) = 3.073507644805954249550231")


def test_the_command_in_json(capsys):
    assert main([*CALL, "--json"]) == 0
    record = json.loads(capsys.readouterr().out, parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert record["rate"] is None
    assert record["first_singularity_least_root_of"] == ["rho = 2", "c_1 = 2"]
    assert set(record["recursion"]) == {"c_1"}
    assert ball_from_record(record["rate_ball"]).overlaps(numerics.decay_rate(ss.mlp(ss.gelu, 2).ntk, 40))
    assert ball_from_record(record["first_singularity_ball"]).rel_accuracy_bits() > 80
