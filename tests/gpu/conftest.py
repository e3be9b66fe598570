"""A stand-in for a device library, as strict as CuPy where NumPy is lenient.

CuPy refuses to mix its arrays with host arrays, to be converted implicitly, and has not all of NumPy's
functions. The stand-in refuses the same, so that a code path which would only fail on a
machine with a GPU fails here. It proves nothing about speed or about the device's rounding.
"""

import numpy as np
import pytest

from gpu.backends import Backend

# Functions that CuPy documents with the arguments that are used here.
FUNCTIONS = (
    "abs arange arccos arcsin arctan argmax asarray add clip cos cosh empty empty_like exp fill_diagonal isnan log matmul "
    "maximum minimum multiply nonzero ones_like sin sinh sqrt triu where zeros_like"
).split()


def _plain(value):
    if isinstance(value, DeviceArray):
        return value.host
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if isinstance(value, np.ndarray):
        raise TypeError("a host array met a device array")
    return value


def _device(value):
    if isinstance(value, tuple):
        return tuple(_device(part) for part in value)
    return DeviceArray(value) if isinstance(value, (np.ndarray, np.generic)) else value


class DeviceArray:
    """A host array behind a wall."""

    __array_ufunc__ = None

    def __init__(self, host):
        self.host = np.asarray(host)

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


for _name in "add radd sub rsub mul rmul truediv rtruediv pow rpow neg abs invert eq lt le gt ge iadd isub imul".split():
    setattr(DeviceArray, f"__{_name}__", _operator(f"__{_name}__"))


class DeviceLibrary:
    """The module: known names only, no host arrays except through asarray."""

    __name__ = "strict"
    float64 = np.float64
    ndarray = DeviceArray

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(f"the device library has no {name}")
        function = getattr(np, name)
        if name == "asarray":
            return lambda value, **options: DeviceArray(np.array(value.host if isinstance(value, DeviceArray) else value, **options))

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
