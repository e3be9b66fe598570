r"""Networks from files: NumPy's .npz, .safetensors and .onnx. Files are data and may be hostile: nothing in them is executed, and no size is trusted.

**Names.** In .npz and .safetensors a layer is a weight matrix (rows are neurons) and, where there is one, a bias vector. They are named either as in a state dictionary of PyTorch,
``<layer>.weight`` and ``<layer>.bias``, or ``W<number>`` and ``b<number>``. Layers follow each other in the natural order of their names: digits compare as
numbers, so ``net.2.weight`` comes before ``net.10.weight``. Every tensor of the file must bear such a name. Between layers there is ReLU, or leaky ReLU with the slope given.

**From PyTorch**, without a file or with one::

    ss.relu_network([(m.weight.detach().numpy(), m.bias.detach().numpy()) for m in model if isinstance(m, torch.nn.Linear)])
    safetensors.torch.save_file(model.state_dict(), "net.safetensors")

>>> import numpy, tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     numpy.savez(f"{folder}/net.npz", W1=[[1.0], [-1.0]], b1=[0.0, 0.5], W2=[[1.0, 1.0]])
...     print(load_network(f"{folder}/net.npz"))
ReLU network 1-2-1
"""

from __future__ import annotations

import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy

from .errors import InputError, NetworkFileError
from .relu_networks import ReluNetwork, relu_network

MAX_BYTES = 1 << 26
MAX_TENSORS = 10_000
_STATE = re.compile(r"(?:(.+)\.)?(weight|bias)", re.DOTALL)
_NUMBERED = re.compile(r"([Wb])(\d{1,9})", re.ASCII)
# What converts to exact rationals: binary floats and integers.
KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def load_network(path: str | os.PathLike[str], slope: Any = 0) -> ReluNetwork:
    """The network in a file .npz, .safetensors or .onnx; the rule of its names is in the module docstring.

    Every number is taken at its exact binary value. ``slope`` is that of leaky ReLU below zero; an .onnx file says its own. ONNX graphs are chains of
    Gemm, MatMul, Add, Relu, LeakyRelu, Flatten and Identity.

    Raises NetworkFileError, in one line, for a file that holds no such network; MissingLibrary for .onnx without the library onnx.
    """
    file = Path(path)
    readers = {".npz": _read_npz, ".safetensors": _read_safetensors, ".onnx": _read_onnx}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise NetworkFileError(f"{file.name!r} is not read: networks are .npz, .safetensors or .onnx files")
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise NetworkFileError(f"{file.name!r} is not a file")
        if size > MAX_BYTES:
            raise NetworkFileError(f"{file.name!r} has {size} bytes, more than the {MAX_BYTES} that are read")
        return reader(file, slope)
    except OSError as error:
        raise NetworkFileError(f"cannot read {file.name!r}: {error.strerror or type(error).__name__}") from None
    except NetworkFileError:
        raise
    except InputError as error:
        raise NetworkFileError(f"{file.name!r}: {error}") from None


def from_tensors(tensors: Iterable[tuple[str, numpy.ndarray]], slope: Any) -> ReluNetwork:
    """The network of named arrays; see the module docstring for the names."""
    found: dict[str, dict[str, numpy.ndarray]] = {}
    for name, array in tensors:
        layer, role = _place(name)
        parts = found.setdefault(layer, {})
        if role in parts:
            raise NetworkFileError(f"two tensors are the {role} of layer {layer[:60]!r}")
        if array.ndim != (2 if role == "weight" else 1):
            raise NetworkFileError(f"tensor {name[:60]!r} has the shape {array.shape}; weights are matrices and biases vectors")
        parts[role] = array
    if not found:
        raise NetworkFileError("there are no tensors in the file")
    layers = []
    for layer in sorted(found, key=natural_order):
        if "weight" not in found[layer]:
            raise NetworkFileError(f"layer {layer[:60]!r} has a bias and no weight")
        layers.append((found[layer]["weight"], found[layer].get("bias")))
    return relu_network(layers, slope)


def natural_order(name: str) -> tuple[Any, ...]:
    """A key that compares digits as numbers: a.2 before a.10."""
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]{1,18})", name))


def _place(name: str) -> tuple[str, str]:
    """(layer, "weight" or "bias")."""
    if match := _NUMBERED.fullmatch(name):
        return match.group(2).lstrip("0") or "0", "weight" if match.group(1) == "W" else "bias"
    if match := _STATE.fullmatch(name):
        return match.group(1) or "", match.group(2)
    raise NetworkFileError(f"tensor {name[:60]!r} has no place in a network: the names are <layer>.weight and <layer>.bias, or W1, b1, W2, ...")


def _read_npz(file: Path, slope: Any) -> ReluNetwork:
    try:
        with zipfile.ZipFile(file) as archive:
            return from_tensors(_npz_tensors(archive), slope)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
        raise NetworkFileError(f"{file.name!r} is no .npz archive: {str(error)[:80] or type(error).__name__}") from None


def _npz_tensors(archive: zipfile.ZipFile) -> Iterator[tuple[str, numpy.ndarray]]:
    members = archive.infolist()
    if len(members) > MAX_TENSORS or sum(member.file_size for member in members) > MAX_BYTES:
        raise NetworkFileError(f"the archive holds {len(members)} files of {sum(member.file_size for member in members)} bytes unpacked, more than is read")
    for member in members:
        with archive.open(member) as stream:
            yield member.filename.removesuffix(".npy"), _npy_array(stream, member.filename, member.file_size)


def _npy_array(stream: IO[bytes], name: str, size: int) -> numpy.ndarray:
    """One array in NumPy's format; the size that the header claims is checked before anything is allocated."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"format version {version}")
        shape, fortran, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(stream)
    except (ValueError, TypeError, KeyError, SyntaxError, RecursionError, MemoryError, OverflowError, TokenError) as error:
        raise NetworkFileError(f"{name[:60]!r} is no array: {str(error).splitlines()[0][:80] if str(error) else type(error).__name__}") from None
    if dtype.hasobject:
        raise NetworkFileError(f"{name[:60]!r} holds pickled objects, which are not read; save plain arrays")
    if dtype.str[1:] not in KINDS:
        raise NetworkFileError(f"{name[:60]!r} has the type {str(dtype)[:40]}, which is not read; save float16, float32, float64 or integers")
    expected = prod(shape) * dtype.itemsize
    if any(side < 0 for side in shape) or stream.tell() + expected != size:
        raise NetworkFileError(f"{name[:60]!r} claims the shape {str(shape)[:60]}, which is not its size")
    return numpy.frombuffer(stream.read(expected), dtype).reshape(shape, order="F" if fortran else "C")


def _read_safetensors(file: Path, slope: Any) -> ReluNetwork:
    from .safetensors_file import read_tensors

    with file.open("rb") as stream:
        return from_tensors(read_tensors(stream, file.stat().st_size), slope)


def _read_onnx(file: Path, slope: Any) -> ReluNetwork:
    from .onnx_file import read_network

    return read_network(file)


__all__ = ["KINDS", "from_tensors", "load_network", "natural_order"]
