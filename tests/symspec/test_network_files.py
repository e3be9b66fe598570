"""Networks from files: exact round trips, the rule of the names, and files that are broken on purpose."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from fractions import Fraction

import numpy
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from onnx import TensorProto, helper, numpy_helper

import symspec as ss
from symspec.errors import MissingLibrary, NetworkFileError
from symspec.network_files import natural_order

RNG = numpy.random.default_rng(0)
LAYERS = [(RNG.standard_normal((3, 2)).astype("f4"), RNG.standard_normal(3).astype("f4")), (RNG.standard_normal((1, 3)).astype("f4"), RNG.standard_normal(1).astype("f4"))]
POINT = [Fraction(1, 3), Fraction(-2)]


def expected(slope=0):
    return ss.relu_network(LAYERS, slope)(POINT)


def safetensors(entries, data, metadata=None):
    header = dict(entries) | ({} if metadata is None else {"__metadata__": metadata})
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def state_file():
    entries, data = {}, b""
    for name, array in {"0.weight": LAYERS[0][0], "0.bias": LAYERS[0][1], "2.weight": LAYERS[1][0], "2.bias": LAYERS[1][1]}.items():
        entries[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    return safetensors(entries, data, {"format": "pt"})


def npz_file():
    stream = io.BytesIO()
    numpy.savez_compressed(stream, W1=LAYERS[0][0], b1=LAYERS[0][1], W2=LAYERS[1][0], b2=LAYERS[1][1])
    return stream.getvalue()


def onnx_model(nodes, constants, opset=13, output="y"):
    tensors = [numpy_helper.from_array(numpy.asarray(value), name) for name, value in constants.items()]
    inputs, outputs = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", output))
    return helper.make_model(helper.make_graph(nodes, "net", [inputs], [outputs], tensors), opset_imports=[helper.make_opsetid("", opset)])


GEMM = [
    helper.make_node("Flatten", ["x"], ["f"]),
    helper.make_node("Gemm", ["f", "w1", "b1"], ["h"], transB=1),
    helper.make_node("Relu", ["h"], ["a"]),
    helper.make_node("MatMul", ["a", "w2"], ["g"]),
    helper.make_node("Add", ["b2", "g"], ["i"]),
    helper.make_node("Identity", ["i"], ["y"]),
]
CONSTANTS = {"w1": LAYERS[0][0], "b1": LAYERS[0][1], "w2": LAYERS[1][0].T, "b2": LAYERS[1][1]}


def load(tmp_path, name, data, slope=0):
    (tmp_path / name).write_bytes(data)
    return ss.load_network(tmp_path / name, slope)


def test_three_formats_give_the_same_network(tmp_path):
    for name, data in {"a.npz": npz_file(), "a.safetensors": state_file(), "a.onnx": onnx_model(GEMM, CONSTANTS).SerializeToString()}.items():
        network = load(tmp_path, name, data)
        assert network.widths == (2, 3, 1)
        assert network(POINT) == expected()
    assert load(tmp_path, "a.npz", npz_file(), "1/10")(POINT) == expected("1/10")


def test_the_order_of_layers_is_natural(tmp_path):
    assert sorted(["net.10", "net.2", "net.2.a", "", "10", "9"], key=natural_order) == ["", "9", "10", "net.2", "net.2.a", "net.10"]
    arrays = {f"net.{2 * i}.weight": numpy.full((i + 2, i + 1), 1.0) for i in range(8)}
    numpy.savez(tmp_path / "deep.npz", **dict(sorted(arrays.items())))
    assert ss.load_network(tmp_path / "deep.npz").widths == tuple(range(1, 10))


def test_the_library_writes_what_is_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    library.save_file({"0.weight": LAYERS[0][0], "0.bias": LAYERS[0][1], "2.weight": LAYERS[1][0], "2.bias": LAYERS[1][1]}, tmp_path / "a.safetensors")
    assert ss.load_network(tmp_path / "a.safetensors")(POINT) == expected()


def test_bfloat16_float16_and_integers_are_exact(tmp_path):
    entries = {"0.weight": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]}, "0.bias": {"dtype": "F16", "shape": [1], "data_offsets": [4, 6]}}
    data = numpy.array([0x3F81, 0xC000], "<u2").tobytes() + numpy.array([0.1], "<f2").tobytes()
    network = load(tmp_path, "a.safetensors", safetensors(entries, data))
    assert network([1, 0])[0] - network([0, 0])[0] == Fraction(129, 128)
    assert network([0, 1])[0] - network([0, 0])[0] == -2
    assert network([0, 0]) == (Fraction(float(numpy.float16(0.1))),)
    numpy.savez(tmp_path / "i.npz", W1=numpy.array([[2**62 + 1]]))
    assert ss.load_network(tmp_path / "i.npz")([1]) == (2**62 + 1,)


def test_leaky_networks_and_activations_at_the_ends(tmp_path):
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["h"], transB=1),
        helper.make_node("LeakyRelu", ["h"], ["a"], alpha=0.125),
        helper.make_node("Gemm", ["a", "w2", "b2"], ["z"], transB=0),
        helper.make_node("LeakyRelu", ["z"], ["y"], alpha=0.125),
    ]
    value = load(tmp_path, "l.onnx", onnx_model(nodes, CONSTANTS).SerializeToString())(POINT)[0]
    plain = expected("1/8")[0]
    assert value == (plain if plain > 0 else plain / 8)
    early = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("MatMul", ["a", "w"], ["y"])]
    network = load(tmp_path, "e.onnx", onnx_model(early, {"w": numpy.array([[1.0], [10.0]], "f4")}).SerializeToString())
    assert network([-1, 2]) == (20,)
    constant = [helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(numpy.array([[3.0]], "f4"))), helper.make_node("MatMul", ["x", "w"], ["y"])]
    assert load(tmp_path, "c.onnx", onnx_model(constant, {}).SerializeToString())([2]) == (6,)
    default = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("LeakyRelu", ["h"], ["y"])]
    assert load(tmp_path, "d.onnx", onnx_model(default, {"w": numpy.array([[-1.0]], "f4")}).SerializeToString()).slope == Fraction(float(numpy.float32(0.01)))


W = numpy.ones((2, 2), "f4")
NODE = helper.make_node
ONNX_FAULTS = {
    "operator 'Conv'": ([NODE("Conv", ["x", "w"], ["y"])], {"w": W}),
    "operator 'Sigmoid'": ([NODE("MatMul", ["x", "w"], ["h"]), NODE("Sigmoid", ["h"], ["y"])], {"w": W}),
    "no chain: Add": ([NODE("MatMul", ["x", "w"], ["h"]), NODE("Add", ["h", "x"], ["y"])], {"w": W}),
    "takes other values": ([NODE("MatMul", ["x", "q"], ["y"])], {"w": W}),
    "does not end": ([NODE("MatMul", ["x", "w"], ["z"])], {"w": W}),
    "takes 2 inputs, but there are 3": ([NODE("MatMul", ["x", "v"], ["h"]), NODE("Relu", ["h"], ["a"]), NODE("MatMul", ["a", "w"], ["y"])], {"w": W, "v": numpy.ones((2, 3), "f4")}),
    "no matrix": ([NODE("Relu", ["x"], ["y"])], {}),
    "different slopes": ([NODE("MatMul", ["x", "w"], ["h"]), NODE("Relu", ["h"], ["i"]), NODE("LeakyRelu", ["i"], ["y"])], {"w": W}),
    "no matrix$": ([NODE("MatMul", ["x", "w"], ["y"])], {"w": numpy.ones(2, "f4")}),
    "alpha = 2": ([NODE("Gemm", ["x", "w"], ["y"], alpha=2.0)], {"w": W}),
    "x times a constant": ([NODE("MatMul", ["w", "x"], ["y"])], {"w": W}),
    "transA|x times": ([NODE("Gemm", ["x", "w"], ["y"], transA=1)], {"w": W}),
    "Add is read": ([NODE("Add", ["x", "w"], ["y"])], {"w": W}),
    "axis 2": ([NODE("Flatten", ["x"], ["h"], axis=2), NODE("MatMul", ["h", "w"], ["y"])], {"w": W}),
    "not finite|finite": ([NODE("MatMul", ["x", "w"], ["y"])], {"w": W * numpy.inf}),
    "type": ([NODE("MatMul", ["x", "w"], ["y"])], {"w": W.astype(numpy.complex64)}),
}


@pytest.mark.parametrize("reason", ONNX_FAULTS)
def test_onnx_graphs_that_are_no_networks(tmp_path, reason):
    with pytest.raises(NetworkFileError, match=reason) as caught:
        load(tmp_path, "bad.onnx", onnx_model(*ONNX_FAULTS[reason]).SerializeToString())
    assert "\n" not in str(caught.value)


def test_onnx_with_external_data_opens_no_other_file(tmp_path):
    model = onnx_model([NODE("MatMul", ["x", "w"], ["y"])], {"w": W})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(NetworkFileError, match="another file"):
        load(tmp_path, "bad.onnx", model.SerializeToString())


def test_without_the_library(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingLibrary, match=r"symspec\[onnx\]"):
        load(tmp_path, "a.onnx", b"")


def _npz(**arrays):
    stream = io.BytesIO()
    numpy.savez(stream, **arrays)
    return stream.getvalue()


def _raw_npz(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return stream.getvalue()


def _npy(header, data=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


NPZ_FAULTS = {
    "pickled objects": _npz(W1=numpy.array([[object()]], dtype=object)),
    "complex128": _npz(W1=numpy.ones((1, 1), complex)),
    "longdouble|float128": _npz(W1=numpy.ones((1, 1), numpy.longdouble)),
    "<U1": _npz(W1=numpy.array([["a"]])),
    "no place": _npz(weights=numpy.ones((1, 1))),
    "bias and no weight": _npz(b1=numpy.ones(1)),
    "two tensors": _npz(W1=numpy.ones((1, 1)), W01=numpy.ones((1, 1))),
    r"shape \(2,\)": _npz(W1=numpy.ones(2)),
    "rows of equal length": _npz(W1=numpy.ones((0, 2))),
    "2 neurons but 3 biases": _npz(W1=numpy.ones((2, 2)), b1=numpy.ones(3)),
    "layer 2 takes 5 inputs": _npz(W1=numpy.ones((2, 2)), W2=numpy.ones((2, 5))),
    "layer 1: nan": _npz(W1=numpy.array([[numpy.nan]])),
    "layer 1: inf": _npz(W1=numpy.array([[numpy.inf]])),
    "no tensors": _raw_npz(),
    "is no array": _raw_npz(W1=b"text"),
    "claims the shape": _raw_npz(W1=_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000000)}", bytes(64))),
    "is no array: malformed": _raw_npz(W1=_npy("__import__('os').system('true')", bytes(64))),
    "no array:": _raw_npz(W1=_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "(" * 400 + ")}", bytes(64))),
    "negative|claims": _raw_npz(W1=_npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -8)}", bytes(64))),
}


@pytest.mark.parametrize("reason", NPZ_FAULTS)
def test_archives_that_are_no_networks(tmp_path, reason):
    with pytest.raises(NetworkFileError, match=reason) as caught:
        load(tmp_path, "bad.npz", NPZ_FAULTS[reason])
    assert "\n" not in str(caught.value)


def test_an_archive_that_claims_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("symspec.network_files.MAX_BYTES", 10_000)
    with pytest.raises(NetworkFileError, match="more than is read"):
        load(tmp_path, "bomb.npz", _raw_npz(W1=bytes(1_000_000)))
    with pytest.raises(NetworkFileError, match="20000 bytes"):
        load(tmp_path, "large.npz", bytes(20_000))


def _entry(dtype="F32", shape=(1, 1), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


SAFETENSORS_FAULTS = {
    "cut off or no": b"\x00\x00",
    "claims 4096 bytes": struct.pack("<Q", 4096) + b"{}",
    r"claims \d{20} bytes": b"\xff" * 20,
    "no JSON text": struct.pack("<Q", 4) + b"[[[[",
    "no JSON  ?text": struct.pack("<Q", 100_000) + b"[" * 100_000,
    "no JSON object": struct.pack("<Q", 2) + b"[]",
    "twice": struct.pack("<Q", 23) + b'{"weight":1,"weight":2}',
    "no data_offsets": safetensors({"weight": {"dtype": "F32", "shape": [1, 1]}}, bytes(4)),
    "type 'F8_E5M2'": safetensors({"weight": _entry("F8_E5M2", (2, 2))}, bytes(4)),
    "no shape": safetensors({"weight": _entry(shape=(-1, -1))}, bytes(4)),
    "do not follow": safetensors({"a.weight": _entry(), "b.weight": _entry()}, bytes(4)),
    "fit its shape": safetensors({"weight": _entry(shape=(2, 2))}, bytes(4)),
    "file is cut off: tensor": safetensors({"weight": _entry()}, bytes(2)),
    "belong to no tensor": safetensors({"weight": _entry()}, bytes(7)),
    "layer 1: nan": safetensors({"weight": _entry()}, b"\xff" * 4),
    "no tensors": safetensors({}, b""),
    "no place": safetensors({"weight\n\x1b[2J": _entry()}, bytes(4)),
}


@pytest.mark.parametrize("reason", SAFETENSORS_FAULTS)
def test_safetensors_that_are_no_networks(tmp_path, reason):
    with pytest.raises(NetworkFileError, match=reason) as caught:
        load(tmp_path, "bad.safetensors", SAFETENSORS_FAULTS[reason])
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_header_that_is_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr("symspec.safetensors_file.MAX_HEADER", 16)
    with pytest.raises(NetworkFileError, match="more than the 16"):
        load(tmp_path, "a.safetensors", state_file())


VALID = {"f.npz": npz_file(), "f.safetensors": state_file(), "f.onnx": onnx_model(GEMM, CONSTANTS).SerializeToString()}


@pytest.mark.parametrize("name", VALID)
def test_files_that_are_cut_off(tmp_path, name):
    data = VALID[name]
    for length in {0, 1, 7, 8, 9, *range(0, len(data), max(1, len(data) // 40))}:
        with pytest.raises(NetworkFileError):
            load(tmp_path, name, data[:length])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(VALID)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_files_with_damaged_bytes_give_a_network_or_one_line(tmp_path, name, damages):
    data = bytearray(VALID[name])
    for position, value in damages:
        data[position % len(data)] = value
    try:
        assert isinstance(load(tmp_path, name, bytes(data)), ss.ReluNetwork)
    except NetworkFileError as error:
        assert "\n" not in str(error)


def test_paths_that_are_no_files(tmp_path):
    (tmp_path / "folder.npz").mkdir()
    for name, reason in {"a.pt": "not read", "missing.npz": "No such file", "folder.npz": "not a file"}.items():
        with pytest.raises(NetworkFileError, match=reason):
            ss.load_network(tmp_path / name)
