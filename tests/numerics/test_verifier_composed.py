"""The verifier on certificates of composed jumps: real ones are proved, mutated ones refused unless still true."""

from __future__ import annotations

import copy
import json
from functools import cache

import pytest
from flint import acb, arb, arb_series, fmpq

import numerics
import symspec as ss
from numerics.precision import working_precision
from numerics.values import at_angle
from numerics.verifier_discs import far_is_bounded, near_is_bounded, panel_is_bounded
from numerics.verifier_duals import Piecewise, circular
from numerics.verifier_kernels import Network
from symspec.errors import CertificateError

from .certificate_maker import rationals
from .test_verifier import at, ball_of, mutants, numbers, put, scaled, with_decimals

STEP, SIGN, MIXED = Piecewise((), rationals(1)), Piecewise(rationals(-1), rationals(1)), Piecewise(rationals(0, 1), rationals(1, 2))


def kernel_of(name, depth, **options):
    return ss.mlp({"step": ss.step, "sign": ss.sign}.get(name, name), depth, **options).ck


@pytest.mark.parametrize("d", [2, 3, 10])
@pytest.mark.parametrize(("name", "depth"), [("step", 2), ("step", 3), ("sign", 2), *[pytest.param(name, depth, marks=pytest.mark.slow) for name in ("step", "sign") for depth in (5, 6)]])
def test_proofs(tmp_path, name, depth, d):
    path = tmp_path / "certificate.json"
    numerics.certify(kernel_of(name, depth), ss.Sphere(d)).save(path)
    statements = numerics.verify(path).statements
    exponent = fmpq(d - 1) + fmpq(1, 2 ** (depth - 1))
    assert any(f"k^({exponent}) mu_k" in line for line in statements)
    assert ("mu_k = 0 for every even k >= 0" in statements) == (name == "sign")


@pytest.mark.slow
@pytest.mark.parametrize("depth", [7, 8])
def test_deep_proofs(tmp_path, depth):
    """Some minutes each."""
    test_proofs(tmp_path, "step", depth, 3)


def test_a_proof_with_biases(tmp_path):
    numerics.certify(kernel_of("step", 2, sigma_w2=2, sigma_b2="1/10"), ss.Sphere(3)).save(tmp_path / "certificate.json")
    assert numerics.verify(tmp_path / "certificate.json").statements


@cache
def _text():
    return json.dumps(numerics.certify(kernel_of("step", 2), ss.Sphere(3)).record())


def power(record):
    return record["proof"]["power"]


def shifted(ball):
    ball["midpoint_exact"] = [str(int(ball["midpoint_exact"][0]) * (2**90 + 1)), str(int(ball["midpoint_exact"][1]) - 90)]
    ball["midpoint_exact"] = scaled(ball["midpoint_exact"], 1)
    ball.update(midpoint="0", radius="1e30")


