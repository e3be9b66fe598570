"""Closed-form eigenvalues and decay laws against certified eigenvalues, which share no derivation with them."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb
from sympy import Symbol, gamma, pi

import numerics
import symspec as ss
from numerics.precision import working_precision
from symspec import errors
from symspec.singularity import expansion

HOMOGENEOUS = [ss.relu, ss.absolute, ss.step, ss.sign, ss.leaky_relu("0.1"), ss.rectified_monomial(2), ss.rectified_monomial(3), ss.activation("x*abs(x)")]


def parts(activation):
    net = ss.mlp(activation, 1)
    return [net.ck] if activation.form.jumps else [net.ck, net.ntk, *net.ntk_layers]


@pytest.mark.parametrize("activation", HOMOGENEOUS, ids=str)
@pytest.mark.parametrize("d", [2, 3, 6])
def test_homogeneous_activations(activation, d):
    for kernel in parts(activation):
        for k, value in enumerate(numerics.eigenvalues(kernel, ss.Sphere(d), range(7), digits=15)):
            exact = ss.eigenvalue(kernel, ss.Sphere(d), k)
            with working_precision(90):
                assert numerics.ball(exact).overlaps(value)
            assert (exact == 0) == (value == 0)


def test_symbolic_degree_and_dimension_are_the_formulas_of_the_literature():
    d, k = Symbol("d", positive=True), Symbol("k", integer=True, positive=True)
    even = (1 + (-1) ** k) / 2
    ck = ss.eigenvalue(ss.mlp(ss.relu, 1).ck, ss.Sphere(d), k).args[-1].expr
    ntk = ss.eigenvalue(ss.mlp(ss.relu, 1).ntk, ss.Sphere(d), k).args[-1].expr
    base = gamma(d / 2) ** 2 * gamma((k - 1) / 2) ** 2 / (8 * pi**2 * gamma((d + k + 1) / 2) ** 2)
    assert sympy.simplify(ck / (d * base * even)) == 1
    assert sympy.simplify(ntk / ((k * (k + d - 2) + d + 1) * base * even)) == 1
    for degree in range(1, 9):
        wanted = ss.eigenvalue(ss.mlp(ss.relu, 1).ntk, ss.Sphere(5), degree)
        found = ss.eigenvalue(ss.mlp(ss.relu, 1).ntk, ss.Sphere(d), k).subs({k: degree, d: 5})
        assert sympy.simplify(wanted - found) == 0


@pytest.mark.parametrize(("activation", "d"), [(ss.exp, 4), (ss.sin, 3), (ss.cos, 5), (ss.erf, 3), (ss.gaussian, 4), (ss.gelu, 3), (ss.monomial(3), 4), (ss.polynomial(1, 2, "1/3"), 3)], ids=str)
def test_hypergeometric_and_polynomial_kernels(activation, d):
    kernel = ss.mlp(activation, 1).ck
    for k in (0, 1, 2, 3):
        value = numerics.eigenvalues(kernel, ss.Sphere(d), k, digits=15)[0]
        with working_precision(90):
            assert numerics.ball(ss.eigenvalue(kernel, ss.Sphere(d), k)).overlaps(value)


def test_scales_and_deep_kernels():
    doubled = ss.mlp(ss.relu, 1, sigma_w2=2).ntk
    assert ss.eigenvalue(doubled, ss.Sphere(3), 2) == 2 * ss.eigenvalue(ss.mlp(ss.relu, 1).ntk, ss.Sphere(3), 2)
    assert ss.eigenvalue(doubled / 4, ss.Sphere(3), 2) == ss.eigenvalue(doubled, ss.Sphere(3), 2) / 4
    with pytest.raises(errors.NoClosedForm, match=r"numerics\.eigenvalues"):
        ss.eigenvalue(ss.mlp(ss.relu, 2).ck, ss.Sphere(3), 2)
    with pytest.raises(errors.NoClosedForm, match="bias"):
        ss.eigenvalue(ss.mlp(ss.relu, 1, sigma_b2=1).ck, ss.Sphere(3), 2)


def relu_law(depth, d):
    """The table of mathematics: C of CK and NTK by parity, from b_s and p_L, in mpmath."""
    with mpmath.workdps(30):
        layers, p, b = depth + 1, mpmath.mpf(1), mpmath.mpf(0)
        for _ in range(2, layers):
            p = p * (mpmath.pi - mpmath.acos(b)) / mpmath.pi
            b = (b * (mpmath.pi - mpmath.acos(b)) + mpmath.sqrt(1 - b**2)) / mpmath.pi
        scale = mpmath.mpf(2) ** (d - 2) * mpmath.gamma(mpmath.mpf(d) / 2) ** 2 / mpmath.pi**2
        signs = {"even": 1, "odd": -1}
        return {
            "ck": {parity: ((layers - 1) + sign * p) * d * scale for parity, sign in signs.items()},
            "ntk": {parity: (mpmath.mpf(layers * (layers - 1)) / 2 + sign * p) * scale for parity, sign in signs.items()},
        }


@pytest.mark.parametrize(("depth", "d"), [(1, 2), (1, 10), (2, 3), (3, 2), (3, 10), (4, 3), (8, 3)])
def test_relu_laws_at_every_depth(depth, d):
    net, table = ss.mlp(ss.relu, depth), relu_law(depth, d)
    for part, exponent in (("ck", d + 2), ("ntk", d)):
        law = ss.decay(getattr(net, part), ss.Sphere(d))
        assert law.kind == "power"
        assert law.exponent == exponent
        for parity in ("even", "odd"):
            value = numerics.decay_constant(law, parity, digits=20)
            wanted = arb(mpmath.nstr(table[part][parity], 25))
            assert abs(value - wanted) < arb("1e-15") * (1 + abs(wanted))


def test_layers_decay_as_the_theorem_says():
    """Layer l < L: [(L-l) + (-1)^k p_L delta_l1] A_d k^-d; the last layer is the CK."""
    depth, d = 3, 3
    layers = depth + 1
    scale = sympy.Integer(2) ** (d - 2) * gamma(sympy.Rational(d, 2)) ** 2 / pi**2
    for index, kernel in enumerate(ss.mlp(ss.relu, depth).ntk_layers[:-1], start=1):
        law = ss.decay(kernel, ss.Sphere(d))
        mean = (numerics.decay_constant(law, "even", 15) + numerics.decay_constant(law, "odd", 15)) / 2
        assert law.exponent == d
        assert abs(mean - arb(str(sympy.N((layers - index) * scale, 20)))) < arb("1e-12")


@pytest.mark.parametrize(
    ("activation", "depth", "d"),
    [(ss.relu, 2, 5), (ss.absolute, 2, 4), (ss.sign, 1, 3), (ss.rectified_monomial(2), 2, 5), (ss.leaky_relu("0.2"), 2, 3)],
    ids=str,
)
def test_laws_are_reached_by_certified_eigenvalues(activation, depth, d):
    net = ss.mlp(activation, depth)
    for kernel in (net.ck,) if activation.form.jumps else (net.ck, net.ntk):
        law = ss.decay(kernel, ss.Sphere(d))
        for k, parity in ((20000, "even"), (20001, "odd")):
            value = numerics.eigenvalues(kernel, ss.Sphere(d), k, digits=8)[0] if parity not in law.beyond else arb(0)
            if law.terms[parity] is None:
                assert value == 0
                continue
            ratio = value * arb(k) ** int(law.terms[parity].exponent) / numerics.ball(law.terms[parity].constant) if not law.names else arb(1)
            assert abs(ratio - 1) < 0.002


@pytest.mark.parametrize(("text", "depth"), [("Max(x,0) + sin(x)", 2), ("abs(x) + cos(2*x)/3", 1), ("Max(x,0) + sin(x)", 3)])
def test_laws_with_names_at_both_ends(text, depth):
    """Long constants at rho = 1 and at rho = -1 carry different names."""
    kernel = ss.mlp(ss.activation(text), depth).ntk
    law = ss.decay(kernel, ss.Sphere(3))
    for k, parity in ((6000, "even"), (6001, "odd")):
        value = numerics.eigenvalues(kernel, ss.Sphere(3), k, digits=8)[0]
        constant = numerics.decay_constant(law, parity, 15)
        assert (value == 0) if constant == 0 else abs(value * arb(k) ** int(law.exponent) / constant - 1) < 0.002


def test_composed_steps_halve_the_exponent_of_the_singularity():
    for depth in (1, 2):
        law = ss.decay(ss.mlp(ss.step, depth).ck, ss.Sphere(4))
        assert law.exponent == 4 + sympy.Rational(2, 2**depth) - 1
    values = numerics.eigenvalues(ss.mlp(ss.sign, 2).ck, ss.Sphere(3), [21, 41], digits=8)
    measured = (values[0] / values[1]).log() / (arb(41.5) / arb(21.5)).log()
    assert abs(measured - arb("2.5")) < 0.05


def test_smooth_kernels():
    assert ss.decay(ss.mlp(ss.erf, 1).ck, ss.Sphere(3)).rate == sympy.Rational(3, 2) + sympy.sqrt(5) / 2
    law = ss.decay(ss.mlp(ss.erf, 2).ntk, ss.Sphere(3))
    low, high = numerics.eigenvalues(ss.mlp(ss.erf, 2).ntk, ss.Sphere(3), [601, 801], digits=8)
    measured = ((low / high).log() / 200).exp()
    assert abs(measured / numerics.ball(law.rate) - 1) < 0.01
    assert ss.decay(ss.mlp(ss.sin, 2).ck, ss.Sphere(3)).kind == "faster"
    assert ss.decay(ss.mlp(ss.monomial(2), 2).ck, ss.Sphere(3)).kind == "finite"
    with pytest.raises(errors.NoClosedForm, match="no power law"):
        _ = law.exponent


def test_expansions_against_values_near_the_ends():
    for activation, depth in ((ss.relu, 2), (ss.rectified_monomial(2), 1), (ss.leaky_relu("0.3"), 1), (ss.activation("Max(x-1,0)"), 1)):
        kernel = ss.mlp(activation, depth).ntk
        for end in (1, -1):
            item = expansion(kernel, end, 4)
            s = sympy.Rational(1, 100_000)
            with working_precision(200):
                value = numerics.evaluate(kernel, end * (1 - 2 * s**2), digits=40)
                series = sum((numerics.ball(item.written_out(c)) * numerics.ball(s**j) for j, c in item.series.terms.items()), arb(0))
                assert abs(value - series) < arb("1e-17")
                wrong = series + numerics.ball(s**3)  # a fault of one in the cubic coefficient is seen
                assert abs(value - wrong) > arb("5e-16")


def test_long_constants_are_named_not_written_out():
    law = ss.decay(ss.mlp(ss.relu, 16).ck, ss.Sphere(3))
    assert sympy.count_ops(law.named_constant("even")) < 40
    with pytest.raises(errors.ExpressionTooLarge, match="decay_constant"):
        law.constant("even")
    assert numerics.decay_constant(law, "even", 20).rel_accuracy_bits() > 60
    with pytest.raises(errors.InputError, match="parity"):
        law.constant("both")


def test_statements_and_proofs_are_latex():
    for kernel in (ss.mlp(ss.relu, 8).ntk, ss.mlp(ss.absolute, 1).ck, ss.mlp(ss.erf, 1).ck, ss.mlp(ss.monomial(2), 1).ck, ss.mlp(ss.sin, 1).ck):
        law = ss.decay(kernel, ss.Sphere(3))
        for text in (law.statement(), law.proof()):
            assert text.count("{") == text.count("}")
            assert text.count("\\[") - text.count("\\\\[") == text.count("\\]")
            assert "Symbol" not in text
