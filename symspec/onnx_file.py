r"""Networks in ONNX graphs that are chains: Gemm, MatMul, Add, Relu, LeakyRelu, Flatten, Identity, and constants.

The value that flows is a row vector x, a batch of one. Gemm is :math:`\alpha xB'+\beta c`, with B transposed or not, MatMul is xB, Add adds a constant vector. Affine steps that
follow each other are composed exactly; an activation at either end is framed by the identity. The library onnx reads the protocol buffer; it is imported here only. External data
are refused, so that no other file is opened.

>>> from symspec.relu_networks import relu_network
>>> first, second = relu_network([([[1, 2]], [3])]).layers[0], relu_network([([[2]], [5])]).layers[0]
>>> second.after(first)
AffineLayer(matrix=[2, 4, 11], denominator=1)
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
from flint import fmpz_mat

from .errors import MissingLibrary, NetworkFileError
from .relu_networks import AffineLayer, ReluNetwork, relu_network

OPERATORS = ("Gemm", "MatMul", "Add", "Relu", "LeakyRelu", "Flatten", "Identity")
Array = numpy.ndarray


def read_network(file: Path) -> ReluNetwork:
    """The network in an ONNX file; unsupported operators are named in the NetworkFileError."""
    graph, constants = _parsed(file)
    chain = _Chain()
    inputs = [item.name for item in graph.input if item.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise NetworkFileError(f"{file.name!r} has {len(inputs)} inputs and {len(graph.output)} outputs; a network has one of each")
    current = inputs[0]
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = _constant(node)
            continue
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            raise NetworkFileError(f"operator {node.op_type[:40]!r} is not read; networks are chains of {', '.join(OPERATORS)}")
        others = [name for name in node.input if name and name != current]
        if list(node.input).count(current) != 1 or len(node.output) != 1 or any(name not in constants for name in others):
            raise NetworkFileError(f"the graph is no chain: {node.op_type} {node.name[:40]!r} takes other values than the one before and constants")
        getattr(chain, node.op_type.lower())(node, [None if name == current else constants[name] for name in node.input if name])
        current = node.output[0]
    if current != graph.output[0].name:
        raise NetworkFileError(f"the graph is no chain: it does not end at its output {graph.output[0].name[:40]!r}")
    return chain.network()


def _parsed(file: Path) -> tuple[Any, dict[str, Array]]:
    """The graph and its initial values."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise MissingLibrary("no .onnx file is read: onnx is not installed; python -m pip install 'symspec[onnx]' brings it") from None
    model = onnx.ModelProto()
    try:
        model.ParseFromString(file.read_bytes())
    except (DecodeError, RuntimeError, ValueError):
        raise NetworkFileError(f"{file.name!r} is no .onnx file") from None
    return model.graph, {tensor.name: _array(tensor) for tensor in model.graph.initializer}


def _array(tensor: Any) -> Array:
    from onnx import TensorProto, numpy_helper

    name = tensor.name[:40]
    if tensor.external_data or tensor.data_location == TensorProto.EXTERNAL:
        raise NetworkFileError(f"tensor {name!r} lies in another file, which is not read; save the model in one file")
    if any(side < 0 for side in tensor.dims):
        raise NetworkFileError(f"tensor {name!r} has a negative side")
    types = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT64, TensorProto.INT32)
    if tensor.data_type not in types:
        raise NetworkFileError(f"tensor {name!r} has the type {tensor.data_type}, which is not read; float, double, float16, bfloat16 and int are")
    try:
        array = numpy.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError, MemoryError):
        raise NetworkFileError(f"tensor {name!r} does not fit its shape") from None
    # A bfloat16 is a float32 exactly.
    return array.astype(numpy.float32) if tensor.data_type == TensorProto.BFLOAT16 else array


def _constant(node: Any) -> Array:
    for attribute in node.attribute:
        if attribute.name == "value":
            return _array(attribute.t)
    raise NetworkFileError(f"constant {node.name[:40]!r} is no tensor")


def _attributes(node: Any) -> dict[str, Any]:
    from onnx import AttributeProto

    return {a.name: a.f if a.type == AttributeProto.FLOAT else a.i for a in node.attribute}


