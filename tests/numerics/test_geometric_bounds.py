"""Bounds of smooth kernels at every degree."""

from __future__ import annotations

import json

import pytest
from flint import arb

import numerics
import symspec as ss
from numerics.certification import certify
from numerics.geometric_bounds import GeometricCertificate
from numerics.precision import working_precision
from symspec import errors


@pytest.mark.parametrize(
    ("kernel", "d"),
    [(ss.mlp(ss.erf, 1).ck, 3), (ss.mlp(ss.erf, 2).ntk, 10), (ss.mlp(ss.gelu, 3).ntk, 5), (ss.mlp(ss.sin, 2).ck, 2), (ss.mlp(ss.exp, 1).ntk, 4)],
    ids=str,
)
def test_bounds_hold_and_follow_the_rate(kernel, d):
    c = certify(kernel, ss.Sphere(d))
    assert isinstance(c, GeometricCertificate)
    values = numerics.eigenvalues(kernel, ss.Sphere(d), range(60), digits=10)
    with working_precision(128):
        assert all(value <= c.upper_at(k) for k, value in enumerate(values))
        # A constant divided by the share of the largest eigenvalue would be false.
        assert max((float(value / c.upper_at(k)) for k, value in enumerate(values)), default=0) > 1e-4
    law = ss.decay(kernel, ss.Sphere(d))
    if law.kind == "geometric":
        rate = numerics.decay_rate(law, 10)
        assert arb("0.7") * rate < arb(c.ratio) < rate


def test_the_file(tmp_path):
    c = certify(ss.mlp(ss.erf, 2).ntk, ss.Sphere(3))
    c.save(tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())
    assert record["law"] == "geometric"
    assert record["kernel"]["activation"] == {"name": "erf"}
    with pytest.raises(errors.NoClosedForm, match="named"):
        certify(ss.mlp(ss.activation("x*exp(-x**2)"), 1).ck, ss.Sphere(3)).save(tmp_path / "d.json")


def test_texts():
    c = certify(ss.mlp(ss.sin, 1).ck, ss.Sphere(3))
    assert "for every k >= 0" in str(c)
    assert "N(3,k)" in c.statement()
    assert "Bernstein" in c.proof()
