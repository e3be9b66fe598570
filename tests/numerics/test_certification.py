"""Bounds for every degree: true on degrees far beyond the cut, sharp, and refused where nothing is proved."""

from __future__ import annotations

import json

import pytest
import sympy
from flint import arb, fmpq, fmpz

import numerics
import symspec as ss
from numerics import certification
from numerics.certificates import Certificate, power
from numerics.certification import certify, decreases_from
from numerics.exact_text import ball_from_record
from numerics.kernel_description import description_of
from numerics.precision import working_precision
from symspec import errors
from symspec.kernel import power as monomial, zonal_kernel

CASES = [
    (ss.mlp(ss.relu, 1).ck, 2),
    (ss.mlp(ss.relu, 2).ntk, 3),
    (ss.mlp(ss.relu, 3).ntk_layers[0], 5),
    (ss.mlp(ss.absolute, 2).ntk, 4),
    (ss.mlp(ss.leaky_relu("1/10"), 2).ck, 8),
    (ss.mlp(ss.rectified_monomial(2), 2).ntk, 5),
    (ss.mlp(ss.step, 1).ck, 3),
    (ss.mlp(ss.step, 2).ck, 3),
    (ss.mlp(ss.sign, 3).ck, 2),
    (ss.resnet(ss.relu, 2, 1).ntk, 3),
    (ss.mlp(ss.relu, 2, sigma_w2=2, sigma_b2="1/10").ck, 6),
    (ss.mlp(ss.activation("Max(x,0) + x**2/10"), 2).ntk, 3),
    (ss.mlp(ss.activation("Max(x,0) + sin(x)"), 2).ck, 4),
]


@pytest.mark.parametrize(("kernel", "d"), CASES, ids=str)
def test_the_bounds_hold_and_the_narrow_ones_are_narrow(kernel, d):
    c = certify(kernel, ss.Sphere(d))
    degrees = [*range(1, c.cut + 12), *(band.start + i for name in ("even", "odd") for band in c.bands(name) for i in (0, 1)), 30001, 40000]
    # Where jumps are composed, degrees of a few hundred would be integrated over panels one by one.
    slow = kernel.ramification > 1
    degrees = sorted(k for k in set(degrees) if k <= 40000 and not (slow and 60 < k < 20000))
    values = dict(zip(degrees, numerics.eigenvalues(kernel, ss.Sphere(d), degrees, digits=15), strict=True))
    with working_precision(150):
        for k, value in values.items():
            if value == 0:
                assert c.claims[("even", "odd")[k % 2]].zero_from <= k
                continue
            assert c.lower <= value * power(arb(fmpz(k)), c.exponent) <= c.upper
            claim = c.claims[("even", "odd")[k % 2]]
            for band in claim.bands:
                if k >= band.start:
                    assert band.lower <= value * power(arb(fmpz(k)), claim.exponent) <= band.upper
    for claim in c.claims.values():
        if claim.exponent is not None:
            assert claim.bands[-1].lower > claim.asymptotic * arb("0.98")
            assert claim.bands[-1].upper < claim.asymptotic * arb("1.02")
            assert any(band.lower > claim.asymptotic / 2 and band.upper < 2 * claim.asymptotic for band in claim.bands)


SMALL = [(getattr(ss.mlp(ss.relu, depth), kind), d) for kind in ("ck", "ntk") for depth in (1, 2, 3) for d in (2, 3, 10)]


@pytest.mark.parametrize(("kernel", "d"), [case for case in [*CASES, *SMALL] if description_of(case[0])], ids=str)
def test_the_checker_accepts_the_file(kernel, d, tmp_path):
    certify(kernel, ss.Sphere(d)).save(tmp_path / "c.json")
    assert numerics.verify(tmp_path / "c.json").dimension == d


@pytest.mark.parametrize(("kernel", "d"), CASES[:3], ids=str)
def test_the_limit_is_the_exact_constant(kernel, d):
    c, law = certify(kernel, ss.Sphere(d)), ss.decay(kernel, ss.Sphere(d))
    for parity in ("even", "odd"):
        if c.claims[parity].asymptotic is not None:
            assert c.claims[parity].asymptotic.overlaps(numerics.decay_constant(law, parity, 30))


def test_exceptional_degrees_count():
    """Odd degrees of the depth-1 kernel vanish but for degree 1, which the bound covers."""
    c = certify(ss.mlp(ss.relu, 1).ntk, ss.Sphere(5))
    assert c.claims["odd"].zero_from == 3
    assert c.bands("odd") == ()
    assert 1 in c.eigenvalues
    assert c.lower <= c.eigenvalues[1] <= c.upper


