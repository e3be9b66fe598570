"""The verifier of certificates: real ones are proved, mutated ones refused unless still true."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from functools import cache

import mpmath
import pytest
from flint import arb, fmpq
from mpmath import mpf

import numerics
import symspec as ss
from numerics.precision import working_precision
from numerics.verifier_duals import Smooth
from numerics.verifier_kernels import Network
from symspec.cli import main
from symspec.errors import CertificateError

from .certificate_maker import ACTIVATIONS, RELU, SETTINGS, description, engine, geometric_certificate, pair, power_certificate, relu_certificate, relu_text


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
        degrees = (*range(0, 60, 2), 138, 140, 142, 400, 13998, 14000, 14002)
        values = {k: 3 * mpmath.gamma(1.5) ** 2 * (mpmath.gamma(mpf(k - 1) / 2) / mpmath.gamma(mpf(k + 4) / 2)) ** 2 / (8 * mpmath.pi**2) for k in degrees}
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


@pytest.mark.parametrize("maker", ["by hand", "certify"])
def test_every_mutation_is_refused_or_true(proved, maker):
    record = relu_certificate() if maker == "by hand" else numerics.certify(ss.mlp(ss.relu, 1).ck, ss.Sphere(3)).record()
    assert proved(record)
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
    # The real file has a remainder and balls that are wider than they need be, so more mutations of it are weaker but true.
    assert refused > (1.5 if maker == "by hand" else 1) * len(accepted)
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
        with pytest.raises(CertificateError, match=r"^geometric"):
            proved(tightened)
    for path, value in ((("claim", "ratio"), str(ratio + fmpq(1, 100))), (("claim", "ratio"), "1"), (("proof", "geometric", "radius"), "1"), (("kernel", "scale"), "2")):
        changed = copy.deepcopy(record)
        put(changed, path, value)
        with pytest.raises(CertificateError, match=r"^geometric"):
            proved(changed)


def test_no_rate_beyond_the_singularity(proved):
    record = geometric_certificate(Network(Smooth("erf"), 1), description({"name": "erf"}, 1, "ck"), 3, fmpq(2))
    record["claim"]["ratio"], record["proof"]["geometric"] = "3", {"radius": "5/3", "bound": ["1", "50"], "induction": None}
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


def test_pair_rounds_outward():
    with working_precision(100):
        third = arb(1) / 3
        assert all(arb(int(m)) * arb(2) ** int(e) > third for m, e in [pair(third)])
        assert all(arb(int(m)) * arb(2) ** int(e) < third for m, e in [pair(third, up=False)])


@pytest.mark.parametrize("part", [3, 4])
def test_parts_of_residual_networks_whose_far_end_is_smoother(tmp_path, part):
    """The coefficient of c is exactly 0 for all matrices but the first."""
    numerics.certify(ss.resnet(ss.relu, 2, 1).ntk_layers[part - 1], ss.Sphere(3)).save(tmp_path / "c.json")
    assert numerics.verify(tmp_path / "c.json").statements
