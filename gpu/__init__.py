r"""gpu: float64 at scale, NumPy or CuPy behind one backend; the checks of what numerics proves.

Names are loaded on first use (PEP 562), so that ``import gpu`` costs nothing.

>>> import gpu
>>> gpu.backend("numpy").name
'numpy'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import Backend as Backend, backend as backend
    from .gram_matrix import GramReport as GramReport, gram as gram, gram_error_bound as gram_error_bound, gram_report as gram_report
    from .gram_statistics import DegreeCheck as DegreeCheck, gram_check as gram_check
    from .sampling import gegenbauer as gegenbauer, sphere_points as sphere_points

# Module -> the names it gives to the package. No module may bear the name of an export: importing
# a submodule binds its name in the package and would hide the function.
_EXPORTS = {
    "backends": "Backend backend",
    "gram_matrix": "GramReport gram gram_error_bound gram_report",
    "gram_statistics": "DegreeCheck gram_check",
    "sampling": "gegenbauer sphere_points",
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names.split()}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value
    from symspec.errors import UnknownName

    raise UnknownName(f"gpu has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