@pytest.mark.parametrize(("d", "m", "j"), [(3, 4, fmpq(1)), (10, 6, fmpq(3)), (32, 14, fmpq(1)), (2, 3, fmpq(1)), (3, 4, fmpq(1, 4))])
def test_the_remainder_decreases_where_the_inequality_says_so(d, m, j):
    start = next(k for k in range(1, 400) if decreases_from(d, m, j, k))
    with working_precision(128):
        def share(k):
            return 1 / (arb(k * (k + d - 2)) ** m * arb(fmpz(ss.Sphere(d).multiplicity(k))).sqrt() * abs(certification.block(d, j, k)))

        values = [share(k) for k in range(start, start + 60)]
        assert all(a > b for a, b in zip(values, values[1:], strict=False))


def test_an_order_too_low_never_decreases():
    assert not any(decreases_from(32, 2, fmpq(1), k) for k in (10, 1000, 10**6))


@pytest.mark.parametrize(
    ("kernel", "domain", "error", "fragment"),
    [
        (ss.mlp(ss.activation("Max(x-1,0)"), 1).ck, ss.Sphere(3), errors.Undecided, "no singular term|divides|analytic"),
        (ss.mlp(ss.step, 2).ntk, ss.Sphere(3), errors.DomainError, "drop_deltas"),
        (ss.mlp(ss.relu, 1).ck, "sphere:3", errors.DomainError, "Sphere"),
        (ss.mlp(ss.relu, 1).ck, ss.Sphere(sympy.Symbol("d", positive=True, integer=True)), errors.DomainError, "number d"),
        (monomial(3), ss.Sphere(3), errors.NoClosedForm, "polynomial"),
        (ss.relu, ss.Sphere(3), errors.InputError, "Kernel"),
        (ss.mlp(ss.step, 9).ck, ss.Sphere(3), errors.Undecided, "composed 9 times"),
    ],
)
def test_what_is_not_proved_is_not_claimed(kernel, domain, error, fragment):
    with pytest.raises(error, match=fragment):
        certify(kernel, domain)


def test_a_kernel_of_the_wrong_sign_is_undecided():
    rho = sympy.Symbol("rho")
    with pytest.raises(errors.Undecided, match="not positive"):
        certify(zonal_kernel(sympy.sqrt(2 - 2 * rho)), ss.Sphere(3))
    assert certify(zonal_kernel(3 - sympy.sqrt(2 - 2 * rho)), ss.Sphere(3)).lower > 0


def test_the_file_holds_exact_numbers_only(tmp_path):
    c = certify(ss.mlp(ss.relu, 2).ck, ss.Sphere(3))
    path = tmp_path / "c.json"
    c.save(path)
    record = json.loads(path.read_text(), parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert record["kernel"]["activation"] == {"below": ["0", "0"], "above": ["0", "1"]}
    assert [p.name for p in tmp_path.iterdir()] == ["c.json"]
    for row in record["eigenvalues"]:
        ball = ball_from_record(row["value"])
        assert (ball.mid(), ball.rad()) == (c.eigenvalues[row["degree"]].mid(), c.eigenvalues[row["degree"]].rad())


def test_a_file_that_cannot_be_written_costs_nothing(tmp_path):
    c = certify(ss.mlp(ss.relu, 1).ck, ss.Sphere(3))
    path = tmp_path / "old.json"
    path.write_text("kept")
    with pytest.raises(errors.OutputError, match="folder"):
        c.save(tmp_path)
    with pytest.raises(errors.OutputError):
        c.save(tmp_path / "none" / "c.json")
    assert path.read_text() == "kept"


def test_kernels_that_the_checker_cannot_rebuild_are_not_written(tmp_path):
    c = certify(ss.mlp(ss.activation("Max(x,0) + sin(x)"), 2).ck, ss.Sphere(3))
    assert isinstance(c, Certificate)
    assert c.lower > 0
    with pytest.raises(errors.NoClosedForm, match="checked independently"):
        c.save(tmp_path / "c.json")
    assert list(tmp_path.iterdir()) == []


def test_texts():
    c = certify(ss.mlp(ss.relu, 2).ck, ss.Sphere(3))
    assert "k^5 mu_k" in str(c)
    assert r"\begin{align*}" in c.statement()
    assert r"\mathcal L" in c.proof()
    assert "<= k^5 mu_k <=" in repr(c)
    assert repr(c).endswith("k >= 1)")
    with pytest.raises(errors.InputError, match="parity"):
        c.bands("both")
