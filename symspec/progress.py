r"""A progress bar for work that takes over a second, on a terminal only.

It is drawn on standard error by a thread of its own, so that standard output stays a result
that another program can read, and it is gone when the work ends. Before the first report of
how much is done it only says that time passes.

>>> with progress_bar("nothing") as report:
...     report(1, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer

PATIENCE = 1.0
Report = Callable[[int, int], None]


@contextmanager
def progress_bar(what: str) -> Iterator[Report]:
    """Yield ``report(done, total)``; the bar appears once the work has taken more than a second."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console, guard = Console(stderr=True), Lock()
    if not console.is_terminal:
        yield lambda done, total: None
        return
    known: list[TaskID] = []
    latest: list[int] = []
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:

        def refresh() -> None:
            if known and latest:
                bar.update(known[0], completed=latest[0], total=latest[1])

        def appear() -> None:
            with guard:
                known.append(bar.add_task(what, total=None))
                refresh()

        def report(done: int, total: int) -> None:
            with guard:
                latest[:] = [done, total]
                refresh()

        timer = Timer(PATIENCE, appear)
        timer.daemon = True
        timer.start()
        try:
            yield report
        finally:
            timer.cancel()
            timer.join()
