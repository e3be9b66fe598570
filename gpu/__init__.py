r"""gpu: float64 at scale, NumPy or CuPy behind one backend; the checks of what numerics proves.

Names are loaded on first use (:mod:`symspec.lazy`), so that ``import gpu`` costs nothing.

>>> import gpu
>>> gpu.backend("numpy").name
'numpy'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symspec.lazy import lazy_names

if TYPE_CHECKING:
    from .backends import Backend as Backend, backend as backend
    from .gradient_descent import kernel_descent as kernel_descent
    from .gram_matrix import GramReport as GramReport, gram as gram, gram_error_bound as gram_error_bound, gram_report as gram_report
    from .gram_statistics import DegreeCheck as DegreeCheck, gram_check as gram_check
    from .image_gram import image_points as image_points
    from .image_statistics import ImageCheck as ImageCheck
    from .parameter_volume import FrequencyVolume as FrequencyVolume, frequency_volume as frequency_volume
    from .random_networks import EmpiricalKernel as EmpiricalKernel, empirical_ck as empirical_ck, random_outputs as random_outputs
    from .regression import RidgeCheck as RidgeCheck, ridge_check as ridge_check
    from .sampling import cube_points as cube_points, gaussian_points as gaussian_points, gegenbauer as gegenbauer, sphere_points as sphere_points

# Module -> the names it gives to the package.
_EXPORTS = {
    "backends": "Backend backend",
    "parameter_volume": "FrequencyVolume frequency_volume",
    "gradient_descent": "kernel_descent",
    "gram_matrix": "GramReport gram gram_error_bound gram_report",
    "gram_statistics": "DegreeCheck gram_check",
    "image_gram": "image_points",
    "image_statistics": "ImageCheck",
    "random_networks": "EmpiricalKernel empirical_ck random_outputs",
    "regression": "RidgeCheck ridge_check",
    "sampling": "cube_points gaussian_points gegenbauer sphere_points",
}
__all__, __getattr__, __dir__ = lazy_names(__name__, _EXPORTS)
