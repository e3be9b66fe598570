"""The verifier of certificates: its kernels against mpmath, real certificates, and files that must be refused."""

from __future__ import annotations

import ast
import copy
import json
from fractions import Fraction
from functools import cache
from pathlib import Path

import mpmath
import pytest
from flint import acb, arb, arb_series, fmpq
from mpmath import mpf

import numerics
import symspec as ss
from numerics import verifier, verifier_duals, verifier_file
from numerics.precision import working_precision
from numerics.values import at_angle
from numerics.verifier_duals import Piecewise, Reach, Smooth, circular
from numerics.verifier_kernels import Network
from numerics.verifier_remainder import Remainder
from symspec.cli import main
from symspec.errors import CertificateError

from .certificate_maker import description, geometric_certificate, pair, power_certificate
from .mpmath_kernels import SMOOTH, formula_of_residual_network, kernel as reference


def rationals(*values):
    return tuple(fmpq(*v) if isinstance(v, tuple) else fmpq(v) for v in values)


RELU = Piecewise((), rationals(0, 1))
ACTIVATIONS = {
    "relu": RELU,
    "leaky_relu(1/5)": Piecewise(rationals(0, (1, 5)), rationals(0, 1)),
    "abs(x)": Piecewise(rationals(0, -1), rationals(0, 1)),
    "relu(x)^2": Piecewise((), rationals(0, 0, 1)),
    "x*abs(x)": Piecewise(rationals(0, 0, -1), rationals(0, 0, 1)),
    "relu(x)+x^2/10": Piecewise(rationals(0, 0, (1, 10)), rationals(0, 1, (1, 10))),
}
SETTINGS = {
    "normalised": {},
    "biases": {"sigma_w2": fmpq(3, 2), "sigma_b2": fmpq(1, 3), "input_variance": fmpq(2)},
    "no biases": {"sigma_w2": fmpq(3, 2)},
    "residual": {"alpha": fmpq(1, 2)},
}


def engine(name, depth, kind, setting):
    options = {key: str(value) for key, value in SETTINGS[setting].items()}
    net = ss.resnet(name, depth, options["alpha"]) if setting == "residual" else ss.mlp(name, depth, **options)
    return net.ntk_layers[1] if kind == "layer" else getattr(net, kind)


# --- kernels


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
        (lambda: Network(Piecewise(rationals(-1), rationals(1)), 2), "jump"),
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
        a, b = [near[j] for j in range(1, J + 1, 2)], [far[j] for j in range(1, J + 1, 2)]
        remainder = Remainder(d, m, tuple(a), tuple(b), arb(100))
        sigma, S = arb(1) / 4, arb(3) / 4
        bounds = [remainder.end(near, sigma, S, 80), remainder.swapped().end(far, sigma, S, 80)]
        panel = remainder.panel(net.around(arb_series([arb(2) / 5, 1])), fmpq(2, 5), fmpq(1, 10), fmpq(7, 20), 80)
        A, B = ([mpf(c.str(40, radius=False)) for c in side] for side in (a, b))
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


# --- certificates


@cache
def relu_text():
    kernel = ss.mlp(ss.relu, 1).ck
    words = description({"below": [], "above": ["0", "1"]}, 1, "ck")
    return json.dumps(power_certificate(Network(RELU, 1), kernel, words, 3, 3, 5, 14, fmpq(5), (5, None), 60))


def relu_certificate():
    return json.loads(relu_text())


@pytest.fixture
def proved(tmp_path):
    def check(record):
        path = tmp_path / "certificate.json"
        path.write_text(record if isinstance(record, str) else json.dumps(record))
        return numerics.verify(path)

    return check


def test_a_proof(proved):
    result = proved(relu_certificate())
    assert result.dimension == 3
    assert result.statements[-1] == "mu_k = 0 for every odd k >= 3"
    assert "k^5 mu_k" in result.statements[1]
    assert str(result).startswith("CK of the fully connected network of depth 1 with activation 0 for x < 0, 1*x for x > 0")


