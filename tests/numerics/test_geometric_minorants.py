"""Lower bounds of smooth kernels: against certified eigenvalues, against the verifier, and files that claim too much."""

from __future__ import annotations

import copy
import json

import pytest
from flint import arb, arb_series, fmpq

import numerics
import symspec as ss
from numerics import geometric_minorants
from numerics.certification import certify
from numerics.geometric_minorants import lower_bounds
from numerics.power_series import coefficients
from numerics.precision import working_precision
from numerics.verifier import verify
from numerics.verifier_duals import Smooth
from numerics.verifier_kernels import Network
from numerics.verifier_minorants import Sequence, leading, minorant
from symspec.errors import CertificateError

gaussian = ss.activation("gaussian")
BIASED = {"sigma_w2": "3/2", "sigma_b2": "1/3"}

# kernel, dimension, the first even and odd degree that is bounded
CASES = [
    (ss.mlp(ss.erf, 1).ck, 3, (None, 1)),
    (ss.mlp(ss.erf, 1).ntk, 10, (None, 1)),
    (ss.mlp(ss.erf, 2).ck, 2, (None, 1)),
    (ss.mlp(ss.erf, 2).ntk, 5, (None, 1)),
    (ss.mlp(ss.erf, 1, **BIASED).ck, 3, (0, 1)),
    (ss.mlp(ss.erf, 2, **BIASED).ntk, 4, (2, 1)),
    (ss.mlp(ss.erf, 2, sigma_w2=4, input_variance="1/2").ck, 3, (None, 1)),
    (ss.mlp(gaussian, 1).ck, 3, (0, None)),
    (ss.mlp(gaussian, 2).ntk, 4, (2, None)),
    (ss.mlp(gaussian, 2, **BIASED).ck, 3, (2, 1)),
    (ss.mlp(ss.gelu, 1).ck, 3, (0, None)),
    (ss.mlp(ss.gelu, 1, sigma_w2=2, input_variance="5/3").ck, 2, (0, None)),
    (ss.mlp(ss.gelu, 2).ntk, 6, (2, 3)),
    (ss.mlp(ss.gelu, 2, **BIASED).ntk, 3, (2, 1)),
    (ss.mlp(ss.erf, 2).ntk_layers[2], 3, (None, 1)),
    (3 * ss.resnet(ss.gelu, 2, "1/2").ck, 3, (2, 3)),
]


@pytest.mark.parametrize(("kernel", "d", "starts"), CASES, ids=str)
def test_bounds_hold_on_both_sides(kernel, d, starts):
    c = certify(kernel, ss.Sphere(d))
    assert c.lower is not None
    assert tuple(None if bound is None else bound.start for bound in (c.lower.even, c.lower.odd)) == starts
    values = numerics.eigenvalues(kernel, ss.Sphere(d), range(61), digits=10)
    with working_precision(256):
        for k, value in enumerate(values):
            assert c.lower_at(k) <= value <= c.upper_at(k)
            assert (c.lower_at(k) > 0) == (starts[k % 2] is not None and k >= starts[k % 2])
        assert all(c.lower_at(k) > 0 for k in (10**6, 10**6 + 1) if starts[k % 2] is not None)


@pytest.mark.parametrize(("kernel", "d"), [(ss.mlp(ss.erf, 1).ck, 3), (ss.mlp(ss.erf, 1).ntk, 30), (ss.mlp(ss.gelu, 1).ck, 5), (ss.mlp(gaussian, 1, sigma_w2=5).ck, 2)], ids=str)
def test_the_rate_of_one_layer_is_nearly_the_true_one(kernel, d):
    rate = numerics.decay_rate(ss.decay(kernel, ss.Sphere(d)), 10)
    found = lower_bounds(kernel, d)
    assert found is not None
    assert arb("0.9") < found.r * rate < 1


def test_a_larger_constant_would_be_false():
    """The least quotient of coefficients is attained: the eigenvalues come within a few powers of ten of the bound."""
    c = certify(ss.mlp(ss.erf, 1).ck, ss.Sphere(3))
    values = numerics.eigenvalues(c.kernel, ss.Sphere(3), range(61), digits=10)
    with working_precision(256):
        assert min(float(value / c.lower_at(k)) for k, value in enumerate(values) if k % 2) < 10


