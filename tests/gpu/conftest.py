"""A stand-in for a device library, as strict as CuPy where NumPy is lenient.

CuPy refuses to mix its arrays with host arrays, to be converted implicitly, and has not all of NumPy's
functions. The stand-in refuses the same, so that a code path which would only fail on a
machine with a GPU fails here. It proves nothing about speed or about the device's rounding.
"""

from types import SimpleNamespace

import mpmath
import numpy
import pytest

from gpu.backends import Backend, backend
from gpu.tiles import unit_rows

# Functions that CuPy documents with the arguments that are used here.
FUNCTIONS = [
    "abs",
    "arange",
    "arccos",
    "arcsin",
    "arctan",
    "argmax",
    "asarray",
    "add",
    "clip",
    "cos",
    "cosh",
    "empty",
    "empty_like",
    "exp",
    "fill_diagonal",
    "isnan",
    "log",
    "matmul",
    "maximum",
    "minimum",
    "multiply",
    "nonzero",
    "ones_like",
    "sin",
    "sinh",
    "sqrt",
    "triu",
    "where",
    "zeros_like",
]


def _plain(value):
    if isinstance(value, DeviceArray):
        return value.host
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, numpy.ndarray):
        raise TypeError("a host array met a device array")
    return value


def _device(value):
    if isinstance(value, tuple):
        return tuple(_device(part) for part in value)
    return DeviceArray(value) if isinstance(value, (numpy.ndarray, numpy.generic)) else value


class DeviceArray:
    """A host array behind a wall."""

    __array_ufunc__ = None

    def __init__(self, host):
        self.host = numpy.asarray(host)

    def __array__(self, *_args, **_options):
        raise TypeError("implicit conversion to a host array")

    def __getitem__(self, index):
        return DeviceArray(self.host[_plain(index)])

    def __setitem__(self, index, value):
        self.host[_plain(index)] = _plain(value)

    def __float__(self):
        return float(self.host)

    def __int__(self):
        return int(self.host)

    def __bool__(self):
        return bool(self.host)

    def __getattr__(self, name):
        if name in {"shape", "dtype", "ndim"}:
            return getattr(self.host, name)
        if name == "T":
            return DeviceArray(self.host.T)
        if name in {"max", "min", "sum", "any", "reshape", "copy", "diagonal"}:
            return lambda *arguments, **options: _device(getattr(self.host, name)(*arguments, **options))
        raise AttributeError(name)


def _operator(name):
    def operate(self, *others):
        result = getattr(self.host, name)(*(_plain(other) for other in others))
        return self if name.startswith("__i") and name != "__invert__" else _device(result)

    return operate


for _name in ["add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg", "abs", "invert", "eq", "lt", "le", "gt", "ge", "iadd", "isub", "imul"]:
    setattr(DeviceArray, f"__{_name}__", _operator(f"__{_name}__"))


class DeviceLibrary:
    """The module: known names only, no host arrays except through asarray."""

    __name__ = "strict"
    float64 = numpy.float64
    ndarray = DeviceArray

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(f"the device library has no {name}")
        function = getattr(numpy, name)
        if name == "asarray":
            return lambda value, **options: DeviceArray(numpy.array(value.host if isinstance(value, DeviceArray) else value, **options))

        def call(*arguments, **options):
            if "out" in options and not isinstance(options["out"], DeviceArray):
                raise TypeError("out must live on the device")
            result = function(*(_plain(argument) for argument in arguments), **{key: _plain(value) for key, value in options.items()})
            return options.get("out", _device(result))

        return call

    @staticmethod
    def asnumpy(array):
        return array.host.copy()


@pytest.fixture
def device():
    """A backend on the strict stand-in, with small tiles and pieces."""
    return Backend("strict", DeviceLibrary(), "a strict stand-in", 32, 100, 1)


def _true_angle(x, y):
    """The angle of two rows exactly as their doubles stand, by Kahan's formula in 60 digits."""
    with mpmath.workdps(60):
        a, b = ([mpmath.mpf(float(v)) for v in row] for row in (x, y))
        norm_a, norm_b = (mpmath.sqrt(mpmath.fsum(v * v for v in row)) for row in (a, b))
        minus = mpmath.sqrt(mpmath.fsum((u * norm_b - v * norm_a) ** 2 for u, v in zip(a, b, strict=True)))
        plus = mpmath.sqrt(mpmath.fsum((u * norm_b + v * norm_a) ** 2 for u, v in zip(a, b, strict=True)))
        return 2 * mpmath.atan2(minus, plus)


def _near_pairs(d, seed, sign=1.0):
    """Rows x and rows y at distances 1e-12 to 0.1 from sign*x."""
    generator = numpy.random.default_rng(seed)
    distances = 10.0 ** numpy.linspace(-12, -1, 23)
    x = generator.standard_normal((len(distances), d))
    x /= numpy.linalg.norm(x, axis=1)[:, None]
    move = generator.standard_normal(x.shape)
    move -= (move * x).sum(axis=1)[:, None] * x
    move /= numpy.linalg.norm(move, axis=1)[:, None]
    y = sign * x + distances[:, None] * move
    return unit_rows(x, "X", backend("numpy")), unit_rows(y / numpy.linalg.norm(y, axis=1)[:, None], "Y", backend("numpy"))


@pytest.fixture
def pairs():
    """``pairs.near(d, seed, sign)``: rows close to equal or opposite; ``pairs.angle(x, y)``: their true angle."""
    return SimpleNamespace(near=_near_pairs, angle=_true_angle)
