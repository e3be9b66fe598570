r"""Packages whose names are loaded on first use (PEP 562).

Importing sympy takes longer than most command-line calls, so a package lists which module gives
which names and imports none of them before it is asked. No module may bear the name of an export:
importing a submodule binds its name in the package and would hide the function.

>>> names, load, _ = lazy_names("symspec", {"domain": "Circle Sphere", "errors": "InputError"})
>>> names, load("Sphere").__module__
(['Circle', 'InputError', 'Sphere'], 'symspec.domain')
>>> load("Spere")
Traceback (most recent call last):
    ...
symspec.errors.UnknownName: symspec has no 'Spere'; did you mean Sphere?
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, exports: Mapping[str, str]) -> tuple[list[str], Callable[[str], Any], Callable[[], list[str]]]:
    """The package's ``__all__``, ``__getattr__`` and ``__dir__``, from module -> its names in one text.

    Raises UnknownName, an AttributeError, for a name that no module gives.
    """
    home = {name: module for module, names in exports.items() for name in names.split()}
    listed = sorted(home)

    def load(name: str) -> Any:
        if name not in home:
            raise _unknown(package, name, listed)
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    def names_of() -> list[str]:
        return sorted({*vars(sys.modules[package]), *listed})

    return listed, load, names_of


def _unknown(package: str, name: str, listed: list[str]) -> Exception:
    from .errors import UnknownName

    if name.startswith("__"):
        return UnknownName(f"{package} has no {name!r}")
    from difflib import get_close_matches

    close = get_close_matches(name, listed, 3)
    hint = f"did you mean {', '.join(close)}?" if close else f"dir({package}) lists its names"
    return UnknownName(f"{package} has no {name!r}; {hint}")


__all__ = ["lazy_names"]
