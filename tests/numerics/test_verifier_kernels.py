"""The verifier's kernels, series, discs and norms against mpmath; its imports."""

from __future__ import annotations

import ast
from pathlib import Path

import mpmath
import pytest
from flint import acb, arb, arb_series, fmpq
from mpmath import mpf

from numerics import verifier, verifier_duals
from numerics.precision import working_precision
from numerics.values import at_angle
from numerics.verifier_duals import Piecewise, Reach, Smooth, circular
from numerics.verifier_kernels import Network
from numerics.verifier_remainder import Remainder
from symspec.errors import CertificateError

from .certificate_maker import ACTIVATIONS, RELU, SETTINGS, engine, rationals
from .mpmath_kernels import SMOOTH, formula_of_residual_network, kernel as reference


def test_moments_of_positive_parts():
    theta, size = mpf("1.1"), 6
    angle = circular(arb("1.1"))
    table = verifier_duals.orthant_moments((arb.pi() - angle.theta) / (2 * arb.pi()), angle.cosine, angle.sine, size)
    for i in range(size):
        for j in range(size):
            radial = 2 ** (mpf(i + j) / 2) * mpmath.gamma(mpf(i + j) / 2 + 1)
            angular = mpmath.quad(lambda a, i=i, j=j: mpmath.cos(a) ** i * mpmath.cos(a - theta) ** j, [theta - mpmath.pi / 2, mpmath.pi / 2])
            assert abs(float(table[i][j]) / float(radial * angular / (2 * mpmath.pi)) - 1) < 1e-13


@pytest.mark.parametrize("name", ["relu", "leaky_relu(1/5)", "abs(x)"])
@pytest.mark.parametrize("depth", [1, 3])
def test_values_against_mpmath(name, depth):
    with mpmath.workdps(40), working_precision(150):
        for text in ("0.3", "1.7", "3.1"):
            rho = mpmath.cos(mpf(text))
            angle = circular(arb(text))
            for kind in ("ck", "ntk"):
                mine = Network(ACTIVATIONS[name], depth, kind).value(angle)
                assert abs(mpf(mine.str(35, radius=False)) - reference(name, depth, kind, rho)) < mpf(10) ** -28
            u, theta = formula_of_residual_network(name, depth, mpf(1) / 2, rho)
            assert abs(mpf(Network(ACTIVATIONS[name], depth, "ck", alpha=fmpq(1, 2)).value(angle).str(35, radius=False)) - u) < mpf(10) ** -28
            assert abs(mpf(Network(ACTIVATIONS[name], depth, "ntk", alpha=fmpq(1, 2)).value(angle).str(35, radius=False)) - theta) < mpf(10) ** -28


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_values_against_mpmath(name):
    with mpmath.workdps(40), working_precision(150):
        for kind in ("ck", "ntk"):
            mine = Network(Smooth(name), 2, kind).at_correlation(arb(1) / 3)
            assert abs(mpf(mine.str(35, radius=False)) - reference(name, 2, kind, mpf(1) / 3)) < mpf(10) ** -28


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_series_and_degrees(name, setting):
    for kind in ("ck", "ntk", "layer"):
        depth = 1 if kind == "layer" else 3
        net, theirs = Network(ACTIVATIONS[name], depth, kind, 2 if kind == "layer" else 0, **SETTINGS[setting]), engine(name, depth, kind, setting)
        with working_precision(200, 48):
            near, far, y = net.near(40), net.far(40), arb(3) / 10
            around = net.around(arb_series([y, 1]))
            x = arb(1) / 50
            for series, point, theta in ((near, (arb(3) / 20).sin(), arb(3) / 10), (far, ((arb.pi() - 3) / 2).sin(), arb(3)), (around, x, 2 * (y + x).sqrt().asin())):
                total = sum((series[n] * point**n for n in range(40)), arb(0))
                assert abs(total - at_angle(theirs, theta)) < 1e-15
                assert net.value(circular(theta)).overlaps(at_angle(theirs, theta))
        assert net.reach() == Reach(theirs.support.even, theirs.support.odd)


@pytest.mark.parametrize(("name", "depth"), [("relu", 4), ("abs(x)", 3), ("x*abs(x)", 3)])
def test_discs_bound_the_continuation(name, depth):
    net = Network(ACTIVATIONS[name], depth, "ntk")
    with working_precision(100, 40):
        for real, imaginary in ((1.5, 0.3), (0.8, 0.15), (2.5, 0.15)):
            centre, radius = acb(real, imaginary), arb(1) / 256
            bound = net.on_disc(centre, radius)
            series = net.around(arb_series([(arb(real) / 2).sin() ** 2, 1]))
            for corner in (centre, centre + radius, centre - acb(0, radius)):
                x = (corner / 2).sin() ** 2 - (arb(real) / 2).sin() ** 2
                value = sum((series[n] * x**n for n in range(40)), acb(0))
                assert abs(value) < bound < abs(value) * 1.5 + 0.2


