"""The file of a certificate, read with suspicion: ``docs/certificates.md`` has the format.

Every field must be there, with the right type and in a range that keeps the verifier's effort finite; nothing else may
be there. Nothing is proved here.

>>> sorted(name for name in __all__ if name.endswith("Proof"))
['ComposedProof', 'PowerProof']
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from flint import fmpq

from symspec.errors import CertificateError

from .verifier_duals import Piecewise, Smooth
from .verifier_fields import Ball, Field, load
from .verifier_kernels import MAX_ROOT, Network

MAX_INDUCTION = 200_000
MAX_POWER = 16
MAX_DEPTH = 64
MAX_DIMENSION = 1000
MAX_DEGREE = 5000
MAX_START = 10**9
MAX_TERMS = 10_000
MAX_PANELS = 2000
SMOOTH = ("erf", "gelu", "sin", "cos", "exp", "gaussian")


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
class LowerLaw:
    """mu_k >= constant ratio^k for every k >= start of a parity; None where nothing is claimed."""

    ratio: fmpq
    induction: int
    parities: tuple[tuple[int, fmpq] | None, tuple[int, fmpq] | None]


@dataclass(frozen=True)
class GeometricLaw:
    """mu_k <= constant ratio^-k / sqrt(N(d,k)), from K(radius) <= bound."""

    ratio: fmpq
    constant: fmpq
    radius: fmpq
    bound: fmpq
    lower: LowerLaw | None = None


@dataclass(frozen=True)
class Certificate:
    """A file that has the right form."""

    network: Network
    kernel: str
    dimension: int
    law: PowerLaw | GeometricLaw


def read(path: str | os.PathLike[str]) -> Certificate:
    """Read a certificate; CertificateError names the first field that is not as it should be."""
    top = Field(load(path), "certificate")
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
    ratio, constant, lower = claim.keys("ratio", "constant", "lower")
    radius, bound, induction = proof.keys("geometric")[0].keys("radius", "bound", "induction")
    if (lower.value is None) != (induction.value is None):
        induction.refuse("must be given with a lower bound and null otherwise")
    return GeometricLaw(
        ratio.rational(positive=True),
        constant.dyadic(positive=True),
        radius.rational(positive=True),
        bound.dyadic(positive=True),
        None if lower.value is None else _lower(lower, induction),
    )


def _lower(field: Field, induction: Field) -> LowerLaw:
    ratio, *parities = field.keys("ratio", "even", "odd")
    found: list[tuple[int, fmpq] | None] = []
    for parity in parities:
        start, constant = (None, None) if parity.value is None else parity.keys("from", "constant")
        found.append(None if start is None or constant is None else (start.integer(0, MAX_START), constant.dyadic(positive=True)))
    r = ratio.rational(positive=True)
    if not r < 1:
        ratio.refuse("must be below 1")
    if found == [None, None]:
        field.refuse("must bound a parity, or be null")
    return LowerLaw(r, induction.integer(0, MAX_INDUCTION), (found[0], found[1]))


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


__all__ = ["Ball", "Band", "Certificate", "ComposedProof", "GeometricLaw", "LowerLaw", "Panel", "ParityClaim", "Piece", "PowerLaw", "PowerProof", "read"]
