"""One test of MicroPython's own suite: run on the board, compared with what is expected."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lab.board import BoardError
from lab.console import BoardException, ConsoleError

KNOWN_FILE = Path(__file__).with_name("known.toml")
SECONDS = 60  # virtual, after which a test hangs
HANG_SECONDS = 2  # the same for one that is known to hang: each costs the host 0.3 s
# expected output of these is a pattern: "########" is any lines, other lines are expressions
PATTERNS = {
    "basics/builtin_help.py",
    "basics/bytes_compare3.py",
    "micropython/meminfo.py",
    "thread/thread_exc2.py",
}


@dataclass(frozen=True)
class Known:
    """A known difference. kind: "differs", "panics", "hangs", "unmodelled" or "not run"."""

    kind: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """What a test did on the board, in the terms of `Known.kind`, or "passes" or "skips"."""

    kind: str
    detail: str = ""


def known():
    """The table of known differences: test name -> Known."""
    tables = tomllib.loads(KNOWN_FILE.read_text())
    return {name: Known(kind, why) for kind, table in tables.items() for name, why in table.items()}


def pattern(expected):
    """The regular expression that a pattern file stands for (run-tests.py, "special tests")."""
    parts = []
    for line in expected.splitlines():
        if line == "########":
            parts.append(r"(?:.*\n)*?")
            continue
        # a backslash makes these characters part of the expression, without it they are text
        text = re.sub(r"\\(.)|([][(){}.*+^$])", lambda m: m[1] or "\\" + m[2], line)
        parts.append(text + r"\r*\n")
    return re.compile("".join(parts))


def expected_output(path, oracle):
    """Of the file beside the test, else CPython's."""
    beside = path.with_name(path.name + ".exp")
    data = beside.read_bytes() if beside.exists() else oracle.run(path)
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def run_on_board(board, path, seconds):
    """(what the test printed and how it ended, did it end)."""
    try:
        return board.console.run(path.read_text("utf-8"), seconds), True
    except BoardException as error:
        return error.output + error.traceback.replace("\r\n", "\n"), True
    except (ConsoleError, BoardError):
        return board.console.tail, False


def outcome(board, path, name, oracle, seconds=SECONDS):
    """Run one test."""
    got, ended = run_on_board(board, path, seconds)
    if any(event.kind == "panic" for event in board.events):
        return Outcome("panics", board.console.tail)
    if not ended:
        return Outcome("hangs", board.console.tail)
    if board.log:
        return Outcome("unmodelled", "\n".join(board.log))
    if got == "SKIP\n" or got.startswith("SKIP\n\nMPY: soft reboot"):
        return Outcome("skips")
    expected = expected_output(path, oracle)
    if got == expected or (name in PATTERNS and pattern(expected).fullmatch(got)):
        return Outcome("passes")
    return Outcome("differs", difference(expected, got))


def difference(expected, got, lines=20):
    """The first lines of a diff."""
    import difflib

    diff = difflib.unified_diff(
        expected.splitlines(), got.splitlines(), "expected", "board", lineterm="", n=2
    )
    return "\n".join(line for line, _ in zip(diff, range(lines), strict=False))


def everything():
    """Also what takes long?"""
    return os.environ.get("LAB_MICROPYTHON") == "all"
