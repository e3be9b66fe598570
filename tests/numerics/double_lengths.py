"""Gaussian inputs in doubles, independent of the package: kernels between any lengths by their recursion, operators by quadrature."""

from __future__ import annotations

import math

import numpy
from numpy.polynomial.legendre import leggauss


def erf_pair(p, q, c):
    """The dual of erf, and that of its derivative."""
    return 2 / numpy.pi * numpy.arcsin(2 * c / numpy.sqrt((1 + 2 * p) * (1 + 2 * q))), 4 / numpy.pi / numpy.sqrt((1 + 2 * p) * (1 + 2 * q) - 4 * c * c)


def relu_pair(p, q, c):
    theta = numpy.arccos(numpy.clip(c / numpy.sqrt(p * q), -1, 1))
    return (numpy.sqrt(p * q) * numpy.sin(theta) + c * (numpy.pi - theta)) / (2 * numpy.pi), (numpy.pi - theta) / (2 * numpy.pi)


def sin_pair(p, q, c):
    decay = numpy.exp(-(p + q) / 2)
    return decay * numpy.sinh(c), decay * numpy.cosh(c)


def exp_pair(p, q, c):
    value = numpy.exp((p + q) / 2 + c)
    return value, value


def kernel(pair, depth, sigma_w2, sigma_b2, part, r, s, t):
    """K for lengths r, s in units of sqrt(d) and the cosine t."""
    p, q, c = (sigma_w2 * x + sigma_b2 for x in (r * r, s * s, r * s * t))
    tangent = c
    for _ in range(depth):
        value, slope = pair(p, q, c)
        p, q = (sigma_w2 * pair(x, x, x)[0] + sigma_b2 for x in (p, q))
        c = sigma_w2 * value + sigma_b2
        tangent = c + tangent * sigma_w2 * slope
    return c if part == "ck" else tangent


def operator(evaluate, d, k, nodes=100, cosines=160):
    """kappa_k at Gauss points of the length, with the roots of weight and density."""
    x, weight = leggauss(nodes)
    low, high = max(0.0, 1 - 9 / math.sqrt(2 * d)), 1 + 11 / math.sqrt(2 * d)
    r = low + (high - low) * (x + 1) / 2
    density = numpy.exp(math.log(2) + d / 2 * math.log(d / 2) - math.lgamma(d / 2) + (d - 1) * numpy.log(r) - d * r * r / 2)
    root = numpy.sqrt(weight * (high - low) / 2 * density)
    y, mass = leggauss(cosines)
    angle = numpy.pi * (y + 1) / 2
    mass = mass * numpy.sin(angle) ** (d - 2)
    t = numpy.cos(angle)
    before, now = numpy.ones_like(t), t
    for m in range(1, k):
        before, now = now, ((2 * m + d - 2) * t * now - m * before) / (m + d - 2)
    zonal = before if k == 0 else now
    values = evaluate(r[:, None, None], r[None, :, None], t[None, None, :])
    return root[:, None] * (values * (mass / mass.sum() * zonal)).sum(-1) * root[None, :]


def eigenvalues(evaluate, d, k):
    """Descending."""
    return numpy.sort(numpy.linalg.eigvalsh(operator(evaluate, d, k)))[::-1]


def strip_pair(function, derivative, terms=160):
    """The dual of a function and that of its derivative by their Hermite coefficients."""
    z = numpy.linspace(-10, 10, 1601)
    weight = numpy.exp(-z * z / 2) / numpy.sqrt(2 * numpy.pi) * (z[1] - z[0])
    rows = [numpy.ones_like(z), z]
    for n in range(1, terms - 1):
        rows.append((z * rows[n] - numpy.sqrt(n) * rows[n - 1]) / numpy.sqrt(n + 1))
    weighted = numpy.array(rows) * weight

    def coefficients(f, p):
        return numpy.moveaxis(f(numpy.sqrt(p)[..., None] * z) @ weighted.T, -1, 0)

    def one(f, p, q, c):
        if p is q and q is c:
            return (f(numpy.sqrt(numpy.asarray(p))[..., None] * z) ** 2 @ weight)[()]
        p, q = numpy.asarray(p, float), numpy.asarray(q, float)
        first, second, rho = coefficients(f, p), coefficients(f, q), c / numpy.sqrt(p * q)
        total = 0.0
        for a, b in zip(first[::-1], second[::-1], strict=True):
            total = total * rho + a * b
        return total

    return lambda p, q, c: (one(function, p, q, c), one(derivative, p, q, c))


def logistic(x):
    return 1 / (1 + numpy.exp(-x))


tanh_pair = strip_pair(numpy.tanh, lambda x: 1 - numpy.tanh(x) ** 2)
sigmoid_pair = strip_pair(logistic, lambda x: logistic(x) * logistic(-x))
silu_pair = strip_pair(lambda x: x * logistic(x), lambda x: logistic(x) * (1 + x * logistic(-x)))
softplus_pair = strip_pair(lambda x: numpy.logaddexp(0, x), logistic)


def kink_pair(function, kink, terms=160, points=160):
    """The dual of a function with one kink by its Hermite coefficients, Gauss-Legendre on either side; no derivative."""
    x, weight = leggauss(points)

    def coefficients(p):
        scale = numpy.sqrt(numpy.asarray(p, float))[..., None]
        place = numpy.clip(kink / scale, -12, 12)
        total = 0.0
        for low, high in ((-12, place), (place, 12)):
            z = low + (high - low) * (x + 1) / 2
            values = function(scale * z) * weight * (high - low) / 2 * numpy.exp(-z * z / 2) / numpy.sqrt(2 * numpy.pi)
            rows = [numpy.ones_like(z), z]
            for n in range(1, terms - 1):
                rows.append((z * rows[n] - numpy.sqrt(n) * rows[n - 1]) / numpy.sqrt(n + 1))
            total = total + numpy.array([(values * row).sum(-1) for row in rows])
        return total

    def pair(p, q, c):
        p, q = numpy.asarray(p, float), numpy.asarray(q, float)
        first, second, rho = coefficients(p), coefficients(q), c / numpy.sqrt(p * q)
        total = 0.0
        for a, b in zip(first[::-1], second[::-1], strict=True):
            total = total * rho + a * b
        return total, 0 * total

    return pair


elu_pair = kink_pair(lambda x: numpy.where(x > 0, x, numpy.expm1(numpy.minimum(x, 0))), 0.0)
threshold_pair = kink_pair(lambda x: numpy.maximum(x - 1, 0), 1.0)


def shifted_erf(x):
    return numpy.vectorize(math.erf)(x + 1)


shifted_erf_pair = kink_pair(shifted_erf, 0.0)
