r"""Eigenvalues of high degree on cubes of high dimension, from the singularities of the kernel at both ends.

The finite sum needs d values at d bits there, and the power series millions of terms. But such an eigenvalue, of size
:math:`e^{-dH(k/d)}` with the entropy H, feels little of the kernel but its ends. With

.. math:: G_k(\rho)=E\frac{\varphi_k(t)}{\rho-t}=\int_0^\infty e^{-\rho w}M(w)\,dw,\qquad
          M(w)=E[e^{wt}\varphi_k]=\sinh^k\tfrac wd\,\cosh^{d-k}\tfrac wd ,

Cauchy's formula gives :math:`\mu_k=\frac1{2\pi i}\oint K\,G_k\,d\rho` around [-1, 1]. A kernel analytic in the angle on the ellipse
of :mod:`numerics.approximate` is analytic in :math:`\rho=\cos\theta` inside the image of the part over :math:`0<\mathrm{Re}\,\theta<\pi`, which
is cut along the real axis from 1 and from -1 outwards. (K being continuous at the ends of the cuts, the contour may run along
them.) On a cut only the odd powers of :math:`s=\sin(\theta/2)=\sqrt y` jump, so let

.. math:: r=K-\sum_{j\ \mathrm{odd}\ \le J}\bigl(a_jy^{j/2}+b_j(1-y)^{j/2}\bigr),\qquad
          \mu_k(y^\nu)=\frac{d^{-\nu}}{\Gamma(-\nu)}\int_0^\infty u^{-\nu-1}\,2^{-d}(1-e^{-u})^k(1+e^{-u})^{d-k}\,du\quad(k>\nu),

the second because :math:`\Gamma(-\nu)y^\nu=\int w^{-\nu-1}e^{-wy}dw` up to a polynomial of degree below k and
:math:`E[e^{-wy}\varphi_k]=e^{-w/2}M(w/2)`. The integrand is positive. Then

.. math:: \Bigl|\mu_k-\sum_j(a_j+(-1)^kb_j)\,\mu_k(y^{j/2})\Bigr|\le2C\,\bigl|\mu_k(y^{(J+2)/2})\bigr|
          +\tfrac{2M'}\pi(\cosh h-\rho_0)\,G_k(\rho_0)+\tfrac{M'}{2\pi}\int_{\mathrm{arc}}|G_k|\,|d\rho| .

* *Near a cut's end*, up to :math:`|s|=qs_1`, the Puiseux series of the jump is bounded by Cauchy's estimate on the disc
  :math:`|\theta|\le R` inside the ellipse, :math:`s_1=\sin(R/2)`: :math:`C=M s_1^{-J-2}/(1-q^2)`; and
  :math:`\int_0^\infty v^\nu G_k(1+2v)2dv=\pi|\mu_k(y^\nu)|`, which is the same contour drawn for :math:`y^\nu`, since :math:`G_k>0` beyond 1.
* *On the rest of the cut*, from :math:`\rho_0=1+2(qs_1)^2` to cosh h, and *on the arc*, |r| <= M'. There :math:`G_k` is smaller than
  the eigenvalue by a factor exponential in k. It is bounded along a ray :math:`w=xe^{-i\alpha}` of choice on which the integral
  converges, :math:`\mathrm{Re}(\rho e^{-i\alpha})>|\cos\alpha|`, by the maximum of
  :math:`|e^{-\rho w}||\sinh\frac wd|^k|\cosh\frac wd|^{d-k}` over intervals of a grid and :math:`|M|\le e^{|\mathrm{Re}\,w|}` beyond it.

>>> import symspec as ss
>>> found = eigenvalues(ss.mlp(ss.relu, 2).ntk, 10**6, [500_000], 84)
>>> found[500_000].rel_accuracy_bits() >= 84
True
"""

from __future__ import annotations

from cmath import cosh as ccosh, exp as cexp, pi as PI, sinh as csinh
from dataclasses import dataclass
from functools import lru_cache
from math import cos, log, log1p, pi

from flint import acb, arb, fmpq

from symspec.errors import Undecided
from symspec.kernel import Kernel

from .approximate import RATIOS, ellipse
from .endpoint_series import at_end
from .precision import meets, working_precision

ORDERS = (9, 17, 25, 33, 45, 61)
WIDEST = 4.5
SHARE = fmpq(3, 4)
ARC_PIECES = 64
FINE, COARSE = 1.002, 1.03
CLOSEST = 1e-3
TURNS = tuple(i / 24 for i in range(13))  # alpha/pi
LEAST_DEGREE = 200


