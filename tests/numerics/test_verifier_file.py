"""Files that are no certificates."""

from __future__ import annotations

import pytest

import numerics
from numerics import verifier_fields
from symspec.errors import CertificateError

from .certificate_maker import relu_certificate, relu_text


def test_order_of_keys_is_free(proved):
    def reordered(node):
        if isinstance(node, dict):
            return {key: reordered(node[key]) for key in sorted(node, reverse=True)}
        return [reordered(value) for value in node] if isinstance(node, list) else node

    assert proved(reordered(relu_certificate())) == proved(relu_certificate())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(version=2), "newer schema"),
        (lambda r: r.update(version=True), "version"),
        (lambda r: r.update(format="another"), "no symspec certificate"),
        (lambda r: r.update(extra=1), "unknown key 'extra'"),
        (lambda r: r.pop("eigenvalues"), "lacks 'eigenvalues'"),
        (lambda r: r.update(law="linear"), "law"),
        (lambda r: r.update(dimension=1), "dimension"),
        (lambda r: r["kernel"].update(depth="1"), "depth"),
        (lambda r: r["kernel"].update(depth=10**9), "depth"),
        (lambda r: r["kernel"].update(layer=1), "layer"),
        (lambda r: r["kernel"].update(sigma_b2="1"), "normalised"),
        (lambda r: r["kernel"].update(sigma_w2="0"), "positive"),
        (lambda r: r["kernel"].update(alpha="1"), "alpha"),
        (lambda r: r["kernel"].update(scale="1/0"), "scale"),
        (lambda r: r["kernel"].update(scale="0x1"), "scale"),
        (lambda r: r["kernel"].update(scale="-1"), "scale"),
        (lambda r: r["kernel"].update(drop_deltas=0), "drop_deltas"),
        (lambda r: r["kernel"].update(activation={"name": "erf"}), "activation"),
        (lambda r: r["kernel"]["activation"].update(above=["1"] * 40), "above"),
        (lambda r: r["proof"]["power"].update(J=4), "J must be odd"),
        (lambda r: r["proof"]["power"].update(remainder=["1", "200000"]), "exponent"),
        (lambda r: r["proof"]["power"].update(remainder=["9" * 5000, "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["1.5", "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["١", "1"]), "remainder"),
        (lambda r: r["proof"]["power"].update(remainder=["1"]), "remainder"),
        (lambda r: r["proof"]["power"]["coefficients"]["near"].pop(), "near"),
        (lambda r: r["claim"]["even"]["asymptotic"].update(midpoint="7"), "enclose"),
        (lambda r: r["claim"]["even"]["asymptotic"].update(radius_exact=["-1", "-3"]), "negative"),
        (lambda r: r["theorem"].update(text=None), "theorem.text"),
    ],
)
def test_fields_refused(proved, change, message):
    record = relu_certificate()
    change(record)
    with pytest.raises(CertificateError, match=f"^file: .*{message}"):
        proved(record)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "3", "null", "{", "[" * 100_000, '{"format": 1e5}', '{"format": NaN}', '{"format": -Infinity}', '{"a": 1, "a": 1}', '{"a": ' + "9" * 5000 + "}", '{"format": "symspec certificate"}'],
)
def test_texts_refused(proved, text):
    with pytest.raises(CertificateError, match=r"^file: "):
        proved(text)


def test_truncated_at_any_point(proved):
    text = relu_text()
    for cut in range(0, len(text) - 1, len(text) // 50):
        with pytest.raises(CertificateError, match=r"^file: "):
            proved(text[:cut])


def test_bytes_and_sizes(tmp_path, monkeypatch):
    path = tmp_path / "certificate.json"
    path.write_bytes(b'{"format": "\xff"}')
    with pytest.raises(CertificateError, match="no JSON"):
        numerics.verify(path)
    with pytest.raises(CertificateError, match="cannot be read"):
        numerics.verify(tmp_path)
    monkeypatch.setattr(verifier_fields, "MAX_BYTES", 10)
    with pytest.raises(CertificateError, match="larger"):
        numerics.verify(path)
