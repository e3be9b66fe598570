"""The package's names: lazy, complete, and never hidden by a module."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import symspec as ss
from symspec import errors

ROOT = Path(__file__).parents[2]


def _modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(ss.__path__) if module.name != "__main__"]


def test_every_name_loads_and_no_module_hides_one():
    for module in _modules():
        import_module(f"symspec.{module}")
    assert not set(_modules()) & set(ss.__all__)
    for name in ss.__all__:
        value = getattr(ss, name)
        assert value is not None
        assert type(value).__name__ != "module"
    assert set(ss.__all__) <= set(dir(ss))
    assert ss.activation("relu") == ss.relu


def test_all_error_types_are_exported():
    found = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.SymspecError)}
    assert found <= set(ss.__all__)


def test_unknown_names():
    with pytest.raises(errors.UnknownName, match="did you mean relu"):
        _ = ss.rellu
    assert not hasattr(ss, "no_such_thing")
    with pytest.raises(ImportError):
        from symspec import no_such_thing  # noqa: F401


def test_importing_the_package_and_the_overview_load_no_sympy():
    overview = "symspec.cli._top(symspec.cli.registered()).format_help()"
    code = f"import sys, symspec, symspec.cli; {overview}; print([m for m in ('sympy', 'numpy', 'flint', 'mpmath') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_ground_storey_imports_nothing_above_it():
    for path in Path(ss.__path__[0]).glob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            assert words[:2] not in (["import", "numerics"], ["import", "gpu"]), (path, line)
            assert not (words[:1] == ["from"] and words[1].split(".")[0] in ("numerics", "gpu")), (path, line)