@pytest.mark.parametrize(
    "kernel",
    [ss.mlp(ss.sin, 2).ck, ss.mlp(ss.exp, 1).ntk, ss.mlp(ss.cos, 1).ck, ss.mlp(ss.erf, 2).ntk_layers[0], ss.resnet(ss.erf, 1, 1).ntk, ss.mlp(ss.activation("x*exp(-x**2)"), 1).ck],
    ids=str,
)
def test_an_upper_bound_alone_otherwise(kernel):
    c = certify(kernel, ss.Sphere(3))
    assert c.lower is None
    assert c.lower_at(5) == 0
    assert ">=" not in str(c).split("\n")[1].replace("k >= 0", "")
    assert "Poisson" not in c.proof()


@pytest.mark.parametrize("name", ["erf", "gelu", "gaussian"])
@pytest.mark.parametrize("w", [fmpq(1), fmpq(5, 2)])
def test_closed_forms_of_the_first_layer(name, w):
    """The formulas of the verifier and the ratios of the engine against the series of the dual."""
    q, start = w + fmpq(1, 3), int(name == "erf")
    with working_precision(128, 30):
        series = Smooth(name).dual(arb(q), arb_series([0, arb(w)], 30))
        for n in range(start, 30, 2):
            mine = leading(name, w, q, n)
            assert mine.overlaps(series[n])
            assert mine.rel_accuracy_bits() > 100
        first = geometric_minorants._first({"activation": {"name": name}, "sigma_w2": str(w), "sigma_b2": "1/3", "input_variance": "1", "alpha": None})
        for n in range(start, 28, 2):
            ratio = first.X**2 * first.above(n) / ((n + 1) * (n + 2) * first.below(n))
            assert (series[n] * ratio).overlaps(series[n + 2])
        assert first.value.overlaps(w * series[start])


@pytest.mark.parametrize(
    ("kernel", "network"),
    [
        (ss.mlp(ss.gelu, 2).ntk, Network(Smooth("gelu"), 2, "ntk")),
        (ss.mlp(ss.erf, 2, sigma_w2=2, sigma_b2="1/3").ntk, Network(Smooth("erf"), 2, "ntk", 0, fmpq(2), fmpq(1, 3))),
        (ss.mlp(ss.erf, 2).ntk_layers[0], Network(Smooth("erf"), 2, "layer", 1)),
        (ss.mlp(ss.gelu, 2).ntk_layers[1], Network(Smooth("gelu"), 2, "layer", 2)),
        (ss.resnet(ss.gelu, 2, "1/2").ntk, Network(Smooth("gelu"), 2, "ntk", alpha=fmpq(1, 2))),
        (ss.mlp(gaussian, 3, sigma_b2=1).ntk, Network(Smooth("gaussian"), 3, "ntk", 0, fmpq(1), fmpq(1))),
    ],
    ids=str,
)
def test_minorants_of_the_verifier_are_below_the_coefficients(kernel, network):
    """The carrier of the verifier, coefficient by coefficient, for every kind of kernel."""
    x, d = fmpq(1, 5), 3
    with working_precision(192):
        found = minorant(network, Sequence(d, x), 60)
        series = coefficients(kernel, 40, arb(1))
        assert found.first[0] <= series[0] + arb("1e-30")
        assert found.first[1] <= series[1] + arb("1e-30")
        g = arb(1)
        for n, value in enumerate(series):
            beta = sum((beta for s, beta in found.tables[n % 2].items() if s <= n), arb(0))
            assert beta * g <= value * (1 + arb("1e-30")) + arb("1e-50")
            g *= x * (n + fmpq(d, 2)) / (n + 1)
        assert any(found.tables)


@pytest.fixture(scope="module")
def record():
    return certify(ss.mlp(ss.gelu, 2, **BIASED).ntk, ss.Sphere(3)).record()


@pytest.mark.parametrize(("kernel", "d", "starts"), CASES, ids=str)
def test_the_verifier_proves_the_file(kernel, d, starts, tmp_path):
    certify(kernel, ss.Sphere(d)).save(tmp_path / "c.json")
    statements = verify(tmp_path / "c.json").statements
    assert len(statements) == 1 + sum(start is not None for start in starts)


