"""Certificates for the tests of the verifier.

Eigenvalues and constants come from the engine or from published closed forms; the bounds of norms are the verifier's
own, inflated, since tests/numerics/test_verifier.py checks those against mpmath.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flint import arb, fmpq

import symspec as ss
from numerics import verifier
from numerics.exact_text import ball_record
from numerics.precision import working_precision
from numerics.spectrum import eigenvalues as certified
from numerics.verifier_claims import block_constant
from numerics.verifier_duals import Piecewise
from numerics.verifier_file import Ball, Panel, PowerLaw, PowerProof
from numerics.verifier_kernels import Network


def rationals(*values: Any) -> tuple[fmpq, ...]:
    return tuple(fmpq(*v) if isinstance(v, tuple) else fmpq(v) for v in values)


RELU = Piecewise((), rationals(0, 1))
ACTIVATIONS = {
    "relu": RELU,
    "leaky_relu(1/5)": Piecewise(rationals(0, (1, 5)), rationals(0, 1)),
    "abs(x)": Piecewise(rationals(0, -1), rationals(0, 1)),
    "relu(x)^2": Piecewise((), rationals(0, 0, 1)),
    "x*abs(x)": Piecewise(rationals(0, 0, -1), rationals(0, 0, 1)),
    "relu(x)+x^2/10": Piecewise(rationals(0, 0, (1, 10)), rationals(0, 1, (1, 10))),
}
SETTINGS: dict[str, dict[str, fmpq]] = {
    "normalised": {},
    "biases": {"sigma_w2": fmpq(3, 2), "sigma_b2": fmpq(1, 3), "input_variance": fmpq(2)},
    "no biases": {"sigma_w2": fmpq(3, 2)},
    "residual": {"alpha": fmpq(1, 2)},
}


def engine(name: str, depth: int, kind: str, setting: str) -> Any:
    """The same kernel in the engine; of layers the second."""
    options = {key: str(value) for key, value in SETTINGS[setting].items()}
    net = ss.resnet(name, depth, options["alpha"]) if setting == "residual" else ss.mlp(name, depth, **options)
    return net.ntk_layers[1] if kind == "layer" else getattr(net, kind)


EMPTY = Ball(fmpq(0), fmpq(0))


def pair(value: arb, *, up: bool = True) -> list[str]:
    """An exact dyadic of about 50 bits not below (above) the ball."""
    with working_precision(50):
        rounded = value.upper() if up else value.lower()
    mantissa, exponent = rounded.man_exp()
    return [str(mantissa), str(exponent)]


def inflated(value: arb, bits: int = 60) -> dict[str, Any]:
    """The record of a ball with a radius of 2^-bits of its size (2^-200 for zero)."""
    size = abs(value.mid()) * arb(2) ** -bits + value.rad() + arb(2) ** -400
    return ball_record(arb(value.mid(), size.upper()), 40)


def exact(q: fmpq) -> str:
    return str(q)


def dyadic_near(x: float) -> fmpq:
    return fmpq(int(x * 2**40), 2**40)


def power_certificate(net: Network, kernel: Any, words: dict[str, Any], d: int, m: int, J: int, cut: int, ratio: fmpq, exponents: tuple[int | None, int | None], terms: int) -> dict[str, Any]:
    """A certificate of the kernel; ``words`` is its description."""
    bound = _ellipse_bound(net, ratio)
    zero = PowerProof(m, J, cut, ratio, bound, (EMPTY,) * ((J + 1) // 2), (EMPTY,) * ((J + 1) // 2), fmpq(1), fmpq(1), terms, (fmpq(0), fmpq(0)), (), fmpq(1))
    with working_precision(256):
        reach = float(verifier.PowerCheck(net, d, PowerLaw(None, (), zero))._reach)  # type: ignore[arg-type]
        S = min(dyadic_near(float((arb(reach) / 2).sin()) * 0.99), fmpq(3, 4))
    proof = PowerProof(m, J, cut, ratio, bound, zero.near, zero.far, S / 3, S, terms, zero.ends, (), fmpq(1))
    job = verifier.PowerCheck(net, d, PowerLaw(None, (), proof))  # type: ignore[arg-type]
    with working_precision(job.bits):
        near, far = (list(side.values()) for side in job._singular(job.bits))
    with working_precision(job.bits, terms):
        ends = [job._end(i, job.bits, terms) * arb("1.05") for i in (False, True)]
        panels, total = [], sum(ends, arb(0))
        for centre, radius in _panels(job):
            panel = Panel(centre, radius, 3 * radius, terms, fmpq(0))
            value = job._panel(panel, job.bits, terms) * arb("1.05")
            total += value.upper()
            panels.append({"centre": exact(centre), "radius": exact(radius), "disc": exact(3 * radius), "terms": terms, "bound": pair(value)})
    B = pair((total * arb("1.000001")).sqrt())
    degrees = [k for k in range(cut) if not kernel.support.vanishes_at(k)]
    with working_precision(400):
        values = dict(zip(degrees, certified(kernel, ss.Sphere(d), degrees, 40), strict=True))
    record = {
        "format": "symspec certificate",
        "version": 1,
        "kernel": words,
        "dimension": d,
        "law": "power",
        "claim": {},
        "eigenvalues": [{"degree": k, "value": inflated(v, 80)} for k, v in values.items()],
        "proof": {
            "power": {
                "m": m,
                "J": J,
                "cut": cut,
                "ellipse": {"ratio": exact(ratio), "bound": pair(arb(bound))},
                "coefficients": {"near": [inflated(a) for a in near], "far": [inflated(b) for b in far]},
                "ends": {"sigma": exact(S / 3), "disc": exact(S), "terms": terms, "bounds": [pair(e) for e in ends]},
                "panels": panels,
                "remainder": B,
            }
        },
        "theorem": {"text": "", "latex": ""},
    }
    finished = PowerProof(m, J, cut, ratio, bound, zero.near, zero.far, S / 3, S, terms, zero.ends, (), fmpq(int(B[0])) * fmpq(2) ** int(B[1]))
    job = verifier.PowerCheck(net, d, PowerLaw(None, (), finished))  # type: ignore[arg-type]
    for parity, name in enumerate(("even", "odd")):
        record["claim"][name] = _claim(job, parity, exponents[parity], values, kernel)
    return record


def _claim(job: Any, parity: int, exponent: int | None, values: dict[int, arb], kernel: Any) -> dict[str, Any]:
    if exponent is None:
        top = int((kernel.support.even, kernel.support.odd)[parity])
        return {"exponent": None, "zero_from": max(top + 2, parity), "asymptotic": None, "bands": []}
    from numerics.verifier_file import ParityClaim

    everything = Ball(fmpq(-(10**99)), fmpq(10**99))
    with working_precision(2 * job.bits):
        claims = job.claims()
        near, far = (list(side.values()) for side in (claims.near, claims.far))
        i = (exponent - job.d) // 2
        leading = (near[i] - far[i] if parity else near[i] + far[i]) * block_constant(fmpq(2 * i + 1), job.d)
        term = claims.main_term(parity, ParityClaim(fmpq(exponent), None, everything, ()))
        bands, cut = [], job.proof.cut
        for start in (1 + (parity + 1) % 2, cut, 10 * cut, 1000 * cut):
            first = start + (start - parity) % 2
            beyond = max(first, cut)
            candidates = [term(beyond), *((values[k] * arb(k) ** exponent,) * 2 for k in range(first, beyond, 2))]
            low, high = min((c[0].lower() for c in candidates), key=float), max((c[1].upper() for c in candidates), key=float)
            bands.append({"from": first, "lower": pair(low * (1 - arb(2) ** -30), up=False), "upper": pair(high * (1 + arb(2) ** -30))})
        return {"exponent": exponent, "zero_from": None, "asymptotic": inflated(leading), "bands": bands}


def description(activation: dict[str, Any], depth: int, kind: str, **changes: Any) -> dict[str, Any]:
    """The "kernel" of a file: a normalised network unless changed."""
    plain = {"architecture": "mlp", "activation": activation, "depth": depth, "kind": kind, "layer": None, "sigma_w2": None}
    return plain | {"sigma_b2": "0", "input_variance": "1", "alpha": None, "drop_deltas": False, "scale": "1"} | changes


def geometric_certificate(net: Network, words: dict[str, Any], d: int, ratio: fmpq) -> dict[str, Any]:
    """A certificate of a smooth kernel, with R as small as allowed."""
    radius = (ratio + 1 / ratio) / 2
    with working_precision(200):
        bound = pair(net.at_correlation(arb(radius)))
        constant = pair(2 * arb(fmpq(int(bound[0])) * fmpq(2) ** int(bound[1])) / (1 - 1 / arb(ratio)))
    top = {"format": "symspec certificate", "version": 1, "kernel": words, "dimension": d, "law": "geometric"}
    claim, proof = {"ratio": str(ratio), "constant": constant, "lower": None}, {"radius": str(radius), "bound": bound, "induction": None}
    return top | {"claim": claim, "proof": {"geometric": proof}, "theorem": {"text": "", "latex": ""}}


def _ellipse_bound(net: Network, ratio: fmpq) -> fmpq:
    job = verifier.PowerCheck(net, 3, PowerLaw(None, (), PowerProof(1, 1, 1, ratio, fmpq(1), (EMPTY,), (EMPTY,), fmpq(1), fmpq(1), 1, (fmpq(0), fmpq(0)), (), fmpq(1))))  # type: ignore[arg-type]
    with working_precision(96):
        arcs, largest = [(fmpq(i, 64), fmpq(i + 1, 64)) for i in range(64)], arb(0)
        while arcs:
            start, end = arcs.pop()
            bound = net.on_disc(*job._arc(start, end))
            if bound.is_finite() and bound < 1000:
                largest = largest.max(bound)
            elif end - start < fmpq(1, 10**5):
                raise ArithmeticError("no bound")
            else:
                arcs += [(start, (start + end) / 2), ((start + end) / 2, end)]
    a, b = pair(largest)
    return fmpq(int(a)) * fmpq(2) ** int(b)


def _panels(job: Any) -> list[tuple[fmpq, fmpq]]:
    """(centre, radius), each as wide as the ellipse allows."""
    reached, end, found = job.proof.sigma**2, 1 - job.proof.sigma**2, []
    while reached < end:
        low, high = 0.0, 0.25
        for _ in range(24):
            h = dyadic_near((low + high) / 2)
            c, rho = reached + h, 3 * h
            inside = rho < min(c, 1 - c)
            fits = inside and h > 0 and arb(rho) / arb((c - rho) * (1 - c - rho)).sqrt() <= job._distance(c)
            low, high = ((low + high) / 2, high) if fits else (low, (low + high) / 2)
        h = dyadic_near(low)
        found.append((reached + h, h))
        reached += 2 * h
    return found


@cache
def relu_text() -> str:
    """The CK of one ReLU layer in dimension 3."""
    kernel = ss.mlp(ss.relu, 1).ck
    words = description({"below": [], "above": ["0", "1"]}, 1, "ck")
    return json.dumps(power_certificate(Network(RELU, 1), kernel, words, 3, 3, 5, 14, fmpq(5), (5, None), 60))


def relu_certificate() -> Any:
    return json.loads(relu_text())