@dataclass(frozen=True)
class Ends:
    """The ellipse of a kernel, the bound of |K| on it, and the disc around each end."""

    kernel: Kernel
    ratio: arb
    supremum: arb

    @property
    def axes(self) -> tuple[arb, arb]:
        """Half axes of the ellipse in units of pi/2."""
        return (self.ratio + 1 / self.ratio) / 2, (self.ratio - 1 / self.ratio) / 2

    @property
    def radius(self) -> arb:
        """s_1: |s| <= s_1 lies over the disc |theta| <= R inside the ellipse."""
        reach = (arb.pi() / 2 * (self.axes[0] - 1)).lower()
        return (reach / 2 if reach < 3 else arb(1.5)).sin().lower()

    @property
    def height(self) -> arb:
        """h: the cuts end at cosh h."""
        a, b = self.axes
        return arb.pi() / 2 * b * b / a


@lru_cache(maxsize=64)
def ends_of(kernel: Kernel) -> Ends:
    """The widest ellipse up to WIDEST. Raises Undecided where the kernel is not analytic in the angle."""
    region = ellipse(kernel)
    for ratio in RATIOS[RATIOS.index(region.largest()) :]:
        bound = region.bound(ratio)
        if ratio <= WIDEST and bound is not None:
            return Ends(kernel, arb(ratio), bound)
    raise Undecided("the kernel could not be shown to be analytic in the angle near [0, pi]")


def eigenvalues(kernel: Kernel, d: int, degrees: list[int], bits: int) -> dict[int, arb]:
    """mu_k of those degrees that the expansion reaches to ``bits`` of relative accuracy; the others are left out."""
    try:
        ends = ends_of(kernel)
    except Undecided:
        return {}
    found = {}
    for k in degrees:
        value = _eigenvalue(ends, d, k, bits) if k >= LEAST_DEGREE else None
        if value is not None:
            found[k] = value
    return found


def _eigenvalue(ends: Ends, d: int, k: int, bits: int) -> arb | None:
    precision = bits + 64 + max(ORDERS)
    with working_precision(precision):
        blocks = Blocks(d, k)
        away = _away_from_the_ends(ends, d, k)
        for J in ORDERS:
            near, far = (at_end(ends.kernel, end, J + 2) for end in (1, -1))
            sign = -1 if k % 2 else 1
            total, others = arb(0), ends.supremum
            width = (arb.pi() / 4 * ends.axes[1]).cosh()
            for j in range(1, J + 1, 2):
                total += (near[j] + sign * far[j]) * blocks.eigenvalue(j)
                others += (abs(near[j]) + abs(far[j])) * width**j
            first_left_out = 2 * ends.supremum / ends.radius ** (J + 2) / (1 - arb(SHARE) ** 2) * abs(blocks.eigenvalue(J + 2))
            value = total + arb(0, (first_left_out + others * away).upper())
            if meets(value, bits):
                return value
            if not value.is_finite():
                return None
    return None


class Blocks:
    """mu_k(y^(j/2)) on the cube for odd j < 2k, at the working precision."""

    def __init__(self, d: int, k: int) -> None:
        from flint import ctx

        self.d, self.k = d, k
        # Where the integrand is largest; u is measured in this unit.
        self.unit = arb(-log1p(-2 * k / d)) if 2 * k < d - 2 * d**0.5 else arb(max(1.0, log(d) / 2))
        self.scale = self._exponent(acb(self.unit)).real.mid()
        self.top = (arb(d).log() + ctx.prec * arb(2).log()).upper()
        self.bottom = (self.unit / 50).lower() if self.unit < 5 else arb(0.1)
        self.known: dict[int, arb] = {}

    def _exponent(self, u: acb, *, analytic: bool = False) -> acb:
        """log of (1 - e^-u)^k (1 + e^-u)^(d-k)."""
        decay = (-u).exp()
        return self.k * (1 - decay).log(analytic=analytic) + (self.d - self.k) * (1 + decay).log(analytic=analytic)

    def eigenvalue(self, j: int) -> arb:
        """mu_k(y^(j/2)); the integral on [bottom, top], and what is outside it bounded."""
        if j not in self.known:
            self.known[j] = self._eigenvalue(j)
        return self.known[j]

    def _eigenvalue(self, j: int) -> arb:
        nu = arb(j) / 2

        def integrand(x: acb, analytic: bool) -> acb:  # noqa: FBT001
            u = x * self.unit
            return (self._exponent(u, analytic=analytic) - self.scale - (nu + 1) * x.log(analytic=analytic)).exp()

        low, high = self.bottom / self.unit, self.top / self.unit
        inside = acb.integral(integrand, acb(low.mid()), acb(high.mid())).real
        # The two ends of the integral, exact points, in u.
        low, high = low.mid() * self.unit, high.mid() * self.unit
        limit = (-self.scale).exp()
        change = (self.d * (-high).exp()).exp() - 1
        above = limit * (1 + arb(0, change.upper())) * high**-nu / nu
        below = (low.log() * (self.k - nu) + (self.d - self.k) * arb(2).log() - self.scale).exp() / (self.k - nu)
        integral = inside * self.unit**-nu + above + arb(0, below.upper())
        return integral * (self.scale - self.d * arb(2).log()).exp() * arb(self.d) ** -nu * arb.gamma_fmpq(fmpq(-j, 2)) ** -1


