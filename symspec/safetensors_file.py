r"""The .safetensors format: eight bytes N (little endian), a JSON header of N bytes, and the raw tensors, nothing between them.

The header maps names to ``{"dtype", "shape", "data_offsets": [begin, end]}``, offsets counted from the end of the header; ``__metadata__`` is skipped. A file is read only if its
tensors cover the data exactly, each byte once, as the format demands (huggingface.co/docs/safetensors). Numbers are read at their exact values; bfloat16 is the upper half
of a float32.

>>> import io, json, struct
>>> header = json.dumps({"0.weight": {"dtype": "BF16", "shape": [1, 1], "data_offsets": [0, 2]}}).encode()
>>> data = struct.pack("<Q", len(header)) + header + bytes([0xC0, 0x3F])
>>> [(name, array.tolist()) for name, array in read_tensors(io.BytesIO(data), len(data))]
[('0.weight', [[1.5]])]
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod
from typing import IO, Any

import numpy

from .errors import NetworkFileError

MAX_HEADER = 1 << 24
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"}


def read_tensors(stream: IO[bytes], size: int) -> Iterator[tuple[str, numpy.ndarray]]:
    """The tensors of a file of ``size`` bytes. Raises NetworkFileError for anything that is not exactly of the format."""
    length = int.from_bytes(stream.read(8), "little")
    if size < 8 or length > size - 8:
        raise NetworkFileError(f"the file is cut off or no .safetensors file: its header claims {length} bytes of {max(size - 8, 0)}")
    if length > MAX_HEADER:
        raise NetworkFileError(f"the header has {length} bytes, more than the {MAX_HEADER} that are read")
    entries = _header(stream.read(length))
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: _offsets(*item)):
        begin, end = _offsets(name, entry)
        dtype, shape = _dtype(name, entry), _shape(name, entry)
        if begin != position or end - begin != prod(shape) * numpy.dtype(dtype).itemsize:
            raise NetworkFileError(f"tensor {name[:60]!r} claims bytes {begin} to {end}, which do not follow the one before or do not fit its shape")
        if end > size - 8 - length:
            raise NetworkFileError(f"the file is cut off: tensor {name[:60]!r} ends at byte {end} of {size - 8 - length}")
        position = end
        raw = numpy.frombuffer(stream.read(end - begin), dtype).reshape(shape)
        yield name, (raw.astype("<u4") << 16).view("<f4") if entry["dtype"] == "BF16" else raw
    if position != size - 8 - length:
        raise NetworkFileError(f"{size - 8 - length - position} bytes of the file belong to no tensor")


def _header(text: bytes) -> dict[str, Any]:
    repeated = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated |= len(found) < len(pairs)
        return found

    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise NetworkFileError("the header is no JSON text") from None
    if repeated:
        raise NetworkFileError("the header names a tensor twice")
    if not isinstance(entries, dict):
        raise NetworkFileError("the header is no JSON object")
    entries.pop("__metadata__", None)
    return entries


def _offsets(name: str, entry: Any) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(x) is int and x >= 0 for x in offsets):
        raise NetworkFileError(f"tensor {name[:60]!r} has no data_offsets")
    return offsets[0], offsets[1]


def _dtype(name: str, entry: dict[str, Any]) -> str:
    dtype = entry.get("dtype")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise NetworkFileError(f"tensor {name[:60]!r} has the type {str(dtype)[:20]!r}, which is not read; the types are {', '.join(DTYPES)}")
    return DTYPES[dtype]


def _shape(name: str, entry: dict[str, Any]) -> tuple[int, ...]:
    shape = entry.get("shape")
    if not isinstance(shape, list) or len(shape) > 8 or not all(type(x) is int and 0 <= x < 1 << 40 for x in shape):
        raise NetworkFileError(f"tensor {name[:60]!r} has no shape that can be read")
    return tuple(shape)


__all__ = ["read_tensors"]
