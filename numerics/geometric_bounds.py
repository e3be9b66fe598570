r"""Bounds of every eigenvalue of a smooth kernel: :math:`\mu_k\le C\lambda^{-k}/\sqrt{N(d,k)}`.

Let :math:`K=\sum b_n\rho^n`, :math:`b_n\ge0`, be analytic on :math:`[0,R]`, :math:`R>1`. By Pringsheim's theorem the series
converges for :math:`|\rho|\le R`, and on the Bernstein ellipse of ratio :math:`\lambda` around [-1, 1], :math:`R=(\lambda+1/\lambda)/2`,
:math:`|K|\le K(R)`. Its Chebyshev coefficients are then at most :math:`2K(R)\lambda^{-n}` (Trefethen, Approximation Theory and
Approximation Practice, theorem 8.1), and :math:`|\mu_k(T_n)|\le(EP_k^2)^{1/2}=N(d,k)^{-1/2}`, exactly 0 for n < k. Hence for every k

.. math:: 0\le\mu_k\le\frac{2K(R)}{1-1/\lambda}\,\frac{\lambda^{-k}}{\sqrt{N(d,k)}} .

The ratio is taken a little below the proved rate of the kernel (:mod:`numerics.decay_rates`); an entire kernel, which decays
faster than every geometric rate, is bounded at the ratio that serves degrees near 16 best.

>>> import symspec as ss
>>> from symspec.network import mlp
>>> c = geometric_certificate(mlp(ss.erf, 2).ntk, ss.Sphere(10))
>>> print(c)
NTK of erf network of depth 2 on the sphere in R^10 (uniform probability measure):
mu_k <= 55.6 * (137/64)^-k / sqrt(N(10,k)) for every k >= 0
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
    """A proof of mu_k <= constant * ratio^-k / sqrt(N(d,k)) for every k >= 0; ``radius`` is R >= (ratio + 1/ratio)/2."""

    kernel: Kernel
    d: int
    ratio: fmpq
    constant: arb
    radius: fmpq
    bound: arb
    description: dict[str, Any] | None = field(default=None)

    @property
    def holds_from(self) -> int:
        return 0

    def upper_at(self, k: int) -> arb:
        """The bound of mu_k."""
        with working_precision(PRECISION + k.bit_length()):
            return (self.constant / (arb(self.ratio) ** k * arb(fmpz(Sphere(self.d).multiplicity(k))).sqrt())).upper()

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
            "claim": {"ratio": str(self.ratio), "constant": dyadic(self.constant)},
            "eigenvalues": [],
            "proof": {"geometric": {"radius": str(self.radius), "bound": dyadic(self.bound)}},
            "theorem": {"text": str(self), "latex": self.statement()},
        }

    def save(self, path: Any) -> None:
        """Write the file; an existing one is replaced only when the new one is complete."""
        from .certificates import write_record

        write_record(path, self.record())

    def statement(self) -> str:
        """LaTeX of the theorem."""
        from symspec.latex import escape

        constant = decimal_latex(short(self.constant, up=True))
        head = rf"The eigenvalues of the {escape(self.kernel.name)} on $S^{{{self.d - 1}}}$ with its uniform probability measure satisfy"
        return head + "\n" + rf"\[ 0\le\mu_k\le {constant}\,\Bigl(\frac{{{self.ratio.p}}}{{{self.ratio.q}}}\Bigr)^{{-k}}\frac1{{\sqrt{{N({self.d},k)}}}},\qquad k\ge0. \]"

    def proof(self) -> str:
        """LaTeX: why the bound holds."""
        return "\n".join(
            [
                rf"The kernel is a power series with non-negative coefficients that converges up to $R={float(int(self.radius.p) / int(self.radius.q)):.6g}$, and",
                rf"$K(R)\le{decimal_latex(short(self.bound, up=True))}$. On the Bernstein ellipse of ratio $\lambda={self.ratio}$ around $[-1,1]$, where",
                r"$(\lambda+1/\lambda)/2\le R$, therefore $|K|\le K(R)$, its Chebyshev coefficients are at most $2K(R)\lambda^{-n}$, and those of index $n<k$",
                r"do not contribute to $\mu_k$, the others at most $N(d,k)^{-1/2}$ each.",
            ]
        )

    def _repr_latex_(self) -> str:
        return self.statement()

    def __str__(self) -> str:
        head = f"{self.kernel.name} on the sphere in R^{self.d} (uniform probability measure):"
        return f"{head}\nmu_k <= {short(self.constant, up=True)} * ({self.ratio})^-k / sqrt(N({self.d},k)) for every k >= 0"


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
    return GeometricCertificate(kernel, int(domain.d), ratio, constant, radius, bound, smooth_description_of(kernel))


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