def quarter(piece, key):
    piece[key] = [piece[key][0], str(int(piece[key][1]) - 2)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: power(r).update(root=1), r"file: .*root"),
        (lambda r: power(r).update(root=4), "^root"),
        (lambda r: power(r).update(ellipse={"ratio": "2", "bound": ["1", "9"]}), "ellipse must be null"),
        (lambda r: power(r).pop("root"), r"file: .*sigma|unknown key|lacks|object"),
        (lambda r: power(r).update(extra=1), "unknown key"),
        (lambda r: power(r)["ends"].update(extra=1), "unknown key"),
        (lambda r: power(r)["ends"]["near"].update(centre="0"), "unknown key"),
        (lambda r: power(r)["panels"][0].pop("supremum"), "lacks 'supremum'"),
        (lambda r: quarter(power(r)["ends"]["near"], "supremum"), "ends: the supremum at end 0"),
        (lambda r: quarter(power(r)["ends"]["far"], "supremum"), "ends: the supremum at end 1"),
        (lambda r: quarter(power(r)["panels"][0], "supremum"), "panels: the supremum of panel 0"),
        (lambda r: quarter(power(r)["panels"][-1], "supremum"), "panels: the supremum of panel"),
        (lambda r: quarter(power(r)["ends"]["near"], "bound"), "ends: the bound at end 0"),
        (lambda r: quarter(power(r)["ends"]["far"], "bound"), "ends: the bound at end 1"),
        (lambda r: quarter(power(r)["panels"][0], "bound"), "panels: the bound of panel 0"),
        (lambda r: quarter(power(r), "remainder"), "remainder: B"),
        (lambda r: power(r)["ends"]["near"].update(radius="1/3"), "panels: there is a gap before panel 0"),
        (lambda r: power(r)["ends"]["far"].update(radius="1/3"), "panels: there is a gap after"),
        (lambda r: power(r)["panels"].pop(1), "panels: there is a gap"),
        (lambda r: power(r)["ends"]["near"].update(disc="1"), "ends: radius < disc < 1"),
        (lambda r: power(r)["ends"]["near"].update(terms=12), "ends: terms"),
        (lambda r: power(r)["panels"][0].update(terms=6), "panels: terms"),
        (lambda r: power(r)["panels"][0].update(disc="1/2"), "panels: the disc"),
        (lambda r: power(r).update(m=power(r)["m"] + 2), "^remainder"),
        (lambda r: power(r).update(J=power(r)["J"] + 2), "coefficients: there must be"),
        (lambda r: power(r)["coefficients"]["near"].pop(), "coefficients: there must be"),
        (lambda r: shifted(power(r)["coefficients"]["near"][0]), "coefficients: a_1/2"),
        (lambda r: shifted(power(r)["coefficients"]["far"][0]), "coefficients: b_1"),
        (lambda r: power(r)["coefficients"].update(near=power(r)["coefficients"]["near"][::-1]), "^coefficients"),
        (lambda r: r["claim"]["even"].update(exponent="3"), "^even"),
        (lambda r: r["claim"]["even"].update(exponent="7/2"), "even: the coefficients"),
        (lambda r: r["claim"]["odd"].update(exponent="-5/2"), "positive"),
        (lambda r: r["claim"]["odd"].update(zero_from=3, asymptotic=None, bands=[]), "^odd"),
        (lambda r: r["eigenvalues"].pop(3), "eigenvalues: that of degree 3 is missing"),
        (lambda r: shifted(r["eigenvalues"][2]["value"]), "eigenvalues: that of degree 2"),
        (lambda r: r["kernel"].update(depth=3), "^root"),
        (lambda r: r["kernel"].update(depth=1), "^root"),
        (lambda r: r["kernel"].update(scale="1/2"), "^coefficients"),
        (lambda r: r["kernel"].update(kind="ntk", drop_deltas=True), "^kernel"),
        (lambda r: r["kernel"]["activation"].update(below=["-1"]), "^coefficients"),
    ],
)
def test_steps_that_fail(proved, change, message):
    record = json.loads(_text())
    change(record)
    with pytest.raises(CertificateError, match=message):
        proved(record)


@cache
def true_eigenvalues():
    degrees = [*range(13), 50, 51, 95, 96, 300, 301]
    return dict(zip(degrees, numerics.eigenvalues(kernel_of("step", 2), ss.Sphere(3), degrees, 35), strict=True))


def claim_is_true(record):
    truth = true_eigenvalues()
    exact = json.loads(_text())["claim"]
    with working_precision(200):
        for entry in record["eigenvalues"]:
            middle, radius = (arb(fmpq(x.numerator, x.denominator)) for x in ball_of(entry["value"]))
            if not abs(truth[entry["degree"]] - middle) < radius:
                return False
        for parity, name in enumerate(("even", "odd")):
            claim = record["claim"][name]
            (middle, radius), (true, _) = ball_of(claim["asymptotic"]), ball_of(exact[name]["asymptotic"])
            if claim["exponent"] != "5/2" or not abs(true - middle) <= radius or claim["zero_from"] is not None:
                return False
            for band in claim["bands"]:
                low, high = (arb(int(band[key][0])) * arb(2) ** int(band[key][1]) for key in ("lower", "upper"))
                values = [mu * arb(k) ** arb("2.5") for k, mu in truth.items() if k % 2 == parity and k >= max(1, band["from"])]
                if not all(low <= value <= high for value in values):
                    return False
    return True