def _away_from_the_ends(ends: Ends, d: int, k: int) -> arb:
    """What a function bounded by 1 away from the ends contributes at most: the last two terms of the bound over M'."""
    corner = 1 + 2 * (SHARE * ends.radius) ** 2
    cut = 2 / arb.pi() * (ends.height.cosh() - corner) * stieltjes_bound(acb(corner), d, k, FINE)
    a, b = ends.axes
    half_pi = arb.pi() / 2
    start = (-1 / a).acos()
    # psi from the cut, where Re theta = 0, to pi/2: a quarter of the arc, the others being its mirror images.
    first, last = arb.pi() - start, half_pi
    total = arb(0)
    step = (last - first) / ARC_PIECES
    for i in range(ARC_PIECES):
        psi = (first + i * step).union(first + (i + 1) * step)
        theta = acb(half_pi * (1 - a * psi.cos()), half_pi * b * psi.sin())
        length = abs(theta.sin()).upper() * half_pi * a * abs(step).upper()
        total += length * stieltjes_bound(theta.cos(), d, k)
    return (cut + 4 * total / (2 * arb.pi())).upper()


def stieltjes_bound(rho: acb, d: int, k: int, ratio: float = COARSE) -> arb:
    """An upper bound of |G_k| on the ball rho, infinity where none was found; ``ratio`` is that of the grid."""
    best = arb("inf")
    middle = complex(float(rho.real.mid()), abs(float(rho.imag.mid())))
    turns = [t for t in TURNS if (middle * cexp(-1j * PI * t)).real > cos(pi * t) + CLOSEST]
    if not turns:
        return best
    turn = min(turns, key=lambda t: _rough_maximum(middle, t, d, k))
    alpha = arb.pi() * arb(turn)
    cosine, sine = abs(alpha.cos()), alpha.sin()
    # |G_k| is the same at conjugate points.
    rate = (rho.real * alpha.cos() + abs(rho.imag) * sine).lower()
    margin = (rate - cosine).lower()
    if not margin > 0:
        return best
    share = arb(k) / d
    last = (4 * float(share) * (1 - log(k / d)) + 0.7) / float(margin)
    grid = [k / d * 1e-3]
    while grid[-1] < last:
        grid.append(grid[-1] * ratio)
    peak: arb | None = None
    before = arb(0)
    for point in grid:
        here = arb(point)
        value = _exponent_bound(before, here, rate, share, cosine, sine)
        peak = value if peak is None or value > peak else peak
        before = here
    assert peak is not None
    return (d * before * (d * peak).exp() + (-margin * d * before).exp() / margin).upper()


def _exponent_bound(low: arb, high: arb, rate: arb, share: arb, cosine: arb, sine: arb) -> arb:
    """An upper bound of -phi rate + c log |sinh(phi e^-i alpha)| + (1-c) log |cosh(phi e^-i alpha)| for phi in [low, high]."""
    growth = (high * cosine).sinh() ** 2
    angle = (low * sine).union(high * sine)
    first, second = growth + angle.sin() ** 2, growth + angle.cos() ** 2
    small = -low * rate + (share * first.upper().log() + (1 - share) * second.upper().log()) / 2
    # The same with e^(2a)/4 taken out of |sinh(a+ib)|^2 = (cosh 2a - cos 2b)/2 and of |cosh|^2: better away from 0.
    decay, turn = (-2 * low * cosine).exp().union((-2 * high * cosine).exp()), 2 * (2 * angle).cos()
    first, second = 1 - decay * turn + decay * decay, 1 + decay * turn + decay * decay
    large = -low * (rate - cosine) - arb(2).log() + (share * first.upper().log() + (1 - share) * second.upper().log()) / 2
    return (large if large < small else small).upper()


def _rough_maximum(rho: complex, turn: float, d: int, k: int) -> float:
    """About the largest exponent on a ray, in floats: for the choice of the ray only."""
    c, direction, best = k / d, cexp(-1j * PI * turn), -1e300
    phi = c * 1e-2
    while phi < 20:
        w = phi * direction
        size = abs(csinh(w)), abs(ccosh(w))
        best = max(best, -(rho * w).real + c * log(size[0] + 1e-300) + (1 - c) * log(size[1] + 1e-300))
        phi *= 1.25
    return best


__all__ = ["Blocks", "Ends", "eigenvalues", "ends_of", "stieltjes_bound"]
