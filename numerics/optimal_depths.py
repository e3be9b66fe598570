r"""The depth at which a degree has its largest share, over a sweep of hyper-parameters on the boolean cube.

Yang and Salman (2019) ask at which depth the fractional variance of degree k of a kernel on {-1, 1}^d is largest, its maximum over the weight and
bias variances taken: deep networks prefer complex functions, up to a depth that grows with k. Here every share is a ball
(:mod:`numerics.depth_shares`), so depths are compared as intervals. A depth all of whose balls lie below the largest lower
end is no candidate. Candidates of several depths that are left are computed to more and more digits by
:func:`numerics.fractional_variances`; what is not told apart to the last digit allowed is reported as a tie, and no choice is made.

Points of the sweep are independent: they run in processes, and each result is written down when it is found
(:mod:`numerics.sweep_file`), so a run that was killed goes on where it stood.

>>> import symspec as ss
>>> for best in optimal_depth(ss.relu, 10, [(2, 0), (2, "1/2")], 6, range(1, 5)):
...     print(best.degree, best.depth, best.parameters[0], best.share.str(8, radius=False))
1 0 (2, 0) 1.0000000
2 1 (2, 0) 0.24064404
3 6 (2, 0) 0.11130956
4 6 (2, 0) 0.10467594
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from flint import arb
from sympy import Expr

from symspec.activations import Activation, activation as as_activation
from symspec.domain import BooleanCube
from symspec.errors import InputError, SymspecError, Undecided
from symspec.exact import exact, natural

from .depth_shares import HyperParameters, network, shares_by_depth
from .exact_text import ball_from_record, ball_record
from .precision import working_precision
from .sweep_file import SweepFile
from .variances import fractional_variances

FIRST_BITS = 64
# A share so small that the balls of the first pass do not show it gets more bits, up to this many times.
DOUBLINGS = 6
SHOWN_BITS = 24
RECORD_DIGITS = 12
FIRST_DIGITS = 20
MAX_DIGITS = 160
# More candidates than this that differ in depth are no accident: the shares do not depend on the depth.
MAX_REFINED = 400

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Candidate:
    """A point of the sweep and a depth that may have the largest share."""

    parameters: tuple[Expr, Expr]
    depth: int
    share: arb


@dataclass(frozen=True)
class OptimalDepth:
    """The result for one degree: the candidates that are left, and a ball that contains the largest share.

    No candidates: the share of this degree is exactly 0 at every depth.
    """

    degree: int
    candidates: tuple[Candidate, ...]
    share: arb

    @property
    def depths(self) -> tuple[int, ...]:
        """The depths left, ascending: one where the question is decided, several for a tie."""
        return tuple(sorted({candidate.depth for candidate in self.candidates}))

    @property
    def depth(self) -> int | None:
        """The optimal depth, None for a tie or for a degree without any share."""
        return self.depths[0] if len(self.depths) == 1 else None

    @property
    def tie(self) -> bool:
        return len(self.depths) > 1

    @property
    def parameters(self) -> tuple[tuple[Expr, Expr], ...]:
        """The (sigma_w2, sigma_b2) at which the largest share may be reached."""
        return tuple(dict.fromkeys(candidate.parameters for candidate in self.candidates))


@dataclass(frozen=True)
class Sweep:
    """What is swept: every (sigma_w2, sigma_b2), depth 0, ..., max_depth and degree, of the "ck" or "ntk" on {-1, 1}^dimension."""

    activation: Activation
    part: str
    dimension: int
    parameters: tuple[tuple[Expr, Expr], ...]
    max_depth: int
    degrees: tuple[int, ...]

    def plan(self) -> dict[str, Any]:
        """Everything the results depend on, as exact text."""
        return {
            "activation": str(self.activation.form),
            "kernel": self.part,
            "dimension": self.dimension,
            "max_depth": self.max_depth,
            "degrees": list(self.degrees),
            "hyper_parameters": [[str(weight), str(bias)] for weight, bias in self.parameters],
        }

    def candidates(self, item: int) -> dict[int, dict[int, arb]]:
        """Degree -> depth -> share of the depths that may be optimal at one point of the sweep."""
        bits = FIRST_BITS
        for last in (*[False] * DOUBLINGS, True):
            rows = shares_by_depth(self.activation, self.part, self.dimension, self.max_depth, self.parameters[item], self.degrees, bits)
            # A ball that merely contains 0 is neither == 0 nor != 0, and stays.
            columns = {k: {depth: row[i] for depth, row in enumerate(rows) if not row[i] == 0} for i, k in enumerate(self.degrees)}  # noqa: SIM201
            left = {k: _largest(column) for k, column in columns.items()}
            if last or all(share.rel_accuracy_bits() >= SHOWN_BITS for column in left.values() for share in column.values()):
                break
            bits *= 2
        return left


def optimal_depth(
    activation: Any,
    dimension: Any,
    hyper_parameters: Iterable[HyperParameters],
    max_depth: Any,
    degrees: Iterable[Any],
    *,
    kernel: str = "ntk",
    file: str | os.PathLike[str] | None = None,
    workers: Any = 1,
    max_digits: Any = MAX_DIGITS,
    progress: Progress | None = None,
) -> list[OptimalDepth]:
    """The optimal depth 0, ..., max_depth of each degree on {-1, 1}^dimension, over (sigma_w2, sigma_b2) of every dense layer.

    ``kernel`` is ntk or ck. ``file`` takes the results of the points as they are found, and those that it holds from an earlier run of
    the same sweep are not computed again. ``workers`` processes share the points; ``progress(done, total)`` reports them.
    Candidates that are alike to ``max_digits`` digits are a tie, and so are more than MAX_REFINED that overlap in the first
    pass. Results do not depend on the number of workers; a script that asks for several needs the usual
    ``if __name__ == "__main__"``, because they are started afresh.

    Raises InputError for an empty sweep, a variance out of range, a degree above the dimension, or a file of another sweep;
    DomainError for an infinite tangent kernel; NotSquareIntegrable with the layer named; SymspecError where a process dies.
    """
    d = natural(dimension, "dimension", 1)
    sweep = Sweep(as_activation(activation), _part(kernel), d, _parameters(hyper_parameters), natural(max_depth, "max_depth"), _degrees(degrees, d))
    count, digits = natural(workers, "workers", 1), natural(max_digits, "max_digits", 1)
    for point in sweep.parameters:
        network(sweep.activation, 0, point)
    if file is None:
        found = _reported(sweep, {}, count, progress, lambda _item, _result: None)
    else:
        with SweepFile(file, sweep.plan()) as kept:
            found = _reported(sweep, dict(kept.found), count, progress, kept.append)
    points = {item: _restored(found[item]) for item in range(len(sweep.parameters))}
    return [_decide(sweep, k, points, digits) for k in sweep.degrees]


def _part(kernel: Any) -> str:
    if kernel not in ("ck", "ntk"):
        raise InputError(f"kernel must be ck or ntk, not {str(kernel)[:40]!r}")
    return str(kernel)


def _parameters(hyper_parameters: Iterable[HyperParameters]) -> tuple[tuple[Expr, Expr], ...]:
    found = []
    for point in hyper_parameters:
        try:
            weight, bias = point
        except (TypeError, ValueError):
            raise InputError("hyper-parameters are pairs (sigma_w2, sigma_b2)") from None
        found.append((exact(weight, "sigma_w2"), exact(bias, "sigma_b2")))
    if not found:
        raise InputError("the sweep has no hyper-parameters; give at least one pair (sigma_w2, sigma_b2)")
    return tuple(dict.fromkeys(found))


def _degrees(degrees: Iterable[Any], dimension: Any) -> tuple[int, ...]:
    cube = BooleanCube(dimension)
    found = tuple(sorted({natural(k, "degree") for k in degrees}))
    if not found:
        raise InputError("the sweep has no degrees")
    if found[-1] > cube.dimension:
        raise InputError(f"degree {found[-1]} does not exist on {cube}: degrees are 0 to {cube.dimension}")
    return found


def _reported(sweep: Sweep, found: dict[int, Any], workers: int, progress: Progress | None, keep: Callable[[int, Any], None]) -> dict[int, Any]:
    total = len(sweep.parameters)
    for item, result in _results(sweep, [item for item in range(total) if item not in found], workers):
        keep(item, result)
        found[item] = result
        if progress:
            progress(len(found), total)
    return found


def _results(sweep: Sweep, items: Sequence[int], workers: int) -> Iterator[tuple[int, Any]]:
    """The record of each item, as they are found."""
    if workers == 1 or len(items) <= 1:
        for item in items:
            yield item, _record(sweep.candidates(item))
        return
    # Forked children would inherit the locks of the threads that draw the progress bar.
    with ProcessPoolExecutor(min(workers, len(items)), multiprocessing.get_context("spawn"), _begin, (sweep,)) as pool:
        waiting = [pool.submit(_one, item) for item in items]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BrokenProcessPool:
            raise SymspecError(
                "a process of the sweep died: it was killed, or a script asks for several without 'if __name__ == \"__main__\"'; with a file nothing is lost, start again to go on"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_current: list[Sweep] = []


def _begin(sweep: Sweep) -> None:
    """What a process works on, sent once."""
    _current[:] = [sweep]


def _one(item: int) -> tuple[int, Any]:
    return item, _record(_current[0].candidates(item))


def _record(found: dict[int, dict[int, arb]]) -> list[Any]:
    return [[k, [[depth, ball_record(share, RECORD_DIGITS)] for depth, share in column.items()]] for k, column in found.items()]


def _restored(record: Any) -> dict[int, dict[int, arb]]:
    try:
        return {k: {depth: ball_from_record(ball) for depth, ball in column} for k, column in record}
    except (TypeError, ValueError) as error:
        raise InputError(f"the record of a point is damaged: {error}") from None


def _largest(balls: dict[Any, arb]) -> dict[Any, arb]:
    """Those that may be the largest."""
    if not balls:
        return {}
    # The ends of a ball are rounded outward to the working precision.
    with working_precision(_bits(balls.values())):
        floor = max((ball.lower() for ball in balls.values()), key=_Exact)
        return {key: ball for key, ball in balls.items() if not ball.upper() < floor}


def _bits(balls: Iterable[arb]) -> int:
    return FIRST_BITS + max(ball.mid().bits() for ball in balls)


class _Exact:
    """The order of exact numbers: arb compares with <, which max() needs as a total order."""

    def __init__(self, value: arb) -> None:
        self.value = value

    def __lt__(self, other: _Exact) -> bool:
        return bool(self.value < other.value)


def _decide(sweep: Sweep, degree: int, points: dict[int, dict[int, dict[int, arb]]], max_digits: int) -> OptimalDepth:
    left = _largest({(item, depth): share for item, columns in points.items() for depth, share in columns[degree].items()})
    digits = min(FIRST_DIGITS, max_digits)
    while len({depth for _, depth in left}) > 1 and len(left) <= MAX_REFINED and digits <= max_digits:
        left = _largest({(item, depth): _sharper(sweep, item, depth, degree, digits, share) for (item, depth), share in left.items()})
        digits *= 2
    candidates = tuple(Candidate(sweep.parameters[item], depth, share) for (item, depth), share in sorted(left.items(), key=lambda pair: pair[0]))
    return OptimalDepth(degree, candidates, _maximum([candidate.share for candidate in candidates]))


def _sharper(sweep: Sweep, item: int, depth: int, degree: int, digits: int, known: arb) -> arb:
    """The share to that many digits, or the ball known where they are out of reach."""
    net = network(sweep.activation, depth, sweep.parameters[item])
    try:
        return fractional_variances(net.ck if sweep.part == "ck" else net.ntk, BooleanCube(sweep.dimension), [degree], digits)[0]
    except Undecided:
        return known


def _maximum(shares: Sequence[arb]) -> arb:
    """A ball that contains the largest of the numbers."""
    if not shares:
        return arb(0)
    with working_precision(_bits(shares)):
        low, high = max((share.lower() for share in shares), key=_Exact), max((share.upper() for share in shares), key=_Exact)
        return low.union(high)


__all__ = ["Candidate", "OptimalDepth", "Sweep", "optimal_depth"]
