r"""How fast the Taylor coefficients of a dual decay, for every degree: two-sided bounds of their ratios from one positive measure.

Let :math:`M_j=\int_0^\infty\omega^j\Psi(\omega)e^{-q\omega^2/2}d\omega` with :math:`a-\beta/\omega\le-\Psi'/\Psi\le A`
(:mod:`symspec.positive_transforms`). By parts

.. math:: qM_{j+2}=(j+1)M_j+\int\omega^{j+1}\Psi'e^{-q\omega^2/2}d\omega,

and :math:`M_j` is log-convex (Hölder). With :math:`M_{j+1}\le\sqrt{M_jM_{j+2}}` the upper bound of the decay gives, for every :math:`j\ge0`,

.. math:: q\frac{M_{j+2}}{M_j}\ge j+1-A\sqrt{\frac{M_{j+2}}{M_j}},\qquad\text{so}\quad
          \sqrt{\frac{M_{j+2}}{M_j}}\ge\varrho_j=\frac{\sqrt{A^2+4q(j+1)}-A}{2q} ,

and with :math:`M_{j+1}/M_j\ge\sqrt{M_{j+1}/M_{j-1}}\ge\varrho_{j-1}` the lower one gives :math:`qM_{j+2}/M_j\le j+1+\beta-a\varrho_{j-1}`.

**Coefficients.** Normalised to the variance, :math:`\hat v_k=wg_k^2q^k/k!\,`, :math:`|g_k|\propto M_{k-d}`, in one class of k modulo 2,
:math:`\hat v_{k+2}/\hat v_k=(qM_{k-d+2}/M_{k-d})^2/((k+1)(k+2))`. With :math:`x_k=(a\varrho_{k-d-1}+d-\beta)/(k+1)` this is at most :math:`(1-x_k)^2`, and
:math:`\sqrt kx_k\ge X_K` for all :math:`k\ge K`, its value at K with :math:`\min(d-\beta,0)` (both parts increase). So for every :math:`k\ge K`

.. math:: \hat v_{k+2}\le\Bigl(1-\frac\eta{\sqrt k}\Bigr)\hat v_k,\quad\eta=X_K\Bigl(2-\frac{X_K}{\sqrt K}\Bigr);\qquad
          \hat v_{k+2}\le e^{-\eta''/\sqrt k}\hat v_k,\quad\eta''=\inf_{k\ge K}-2\sqrt k\log\Bigl(1-\frac{X_k}{\sqrt k}\Bigr),

where on :math:`K_i\le k\le K_{i+1}` the function is at least its value for :math:`X_{K_i}` at :math:`K_{i+1}`, and at least :math:`2X_K` beyond. For the lower bound,
:math:`J=k-d+1`, :math:`q\varrho^2=J-A\varrho` is solved by :math:`\varrho=\sqrt{J/q}\,e^{-\mathrm{arsinh}(A/2\sqrt{qJ})}`, so :math:`-\log(q\varrho^2/J)\le A/\sqrt{qJ}` and

.. math:: \hat v_{k+2}\ge e^{-\eta'/\sqrt k}\,\hat v_k,\qquad\eta'=2\Bigl(\frac A{\sqrt q}+\frac e{\sqrt J}\Bigr)\sqrt{1+\frac eJ},\quad e=d+1,\ J=K-d+1 .

**Sums over a class.** With :math:`\gamma=1/(\eta-K^{-1/2})` and :math:`\gamma'=1/(\eta-2K^{-1/2})`, for every :math:`k\ge K`,

.. math:: \sum_{t\ge0}\hat v_{k+2t}\le\gamma\sqrt k\,\hat v_k,\qquad\sum_{t\ge0}\sqrt{k+2t}\,\hat v_{k+2t}\le\gamma'k\,\hat v_k,

by telescoping: :math:`\gamma\sqrt k-\gamma\sqrt{k+2}(1-\eta/\sqrt k)\ge\gamma(\eta-k^{-1/2})\ge1`, and
:math:`\gamma'k-\gamma'(k+2)(1-\eta/\sqrt k)\ge\gamma'(\eta\sqrt k-2)\ge\sqrt k`. Hence
:math:`\sum_{t\ge0}(k-n+2t)\hat v_{k+2t}\le\bigl((k-n)\gamma\sqrt k+2\gamma\gamma'k\bigr)\hat v_k`.

>>> import symspec as ss
>>> from symspec.positive_transforms import transforms
>>> decay = HermiteDecay.of(transforms(ss.sigmoid.form)[1], arb(1))
>>> decay.fall(100).str(4, radius=False), decay.exponent(100).str(4, radius=False), (2 * arb.pi()).str(4, radius=False), decay.slow(100).str(4, radius=False)
('4.590', '6.118', '6.283', '6.750')
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from symspec.positive_transforms import Transform

from .constants import ball

INFINITE = arb("inf")
BLOCKS, FINENESS = 400, 20


@dataclass(frozen=True)
class HermiteDecay:
    """The bounds for one class of degrees at a variance q (a ball); for degrees above ``above`` >= d."""

    d: int
    above: int
    A: arb
    a: arb
    beta: arb
    q: arb

    @staticmethod
    def of(transform: Transform, q: arb) -> HermiteDecay:
        return HermiteDecay(transform.derivative, max(transform.above, transform.derivative) + 1, ball(transform.A), ball(transform.a), ball(transform.beta), q)

    def moment_root(self, j: int) -> arb:
        """rho_j, a lower bound of sqrt(M_(j+2)/M_j), j >= 0."""
        return ((self.A * self.A + 4 * self.q * (j + 1)).sqrt() - self.A) / (2 * self.q)

    def fall(self, start: int) -> arb:
        """eta of all k >= ``start``; not positive where nothing is known."""
        first, root = self._first(start), arb(start).sqrt()
        return (first * (2 - first / root)).lower() if first < root else arb(0)

    def exponent(self, start: int) -> arb:
        """eta'' of all k >= ``start``; not positive where nothing is known."""
        best, low = arb("inf"), start
        for _ in range(BLOCKS):
            high = low + max(1, low // FINENESS)
            first, root = self._first(low), arb(high).sqrt()
            best = best.min(-2 * root * (1 - first / root).log()) if first < root else arb(0)
            low = high
        return best.min(2 * self._first(low)).lower()

    def _first(self, start: int) -> arb:
        """X_K."""
        if start < self.above + 1:
            return arb(0)
        # min(d - beta, 0), whatever the ball of beta leaves open.
        shift = (self.d - self.beta).min(arb(0))
        return (arb(start).sqrt() * (self.a * self.moment_root(start - self.d - 1) + shift) / (start + 1)).lower().max(arb(0))

    def slow(self, start: int) -> arb:
        """eta' of all k >= ``start``; infinite where nothing is known."""
        if start < self.above:
            return INFINITE
        J, e = arb(start - self.d + 1), self.d + 1
        return (2 * (self.A / self.q.sqrt() + e / J.sqrt()) * (1 + e / J).sqrt()).upper()


@dataclass(frozen=True)
class ClassSum:
    """Bounds of sums over a class from K on: eta'', gamma, gamma'."""

    exponent: arb
    gamma: arb
    weighted: arb

    @staticmethod
    def of(decay: HermiteDecay, start: int) -> ClassSum | None:
        """None where the decay from ``start`` on is not fast enough."""
        eta, root = decay.fall(start), arb(start).sqrt()
        if not eta * root > 2:
            return None
        return ClassSum(decay.exponent(start), (1 / (eta - 1 / root)).upper(), (1 / (eta - 2 / root)).upper())

    def first_moment(self, k: int, n: int) -> arb:
        """A bound of sum_t (k - n + 2t) v_(k+2t) / v_k, k >= K, k > n."""
        return (k - n) * self.gamma * arb(k).sqrt() + 2 * self.gamma * self.weighted * k


__all__ = ["ClassSum", "HermiteDecay"]
