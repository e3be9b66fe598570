"""The file of a certificate, read with suspicion: ``docs/certificates.md`` has the format.

Every field must be there, with the right type and in a range that keeps the verifier's effort finite; nothing else may
be there. Numbers become exact rationals. Only this module knows about JSON; it proves nothing.

>>> Field('["-3", "-2"]', "x").dyadic()
Traceback (most recent call last):
symspec.errors.CertificateError: file: x must be a list
>>> Field(["-3", "-2"], "x").dyadic()
-3/4
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from flint import fmpq, fmpz

from symspec.errors import CertificateError

from .verifier_duals import Piecewise, Smooth
from .verifier_kernels import MAX_ROOT, Network

MAX_BYTES = 16 * 2**20
MAX_DIGITS = 4000
MAX_EXPONENT = 100_000
MAX_POWER = 16
MAX_DEPTH = 64
MAX_DIMENSION = 1000
MAX_DEGREE = 5000
MAX_START = 10**9
MAX_TERMS = 2000
MAX_PANELS = 2000
SMOOTH = ("erf", "gelu", "sin", "cos", "exp", "gaussian")
_INTEGER = re.compile(r"-?\d+", re.ASCII)
_RATIONAL = re.compile(r"(-?\d+)(?:/(\d+))?", re.ASCII)
_DECIMAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e(-?\d{1,6}))?", re.ASCII)


@dataclass(frozen=True)
class Ball:
    """A closed interval with exact ends."""

    low: fmpq
    high: fmpq


@dataclass(frozen=True)
class Band:
    """lower <= k^exponent mu_k <= upper from degree ``start`` on."""

    start: int
    lower: fmpq
    upper: fmpq


@dataclass(frozen=True)
class ParityClaim:
    """What is claimed of the degrees of one parity."""

    exponent: fmpq | None
    zero_from: int | None
    asymptotic: Ball | None
    bands: tuple[Band, ...]


@dataclass(frozen=True)
class Panel:
    """A piece of [0, 1], where its Taylor series converges, and a bound of the square of the norm of L^m r."""

    centre: fmpq
    radius: fmpq
    disc: fmpq
    terms: int
    bound: fmpq


@dataclass(frozen=True)
class PowerProof:
    """The data of a power law's proof."""

    m: int
    J: int
    cut: int
    ratio: fmpq
    bound: fmpq
    near: tuple[Ball, ...]
    far: tuple[Ball, ...]
    sigma: fmpq
    disc: fmpq
    terms: int
    ends: tuple[fmpq, fmpq]
    panels: tuple[Panel, ...]
    remainder: fmpq


@dataclass(frozen=True)
class Piece:
    """An end (in tau or c) or a panel (in y) with a bound of the kernel on its disc, where jumps are composed."""

    centre: fmpq
    radius: fmpq
    disc: fmpq
    terms: int
    supremum: fmpq
    bound: fmpq


@dataclass(frozen=True)
class ComposedProof:
    """The data of a power law's proof where jumps are composed."""

    m: int
    J: int
    cut: int
    root: int
    near: tuple[Ball, ...]
    far: tuple[Ball, ...]
    ends: tuple[Piece, Piece]
    panels: tuple[Piece, ...]
    remainder: fmpq


@dataclass(frozen=True)
class PowerLaw:
    """A claim for each parity, the eigenvalues below the cut, and the proof."""

    claims: tuple[ParityClaim, ParityClaim]
    eigenvalues: tuple[tuple[int, Ball], ...]
    proof: PowerProof | ComposedProof


@dataclass(frozen=True)
class GeometricLaw:
    """mu_k <= constant ratio^-k / sqrt(N(d,k)), from K(radius) <= bound."""

    ratio: fmpq
    constant: fmpq
    radius: fmpq
    bound: fmpq


@dataclass(frozen=True)
class Certificate:
    """A file that has the right form."""

    network: Network
    kernel: str
    dimension: int
    law: PowerLaw | GeometricLaw