CASES = {
    "deep": ("relu", "normalised", 3, "ntk", 10, 6, 11, 25, (10, 10)),
    "circle with biases": ("relu", "biases", 2, "ntk", 2, 3, 5, 30, (2, 2)),
    "residual": ("relu", "residual", 2, "layer", 5, 4, 9, 30, (5, 5)),
    "even": ("abs(x)", "no biases", 3, "ntk", 4, 4, 7, 30, (4, None)),
    "odd": ("x*abs(x)", "normalised", 2, "ck", 3, 6, 11, 60, (None, 7)),
    "mixed": ("relu(x)+x^2/10", "normalised", 2, "ck", 3, 4, 7, 30, (5, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_proofs_of_other_kernels(proved, case):
    name, setting, depth, kind, d, m, J, cut, exponents = CASES[case]
    part = 2 if kind == "layer" else 0
    net, sides = Network(ACTIVATIONS[name], depth, kind, part, **SETTINGS[setting]), ACTIVATIONS[name]
    activation = {"below": [str(c) for c in sides.below], "above": [str(c) for c in sides.above]}
    changes = {key: str(value) for key, value in SETTINGS[setting].items()} | ({"architecture": "resnet"} if setting == "residual" else {})
    words = description(activation, depth, kind, layer=part or None, **changes)
    kernel = engine(name, depth, kind, setting)
    record = power_certificate(net, kernel, words, d, m, J, cut, fmpq(3, 2), exponents, 90)
    assert len(proved(record).statements) >= 2
    # A constant that is off by a millionth is refused.
    for parity in ("even", "odd"):
        if record["claim"][parity]["asymptotic"]:
            wrong = copy.deepcopy(record)
            wrong["claim"][parity]["bands"][-1]["lower"] = scaled(record["claim"][parity]["bands"][-1]["upper"], 1)
            with pytest.raises(CertificateError, match=f"^{parity}"):
                proved(wrong)


@pytest.mark.slow
def test_a_proof_in_dimension_32(proved):
    words = description({"below": [], "above": ["0", "1"]}, 3, "ntk")
    record = power_certificate(Network(RELU, 3, "ntk"), ss.mlp(ss.relu, 3).ntk, words, 32, 14, 27, 60, fmpq(3, 2), (32, 32), 160)
    assert len(proved(record).statements) == 10


# --- mutations


def numbers(node, path=()):
    """Paths of all numbers, each dyadic and each text that is one as a whole; decimals and texts for readers left out."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in ("format", "theorem", "midpoint", "radius"):
                yield from numbers(value, (*path, key))
        if "centre" in node:
            yield (*path, "radius")
    elif isinstance(node, list) and len(node) == 2 and all(isinstance(part, str) for part in node) and "activation" not in path:
        yield path
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from numbers(value, (*path, i))
    elif not isinstance(node, bool) and (isinstance(node, int) or (isinstance(node, str) and node[:1] in "-0123456789")):
        yield path


def at(record, path):
    for key in path:
        record = record[key]
    return record


def put(record, path, value):
    at(record, path[:-1])[path[-1]] = value


def scaled(dyadic, percent):
    mantissa, exponent = map(int, dyadic)
    return [str(mantissa * (100 + percent) * 2**20 // 100), str(exponent - 20)]


def mutants(value):
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, str):
        return [str(Fraction(value) * Fraction(101, 100)), str(Fraction(value) * Fraction(99, 100)), str(-Fraction(value)), str(Fraction(value) + 1)]
    mantissa, exponent = map(int, value)
    if mantissa == 0:
        return [["1", "-100"], ["-1", "-100"]]
    return [scaled(value, 1), scaled(value, -1), [str(-mantissa), str(exponent)], [str(mantissa), str(exponent + 1)], [str(mantissa), str(exponent - 1)]]


def with_decimals(record, path):
    """Wide decimals around a ball whose exact numbers were changed, so that they are not what is refused."""
    if path[-1] in ("midpoint_exact", "radius_exact"):
        ball = at(record, path[:-1])
        ball["midpoint"], ball["radius"] = "0", "1e30"


def ball_of(record):
    (a, b), (c, e) = record["midpoint_exact"], record["radius_exact"]
    return Fraction(int(a)) * Fraction(2) ** int(b), Fraction(int(c)) * Fraction(2) ** int(e)


@cache
def true_eigenvalues():
    """Of kappa_1 in dimension 3, section 5: d Gamma(d/2)^2 Gamma((k-1)/2)^2 / (8 pi^2 Gamma((k+d+1)/2)^2) for even k, 1/(2d) for 1."""
    with mpmath.workdps(60):
        values = {k: 3 * mpmath.gamma(1.5) ** 2 * (mpmath.gamma(mpf(k - 1) / 2) / mpmath.gamma(mpf(k + 4) / 2)) ** 2 / (8 * mpmath.pi**2) for k in (*range(0, 60, 2), 138, 140, 142, 400, 13998, 14000, 14002)}
        return values | {1: mpf(1) / 6}


def claim_is_true(record):
    """The claim of a certificate for the CK of one ReLU layer in dimension 3, whose constant is 3/pi."""
    even, odd = record["claim"]["even"], record["claim"]["odd"]
    truth = true_eigenvalues()
    with mpmath.workdps(60):
        balls = [(truth.get(entry["degree"], mpf(0)), entry["value"]) for entry in record["eigenvalues"]] + [(3 / mpmath.pi, even["asymptotic"])]
        for value, record_of_ball in balls:
            middle, radius = (mpf(x.numerator) / x.denominator for x in ball_of(record_of_ball))
            if abs(value - middle) > radius:
                return False
        for band in even["bands"]:
            low, high = (mpf(int(band[key][0])) * mpf(2) ** int(band[key][1]) for key in ("lower", "upper"))
            scaled_values = [mu * mpf(k) ** even["exponent"] for k, mu in truth.items() if k % 2 == 0 and k >= band["from"]] + [3 / mpmath.pi]
            if not (low <= min(scaled_values) and max(scaled_values) <= high):
                return False
    return even["exponent"] == 5 and even["zero_from"] is None and odd["zero_from"] > 1


def test_every_mutation_is_refused_or_true(proved):
    record = relu_certificate()
    accepted, refused = [], 0
    panels = len(record["proof"]["power"]["panels"])
    for path in list(numbers(record)):
        if "panels" in path and path[3] not in (0, panels // 2, panels - 1):
            continue
        for mutant in mutants(at(record, path)):
            if mutant == at(record, path):
                continue
            changed = copy.deepcopy(record)
            put(changed, path, mutant)
            with_decimals(changed, path)
            try:
                proved(changed)
            except CertificateError:
                refused += 1
            else:
                # A multiple of the activation has the same normalised kernel.
                assert path[0] not in ("kernel", "dimension", "version") or path == ("kernel", "activation", "above", 1), path
                assert claim_is_true(changed), (path, mutant)
                accepted.append(path)
    assert claim_is_true(record)
    # Weaker claims and other hints pass; most mutations do not.
    assert refused > 1.5 * len(accepted)
    # A tighter bound of any kind is refused: percent-wise the balls and bands leave no room.
    assert not [path for path in accepted if path[-1] == "midpoint_exact"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["proof"]["power"]["panels"].reverse(), "panels: there is a gap"),
        (lambda r: r["proof"]["power"]["panels"].pop(1), "panels: there is a gap before panel 1"),
        (lambda r: r["proof"]["power"]["panels"].pop(), "panels: there is a gap after"),
        (lambda r: r["eigenvalues"].pop(3), "eigenvalues: that of degree 4 is missing"),
        (lambda r: r["eigenvalues"].reverse(), "degrees must ascend"),
        (lambda r: r["eigenvalues"][2]["value"].update(r["eigenvalues"][1]["value"]), "eigenvalues: that of degree 2"),
        (lambda r: r["claim"]["odd"].update(zero_from=1), "odd"),
        (lambda r: r["claim"]["odd"].update(r["claim"]["even"]), "odd"),
        (lambda r: r["claim"]["even"].update(zero_from=2, asymptotic=None, bands=[]), "even"),
        (lambda r: r["claim"]["even"].update(exponent=3), "even"),
        (lambda r: r["claim"]["even"].update(bands=[]), "a band"),
        (lambda r: r["proof"]["power"].update(m=4), "remainder: "),
        (lambda r: r["proof"]["power"]["ellipse"].update(ratio="1"), "ellipse: "),
        (lambda r: r["proof"]["power"]["ellipse"].update(ratio="100"), "ellipse: "),
        (lambda r: r["kernel"].update(depth=2), "^ellipse|^coefficients"),
        (lambda r: r["kernel"].update(kind="ntk"), "^ellipse|^coefficients"),
        (lambda r: r["kernel"].update(scale="1/2"), "coefficients: a_3"),
        (lambda r: r["kernel"].update(architecture="resnet", alpha="1"), "coefficients"),
        (lambda r: r["kernel"]["activation"]["below"].extend(["0", "1/1000"]), "coefficients"),
    ],
)
def test_steps_that_fail(proved, change, message):
    record = relu_certificate()
    change(record)
    with pytest.raises(CertificateError, match=message):
        proved(record)


# --- files


def test_order_of_keys_is_free(proved):
    def reordered(node):
        if isinstance(node, dict):
            return {key: reordered(node[key]) for key in sorted(node, reverse=True)}
        return [reordered(value) for value in node] if isinstance(node, list) else node

    assert proved(reordered(relu_certificate())) == proved(relu_certificate())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(version=2), "newer schema"),
        (lambda r: r.update(version=True), "version"),
        (lambda r: r.update(format="another"), "no symspec certificate"),
        (lambda r: r.update(extra=1), "unknown key 'extra'"),
        (lambda r: r.pop("eigenvalues"), "lacks 'eigenvalues'"),
        (lambda r: r.update(law="linear"), "law"),
        (lambda r: r.update(dimension=1), "dimension"),
        (lambda r: r["kernel"].update(depth="1"), "depth"),
        (lambda r: r["kernel"].update(depth=10**9), "depth"),
        (lambda r: r["kernel"].update(layer=1), "layer"),
        (lambda r: r["kernel"].update(sigma_b2="1"), "normalised"),
        (lambda r: r["kernel"].update(sigma_w2="0"), "positive"),
        (lambda r: r["kernel"].update(alpha="1"), "alpha"),
        (lambda r: r["kernel"].update(scale="1/0"), "scale"),
        (lambda r: r["kernel"].update(scale="0x1"), "scale"),
        (lambda r: r["kernel"].update(scale="-1"), "scale"),
        (lambda r: r["kernel"].update(drop_deltas=0), "drop_deltas"),
        (lambda r: r["kernel"].update(activation={"name": "erf"}), "activation"),
        (lambda r: r["kernel"]["activation"].update(above=["1"] * 40), "above"),
        (lambda r: r["proof"]["power"].update(J=4), "J must be odd"),
        (lambda r: r["proof"]["power"].update(remainder=["1", "200000"]), "exponent"),
        (lambda r: r["proof"]["power"].update(remainder=["9" * 5000, "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["1.5", "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["١", "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["1"]), "remainder"),
        (lambda r: r["proof"]["power"]["coefficients"]["near"].pop(), "near"),
        (lambda r: r["claim"]["even"]["asymptotic"].update(midpoint="7"), "enclose"),
        (lambda r: r["claim"]["even"]["asymptotic"].update(radius_exact=["-1", "-3"]), "negative"),
        (lambda r: r["theorem"].update(text=None), "theorem.text"),
    ],
)
def test_fields_refused(proved, change, message):
    record = relu_certificate()
    change(record)
    with pytest.raises(CertificateError, match=f"^file: .*{message}"):
        proved(record)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "null", "{", "[" * 100_000, '{"format": 1e5}', '{"format": NaN}', '{"format": -Infinity}', '{"a": 1, "a": 1}', '{"a": ' + "9" * 5000 + "}", '{"format": "symspec certificate"}'],
)
def test_texts_refused(proved, text):
    with pytest.raises(CertificateError, match="^file: "):
        proved(text)


def test_truncated_at_any_point(proved):
    text = relu_text()
    for cut in range(0, len(text) - 1, len(text) // 50):
        with pytest.raises(CertificateError, match="^file: "):
            proved(text[:cut])


def test_bytes_and_sizes(tmp_path, monkeypatch):
    path = tmp_path / "certificate.json"
    path.write_bytes(b'{"format": "\xff"}')
    with pytest.raises(CertificateError, match="no JSON"):
        numerics.verify(path)
    with pytest.raises(CertificateError, match="cannot be read"):
        numerics.verify(tmp_path)
    monkeypatch.setattr(verifier_file, "MAX_BYTES", 10)
    with pytest.raises(CertificateError, match="larger"):
        numerics.verify(path)


# --- smooth kernels


@pytest.mark.parametrize(("name", "kind", "ratio"), [("erf", "ck", fmpq(2)), ("gelu", "ntk", fmpq(12, 5)), ("sin", "ck", fmpq(5)), ("gaussian", "ck", fmpq(3, 2))])
def test_geometric(proved, name, kind, ratio):
    words = description({"name": name}, 2, kind)
    record = geometric_certificate(Network(Smooth(name), 2, kind), words, 3, ratio)
    assert "for every k" in proved(record).statements[0]
    eigenvalues = numerics.eigenvalues(getattr(ss.mlp(getattr(ss, name), 2), kind), ss.Sphere(3), list(range(8)), 20)
    constant = arb(int(record["claim"]["constant"][0])) * arb(2) ** int(record["claim"]["constant"][1])
    assert all(value <= constant * arb(ratio) ** -k / (2 * k + 1) ** 0.5 for k, value in enumerate(eigenvalues))
    for path in (("claim", "constant"), ("proof", "geometric", "bound")):
        tightened = copy.deepcopy(record)
        put(tightened, path, scaled(at(record, path), -1))
        with pytest.raises(CertificateError, match="^geometric"):
            proved(tightened)
    for path, value in ((("claim", "ratio"), str(ratio + fmpq(1, 100))), (("claim", "ratio"), "1"), (("proof", "geometric", "radius"), "1"), (("kernel", "scale"), "2")):
        changed = copy.deepcopy(record)
        put(changed, path, value)
        with pytest.raises(CertificateError, match="^geometric"):
            proved(changed)


def test_no_rate_beyond_the_singularity(proved):
    record = geometric_certificate(Network(Smooth("erf"), 1), description({"name": "erf"}, 1, "ck"), 3, fmpq(2))
    record["claim"]["ratio"], record["proof"]["geometric"] = "3", {"radius": "5/3", "bound": ["1", "50"]}
    with pytest.raises(CertificateError, match="analytic"):
        proved(record)


# --- the command, and independence


def test_command(tmp_path, capsys):
    path = tmp_path / "certificate.json"
    path.write_text(relu_text())
    assert main(["verify", str(path)]) == 0
    assert "proved\nmu_k ~ L k^-5 for even k" in capsys.readouterr().out
    assert main(["verify", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["dimension"] == 3
    path.write_text(relu_text()[:-1])
    assert main(["verify", str(path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith("symspec: not proved: file: ")) == ("", 1, True)


def test_independence():
    """The verifier imports the standard library, FLINT, errors and the precision scope, and itself."""
    folder = Path(verifier.__file__).parent
    for path in folder.glob("verifier*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                own = node.level == 1 and (node.module == "precision" or node.module.startswith("verifier_"))
                assert own or node.module in ("flint", "symspec.errors") or node.module.split(".")[0] in ("collections", "dataclasses", "functools", "math", "typing", "__future__"), (path.name, node.module)
            elif isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {"json", "os", "re"}


def test_pair_rounds_outward():
    with working_precision(100):
        third = arb(1) / 3
        assert all(arb(int(m)) * arb(2) ** int(e) > third for m, e in [pair(third)])
        assert all(arb(int(m)) * arb(2) ** int(e) < third for m, e in [pair(third, up=False)])
