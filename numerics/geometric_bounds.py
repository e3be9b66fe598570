r"""Bounds of every eigenvalue of a smooth kernel, from above by :math:`\mu_k\le C\lambda^{-k}/\sqrt{N(d,k)}`.

Let :math:`K=\sum b_n\rho^n`, :math:`b_n\ge0`, be analytic on :math:`[0,R]`, :math:`R>1`. By Pringsheim's theorem the series
converges for :math:`|\rho|\le R`, and on the Bernstein ellipse of ratio :math:`\lambda` around [-1, 1], :math:`R=(\lambda+1/\lambda)/2`,
:math:`|K|\le K(R)`. Its Chebyshev coefficients are then at most :math:`2K(R)\lambda^{-n}` (Trefethen, Approximation Theory and
Approximation Practice, theorem 8.1), and :math:`|\mu_k(T_n)|\le(EP_k^2)^{1/2}=N(d,k)^{-1/2}`, exactly 0 for n < k. Hence for every k

.. math:: 0\le\mu_k\le\frac{2K(R)}{1-1/\lambda}\,\frac{\lambda^{-k}}{\sqrt{N(d,k)}} .

The ratio is taken a little below the proved rate of the kernel (:mod:`numerics.decay_rates`); an entire kernel, which decays
faster than every geometric rate, is bounded at the ratio that serves degrees near 16 best.

For erf, gelu and the Gaussian the eigenvalues are bounded from below too, :math:`\mu_k\ge c\,r^k` (:mod:`numerics.geometric_minorants`).

>>> import symspec as ss
>>> from symspec.network import mlp
>>> c = geometric_certificate(mlp(ss.erf, 2).ntk, ss.Sphere(10))
>>> print(c)
NTK of erf network of depth 2 on the sphere in R^10 (uniform probability measure):
mu_k <= 55.6 * (137/64)^-k / sqrt(N(10,k)) for every k >= 0
mu_k >= 5.56e-8 * (367/1024)^k for every odd k >= 1
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flint import arb, fmpq, fmpz
from sympy import Rational

from symspec.decay_law import DecayLaw, decay
from symspec.domain import Sphere
from symspec.errors import NoClosedForm, Undecided
from symspec.kernel import Kernel

from .certificate_text import decimal_latex, short
from .certificates import FORMAT, VERSION, dyadic
from .constants import ball
from .decay_rates import decay_rate
from .geometric_minorants import LowerBounds, ParityBound, lower_bounds
from .kernel_description import smooth_description_of
from .power_series import analytic_value
from .precision import working_precision

PRECISION = 128
STEP = 64
RATIOS_OF_ENTIRE = (2, 3, 4, 6, 8, 12, 16, 24, 32)
SERVED_DEGREE = 16
SPARE = fmpq(1025, 1024)


@dataclass(frozen=True)
class GeometricCertificate:
    """A proof of mu_k <= constant * ratio^-k / sqrt(N(d,k)) for every k >= 0; ``radius`` is R >= (ratio + 1/ratio)/2.

    ``lower`` bounds the eigenvalues from below, None where the theorem gives no such bound.
    """

    kernel: Kernel
    d: int
    ratio: fmpq
    constant: arb
    radius: fmpq
    bound: arb
    description: dict[str, Any] | None = field(default=None)
    lower: LowerBounds | None = None

    @property
    def holds_from(self) -> int:
        return 0

    def upper_at(self, k: int) -> arb:
        """The bound of mu_k."""
        with working_precision(PRECISION + k.bit_length()):
            return (self.constant / (arb(self.ratio) ** k * arb(fmpz(Sphere(self.d).multiplicity(k))).sqrt())).upper()

    def lower_at(self, k: int) -> arb:
        """The lower bound of mu_k; 0 where none is proved."""
        return arb(0) if self.lower is None else self.lower.at(k)

    def record(self) -> dict[str, Any]:
        """The content of the file. NoClosedForm for a kernel that the checker cannot rebuild."""
        if self.description is None:
            raise NoClosedForm(f"a certificate of {self.kernel.name} cannot be checked independently: of smooth activations the checker knows the named ones")
        return {
            "format": FORMAT,
            "version": VERSION,
            "kernel": self.description,
            "dimension": self.d,
            "law": "geometric",
            "claim": {"ratio": str(self.ratio), "constant": dyadic(self.constant), "lower": self._lower_record()},
            "proof": {"geometric": {"radius": str(self.radius), "bound": dyadic(self.bound), "induction": self.lower and self.lower.induction}},
            "theorem": {"text": str(self), "latex": self.statement()},
        }

    def _lower_record(self) -> dict[str, Any] | None:
        if self.lower is None:
            return None
        parities = {"even": self.lower.even, "odd": self.lower.odd}
        return {"ratio": str(self.lower.r), **{name: None if bound is None else {"from": bound.start, "constant": dyadic(bound.constant)} for name, bound in parities.items()}}

    def _lower_parities(self) -> list[tuple[str, ParityBound]]:
        found = [] if self.lower is None else [("even", self.lower.even), ("odd", self.lower.odd)]
        return [(name, bound) for name, bound in found if bound is not None]

    def save(self, path: Any) -> None:
        """Write the file; an existing one is replaced only when the new one is complete."""
        from .certificates import write_record

        write_record(path, self.record())

    def statement(self) -> str:
        """LaTeX of the theorem."""
        from symspec.latex import escape

        head = rf"The eigenvalues of the {escape(self.kernel.name)} on $S^{{{self.d - 1}}}$ with its uniform probability measure satisfy"
        upper = rf"0\le\mu_k&\le {decimal_latex(short(self.constant, up=True))}\,\Bigl({_fraction(self.ratio)}\Bigr)^{{-k}}\frac1{{\sqrt{{N({self.d},k)}}}},&&k\ge0"
        lower = [
            rf"\mu_k&\ge {decimal_latex(short(bound.constant, up=False))}\,\Bigl({_fraction(self.lower.r)}\Bigr)^k,&&k\ge{bound.start}\text{{, {name}}}"
            for name, bound in self._lower_parities()
            if self.lower is not None
        ]
        return "\n".join([head, r"\begin{align*}", " \\\\\n".join([upper, *lower]) + ".", r"\end{align*}"])

    def proof(self) -> str:
        """LaTeX: why the bounds hold."""
        return "\n".join(
            [
                rf"The kernel is a power series with non-negative coefficients that converges up to $R={float(int(self.radius.p) / int(self.radius.q)):.6g}$, and",
                rf"$K(R)\le{decimal_latex(short(self.bound, up=True))}$. On the Bernstein ellipse of ratio $\lambda={self.ratio}$ around $[-1,1]$, where",
                r"$(\lambda+1/\lambda)/2\le R$, therefore $|K|\le K(R)$, its Chebyshev coefficients are at most $2K(R)\lambda^{-n}$, and those of index $n<k$",
                r"do not contribute to $\mu_k$, the others at most $N(d,k)^{-1/2}$ each.",
                *([] if self.lower is None else self._proof_of_lower(self.lower)),
            ]
        )

    def _proof_of_lower(self, lower: LowerBounds) -> list[str]:
        d, x = self.d, 2 * lower.r / (1 + lower.r**2)
        return [
            "",
            rf"From below: with $r={lower.r}$ and $x=2r/(1+r^2)={x}$ the Poisson kernel gives $(1-xt)^{{-{d}/2}}=\sum_n g_nt^n$, $g_n=\frac{{({d}/2)_n}}{{n!}}x^n$, the eigenvalues",
            rf"$(1+r^2)^{{{d}/2}}r^k/(1-r^2)$, to which only the powers $n\ge k$ of the parity of $k$ contribute, none negatively. It therefore suffices that the coefficients of the",
            r"kernel are at least a multiple of $g_n$. In the first layer their quotients of indices $n+2$ and $n$ are rational functions of $n$, and at least",
            rf"$g_{{n+2}}/g_n$ for every $n\ge{lower.induction}$, as the signs of the coefficients of a polynomial shifted to ${lower.induction}$ show; the multiple is the least of the quotients",
            r"before. Later layers are power series with non-negative coefficients in the one before, which multiplies the multiple by their slopes at $\rho=0$.",
            r"Where a bias or a linear coefficient mixes the parities, derivatives of one order more bound the other parity.",
        ]

    def _repr_latex_(self) -> str:
        return self.statement()

    def __str__(self) -> str:
        head = f"{self.kernel.name} on the sphere in R^{self.d} (uniform probability measure):"
        upper = f"mu_k <= {short(self.constant, up=True)} * ({self.ratio})^-k / sqrt(N({self.d},k)) for every k >= 0"
        lower = [f"mu_k >= {short(b.constant, up=False)} * ({self.lower.r})^k for every {name} k >= {b.start}" for name, b in self._lower_parities() if self.lower is not None]
        return "\n".join([head, upper, *lower])


def geometric_certificate(kernel: Kernel, domain: Sphere) -> GeometricCertificate:
    """The bound with a ratio near the best; NoClosedForm for kernels singular at rho = +-1, Undecided where K(R) is not enclosed."""
    law = decay(kernel, domain)
    if law.kind not in ("geometric", "faster") or kernel.support is None:
        raise NoClosedForm(f"a geometric bound needs a kernel analytic beyond rho = 1; {law.summary()}")
    with working_precision(PRECISION):
        candidates = [_candidate(kernel, ratio) for ratio in _ratios(law)]
        found = [item for item in candidates if item is not None]
        if not found:
            raise Undecided("the kernel was not enclosed beyond rho = 1")
        ratio, radius, bound = min(found, key=lambda item: float((item[2].log() - SERVED_DEGREE * arb(item[0]).log()).mid()))
        constant = (2 * bound / (1 - 1 / arb(ratio)) * arb(SPARE)).upper()
    return GeometricCertificate(kernel, int(domain.d), ratio, constant, radius, bound, smooth_description_of(kernel), lower_bounds(kernel, int(domain.d)))


def _ratios(law: DecayLaw) -> list[fmpq]:
    if law.kind == "faster":
        return [fmpq(value) for value in RATIOS_OF_ENTIRE]
    rate = decay_rate(law, 12)
    whole = int((rate * STEP).floor().lower().unique_fmpz())
    # The value K(R) grows towards the singularity; a few steps below it cost little in the rate.
    return [fmpq(p, STEP) for p in (whole - 1, whole - 2, whole - 4, whole - 8, whole - 16) if p > STEP]


def _candidate(kernel: Kernel, ratio: fmpq) -> tuple[fmpq, fmpq, arb] | None:
    radius = (ratio + 1 / ratio) / 2
    value = analytic_value(kernel, ball(Rational(int(radius.p), int(radius.q))))
    if value is None:
        return None
    with working_precision(64):
        return ratio, radius, (value * arb(SPARE)).upper()


def _fraction(value: fmpq) -> str:
    return rf"\frac{{{value.p}}}{{{value.q}}}"
