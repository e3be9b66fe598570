import mpmath
import numpy
import pytest

import symspec as ss
from gpu.carrier import evaluate_array, orthant
from symspec.program import OPERATIONS


def bivariate(h, k, rho, rest):
    """P(X > h, Y > k) by conditioning on X, at correlation rho, rest = sqrt(1 - rho^2)."""
    step = mpmath.mpf(k) / rho
    points = [mpmath.mpf(h), mpmath.mpf(h) + 12]
    points += [p for p in (h + 1, h + 3, step - 20 * rest, step, step + 20 * rest) if h < p < h + 12]
    return mpmath.quad(lambda x: mpmath.npdf(x) * mpmath.ncdf((rho * x - k) / rest), sorted(points))


def mp_table(theta):
    """An independent carrier in mpmath, by the textbook definitions."""
    rules = {name: getattr(mpmath, name) for name in ("sin", "cos", "exp", "log", "sinh", "cosh", "asin", "acos", "atan", "erf")}
    return rules | {
        "constant": ss_number,
        "rho": lambda: mpmath.cos(theta),
        "theta": lambda: theta,
        "add": lambda a, b: a + b,
        "mul": lambda a, b: a * b,
        "pow": lambda a, exponent: mpmath.power(a, mpmath.mpf(int(exponent.p)) / int(exponent.q)),
        "archav": lambda w, _: 2 * mpmath.asin(mpmath.sqrt(w)),
        "orthant": lambda h, k, angle: bivariate(h, k, mpmath.cos(angle), mpmath.sin(angle)),
        "erf_real": lambda x, y: mpmath.erf(mpmath.mpc(x, y)).real,
        "erf_imag": lambda x, y: mpmath.erf(mpmath.mpc(x, y)).imag,
        "order": lambda value, _: value,
    }


def ss_number(value):
    return mpmath.mpf(value.evalf(45)._to_mpmath(mpmath.mp.prec))


ACTIVATIONS = ["relu", "absolute", "erf", "gelu", "sin", "cos", "sign", "step", "leaky_relu 0.1", "rectified_monomial 2", "polynomial 1 2 3", "Max(x,0)-Max(x-1,0)"]
ACTIVATIONS += ["abs(x)+cos(2*x)", "Max(x-1,0)+sin(x)"]


def activation(text):
    name, *arguments = text.split()
    if not hasattr(ss, name) if name.isidentifier() else True:
        return ss.activation(text)
    found = getattr(ss, name)
    return found(*(int(a) if a.isdigit() else a for a in arguments)) if arguments else found


@pytest.mark.parametrize("kind", ["ck", "ntk"])
@pytest.mark.parametrize("text", ACTIVATIONS)
def test_carrier_against_mpmath(text, kind):
    kernel = getattr(ss.mlp(activation(text), 2), kind)
    theta = numpy.array([0.2, 0.9, 1.5707, 2.3, 2.9])
    values = evaluate_array(kernel, theta)
    with mpmath.workdps(30):
        for angle, value in zip(theta.tolist(), values.tolist(), strict=True):
            truth = kernel.program.run(mp_table(mpmath.mpf(angle)))
            assert abs(value - truth) < 2e-13 * max(1, abs(truth))


def test_every_operation_has_a_rule():
    from gpu.carrier import table

    assert set(OPERATIONS) <= set(table(numpy, numpy.zeros(1)))


@pytest.mark.parametrize(("h", "k"), [(0.0, 1.0), (1.0, 1.0), (-0.5, 2.0), (0.3, -0.3), (-1.0, -1.0)])
def test_orthant_at_both_ends(h, k):
    theta = numpy.array([1e-9, 1e-3, 1.0, numpy.pi - 1e-3, numpy.pi - 1e-9])
    values = orthant(numpy, h, k, theta)
    with mpmath.workdps(30):
        for angle, value in zip(theta.tolist(), values.tolist(), strict=True):
            truth = bivariate(h, k, mpmath.cos(mpmath.mpf(angle)), mpmath.sin(mpmath.mpf(angle)))
            assert abs(value - truth) < 1e-12


def test_shape_and_device(device):
    kernel = ss.mlp(ss.relu, 2).ntk
    theta = numpy.linspace(0.0, numpy.pi, 12).reshape(3, 4)
    values = evaluate_array(kernel, theta)
    assert values.shape == (3, 4)
    theirs = evaluate_array(kernel, device.xp.asarray(theta), device.xp)
    assert abs(device.to_host(theirs) - values).max() < 1e-15


def test_constant_kernel_keeps_the_shape():
    from symspec.kernel import power

    assert evaluate_array(power(0), numpy.zeros((2, 3))).tolist() == [[1.0] * 3] * 2
