r"""The orthant probability of a bivariate normal pair, continued to complex thresholds and angles.

With fixed h and k Plackett's identity integrates to

.. math:: L(h,k,\theta)=Q(h)Q(k)+\frac1{2\pi}\int_\theta^{\pi/2}e^{-E(h,k,\varphi)}d\varphi,\qquad
          E=\frac{(h-k)^2}{2\sin^2\varphi}+\frac{hk}{1+\cos\varphi}=\frac{(h+k)^2}{2\sin^2\varphi}-\frac{hk}{1-\cos\varphi}.

The sine has no zero in the strip :math:`0<\mathrm{Re}\,\varphi<\pi`, which is simply connected: so the formula is the analytic continuation of L to all complex
h, k and all :math:`\theta` of the strip, along any path, a straight one say. By the argument principle, an analytic :math:`\theta` that stays in the
strip on the boundary of a region does so inside (:mod:`numerics.complex_disc`). Over balls the mean value theorem is used, with

.. math:: \partial_\theta L=-\frac{e^{-E}}{2\pi},\qquad \partial_hL=-\frac{e^{-h^2/2}}{\sqrt{2\pi}}\,Q\Bigl(\frac{k-h\cos\theta}{\sin\theta}\Bigr),\quad Q(x)=\tfrac12\mathrm{erfc}\frac x{\sqrt2}.

>>> from numerics.precision import working_precision
>>> with working_precision(80):
...     print(orthant(acb(1), acb("0.5", "0.25"), acb(1, "0.5")).real.str(12, radius=False))
0.102027564319
"""

from __future__ import annotations

from flint import acb, arb, ctx

NAN = acb("nan")


def orthant(h: acb, k: acb, theta: acb, bits: int | None = None) -> acb:
    """L over balls, the integral to ``bits`` bits (as many as the working precision has); NaN where the angle is not shown to lie in the strip."""
    if not in_strip(theta):
        return NAN
    a, b, angle = (acb(z.real.mid(), z.imag.mid()) for z in (h, k, theta))
    goal = arb(2) ** -(ctx.prec if bits is None else bits)
    integral = acb.integral(lambda phi, _analytic: _density(a, b, phi), angle, acb.pi() / 2, rel_tol=goal, abs_tol=goal)
    value = _tail(a) * _tail(b) + integral / (2 * acb.pi())
    changes = (h - a, k - b, theta - angle)
    if all(change == 0 for change in changes):
        return value
    return value + sum((slope * change for slope, change in zip(orthant_slopes(h, k, theta), changes, strict=True)), acb(0))


def orthant_slopes(h: acb, k: acb, theta: acb) -> tuple[acb, acb, acb]:
    """The derivatives in h, k and theta over balls; NaN as :func:`orthant`."""
    if not in_strip(theta):
        return NAN, NAN, NAN
    return _by_threshold(h, k, theta), _by_threshold(k, h, theta), -_density(h, k, theta) / (2 * acb.pi())


def in_strip(theta: acb) -> bool:
    """Whether the angle is shown to lie where the formula is analytic."""
    return bool(theta.real > 0 and theta.real < arb.pi())


def _tail(x: acb) -> acb:
    """Q(x)."""
    return (x / acb(2).sqrt()).erfc() / 2


def _density(h: acb, k: acb, phi: acb) -> acb:
    """e^-E, by the form that is free of cancellation on its half of the strip."""
    sine, cosine = phi.sin(), phi.cos()
    if cosine.real > 0:
        return (-(h - k) * (h - k) / (2 * sine * sine) - h * k / (1 + cosine)).exp()
    return (-(h + k) * (h + k) / (2 * sine * sine) + h * k / (1 - cosine)).exp()


def _by_threshold(h: acb, k: acb, theta: acb) -> acb:
    """dL/dh."""
    conditional = (k - h) / theta.sin() + h * (theta / 2).tan()
    return -(-h * h / 2).exp() / (2 * acb.pi()).sqrt() * _tail(conditional)


__all__ = ["in_strip", "orthant", "orthant_slopes"]
