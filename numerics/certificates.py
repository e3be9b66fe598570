r"""Certificates as data: what is claimed, what proves it, and the file that holds both.

``docs/certificates.md`` describes the file. Every number in it is exact: rationals as text, dyadic numbers as
pairs of integers, balls as :mod:`numerics.exact_text` writes them. Nothing in it is executed.

>>> import symspec as ss
>>> from numerics.certification import certify
>>> c = certify(ss.mlp(ss.relu, 2).ck, ss.Sphere(3))
>>> c.exponent, c.holds_from, bool(c.lower > 0), len(c.bands("odd"))
(5, 1, True, 4)
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flint import arb, fmpq, fmpz

from symspec.command_line import write_text
from symspec.errors import InputError, NoClosedForm
from symspec.kernel import Kernel

from .certificate_text import exponent_text
from .endpoint_expansion import EndpointExpansion
from .endpoint_pieces import Piece
from .exact_text import ball_record

FORMAT, VERSION = "symspec certificate", 1
PARITIES = ("even", "odd")
RECORD_DIGITS = 30


@dataclass(frozen=True)
class Band:
    """lower <= k^e mu_k <= upper for every degree k >= start of one parity; exact dyadic numbers."""

    start: int
    lower: arb
    upper: arb


@dataclass(frozen=True)
class ParityClaim:
    """One parity: its exponent e, the limit Lambda of k^e mu_k, its bands; or the degree from which mu_k = 0 exactly."""

    exponent: fmpq | None
    asymptotic: arb | None
    bands: tuple[Band, ...] = ()
    zero_from: int | None = None


@dataclass(frozen=True)
class Certificate:
    """A proof that c.lower <= k^c.exponent mu_k <= c.upper for every k >= c.holds_from that is no exact zero.

    Normalisation of mu_k as in :func:`numerics.eigenvalues`. ``expansion`` holds the coefficients at both ends and the
    remainder, ``cut`` the degree from which they alone bound the eigenvalues, ``eigenvalues`` the others.
    """

    kernel: Kernel
    d: int
    claims: dict[str, ParityClaim]
    expansion: EndpointExpansion
    cut: int
    eigenvalues: dict[int, arb]
    description: dict[str, Any] | None = field(default=None)

    @property
    def exponent(self) -> int | fmpq:
        """e, the slower of the two parities; an int where it is whole."""
        found = min(claim.exponent for claim in self.claims.values() if claim.exponent is not None)
        return int(found) if found.q == 1 else found

    @property
    def holds_from(self) -> int:
        """The least degree >= 1 from which every parity is bounded."""
        return 1

    def bands(self, parity: str) -> tuple[Band, ...]:
        """The bands of "even" or "odd" degrees, widest range first; none where they vanish."""
        if parity not in PARITIES:
            raise InputError(f"parity is 'even' or 'odd', not {parity!r}")
        return self.claims[parity].bands

    @property
    def lower(self) -> arb:
        """An exact number: lower <= k^exponent mu_k for k >= holds_from with mu_k > 0 (0 if one parity decays faster)."""
        return self._extreme(smallest=True)

    @property
    def upper(self) -> arb:
        """An exact number: k^exponent mu_k <= upper for every k >= holds_from."""
        return self._extreme(smallest=False)

    def _extreme(self, *, smallest: bool) -> arb:
        e, values = self.exponent, []
        for claim in self.claims.values():
            if claim.exponent is not None:
                band = claim.bands[0]
                # k^e mu_k = k^(e - e') k^e' mu_k with e <= e'.
                faster = claim.exponent > e
                values.append((arb(0) if faster else band.lower) if smallest else band.upper)
        values += [value * power(arb(fmpz(k)), e) for k, value in self._exceptional().items()]
        bounds = [value.lower() if smallest else value.upper() for value in values]
        best = bounds[0]
        for bound in bounds[1:]:
            best = best.min(bound) if smallest else best.max(bound)
        return best.lower() if smallest else best.upper()

    def _exceptional(self) -> dict[int, arb]:
        """Positive eigenvalues of a parity that otherwise vanishes."""
        vanishing = {name for name, claim in self.claims.items() if claim.exponent is None}
        return {k: value for k, value in self.eigenvalues.items() if k >= 1 and ("odd" if k % 2 else "even") in vanishing}

    def record(self) -> dict[str, Any]:
        """The content of the file. NoClosedForm for a kernel that the checker cannot rebuild."""
        if self.description is None:
            raise NoClosedForm(f"a certificate of {self.kernel.name} cannot be checked independently: its activation is no polynomial with rational coefficients on each side of 0")
        from .certificate_text import theorem_latex, theorem_text

        return {
            "format": FORMAT,
            "version": VERSION,
            "kernel": self.description,
            "dimension": self.d,
            "law": "power",
            "claim": {name: _claim_record(claim) for name, claim in self.claims.items()},
            "eigenvalues": [{"degree": k, "value": ball_record(value, RECORD_DIGITS)} for k, value in sorted(self.eigenvalues.items())],
            "proof": {"power": self._proof()},
            "theorem": {"text": theorem_text(self), "latex": theorem_latex(self)},
        }

    def _proof(self) -> dict[str, Any]:
        e = self.expansion
        ends, panels = e.pieces[:2], e.pieces[2:]
        common = {
            "m": e.m,
            "J": e.J,
            "cut": self.cut,
            "coefficients": {"near": [ball_record(a, RECORD_DIGITS) for _, a in e.near], "far": [ball_record(b, RECORD_DIGITS) for _, b in e.far]},
            "remainder": dyadic(e.remainder),
        }
        if e.supremum is None:
            pieces = {"near": _piece_record(ends[0]), "far": _piece_record(ends[1])}
            return common | {"root": int(self.kernel.ramification), "ellipse": None, "ends": pieces, "panels": [{"centre": str(p.centre)} | _piece_record(p) for p in panels]}
        return common | {
            "ellipse": {"ratio": str(e.ratio), "bound": dyadic(e.supremum)},
            "ends": {"sigma": str(ends[0].radius), "disc": str(ends[0].disc), "terms": ends[0].terms, "bounds": [dyadic(piece.bound) for piece in ends]},
            "panels": [{"centre": str(p.centre), "radius": str(p.radius), "disc": str(p.disc), "terms": p.terms, "bound": dyadic(p.bound)} for p in panels],
        }

    def save(self, path: Any) -> None:
        """Write the file; an existing one is replaced only when the new one is complete."""
        write_record(path, self.record())

    def statement(self) -> str:
        """LaTeX of the theorem."""
        from .certificate_text import theorem_latex

        return theorem_latex(self)

    def proof(self) -> str:
        """LaTeX: how the constants were proved, with the numbers that enter."""
        from .certificate_text import proof_latex

        return proof_latex(self)

    def _repr_latex_(self) -> str:
        return self.statement()

    def __str__(self) -> str:
        from .certificate_text import theorem_text

        return theorem_text(self)

    def __repr__(self) -> str:
        low, high = (value.str(5, radius=False) for value in (self.lower, self.upper))
        return f"Certificate({self.kernel.name} on S^{self.d - 1}: {low} <= k^{exponent_text(self.exponent)} mu_k <= {high}, k >= {self.holds_from})"


def write_record(path: Any, record: dict[str, Any]) -> None:
    """Write a certificate's file completely or not at all. Raises OutputError."""
    write_text(Path(path), json.dumps(record, indent=1) + "\n")


def power(base: arb, exponent: Any) -> arb:
    """base^e for e rational; base > 0."""
    return base ** int(exponent) if isinstance(exponent, int) or exponent.q == 1 else base ** arb(exponent)


def dyadic(value: arb) -> list[str]:
    """An exact number as [mantissa, exponent]."""
    mantissa, exponent = value.man_exp()
    return [str(mantissa), str(exponent)]


def _piece_record(piece: Piece) -> dict[str, Any]:
    return {"radius": str(piece.radius), "disc": str(piece.disc), "terms": piece.terms, "supremum": dyadic(piece.supremum), "bound": dyadic(piece.bound)}


def _claim_record(claim: ParityClaim) -> dict[str, Any]:
    return {
        "exponent": None if claim.exponent is None else int(claim.exponent) if claim.exponent.q == 1 else str(claim.exponent),
        "zero_from": claim.zero_from,
        "asymptotic": None if claim.asymptotic is None else ball_record(claim.asymptotic, RECORD_DIGITS),
        "bands": [{"from": band.start, "lower": dyadic(band.lower), "upper": dyadic(band.upper)} for band in claim.bands],
    }


__all__ = ["FORMAT", "VERSION", "Band", "Certificate", "ParityClaim", "dyadic", "write_record"]
