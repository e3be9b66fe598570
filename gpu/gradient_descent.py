r"""Gradient descent in the kernel regime: which step sizes are stable.

For the loss :math:`\frac1n\sum_i(f(x_i)-y_i)^2` a step of size :math:`\eta` on the parameters of a network with tangent kernel K moves the residual
:math:`r=f-y` on the n inputs to :math:`(I-2\eta G/n)r`, G the Gram matrix. It shrinks for every y exactly if
:math:`\eta<1/\lambda_{\max}(G/n)`. For many inputs :math:`\lambda_{\max}(G/n)` is the largest eigenvalue of the kernel, which on the cube and
sphere tends to K(0) in high dimension unless the kernel is odd (Yang and Salman 2019).

>>> kernel_descent(numpy.eye(2), numpy.ones(2), 0.5, 3).tolist()
[1.0, 0.5, 0.25, 0.125]
"""

from __future__ import annotations

from typing import Any

import numpy

from symspec.errors import InputError
from symspec.exact import natural


def kernel_descent(gram: Any, target: Any, rate: float, steps: Any) -> numpy.ndarray:
    """Norms of the residual after 0, ..., ``steps`` steps from f = 0, relative to that of the target.

    ``gram`` is G (n, n), ``rate`` the step size for the loss (1/n) sum (f - y)^2. Raises InputError for shapes that do not match.
    """
    matrix, residual = numpy.asarray(gram, dtype=float), -numpy.asarray(target, dtype=float)
    if matrix.ndim != 2 or matrix.shape != (len(residual), len(residual)):
        raise InputError(f"a Gram matrix of shape {matrix.shape} does not fit {residual.shape} target values")
    count = natural(steps, "steps")
    start = float(numpy.linalg.norm(residual))
    norms = [1.0]
    for _ in range(count):
        residual = residual - (2.0 * rate / len(residual)) * (matrix @ residual)
        norms.append(float(numpy.linalg.norm(residual)) / start)
    return numpy.array(norms)


__all__ = ["kernel_descent"]
