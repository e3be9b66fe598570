r"""A file of results that survives a kill: one line an item, after a line that says what they are results of.

The file is text, one JSON object a line. The first line is the *plan*, everything that the results depend on; each further line holds the
number of an item, its result, and the SHA-256 of both with the plan. A line is written by one call and flushed to the
disk, so a kill leaves whole lines and at most one torn line at the end, which is cut off at the next opening. Whole lines that do not
have their hash are damage from elsewhere and are refused. A plan that differs is refused, and the fields that differ are named.

>>> import tempfile, pathlib
>>> file = pathlib.Path(tempfile.mkdtemp()) / "sweep.jsonl"
>>> with SweepFile(file, {"depth": 3}) as sweep:
...     sweep.append(1, ["0.5"])
>>> with SweepFile(file, {"depth": 3}) as sweep:
...     sweep.found
{1: ['0.5']}
>>> SweepFile(file, {"depth": 4}).__enter__()
Traceback (most recent call last):
  ...
symspec.errors.InputError: ...: results of another run: depth is 3 there and 4 here; name another file, or remove that one to start again
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from io import BufferedRandom
from pathlib import Path
from types import TracebackType
from typing import Any

from symspec.errors import InputError, OutputError

FORMAT = "symspec sweep 1"
LONGEST_SHOWN = 60


class SweepFile:
    """The results found so far (``found``, by item), and the way to add one; see the module docstring.

    Opening raises InputError for a file of another plan or a damaged one, OutputError where it cannot be written or another process has it open.
    """

    def __init__(self, file: str | os.PathLike[str], plan: dict[str, Any]) -> None:
        self.path, self.plan = Path(file), {"format": FORMAT} | plan
        self.found: dict[int, Any] = {}
        self._head = _line(self.plan)
        self._handle: BufferedRandom | None = None

    def __enter__(self) -> SweepFile:
        try:
            self._handle = open(self.path, "r+b" if self.path.exists() else "x+b")
            _lock(self._handle)
        except OSError as error:
            self._close()
            reason = "another process is writing it" if isinstance(error, BlockingIOError) else error.strerror or error
            raise OutputError(f"cannot write {self.path}: {reason}") from None
        try:
            self._read(self._handle)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def append(self, item: int, result: Any) -> None:
        """Write the result of an item down; it is on the disk when this returns."""
        self._write(_line({"item": item, "result": result, "sha256": self._hash(item, result)}))
        self.found[item] = result

    def _close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _write(self, line: bytes) -> None:
        assert self._handle is not None
        try:
            self._handle.write(line)
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror or error}") from None

    def _hash(self, item: int, result: Any) -> str:
        return sha256(self._head + _line([item, result])).hexdigest()

    def _read(self, handle: BufferedRandom) -> None:
        content = handle.read()
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            if not whole and not (self._head.startswith(torn) or torn.startswith(b'{"format": "symspec')):
                raise InputError(f"{self.path} is no file of sweep results; name another one")
            handle.truncate(len(content) - len(torn))
        handle.seek(0, os.SEEK_END)
        if not whole:
            self._write(self._head)
            return
        first, *lines = whole.split(b"\n")
        self._require_plan(first)
        for number, line in enumerate(lines, start=2):
            record = _parsed(line)
            if not isinstance(record, dict) or record.get("sha256") != self._hash(record.get("item", -1), record.get("result")):
                raise InputError(f"{self.path}: line {number} is damaged; remove it to have its item computed again")
            self.found[record["item"]] = record["result"]

    def _require_plan(self, line: bytes) -> None:
        theirs = _parsed(line)
        if not isinstance(theirs, dict) or theirs.get("format") != FORMAT:
            raise InputError(f"{self.path} is no file of sweep results; name another one")
        mine = json.loads(self._head)
        different = [key for key in mine | theirs if mine.get(key) != theirs.get(key)]
        if different:
            said = ", ".join(f"{key} is {_shown(theirs.get(key))} there and {_shown(mine.get(key))} here" for key in different)
            raise InputError(f"{self.path}: results of another run: {said}; name another file, or remove that one to start again")


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _lock(handle: BufferedRandom) -> None:
    """Hold the file alone until it is closed, where the system has such locks; a kill releases it."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["SweepFile"]
