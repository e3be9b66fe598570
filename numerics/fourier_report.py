r"""What ``symspec fourier`` says about a network on a line, in a box or in all of space: text, JSON, LaTeX and a plot.

>>> from symspec.relu_networks import relu_network
>>> net = relu_network([([[1], [-2]], ["1/2", 1]), ([[1, 1]], [0])])
>>> print("\n".join(LineReport(str(net), net.restrict_to_line([0], [1]), [1, 2], 6).lines()[:3]))
ReLU network 1-2-1 on a line: 2 kinks
k^2 |f~(k)| <= 3 for every k
k  real                   imaginary             |f~|      k^2 |f~|
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy
from flint import acb

from symspec.errors import InputError
from symspec.exact import decimal_above, exact
from symspec.linear_regions import LinearRegions
from symspec.piecewise_linear import PiecewiseLinear, Window
from symspec.ray_transforms import ExceptionalSpace, RayTransform, generic_direction, ray_transform
from symspec.relu_networks import ReluNetwork

from .constants import ball
from .exact_text import ball_record, ball_text, rounded_text
from .fourier_transform import fourier, fourier_bound
from .precision import working_precision
from .region_transform import FourierParts, fourier_parts
from .space_transform import space_fourier

SPARE_DIGITS = 3
MOST_SPACES = 20
LONGEST_COORDINATE, LONGEST_BITS = 14, 12_000


@dataclass(frozen=True)
class LineReport:
    """A network on a line (all of it) or on a polyline (a window), at some frequencies."""

    name: str
    f: PiecewiseLinear | Window
    frequencies: Sequence[Any]
    digits: int

    @cached_property
    def values(self) -> list[acb]:
        return fourier(self.f, list(self.frequencies), self.digits)

    @property
    def kinks(self) -> int:
        return len(self.f.kinks if isinstance(self.f, Window) else self.f.breakpoints)

    def lines(self) -> list[str]:
        """The table of values."""
        window = isinstance(self.f, Window)
        head = [f"{self.name} on {'a polyline' if window else 'a line'}: {self.kinks} kinks"]
        if isinstance(self.f, PiecewiseLinear):
            head.append(f"k^2 |f~(k)| <= {decimal_above(self.f.total_variation)} for every k")
        rows = [["k", "real", "imaginary", "|f~|", "k^2 |f~|"]]
        for k, value in zip(self.frequencies, self.values, strict=True):
            with working_precision(64):
                size = abs(value)
                scaled = size * ball(exact(k, "frequency")) ** 2
            rows.append([str(k), ball_text(value.real, self.digits), ball_text(value.imag, self.digits), rounded_text(size, 6), rounded_text(scaled, 6)])
        return [*head, *_table(rows)]

    def statement(self) -> str:
        """The theorem about this function, in LaTeX."""
        if isinstance(self.f, Window):
            return rf"\[ f\text{{ is piecewise linear on }}[{_tex(self.f.a)},{_tex(self.f.b)}]\text{{ with {self.kinks} kinks inside.}} \]"
        return self.f.statement()

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        record: dict[str, Any] = {"network": self.name, "convention": "f~(k) = integral of f(t) exp(-i k t) dt"}
        if isinstance(self.f, Window):
            record |= {"interval": [self.f.a, self.f.b], "end_values": list(self.f.values), "end_slopes": list(self.f.slopes), "kinks": [{"at": x, "jump": jump} for x, jump in self.f.kinks]}
        else:
            record |= {
                "kinks": [{"at": x, "jump": jump} for x, jump in zip(self.f.breakpoints, self.f.slope_jumps, strict=True)],
                "slopes": list(self.f.slopes),
                "value_at_0": self.f.value,
                "total_variation": exact_text(self.f.total_variation),
                "total_variation_above": decimal_above(self.f.total_variation),
            }
        values = [{"k": str(k), **_complex(value, self.digits)} for k, value in zip(self.frequencies, self.values, strict=True)]
        return record | {"values": values, "statement_latex": self.statement()}

    def draw(self, file: str | os.PathLike[str]) -> None:
        """The spectrum, and the envelope where one is proved."""
        from .fourier_plot import draw_line

        draw_line(file, self)


@dataclass(frozen=True)
class BoxReport:
    """A network in a box: its regions, the decay in exceptional and generic directions, and values at some vectors."""

    name: str
    regions: LinearRegions
    vectors: Sequence[Sequence[Any]]
    digits: int

    @cached_property
    def parts(self) -> list[FourierParts]:
        vectors = [list(vector) for vector in self.vectors]
        return fourier_parts(self.regions, vectors, self.digits) if vectors else []

    @cached_property
    def spaces(self) -> tuple[ExceptionalSpace, ...]:
        self.regions.check()
        return self.regions.exceptional_directions()

    @cached_property
    def generic(self) -> RayTransform:
        return ray_transform(self.regions, generic_direction(self.regions))

    def lines(self) -> list[str]:
        """The table of directions, then that of values."""
        spaces, counts = self.spaces, self.regions.counts
        lines = [
            f"{self.name} in a box: {self.regions}",
            f"faces of dimension 0 to {self.regions.dimension}: {', '.join(map(str, counts))}; continuity and the cancellation of jumps at every ridge are proved",
            f"own part: |k|^2 |f~(k)| <= TV(grad f) = {decimal_above(self.regions.total_variation)} for every k",
            f"in a generic direction, such as ({_vector(self.generic.direction)}), f~ ~ {_power(self.generic.order)}; exceptional directions:",
        ]
        rows = [["codimension", "normal space spanned by", "faces", "decay"]]
        for space in spaces[:MOST_SPACES]:
            rows.append([str(space.codimension), " ".join(f"({_vector(b)})" for b in space.basis), str(space.faces), _power(space.order)])
        lines += _table(rows) if spaces else ["none"]
        if len(spaces) > MOST_SPACES:
            lines.append(f"... and {len(spaces) - MOST_SPACES} more (--json has all)")
        if self.vectors:
            lines += _table([["k", "part", "real", "imaginary"], *(row for k, parts in zip(self.vectors, self.parts, strict=True) for row in self._rows(k, parts))])
        return lines

    def _rows(self, k: Sequence[Any], parts: FourierParts) -> list[list[str]]:
        named = {"own": parts.interior, "boundary": parts.boundary, "total": parts.total}
        return [[f"({_vector(k)})", name, ball_text(value.real, self.digits), ball_text(value.imag, self.digits)] for name, value in named.items()]

    def statement(self) -> str:
        """The theorem about the own part, in LaTeX."""
        return "\n".join([self.regions.statement(), "and in a generic direction", self.generic.statement()])

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        regions = self.regions
        return {
            "network": self.name,
            "convention": "f~(k) = integral of f(x) exp(-i k.x) dx",
            "box": [list(side) for side in regions.box],
            "faces": list(regions.counts),
            "vertices": [list(vertex) for vertex in regions.vertices],
            "cells": [{"vertices": list(cell.vertices), "gradient": list(cell.gradient), "constant": cell.constant} for cell in regions.cells],
            "facets": [{"vertices": list(facet.vertices), "cells": list(facet.cells), "normal": list(facet.normal), "jump": facet.jump} for facet in regions.facets],
            "total_variation": exact_text(regions.total_variation),
            "total_variation_above": decimal_above(regions.total_variation),
            "bound": ball_record(fourier_bound(regions), self.digits),
            "generic": {"direction": list(self.generic.direction), "order": self.generic.order},
            "exceptional": [{"codimension": s.codimension, "basis": [list(b) for b in s.basis], "faces": s.faces, "sample": list(s.sample), "order": s.order} for s in self.spaces],
            "values": [
                {"k": [str(x) for x in k], "own": _complex(p.interior, self.digits), "boundary": _complex(p.boundary, self.digits), "total": _complex(p.total, self.digits)}
                for k, p in zip(self.vectors, self.parts, strict=True)
            ],
            "statement_latex": self.statement(),
        }

    def draw(self, file: str | os.PathLike[str]) -> None:
        """The kinks in the plane, and the own part along rays."""
        from .fourier_plot import draw_box

        draw_box(file, self)


@dataclass(frozen=True)
class SpaceReport:
    """A network in all of space, at vectors that are not singular for it."""

    network: ReluNetwork
    output: int
    vectors: Sequence[Sequence[Any]]
    digits: int

    @cached_property
    def values(self) -> list[acb]:
        return space_fourier(self.network, [list(vector) for vector in self.vectors], self.digits, self.output)

    def lines(self) -> list[str]:
        """The table of values."""
        rows = [[f"({_vector(k)})", ball_text(value.real, self.digits), ball_text(value.imag, self.digits)] for k, value in zip(self.vectors, self.values, strict=True)]
        return [f"{self.network} in all of space", *_table([["k", "real", "imaginary"], *rows])]

    def statement(self) -> str:
        """What the values are, in LaTeX."""
        return r"\[ \tilde f(k)=-\frac1{|k|^2}\sum_FJ_F\int_Fe^{-ik\cdot x}\,dx\quad\text{for }k\text{ orthogonal to no unbounded edge of the kinks.} \]"

    def record(self) -> dict[str, Any]:
        """Everything, for JSON."""
        values = [{"k": [str(x) for x in k], **_complex(value, self.digits)} for k, value in zip(self.vectors, self.values, strict=True)]
        return {"network": str(self.network), "convention": "f~(k) = integral of f(x) exp(-i k.x) dx", "values": values, "statement_latex": self.statement()}

    def draw(self, _: str | os.PathLike[str]) -> None:
        """Refused."""
        raise InputError("a network in all of space has no plot; take --line or --box")


def exact_text(value: Fraction) -> str | None:
    """The exact number, or nothing where it has thousands of digits."""
    return str(value) if max(value.numerator.bit_length(), value.denominator.bit_length()) <= LONGEST_BITS else None


def _complex(value: acb, digits: int) -> dict[str, Any]:
    return {"real": ball_record(value.real, digits + SPARE_DIGITS), "imaginary": ball_record(value.imag, digits + SPARE_DIGITS)}


def _vector(entries: Sequence[Any]) -> str:
    """Exact coordinates; those of a long vector relative to the largest, cut off."""
    texts = [str(entry) for entry in entries]
    if max(map(len, texts)) <= LONGEST_COORDINATE:
        return ", ".join(texts)
    numbers = [Fraction(entry) for entry in entries]
    largest = max(numbers, key=abs)
    return ", ".join("1" if number == largest else f"{float(number / largest):.6g}..." for number in numbers)


def _power(order: int | None) -> str:
    return "0" if order is None else f"t^-{order}"


def _tex(value: Any) -> str:
    return sympy.latex(sympy.Rational(value.numerator, value.denominator))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns aligned to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


__all__ = ["BoxReport", "LineReport", "SpaceReport"]