@dataclass(frozen=True)
class Field:
    """A value of the file and where it stands."""

    value: Any
    name: str

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error of this field."""
        raise CertificateError("file", f"{self.name} {reason}")

    def keys(self, *names: str) -> tuple[Field, ...]:
        """The values of an object with exactly these keys."""
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
        for name in names:
            if name not in self.value:
                self.refuse(f"lacks {name!r}")
        for name in self.value:
            if name not in names:
                self.refuse(f"has the unknown key {name[:40]!r}")
        return tuple(Field(self.value[name], f"{self.name}.{name}") for name in names)

    def items(self, most: int, least: int = 0) -> list[Field]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            self.refuse("must be a list")
        if not least <= len(self.value) <= most:
            self.refuse(f"must have {least} to {most} entries, not {len(self.value)}")
        return [Field(value, f"{self.name}[{i}]") for i, value in enumerate(self.value)]

    def text(self, choices: Sequence[str] | None = None) -> str:
        """A text, one of the choices if there are any."""
        if not isinstance(self.value, str) or (choices is not None and self.value not in choices):
            self.refuse("must be a text" if choices is None else f"must be one of {', '.join(choices)}")
        return self.value

    def integer(self, low: int, high: int) -> int:
        """An integer in a range."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            self.refuse(f"must be an integer from {low} to {high}")
        return self.value

    def boolean(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("must be true or false")
        return self.value

    def rational(self, *, positive: bool = False) -> fmpq:
        """A rational written p/q or p."""
        match = _RATIONAL.fullmatch(self.value) if isinstance(self.value, str) and len(self.value) <= MAX_DIGITS else None
        if match is None or (match[2] is not None and not match[2].strip("0")):
            self.refuse("must be a rational such as \"3/4\"")
        number = fmpq(fmpz(match[1]), fmpz(match[2] or "1"))
        if positive and not number > 0:
            self.refuse("must be positive")
        return number

    def dyadic(self, *, positive: bool = False) -> fmpq:
        """A number mantissa 2^exponent."""
        mantissa, exponent = (field._decimal_integer() for field in self.items(2, 2))
        if abs(exponent) > MAX_EXPONENT:
            self.refuse(f"has an exponent beyond {MAX_EXPONENT}")
        number = fmpq(mantissa) * fmpq(2) ** int(exponent)
        if positive and not number > 0:
            self.refuse("must be positive")
        return number

    def ball(self) -> Ball:
        """An exact ball; its decimals must enclose it."""
        middle, radius, exact, spread = self.keys("midpoint", "radius", "midpoint_exact", "radius_exact")
        m, r = exact.dyadic(), spread.dyadic()
        if r < 0:
            spread.refuse("must not be negative")
        decimal, width = middle._decimal(), radius._decimal()
        if not (decimal - width <= m - r and m + r <= decimal + width):
            self.refuse("has decimals that do not enclose its exact numbers")
        return Ball(m - r, m + r)

    def _decimal_integer(self) -> fmpz:
        if not isinstance(self.value, str) or len(self.value) > MAX_DIGITS or not _INTEGER.fullmatch(self.value):
            self.refuse("must be an integer written as text")
        return fmpz(self.value)

    def _decimal(self) -> fmpq:
        match = _DECIMAL.fullmatch(self.value) if isinstance(self.value, str) and len(self.value) <= MAX_DIGITS else None
        if match is None or abs(int(match[4] or 0)) > MAX_EXPONENT:
            self.refuse("must be a decimal number written as text")
        number = fmpq(fmpz(match[2] + (match[3] or ""))) * fmpq(10) ** (int(match[4] or 0) - len(match[3] or ""))
        return -number if match[1] else number


def read(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate; CertificateError names the first field that is not as it should be."""
    top = Field(_load(path), "certificate")
    if not isinstance(top.value, dict) or top.value.get("format") != "symspec certificate":
        raise CertificateError("file", "this is no symspec certificate")
    version = Field(top.value.get("version"), "certificate.version").integer(1, 10**6)
    if version > 1:
        raise CertificateError("file", f"written by a newer schema, version {version}; this program knows version 1")
    law = Field(top.value.get("law"), "certificate.law").text(("power", "geometric"))
    names = ["format", "version", "kernel", "dimension", "law", "claim", "proof", "theorem", *(["eigenvalues"] if law == "power" else [])]
    _, _, kernel, dimension, _, claim, proof, theorem, *rest = top.keys(*names)
    for reading in theorem.keys("text", "latex"):
        reading.text()
    network, words = _network(kernel, law)
    d = dimension.integer(2, MAX_DIMENSION)
    return Certificate(network, words, d, _power(claim, rest[0], proof) if law == "power" else _geometric(claim, proof))


def _load(path: str | os.PathLike[str]) -> Any:
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise CertificateError("file", f"it is larger than {MAX_BYTES} bytes")
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CertificateError("file", f"it cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise CertificateError("file", f"it is larger than {MAX_BYTES} bytes")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_number, parse_constant=_no_number, parse_int=_integer)
    except RecursionError:
        raise CertificateError("file", "it is nested too deeply") from None
    except ValueError as error:
        raise CertificateError("file", f"it is no JSON text: {str(error)[:80]}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no exact number")


def _integer(text: str) -> int:
    if len(text) > 20:
        raise ValueError("an integer has too many digits")
    return int(text)


def _network(kernel: Field, law: str) -> tuple[Network, str]:
    names = ("architecture", "activation", "depth", "kind", "layer", "sigma_w2", "sigma_b2", "input_variance", "alpha", "drop_deltas", "scale")
    architecture, activation, depth, kind, layer, weight, bias, variance, alpha, drop, scale = kernel.keys(*names)
    residual = architecture.text(("mlp", "resnet")) == "resnet"
    layers, which = depth.integer(1, MAX_DEPTH), kind.text(("ck", "ntk", "layer"))
    if (layer.value is None) != (which != "layer"):
        layer.refuse("must be given for the kind layer and null otherwise")
    part = layer.integer(1, 2 * layers if residual else layers + 1) if which == "layer" else 0
    if (alpha.value is None) == residual:
        alpha.refuse("must be given for a resnet and null otherwise")
    w2, b2, v = None if weight.value is None else weight.rational(positive=True), bias.rational(), variance.rational(positive=True)
    if b2 < 0:
        bias.refuse("must not be negative")
    if w2 is None and (b2 != 0 or v != 1):
        bias.refuse("and input_variance must be 0 and 1 in the normalised recursion")
    if residual and w2 is not None:
        weight.refuse("must be null for a resnet")
    a = alpha.rational(positive=True) if residual else None
    function, name = _activation(activation, law)
    network = Network(function, layers, which, part, w2, b2, v, a, drop.boolean(), scale.rational(positive=True))
    what = f"part {part} of the NTK" if which == "layer" else which.upper()
    setting = f", alpha = {a}" if residual else "" if w2 is None else f", sigma_w2 = {w2}, sigma_b2 = {b2}, input variance {v}"
    deltas = ", deltas dropped" if network.drop_deltas else ""
    factor = "" if network.scale == 1 else f"{network.scale} times the "
    return network, f"{factor}{what} of the {'residual' if residual else 'fully connected'} network of depth {layers} with activation {name}{setting}{deltas}"


def _activation(field: Field, law: str) -> tuple[Piecewise | Smooth, str]:
    if law == "geometric":
        name = field.keys("name")[0].text(SMOOTH)
        return Smooth(name), name
    below, above = (tuple(entry.rational() for entry in side.items(MAX_POWER + 1)) for side in field.keys("below", "above"))
    return Piecewise(below, above), f"{_polynomial(below)} for x < 0, {_polynomial(above)} for x > 0"


def _polynomial(coefficients: tuple[fmpq, ...]) -> str:
    """The polynomial in words, such as 1/2 + 3*x^2."""
    powers = ["{}", "{}*x", *(f"{{}}*x^{i}" for i in range(2, len(coefficients)))]
    return " + ".join(power.format(c) for power, c in zip(powers, coefficients, strict=False) if c != 0) or "0"


def _geometric(claim: Field, proof: Field) -> GeometricLaw:
    ratio, constant = claim.keys("ratio", "constant")
    radius, bound = proof.keys("geometric")[0].keys("radius", "bound")
    return GeometricLaw(ratio.rational(positive=True), constant.dyadic(positive=True), radius.rational(positive=True), bound.dyadic(positive=True))


def _power(claim: Field, eigenvalues: Field, proof: Field) -> PowerLaw:
    even, odd = (_parity(entry) for entry in claim.keys("even", "odd"))
    values = []
    for entry in eigenvalues.items(MAX_DEGREE):
        degree, value = entry.keys("degree", "value")
        values.append((degree.integer(0, MAX_DEGREE), value.ball()))
    return PowerLaw((even, odd), tuple(values), _proof(proof.keys("power")[0]))


def _parity(field: Field) -> ParityClaim:
    exponent, zero_from, asymptotic, bands = field.keys("exponent", "zero_from", "asymptotic", "bands")
    found = []
    for entry in bands.items(1000):
        start, lower, upper = entry.keys("from", "lower", "upper")
        found.append(Band(start.integer(1, MAX_START), lower.dyadic(), upper.dyadic()))
    return ParityClaim(
        None if exponent.value is None else _exponent(exponent),
        None if zero_from.value is None else zero_from.integer(0, MAX_DEGREE),
        None if asymptotic.value is None else asymptotic.ball(),
        tuple(found),
    )


def _exponent(field: Field) -> fmpq:
    if isinstance(field.value, str):
        return field.rational(positive=True)
    return fmpq(field.integer(1, 10 * MAX_DIMENSION))


def _proof(field: Field) -> PowerProof | ComposedProof:
    if isinstance(field.value, dict) and "root" in field.value:
        return _composed(field)
    m, J, cut, ellipse, coefficients, ends, panels, remainder = field.keys("m", "J", "cut", "ellipse", "coefficients", "ends", "panels", "remainder")
    ratio, bound = ellipse.keys("ratio", "bound")
    highest = J.integer(1, 401)
    if highest % 2 == 0:
        J.refuse("must be odd")
    near, far = (tuple(entry.ball() for entry in side.items((highest + 1) // 2, (highest + 1) // 2)) for side in coefficients.keys("near", "far"))
    sigma, disc, terms, bounds = ends.keys("sigma", "disc", "terms", "bounds")
    first, second = (entry.dyadic() for entry in bounds.items(2, 2))
    return PowerProof(
        m.integer(1, 200),
        highest,
        cut.integer(1, MAX_DEGREE),
        ratio.rational(positive=True),
        bound.dyadic(positive=True),
        near,
        far,
        sigma.rational(positive=True),
        disc.rational(positive=True),
        terms.integer(1, MAX_TERMS),
        (first, second),
        tuple(_panel(entry) for entry in panels.items(MAX_PANELS)),
        remainder.dyadic(positive=True),
    )


def _composed(field: Field) -> ComposedProof:
    m, J, cut, root, ellipse, coefficients, ends, panels, remainder = field.keys("m", "J", "cut", "root", "ellipse", "coefficients", "ends", "panels", "remainder")
    if ellipse.value is not None:
        ellipse.refuse("must be null beside a root")
    near, far = (tuple(entry.ball() for entry in side.items(MAX_TERMS)) for side in coefficients.keys("near", "far"))
    first, second = (_piece(side, fmpq(i)) for i, side in enumerate(ends.keys("near", "far")))
    pieces = tuple(_piece(entry) for entry in panels.items(MAX_PANELS))
    return ComposedProof(m.integer(1, 200), J.integer(1, 401), cut.integer(1, MAX_DEGREE), root.integer(2, MAX_ROOT), near, far, (first, second), pieces, remainder.dyadic(positive=True))


def _piece(field: Field, end: fmpq | None = None) -> Piece:
    names = ("radius", "disc", "terms", "supremum", "bound")
    radius, disc, terms, supremum, bound, *rest = field.keys(*names) if end is not None else field.keys(*names, "centre")
    centre = rest[0].rational(positive=True) if end is None else end
    return Piece(centre, radius.rational(positive=True), disc.rational(positive=True), terms.integer(1, MAX_TERMS), supremum.dyadic(positive=True), bound.dyadic())


def _panel(field: Field) -> Panel:
    centre, radius, disc, terms, bound = field.keys("centre", "radius", "disc", "terms", "bound")
    return Panel(centre.rational(positive=True), radius.rational(positive=True), disc.rational(positive=True), terms.integer(1, MAX_TERMS), bound.dyadic())


__all__ = ["Ball", "Band", "Certificate", "ComposedProof", "GeometricLaw", "Panel", "ParityClaim", "Piece", "PowerLaw", "PowerProof", "read"]
