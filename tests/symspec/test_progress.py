"""The progress bar: silent off a terminal and on short work, there on long work, gone afterwards."""

from __future__ import annotations

import io
import threading
import time
from contextlib import contextmanager, redirect_stderr

import pytest

from symspec import progress
from symspec.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def terminal(monkeypatch):
    """Standard error as a terminal. Not a fixture: pytest sets its own standard error when a test starts."""
    monkeypatch.setenv("TERM", "xterm")
    with redirect_stderr(Terminal()) as stream:
        yield stream


def test_silent_off_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with progress_bar("work") as report:
        report(1, 2)
        time.sleep(0.1)
    assert capsys.readouterr() == ("", "")


def test_short_work_shows_nothing(monkeypatch):
    with terminal(monkeypatch) as stream, progress_bar("work") as report:
        report(1, 2)
    assert "work" not in stream.getvalue()


def test_long_work_is_shown_and_leaves_no_thread(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    before = threading.active_count()
    with terminal(monkeypatch) as stream, progress_bar("certified eigenvalues") as report:
        time.sleep(0.3)
        report(1, 2)
        time.sleep(0.3)
    assert "certified eigenvalues" in stream.getvalue()
    deadline = time.monotonic() + 10  # the drawing thread is told to stop and ends on its own
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() == before


def test_an_error_passes_through(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 0.01)
    with pytest.raises(ZeroDivisionError), terminal(monkeypatch), progress_bar("work"):
        time.sleep(0.1)
        raise ZeroDivisionError
