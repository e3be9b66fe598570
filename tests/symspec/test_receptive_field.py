"""The effective receptive field."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

import symspec as ss
from symspec.errors import InputError
from symspec.receptive_field import draw_field


def test_effective_receptive_field(tmp_path):
    net = ss.cnn(ss.relu, 3, 3, 16)
    field = ss.effective_receptive_field(net)
    assert field.paths[:5] == (7, 6, 3, 1, 0)
    assert field.gradient == tuple(Rational(count, 27) for count in field.paths)
    assert sum(field.gradient) == 1
    t = sympy.Symbol("t", real=True)
    small = ss.cnn(ss.erf, 2, 2, 3, sigma_b2=1)
    for pixel, share in enumerate(ss.effective_receptive_field(small).gradient):
        slope = sympy.diff(small.ck([t if i == pixel else 1 for i in range(3)]), t).subs(t, 1)
        assert abs(sympy.N(slope - share, 20)) < 1e-15
    assert ss.effective_receptive_field(small).cost == (None,) * 3
    assert ss.effective_receptive_field(ss.cnn(ss.relu, 2, 2, 4, first_layer="pointwise")).cost == (5, 5, None, None)
    for number, shape in enumerate((16, (6, 6))):
        draw_field(ss.effective_receptive_field(ss.cnn(ss.relu, 2, 3, shape)), tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").stat().st_size > 5000


def test_one_output_is_asked_for():
    with pytest.raises(InputError, match="one output"):
        ss.effective_receptive_field(ss.cnn(ss.relu, 1, 2, 2, "gap"))
