r"""Eigenvalues of symmetric matrices of balls, counted by Sylvester's law of inertia.

If :math:`A-\mu=LDL^T` with L unit lower triangular, then A has as many eigenvalues above :math:`\mu` as D has positive entries (Golub and
Van Loan, Matrix Computations, theorem 8.1.17). Elimination in balls proves the signs for every symmetric matrix in the
balls. Approximate eigenvalues only propose the :math:`\mu`.

>>> A = arb_mat([[2, 1], [1, 2]])
>>> count_above(A, arb("1.5")), [value.contains(exact) for value, exact in zip(largest_eigenvalues(A, 2, 30), (3, 1))]
(1, [True, True])
"""

from __future__ import annotations

from flint import acb_mat, arb, arb_mat

MAX_WIDENINGS = 40


def count_above(matrix: arb_mat, level: arb) -> int | None:
    """The number of eigenvalues above the level; None where a pivot is not told from 0."""
    size = matrix.nrows()
    rows = [[matrix[i, j] - (level if i == j else 0) for j in range(i + 1)] for i in range(size)]
    count = 0
    for pivot in range(size):
        head = rows[pivot][pivot]
        if head > 0:
            count += 1
        elif not head < 0:
            return None
        for i in range(pivot + 1, size):
            factor = rows[i][pivot] / head
            for j in range(pivot + 1, i + 1):
                rows[i][j] -= factor * rows[j][pivot]
    return count


def largest_eigenvalues(matrix: arb_mat, count: int, bits: int) -> list[arb]:
    """Enclosures of the largest ``count`` eigenvalues, descending, to about ``bits`` of relative accuracy where the entries allow it."""
    guesses = sorted((value.real.mid() for value in acb_mat(matrix.mid()).eig(algorithm="approx")), key=float, reverse=True)
    size = sum((entry * entry for entry in matrix.entries()), arb(0)).upper().sqrt().upper()
    return [_enclosed(matrix, j, guess, size, bits) for j, guess in enumerate(guesses[:count])]


def _enclosed(matrix: arb_mat, j: int, guess: arb, size: arb, bits: int) -> arb:
    """The j-th largest eigenvalue, from 0, by levels ever further from the guess."""
    found = []
    for side in (-1, 1):
        width = abs(guess) * arb(2) ** -bits + size * arb(2) ** (-16 * bits)
        end = side * size
        for _ in range(MAX_WIDENINGS):
            level = (guess + side * width).mid()
            above = count_above(matrix, level)
            if above is not None and (above > j if side < 0 else above <= j):
                end = level
                break
            width *= 4
        found.append(arb(end))
    return found[0].union(found[1])


__all__ = ["count_above", "largest_eigenvalues"]