def _mutated(record, path, value):
    changed = copy.deepcopy(record)
    target = changed
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value(target[path[-1]])
    return changed


MUTATIONS = [
    (("claim", "lower", "even", "constant"), lambda c: [str(int(c[0]) * 1001), str(int(c[1]))], "lower"),
    (("claim", "lower", "odd", "constant"), lambda c: [c[0], str(int(c[1]) + 8)], "lower"),
    (("claim", "lower", "even", "constant"), lambda c: ["-" + c[0], c[1]], "positive"),
    (("claim", "lower", "even", "constant"), lambda _: ["0", "0"], "positive"),
    (("claim", "lower", "even", "from"), lambda _: 0, "lower"),
    (("claim", "lower", "odd", "from"), lambda _: -1, "integer"),
    (("claim", "lower", "odd", "from"), lambda _: True, "integer"),
    (("claim", "lower", "ratio"), lambda _: "2/5", "lower"),
    (("claim", "lower", "ratio"), lambda _: "1", "below 1"),
    (("claim", "lower", "ratio"), lambda _: "-1/4", "positive"),
    (("claim", "lower", "even"), lambda _: {"from": 2}, "lacks"),
    (("claim", "lower"), lambda _: None, "induction"),
    (("claim", "lower"), lambda lower: {**lower, "even": None, "odd": None}, "bound a parity"),
    (("proof", "geometric", "induction"), lambda _: None, "induction"),
    (("proof", "geometric", "induction"), lambda n: n // 2, "lower"),
    (("proof", "geometric", "induction"), lambda _: 10**7, "integer"),
    (("kernel", "activation", "name"), lambda _: "sin", "geometric"),
    (("kernel", "sigma_b2"), lambda _: "0", "lower"),
    (("dimension",), lambda d: d + 4, "lower"),
]


@pytest.mark.parametrize(("path", "value", "fragment"), MUTATIONS, ids=[f"{'.'.join(path)}-{i}" for i, (path, _, _) in enumerate(MUTATIONS)])
def test_a_changed_file_is_refused(record, path, value, fragment, tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(record))
    assert len(verify(file).statements) == 3
    file.write_text(json.dumps(_mutated(record, path, value)))
    with pytest.raises(CertificateError, match=fragment):
        verify(file)


def test_the_constant_of_one_layer_is_sharp_for_the_verifier(tmp_path):
    found = certify(ss.mlp(ss.erf, 1).ck, ss.Sphere(3)).record()
    larger = _mutated(found, ("claim", "lower", "odd", "constant"), lambda c: [str(int(c[0]) * (2**29 + 1)), str(int(c[1]) - 29)])
    (tmp_path / "c.json").write_text(json.dumps(larger))
    with pytest.raises(CertificateError, match="odd degrees was not proved"):
        verify(tmp_path / "c.json")


def test_no_lower_bound_of_an_entire_kernel(tmp_path):
    found = certify(ss.mlp(ss.sin, 1).ck, ss.Sphere(3)).record()
    found["claim"]["lower"] = {"ratio": "1/100", "even": None, "odd": {"from": 1, "constant": ["1", "-1000"]}}
    found["proof"]["geometric"]["induction"] = 10
    (tmp_path / "c.json").write_text(json.dumps(found))
    with pytest.raises(CertificateError, match="entire"):
        verify(tmp_path / "c.json")


def test_weaker_claims_pass(record, tmp_path):
    """Hints may be larger than needed, starts later, constants smaller."""
    for path, value in [
        (("proof", "geometric", "induction"), lambda n: 3 * n),
        (("claim", "lower", "even", "from"), lambda n: n + 2),
        (("claim", "lower", "odd"), lambda _: None),
        (("claim", "lower", "even", "constant"), lambda c: [c[0], str(int(c[1]) - 1)]),
    ]:
        file = tmp_path / "c.json"
        file.write_text(json.dumps(_mutated(record, path, value)))
        assert verify(file).statements


def test_texts():
    c = certify(ss.mlp(ss.gelu, 1).ck, ss.Sphere(3))
    assert "for every even k >= 0" in str(c)
    assert r"\mu_k&\ge" in c.statement()
    assert "Poisson" in c.proof()
    assert c.lower_at(1) == 0
