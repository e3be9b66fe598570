"""Laws at symbolic depth: against decay at each depth, against printed values, and false claims refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from functools import lru_cache

import pytest
import sympy
from sympy import Rational, S, Symbol

import symspec as ss
from symspec import cli, depth_claims
from symspec.depth_laws import LAYER, D, depth_law, layer_steps
from symspec.induction import INDEX, Problem, prove
from symspec.one_homogeneous import slope, unit, value
from symspec.singularity import Series

A = Symbol("a", real=True)
ALPHA = Symbol("alpha", positive=True)
ACTIVATIONS = ["relu", "leaky_relu(1/10)", "leaky_relu(-1/2)"]
D_VALUES = (D, 2, 3, 10)
DIGITS = 60


def _value(expr, names):
    """Digits of a constant through its names, so that nothing is written out."""
    digits = {}
    for symbol, definition in names.items():
        digits[symbol] = definition.xreplace(digits).evalf(DIGITS)
    return expr.xreplace(digits).subs(D, 7).evalf(DIGITS)


def _agrees(kernel, law, depth):
    decay, at = ss.decay(kernel, law.domain), law.at(depth)
    assert decay.exponent == at.exponent
    for parity in ("even", "odd"):
        ours, theirs = _value(at.named[parity], at.names), _value(decay.named_constant(parity), decay.names)
        assert abs(ours - theirs) < 10 ** (10 - DIGITS) * (1 + abs(theirs))


@lru_cache
def _law(activation, kind, d, layer=None, alpha=None):
    return depth_law(activation, kind, layer=layer, alpha=alpha, domain=ss.Sphere(d))


@pytest.mark.parametrize("depth", range(1, 7))
def test_every_kernel_of_relu_against_the_law_of_its_depth(depth):
    net = ss.mlp(ss.relu, depth)
    for d in D_VALUES:
        _agrees(net.ck, _law("relu", "ck", d), depth)
        _agrees(net.ntk, _law("relu", "ntk", d), depth)
    for layer in range(1, depth + 1):
        _agrees(net.ntk_layers[layer - 1], _law("relu", "layer", D, layer), depth)


@pytest.mark.parametrize("depth", [1, 2, 3, 6])
@pytest.mark.parametrize("activation", ACTIVATIONS[1:])
def test_leaky_networks(activation, depth):
    net = ss.mlp(activation, depth)
    _agrees(net.ck, _law(activation, "ck", 5), depth)
    _agrees(net.ntk, _law(activation, "ntk", 5), depth)
    _agrees(net.ntk_layers[0], _law(activation, "layer", 5, 1), depth)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("activation", ["relu", "abs(x) + x/2"])
def test_residual_networks(activation, depth):
    net = ss.resnet(activation, depth, "1/2")
    _agrees(net.ck, _law(activation, "ck", D, alpha="1/2"), depth)
    _agrees(net.ntk, _law(activation, "ntk", D, alpha="1/2"), depth)


@pytest.mark.parametrize("depth", [1, 2])
def test_constants_are_the_same_expressions(depth):
    for kind, kernel in (("ck", ss.mlp(ss.relu, depth).ck), ("ntk", ss.mlp(ss.relu, depth).ntk)):
        law, decay = depth_law("relu", kind).at(depth), ss.decay(kernel, ss.Sphere(D))
        for parity in ("even", "odd"):
            assert sympy.gammasimp(sympy.expand_func(law.constant(parity) - decay.constant(parity))) == 0


def test_the_formulas_of_relu():
    unit_constant = 2 ** (D - 2) * sympy.gamma(D / 2) ** 2 / sympy.pi**2
    expected = {
        ("ck", None): (D * (INDEX + Symbol("p_ell", real=True)), D + 2),
        ("ntk", None): (INDEX * (INDEX + 1) / 2 + Symbol("p_ell", real=True), D),
        ("layer", None): (INDEX + 1 - LAYER, D),
        ("layer", 1): (INDEX + Symbol("p_ell", real=True), D),
        ("layer", 3): (INDEX - 2, D),
    }
    for (kind, layer), (bracket, exponent) in expected.items():
        law = depth_law(ss.relu, kind, layer=layer)
        assert sympy.simplify(law.constant("even") / unit_constant - bracket) == 0
        assert law.exponent == exponent


def test_the_products_at_the_far_end():
    law = depth_law("relu", "ck", domain=ss.Sphere(2))
    scale = law.unit_constant
    values = [(law.at(n).constant("even") - law.at(n).constant("odd")) / (2 * scale) for n in (1, 2, 3, 4)]
    assert values[:2] == [1, Rational(1, 2)]
    assert [f"{v.evalf(12):.7f}" for v in values[2:]] == [".3015576".rjust(9, "0"), ".2003450".rjust(9, "0")]


def test_a_symbolic_slope_and_branch_specialise():
    for kind in ("ck", "ntk", "layer"):
        general, special = depth_law(A, kind), depth_law("leaky_relu(1/10)", kind)
        assert sympy.simplify(general.constant("odd").subs(A, Rational(1, 10)) - special.constant("odd")) == 0
    general, special = depth_law("relu", "ntk", alpha=ALPHA), depth_law("relu", "ntk", alpha=2)
    assert sympy.simplify(general.constant("even").subs(ALPHA, 2) - special.constant("even")) == 0
    # The published coefficient at rho = 1, over blocks L: -(c/2)(1 + (L-1) alpha^2/(1 + alpha^2)).
    c = sympy.sqrt(2) / sympy.pi
    assert sympy.simplify(general.near.coefficient(1) + c / 2 * (1 + (INDEX - 1) * ALPHA**2 / (1 + ALPHA**2))) == 0


def test_early_layers_hold_the_high_frequencies():
    steps = {item.text: item.right for item in layer_steps(depth_law(A, "layer"))}
    assert steps["M_l-M_{l+1}"] == 1
    constants = [depth_law("relu", "layer", layer=n, domain=ss.Sphere(3)).at(4).constant("odd").evalf() for n in range(1, 5)]
    assert constants == sorted(constants, reverse=True)
    assert constants[-1] > 0


def test_no_degenerate_constants_from_depth_two_on():
    for activation in ACTIVATIONS:
        for depth in range(1, 7):
            at = depth_law(activation, "ck", domain=ss.Sphere(3)).at(depth)
            odd = _value(at.named["odd"], at.names)
            assert odd > 0 if depth > 1 else at.constant("odd") == 0


def _false(problem, name, power, coefficient):
    terms = dict(problem.claims[name].terms) | {power: coefficient}
    return replace(problem, claims={**problem.claims, name: Series(terms, problem.claims[name].order)})


def test_false_claims_are_refused_with_the_coefficient_named():
    near, far = depth_claims.tangent_problems(S.One, S.One)
    true = near.claims["Theta"].coefficient(1)
    # Right at the base, wrong growth with depth.
    with pytest.raises(ss.Refuted, match=r"Theta, the step: .* coefficient of u\^\(1/2\)"):
        prove(_false(near, "Theta", 1, true * INDEX))
    # The right step, wrong at the base.
    with pytest.raises(ss.Refuted, match=r"Theta, the base: .* coefficient of u\^\(1/2\)"):
        prove(_false(near, "Theta", 1, true + 1))
    with pytest.raises(ss.Refuted, match=r"Sigma, the step: .* coefficient of u\^\(3/2\)"):
        prove(_false(far, "Sigma", 3, far.claims["Sigma"].coefficient(3).subs(depth_claims.P, 1)))
    with pytest.raises(ss.Refuted, match=r"too early for the claim"):
        prove(Problem(S.Zero, {"Sigma": Series({}, 3)}, {"Sigma": Series({}, 2)}, lambda now: now))
    with pytest.raises(ss.Refuted, match="Sigma, the step: the recursion gives 0 for the coefficient of u"):
        prove(Problem(S.Zero, {"Sigma": Series({1: INDEX}, 2)}, {"Sigma": Series({}, 2)}, lambda now: {"Sigma": Series({}, 2)}))


def test_a_proof_can_be_checked_again():
    law = depth_law("relu", "ntk", alpha=ALPHA)
    law.recheck()
    item = law.inductions[0]
    wrong = replace(item, comparisons=item.comparisons[1:])
    with pytest.raises(ss.Refuted):
        wrong.recheck()
    assert all(row.difference == 0 for induction in law.inductions for row in induction.comparisons)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(1/10)", "leaky_relu(-1/2)"])
def test_the_local_series_are_those_of_the_engine(activation):
    """Both ends of one layer against the expansion of the program."""
    net, g = ss.mlp(activation, 1), unit(activation).bend
    for end in (1, -1):
        rho = Series({0: S(end), 2: S(-end)}, 10)
        for kernel, series in ((net.ck, value(rho, g)), (net.ntk_layers[0], rho * slope(rho, g))):
            engine = ss.expansion(kernel, end, 6)
            for j in range(6):
                assert sympy.simplify(series.coefficient(j) * sqrt2(j) - engine.written_out(engine.coefficient(j))) == 0


def sqrt2(j):
    """u = 2 s^2, so sqrt(u)^j = 2^(j/2) s^j."""
    return sympy.sqrt(2) ** j


BAD = [
    (("gelu",), {}, ss.InputError),
    (("x**2",), {}, ss.InputError),
    (("x",), {}, ss.InputError),
    (("absolute",), {}, ss.NoClosedForm),
    (("relu", "nngp"), {}, ss.InputError),
    (("relu", "ntk"), {"layer": 1}, ss.InputError),
    (("relu", "layer"), {"alpha": 1}, ss.InputError),
    (("relu", "layer"), {"layer": 0}, ss.InputError),
    (("relu", "ck"), {"alpha": 0}, ss.InputError),
    (("relu", "ck"), {"alpha": Symbol("z")}, ss.InputError),
    (("relu", "ck"), {"domain": 3}, ss.DomainError),
]


@pytest.mark.parametrize(("arguments", "options", "error"), BAD)
def test_refusals(arguments, options, error):
    with pytest.raises(error):
        depth_law(*arguments, **options)


def test_refusals_at_a_depth():
    with pytest.raises(ss.InputError, match="at least 1"):
        depth_law("relu").at(0)
    with pytest.raises(ss.InputError, match="layer 4 is not there"):
        depth_law("relu", "layer", layer=4).at(3)
    with pytest.raises(ss.InputError, match="symbol"):
        depth_law("relu", "layer").at(3)
    with pytest.raises(ss.InputError, match="parity"):
        depth_law("relu").constant("both")
    with pytest.raises(ss.ExpressionTooLarge):
        depth_law("relu").at(40).constant("odd")
    assert len(depth_law("relu").at(40).names) == 38
    assert unit("relu").bend == 1


DOCUMENTS = [("relu", {}), (A, {"kind": "layer"}), ("relu", {"kind": "layer", "layer": 2}), (A, {"alpha": ALPHA}), ("relu", {"kind": "ck"})]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize(("activation", "options"), DOCUMENTS)
def test_the_proof_document_compiles(activation, options, tmp_path):
    (tmp_path / "law.tex").write_text(depth_law(activation, **options).document())
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "law.tex"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    assert "Overfull" not in done.stdout


def test_the_text_shows_every_comparison():
    law = depth_law("relu", "ntk")
    text = law.proof()
    shown = sum((row.derived, row.claimed) != (0, 0) for item in law.inductions for row in item.comparisons)
    assert text.count(r"\overset{!}{=}") == shown + len(law.inductions)
    assert "All 12 differences" in text
    assert law._repr_latex_() == law.statement()


def test_command(capsys, tmp_path):
    target = tmp_path / "proof.tex"
    assert cli.main(["depth-law", "relu", "--kernel", "ntk", "--depth", "3", "--json", "--proof", str(target)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["exponent"] == "d"
    assert record["at"]["depth"] == 3
    assert all(row["difference"] == "0" for rows in record["comparisons"] for row in rows)
    assert target.read_text().startswith("\\documentclass")
    assert cli.main(["depth-law", "slope:a", "--network", "resnet", "--alpha", "alpha", "--latex"]) == 0
    assert r"\emph{Step.}" in capsys.readouterr().out
    bad = [["--kernel", "nngp"], ["--alpha", "1"], ["--network", "resnet"], ["--json", "--latex"], ["--domain", "cube:3"], ["--depth", "0"], ["--proof", str(tmp_path / "no" / "f.tex")]]
    for options in bad:
        assert cli.main(["depth-law", "relu", *options]) == 2
        assert re.fullmatch(r"symspec: [^\n]+\n", capsys.readouterr().err)
