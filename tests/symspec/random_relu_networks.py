"""Random small networks of integers, in which hyperplanes coincide and neurons vanish."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

import symspec as ss

small = st.integers(-3, 3)


@st.composite
def layer_lists(draw, inputs, most=3, depth=2):
    widths = [inputs, *draw(st.lists(st.integers(1, most), min_size=1, max_size=depth)), 1]
    return [([[draw(small) for _ in range(a)] for _ in range(b)], [draw(small) for _ in range(b)]) for a, b in pairwise(widths)]


@st.composite
def relu_networks(draw, inputs, most=3, depth=2):
    return ss.relu_network(draw(layer_lists(inputs, most, depth)), draw(st.sampled_from([0, 0, "1/8", -1])))