def test_no_disc_across_a_zero():
    net = Network(RELU, 2)
    with working_precision(100):
        assert not net.on_disc(acb(0), arb("0.1")).is_finite()
        assert Network(RELU, 1).on_disc(acb(0), arb("0.1")).is_finite()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Network(Piecewise(rationals(-1), rationals(1)), 1, "ntk"), "infinite"),
        (lambda: Network(Piecewise(rationals(-1), rationals(1)), 2, "ntk", drop_deltas=True), "jump"),
        (lambda: Network(Piecewise(rationals(-1), rationals(1)), 9), "jump"),
        (lambda: Network(Piecewise(rationals(0, 1), rationals(0, 1)), 2), "polynomial"),
        (lambda: Network(Piecewise((), ()), 1), "polynomial"),
    ],
)
def test_kernels_refused(make, reason):
    with pytest.raises(CertificateError, match=reason):
        make()


# --- norms


@pytest.mark.parametrize("d", [2, 3, 5])
def test_norms_against_mpmath(d):
    """L^2 r of the CK of one ReLU layer, from mpmath's own derivatives."""
    m, J = 2, 5
    net = Network(RELU, 1)
    with working_precision(300, 90):
        near, far = net.near(80), net.far(80)
        a, b = ({fmpq(j): side[j] for j in range(1, J + 1, 2)} for side in (near, far))
        remainder = Remainder(d, m, a, b, arb(100))
        sigma, S = arb(1) / 4, arb(3) / 4
        bounds = [remainder.end(near, sigma, S, 80), remainder.swapped().end(far, sigma, S, 80)]
        panel = remainder.panel(net.around(arb_series([arb(2) / 5, 1])), fmpq(2, 5), fmpq(1, 10), fmpq(7, 20), 80)
        A, B = ([mpf(c.str(40, radius=False)) for c in side.values()] for side in (a, b))
    with mpmath.workdps(40):

        def r(y):
            t = 1 - 2 * y
            kappa = (t * (mpmath.pi - mpmath.acos(t)) + mpmath.sqrt(1 - t * t)) / mpmath.pi
            return kappa - sum(A[i] * y ** (i + mpf(1) / 2) + B[i] * (1 - y) ** (i + mpf(1) / 2) for i in range(len(A)))

        def squared(y):
            taylor = mpmath.taylor(r, y, 4, h=mpf(10) ** -7)
            d1, d2, d3, d4 = taylor[1], 2 * taylor[2], 6 * taylor[3], 24 * taylor[4]
            p, q, h = y * (1 - y), 1 - 2 * y, mpf(d - 1) / 2
            g1 = p * d3 + q * d2 + h * (q * d2 - 2 * d1)
            g2 = p * d4 + 2 * q * d3 - 2 * d2 + h * (q * d3 - 4 * d2)
            weight = mpmath.gamma(mpf(d) / 2) / (mpmath.sqrt(mpmath.pi) * mpmath.gamma(mpf(d - 1) / 2)) * 2 ** (d - 2)
            return (p * g2 + h * q * g1) ** 2 * weight * p ** (mpf(d - 3) / 2)

        pieces = [([mpf(1) / 10**6, mpf(1) / 16], bounds[0]), ([mpf(15) / 16, 1 - mpf(1) / 10**6], bounds[1]), ([mpf(3) / 10, mpf(1) / 2], panel)]
        for interval, bound in pieces:
            true = mpmath.quad(squared, interval, maxdegree=5)
            assert true * (1 - mpf(10) ** -3) <= mpf(bound.upper().str(20, radius=False)) <= true * mpf("1.3")



def test_independence():
    """The verifier imports the standard library, FLINT, errors and the precision scope, and itself."""
    folder = Path(verifier.__file__).parent
    for path in folder.glob("verifier*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                own = node.level == 1 and (node.module == "precision" or node.module.startswith("verifier_"))
                standard = node.module.split(".")[0] in ("collections", "dataclasses", "functools", "math", "typing", "__future__")
                assert own or standard or node.module in ("flint", "symspec.errors"), (path.name, node.module)
            elif isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {"json", "os", "re"}