class _Chain:
    """Affine layers and the slopes of the activations between them, as the nodes arrive."""

    def __init__(self) -> None:
        self.layers: list[AffineLayer | None] = [None]
        self.slopes: list[Fraction] = []

    def affine(self, weights: Array, biases: Array | None) -> None:
        """Weights with a row for every output."""
        if weights.ndim != 2 or 0 in weights.shape:
            raise NetworkFileError(f"weights of the shape {weights.shape} are no matrix")
        shift = None if biases is None else numpy.broadcast_to(biases.reshape(-1), (len(weights),)) if biases.size in (1, len(weights)) else biases.reshape(-1)
        step = relu_network([(weights, shift)]).layers[0]
        last = self.layers[-1]
        if last is not None and last.outputs != step.inputs:
            raise NetworkFileError(f"a matrix takes {step.inputs} inputs, but there are {last.outputs} before it")
        self.layers[-1] = step if last is None else step.after(last)

    def gemm(self, node: Any, inputs: list[Array | None]) -> None:
        options = _attributes(node)
        if len(inputs) not in (2, 3) or inputs[0] is not None or inputs[1] is None or options.get("transA", 0):
            raise NetworkFileError("Gemm is read as x times a constant matrix, plus a constant vector")
        weights = inputs[1] if options.get("transB", 0) else inputs[1].T
        alpha, beta = options.get("alpha", 1.0), options.get("beta", 1.0)
        if (alpha, beta) != (1.0, 1.0):
            raise NetworkFileError(f"Gemm with alpha = {alpha} and beta = {beta} is not read; 1 and 1 are")
        self.affine(weights, inputs[2] if len(inputs) == 3 else None)

    def matmul(self, _: Any, inputs: list[Array | None]) -> None:
        if len(inputs) != 2 or inputs[0] is not None or inputs[1] is None:
            raise NetworkFileError("MatMul is read as x times a constant matrix")
        self.affine(inputs[1].T, None)

    def add(self, _: Any, inputs: list[Array | None]) -> None:
        constants = [value for value in inputs if value is not None]
        last = self.layers[-1]
        if len(inputs) != 2 or last is None or constants[0].size not in (1, last.outputs):
            raise NetworkFileError("Add is read after a matrix, with a constant vector as long as its outputs")
        self.affine(numpy.eye(last.outputs), constants[0])

    def relu(self, _: Any, __: list[Array | None]) -> None:
        self._activate(Fraction(0))

    def leakyrelu(self, node: Any, _: list[Array | None]) -> None:
        # The format's own default, a float32.
        alpha = _attributes(node).get("alpha", float(numpy.float32(0.01)))
        if not numpy.isfinite(alpha):
            raise NetworkFileError(f"LeakyRelu with the slope {alpha} is not read")
        self._activate(Fraction(alpha))

    def flatten(self, node: Any, _: list[Array | None]) -> None:
        axis = _attributes(node).get("axis", 1)
        if axis != 1:
            raise NetworkFileError(f"Flatten with axis {axis} is not read; 1 is, which keeps the batch apart")

    def identity(self, _: Any, __: list[Array | None]) -> None:
        """Nothing to do."""

    def _activate(self, slope: Fraction) -> None:
        self.slopes.append(slope)
        self.layers.append(None)

    def network(self) -> ReluNetwork:
        if len(set(self.slopes)) > 1:
            raise NetworkFileError(f"activations of different slopes ({', '.join(map(str, sorted(set(self.slopes))))}) are not read")
        first = next((i for i, layer in enumerate(self.layers) if layer is not None), None)
        if first is None:
            raise NetworkFileError("the graph holds no matrix")
        layers: list[AffineLayer] = []
        for layer in self.layers[first:]:
            layers.append(_identity(layers[-1].outputs) if layer is None else layer)
            if len(layers) > 1 and layers[-1].inputs != layers[-2].outputs:
                raise NetworkFileError(f"a matrix takes {layers[-1].inputs} inputs, but there are {layers[-2].outputs} before it")
        before = [_identity(layers[0].inputs)] * first
        return ReluNetwork((*before, *layers), self.slopes[0] if self.slopes else Fraction(0))


def _identity(size: int) -> AffineLayer:
    return AffineLayer(fmpz_mat(size, size + 1, [int(i == j) for i in range(size) for j in range(size + 1)]), 1)


__all__ = ["OPERATORS", "read_network"]
