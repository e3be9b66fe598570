"""One array library for the whole storey: NumPy on the processor or CuPy on a CUDA device.

Every function of :mod:`gpu` takes the library as a module ``xp`` and uses only names and calling
conventions that the two share, so there is one code path and a result differs between them by
rounding alone. What differs is gathered here: where an array lives, how large the pieces are
(NumPy pieces stay in the second-level cache, CuPy pieces are large enough to hide kernel
launches), and how many threads work (NumPy releases the interpreter lock inside its loops).

>>> backend("numpy").name
'numpy'
>>> backend("abacus")
Traceback (most recent call last):
  ...
symspec.errors.InputError: backend must be auto, numpy or cupy, not 'abacus'
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy

from symspec.errors import InputError, MissingLibrary

logger = logging.getLogger(__name__)
NAMES = ("auto", "numpy", "cupy")


@dataclass(frozen=True)
class Backend:
    """An array library with the sizes that suit it.

    ``xp`` is the module, ``tile`` the default edge of a square tile of pairs, ``piece`` how many
    entries go through the polynomial at once, ``workers`` how many threads share the tiles.
    """

    name: str
    xp: Any
    description: str
    tile: int
    piece: int
    workers: int

    def to_host(self, array: Any) -> numpy.ndarray:
        """The array in host memory."""
        return numpy.asarray(array) if self.xp is numpy else self.xp.asnumpy(array)

    def quiet(self) -> contextlib.AbstractContextManager[Any]:
        """Silence floating-point warnings where infinities are the right answer."""
        return numpy.errstate(all="ignore") if self.xp is numpy else contextlib.nullcontext()


@lru_cache(maxsize=1)
def _thread_pools() -> Any:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        logger.warning("threadpoolctl is not installed: matrix products keep their own threads, which is much slower on a busy machine")
        return None
    return ThreadpoolController()


def one_blas_thread() -> contextlib.AbstractContextManager[Any]:
    """Hold the matrix products to one thread each, where threadpoolctl is installed.

    The tiles are what runs in parallel. A product of small tiles in threads of its own is slower
    than in one, by a factor of fifty on a busy machine, because the threads wait by spinning.
    """
    pools = _thread_pools()
    return contextlib.nullcontext() if pools is None else pools.limit(limits=1, user_api="blas")


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _numpy_backend() -> Backend:
    count = cores()
    return Backend("numpy", numpy, f"NumPy {numpy.__version__} on {count} core{'s' if count > 1 else ''}", 128, 1 << 14, count)


@lru_cache(maxsize=1)
def _cupy_backend() -> Backend | str:
    """The CuPy backend, or the reason why there is none."""
    try:
        import cupy
    except ImportError:
        return "CuPy is not installed"
    try:
        if cupy.cuda.runtime.getDeviceCount() < 1:
            return "no CUDA device was found"
        if float(cupy.arange(3.0).sum()) != 3.0:
            return "the CUDA device does not compute"
        name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    except Exception as error:  # CuPy raises a type of its own for each driver and runtime failure
        return f"no CUDA device works ({error})"
    return Backend("cupy", cupy, f"CuPy {cupy.__version__} on {name}", 2048, 1 << 22, 1)


@lru_cache(maxsize=1)
def _say_fallback(reason: str) -> None:
    logger.warning("running on NumPy: %s", reason)


def backend(name: str | Backend = "auto") -> Backend:
    """The backend of that name; "auto" takes CuPy where a device works, else NumPy.

    The fall-back to NumPy is logged once (logger ``gpu.backend``), and ``.description`` says
    what was taken. Raises MissingLibrary where CuPy is asked for by name and does not work, InputError for
    any other name.
    """
    if isinstance(name, Backend):
        return name
    if not isinstance(name, str) or name not in NAMES:
        raise InputError(f"backend must be auto, numpy or cupy, not {name!r}")
    if name == "numpy":
        return _numpy_backend()
    found = _cupy_backend()
    if isinstance(found, Backend):
        return found
    if name == "cupy":
        raise MissingLibrary(f"backend cupy was asked for, but {found}; pip install 'symspec[gpu]' on a machine with a CUDA device, or use backend='numpy'")
    _say_fallback(found)
    return _numpy_backend()
