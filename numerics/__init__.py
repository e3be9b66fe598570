"""numerics evaluates and proves: every number it returns is a ball that contains the truth.

``evaluate`` gives certified values of kernels, ``eigenvalues`` certified spectra, ``certify`` bounds for every degree.

>>> import symspec as ss
>>> import numerics
>>> print(numerics.evaluate(ss.mlp(ss.relu, 1).ck, 0, digits=20).str(20, radius=False))
0.31830988618379067154
"""

from __future__ import annotations

from .approximate import AnglePolynomial, angle_polynomial
from .certificates import Certificate
from .certification import certify
from .cone_constants import RayTable, cone_leading, ray_table
from .constants import ball
from .curve_spectrum import CurveSpectrum, curve_coefficients
from .decay_constants import decay_constant, stretch_constant
from .decay_rates import decay_radius, decay_rate
from .dimension_limit import LargeDimension, large_dimension
from .dominance import Domination, domination, layer_domination
from .fourier_transform import fourier, fourier_bound
from .gaussian_spectrum import radial_eigenvalues
from .geometric_bounds import GeometricCertificate
from .hermite import hermite_coefficients
from .layer_contributions import Reduction, energies_of, error_reduction, layer_shares
from .lipschitz import LipschitzChain, lipschitz_chain
from .optimal_depths import OptimalDepth, optimal_depth
from .pool_blocks import block_eigenvalues
from .precision import working_precision
from .product_decay import FactorizableBounds, ProductBounds, factorizable_bounds, factorizable_eigenvalue, product_bounds
from .region_transform import FourierParts, fourier_parts
from .ridge import LearningPoint, learning_curve
from .space_transform import space_fourier
from .spectrum import eigenvalues
from .values import evaluate
from .variances import fractional_variances, variance_beyond
from .verifier import Verified, verify

__all__ = [
    "AnglePolynomial",
    "Certificate",
    "CurveSpectrum",
    "Domination",
    "FactorizableBounds",
    "FourierParts",
    "GeometricCertificate",
    "LargeDimension",
    "LearningPoint",
    "LipschitzChain",
    "OptimalDepth",
    "ProductBounds",
    "RayTable",
    "Reduction",
    "Verified",
    "angle_polynomial",
    "ball",
    "block_eigenvalues",
    "certify",
    "cone_leading",
    "curve_coefficients",
    "decay_constant",
    "decay_radius",
    "decay_rate",
    "domination",
    "eigenvalues",
    "energies_of",
    "error_reduction",
    "evaluate",
    "factorizable_bounds",
    "factorizable_eigenvalue",
    "fourier",
    "fourier_bound",
    "fourier_parts",
    "fractional_variances",
    "hermite_coefficients",
    "large_dimension",
    "layer_domination",
    "layer_shares",
    "learning_curve",
    "lipschitz_chain",
    "optimal_depth",
    "product_bounds",
    "radial_eigenvalues",
    "ray_table",
    "space_fourier",
    "stretch_constant",
    "variance_beyond",
    "verify",
    "working_precision",
]
