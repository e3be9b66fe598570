import builtins
import subprocess
import sys

import numpy
import pytest

import gpu.backends
from gpu.backends import _cupy_backend, backend
from symspec.errors import InputError, MissingLibrary


@pytest.fixture
def no_cupy(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == "cupy":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    for function in (_cupy_backend, gpu.backends._say_fallback):
        function.cache_clear()
    yield
    for function in (_cupy_backend, gpu.backends._say_fallback):
        function.cache_clear()


def test_auto_falls_back_and_says_so_once(no_cupy, caplog):
    with caplog.at_level("WARNING"):
        assert backend("auto").xp is numpy
        assert backend("auto") is backend("numpy")
    assert [record.getMessage() for record in caplog.records] == ["running on NumPy: CuPy is not installed"]
    assert "NumPy" in backend("auto").description


def test_cupy_by_name_must_work(no_cupy):
    with pytest.raises(MissingLibrary, match=r"CuPy is not installed.*backend='numpy'"):
        backend("cupy")


def test_unknown_name():
    with pytest.raises(InputError, match="auto, numpy or cupy, not 'tpu'"):
        backend("tpu")


def test_import_is_light():
    code = "import sys, gpu; print(sorted({'numpy', 'sympy', 'flint', 'numerics'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
