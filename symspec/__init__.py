r"""symspec: the exact and symbolic storey, from an activation to its kernels and their spectra.

Everything is exact here: sympy expressions and rationals, no float and no ball. Values with
proved error bounds are the business of :mod:`numerics`, arrays that of :mod:`gpu`.

Names are loaded on first use (:mod:`symspec.lazy`), because importing sympy takes longer than most
command-line calls.

>>> import symspec as ss
>>> net = ss.mlp(ss.relu, 1)
>>> net.ntk(0), net.ntk(1)
(1/pi, 2)
>>> ss.activation("x*exp(-x**2)").parity
'odd'
>>> ss.relux
Traceback (most recent call last):
    ...
symspec.errors.UnknownName: symspec has no 'relux'; did you mean relu?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .activations import (
        Activation as Activation,
        absolute as absolute,
        activation as activation,
        cos as cos,
        elu as elu,
        erf as erf,
        exp as exp,
        gaussian as gaussian,
        gelu as gelu,
        hermite as hermite,
        leaky_relu as leaky_relu,
        mish as mish,
        monomial as monomial,
        polynomial as polynomial,
        rectified_monomial as rectified_monomial,
        relu as relu,
        sigmoid as sigmoid,
        sign as sign,
        silu as silu,
        sin as sin,
        softplus as softplus,
        step as step,
        tanh as tanh,
    )
    from .convolution import ConvolutionalNetwork as ConvolutionalNetwork, cnn as cnn
    from .decay_law import decay as decay
    from .depth_laws import DepthLaw as DepthLaw, depth_law as depth_law
    from .domain import BooleanCube as BooleanCube, Circle as Circle, Domain as Domain, Gaussian as Gaussian, Sphere as Sphere, parse_domain as parse_domain
    from .dual_equations import DualEquation as DualEquation, dual_equation as dual_equation
    from .errors import (
        CertificateError as CertificateError,
        ComplexTooLarge as ComplexTooLarge,
        DomainError as DomainError,
        ExpressionTooLarge as ExpressionTooLarge,
        InputError as InputError,
        MissingLibrary as MissingLibrary,
        NetworkFileError as NetworkFileError,
        NoClosedForm as NoClosedForm,
        NotSquareIntegrable as NotSquareIntegrable,
        OutputError as OutputError,
        ParseError as ParseError,
        Refuted as Refuted,
        SymspecError as SymspecError,
        Undecided as Undecided,
        UnknownName as UnknownName,
    )
    from .hierarchical_kernel import hierarchical as hierarchical
    from .kernel import Kernel as Kernel, zonal_kernel as zonal_kernel
    from .layer_limits import limit_shares as limit_shares
    from .layer_pairs import LayerDifference as LayerDifference, layer_difference as layer_difference
    from .linear_regions import LinearRegions as LinearRegions
    from .multisphere import MultiSphere as MultiSphere
    from .network import Network as Network, mlp as mlp
    from .network_files import load_network as load_network
    from .parameter_derivatives import ParameterDerivative as ParameterDerivative
    from .piecewise_linear import PiecewiseLinear as PiecewiseLinear
    from .pixel_kernel import PixelKernel as PixelKernel
    from .ray_transforms import RayTransform as RayTransform
    from .receptive_cones import ConeLaw as ConeLaw, cone_law as cone_law
    from .receptive_field import EffectiveField as EffectiveField, effective_receptive_field as effective_receptive_field
    from .relu_networks import ReluNetwork as ReluNetwork, relu_network as relu_network
    from .residual import ResidualNetwork as ResidualNetwork, resnet as resnet
    from .reverse import HermiteSeries as HermiteSeries, activation_from_kernel as activation_from_kernel
    from .separable_kernel import SeparableKernel as SeparableKernel, average as average, factorizable as factorizable, one_pixel as one_pixel
    from .simplicity import WeakSimplicity as WeakSimplicity, weak_simplicity as weak_simplicity
    from .singularity import Expansion as Expansion, expansion as expansion
    from .spectrum import eigenvalue as eigenvalue
    from .trigonometric_curves import TrigonometricCurve as TrigonometricCurve, flower as flower, trigonometric_curve as trigonometric_curve

__version__ = "0.1.0"

# Module -> the names it gives to the package.
_EXPORTS = {
    "activations": (
        "Activation absolute activation cos elu erf exp gaussian gelu hermite leaky_relu mish monomial "
        "polynomial rectified_monomial relu sigmoid sign silu sin softplus step tanh"
    ),
    "receptive_cones": "ConeLaw cone_law",
    "receptive_field": "EffectiveField effective_receptive_field",
    "convolution": "ConvolutionalNetwork cnn",
    "decay_law": "decay",
    "depth_laws": "DepthLaw depth_law",
    "domain": "BooleanCube Circle Domain Gaussian Sphere parse_domain",
    "dual_equations": "DualEquation dual_equation",
    "errors": (
        "CertificateError ComplexTooLarge DomainError ExpressionTooLarge InputError MissingLibrary NetworkFileError NoClosedForm NotSquareIntegrable "
        "OutputError ParseError Refuted SymspecError Undecided UnknownName"
    ),
    "hierarchical_kernel": "hierarchical",
    "kernel": "Kernel zonal_kernel",
    "layer_pairs": "LayerDifference layer_difference",
    "layer_limits": "limit_shares",
    "linear_regions": "LinearRegions",
    "multisphere": "MultiSphere",
    "network": "Network mlp",
    "network_files": "load_network",
    "parameter_derivatives": "ParameterDerivative",
    "piecewise_linear": "PiecewiseLinear",
    "pixel_kernel": "PixelKernel",
    "ray_transforms": "RayTransform",
    "relu_networks": "ReluNetwork relu_network",
    "residual": "ResidualNetwork resnet",
    "reverse": "HermiteSeries activation_from_kernel",
    "separable_kernel": "SeparableKernel average factorizable one_pixel",
    "simplicity": "WeakSimplicity weak_simplicity",
    "singularity": "Expansion expansion",
    "spectrum": "eigenvalue",
    "trigonometric_curves": "TrigonometricCurve flower trigonometric_curve",
}
__all__, __getattr__, __dir__ = lazy_names(__name__, _EXPORTS)