@pytest.mark.parametrize(("every", "first"), [(89, 1), pytest.param(3, 3, marks=pytest.mark.slow)])
def test_mutations_are_refused_or_true(proved, every, first):
    """A sample of the numbers of a file; with -m slow a third of them, three mutants each."""
    record, refused, accepted = json.loads(_text()), 0, 0
    assert proved(record)
    for path in list(numbers(record))[::every]:
        for mutant in mutants(at(record, path))[:first]:
            changed = copy.deepcopy(record)
            put(changed, path, mutant)
            with_decimals(changed, path)
            try:
                proved(changed)
            except CertificateError:
                refused += 1
            else:
                # The normalised kernel is that of a multiple of the activation, too.
                assert path[0] not in ("kernel", "dimension", "version") or path[:3] == ("kernel", "activation", "above"), path
                assert path[-1] != "midpoint_exact"
                assert claim_is_true(changed), (path, mutant)
                accepted += 1
    assert refused > accepted


# --- kernels


NETWORKS = {
    "step": (Network(STEP, 2), kernel_of("step", 2)),
    "three steps": (Network(STEP, 3), kernel_of("step", 3)),
    "sign": (Network(SIGN, 3), kernel_of("sign", 3)),
    "mixed": (Network(MIXED, 2), kernel_of("x + (x+1)*Heaviside(x)", 2)),
    "biases": (Network(STEP, 2, sigma_w2=fmpq(2), sigma_b2=fmpq(1, 10)), kernel_of("step", 2, sigma_w2=2, sigma_b2="1/10")),
    "residual": (Network(STEP, 2, alpha=fmpq(1)), ss.resnet(ss.step, 2, 1).ck),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_series(name):
    net, theirs = NETWORKS[name]
    with working_precision(300, 90):
        near, far, y, x = net.near(70), net.far(70), arb(3) / 10, arb(1) / 50
        around = net.around(arb_series([y, 1]))
        tau = arb(1) / 10  # biases leave a small radius of convergence in c
        c = tau**net.far_root
        cases = ((near, tau, 2 * (tau**net.root).asin()), (far, tau, arb.pi() - 2 * c.asin()), (around, x, 2 * (y + x).sqrt().asin()))
        for series, point, theta in cases:
            total = sum((series[n] * point**n for n in range(70)), arb(0))
            assert abs(total - at_angle(theirs, theta)) < 1e-15
            assert net.value(circular(theta)).overlaps(at_angle(theirs, theta))


@pytest.mark.parametrize("name", NETWORKS)
def test_suprema(name):
    """On small discs, where the power series converges quickly, the bound is the largest value on the circle."""
    net, _ = NETWORKS[name]
    with working_precision(200, 90):
        jobs = [(net.near(70), fmpq(1, 10), lambda bound: near_is_bounded(net, fmpq(1, 10), bound)), (net.around(arb_series([arb("0.25"), 1])), fmpq(1, 10), None)]
        jobs[1] = (*jobs[1][:2], lambda bound: panel_is_bounded(net, fmpq(1, 4), fmpq(1, 10), bound))
        if net.far_root == 1:
            jobs.append((net.far(70), fmpq(1, 10), lambda bound: far_is_bounded(net, fmpq(1, 10), bound)))
        for series, size, bounded in jobs:
            points = [size * acb(fmpq(i, 24)).exp_pi_i() for i in range(25)]
            largest = max(float(abs(sum((series[n] * z**n for n in range(70)), acb(0)))) for z in points)
            assert bounded(fmpq(int(largest * 1.02 * 10**9), 10**9))
            assert not bounded(fmpq(int(largest * 0.999 * 10**9), 10**9))


def test_no_bound_across_a_singularity():
    """A disc must not reach 0."""
    assert not panel_is_bounded(Network(STEP, 2), fmpq(1, 4), fmpq(1, 4), fmpq(10**6))
