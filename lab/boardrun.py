"""`lab board`: put the app on a physical board, then run the suites on it, one after the other."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping

from lab import LabError
from lab.boardfile import BoardSettings, load, results
from lab.deploy import deploy
from lab.flash import ROOT
from lab.interrupt import signals
from lab.targets.port import open_port

SUITES = ("injection", "robot", "conformance")  # two have the same app
CHOICE = "LAB_BOARD_SUITES"  # all, none, or some of SUITES with commas between
MORE = "LAB_BOARD_"  # and the suite's name: what of it to run, and options


def chosen(environ: Mapping[str, str]) -> list[str]:
    """The suites to run. Raises LabError."""
    text = environ.get(CHOICE, "all")
    if text in ("all", "none"):
        return list(SUITES) if text == "all" else []
    names = [name.strip() for name in text.split(",")]
    unknown = set(names) - set(SUITES)
    if unknown:
        raise LabError(f"{CHOICE}: all, none, or of {', '.join(SUITES)}; not {unknown.pop()!r}")
    return [name for name in SUITES if name in names]


def command(suite: str, environ: Mapping[str, str]) -> list[str]:
    """How a suite is started. $LAB_BOARD_ROBOT and its like: which part of it, and options."""
    more = shlex.split(environ.get(MORE + suite.upper(), ""))
    folder = results(environ)
    if suite == "robot":
        options = ["--outputdir", str(folder / "robot"), "--xunit", "xunit.xml",
                   "--pythonpath", ".", "--skiponfailure", "known-defect"]  # fmt: skip
        return [sys.executable, "-m", "robot", *options, *(more or ["robot"])]
    options = ["--target", "board", "-rs", "--junitxml", str(folder / f"{suite}.xml")]
    return [sys.executable, "-m", "pytest", *options, *(more or [f"tests/{suite}"])]


def run(environ: Mapping[str, str] | None = None) -> int:
    """Deploy and test; 0 when all suites passed. Raises LabError."""
    environ = dict(os.environ if environ is None else environ)
    settings = load(environ)
    suites = chosen(environ)
    deploy(settings).close()
    failed = []
    for suite in suites:
        print(f"suite     {suite}", flush=True)
        if _run(command(suite, environ), environ):
            failed.append(suite)
            _still_there(settings, suite)
    if suites:
        print(
            f"results   {results(environ)}" + (f"; failed: {', '.join(failed)}" if failed else "")
        )
    return 1 if failed else 0


def _run(words: list[str], environ: Mapping[str, str]) -> int:
    process = subprocess.Popen(words, cwd=ROOT, env={**environ, "TARGET": "board"})
    with signals.calling(lambda number: process.terminate()):
        try:
            status = process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    signals.check()
    return status


def _still_there(settings: BoardSettings, suite: str) -> None:
    """Raises LabError when the board is not: no other suite could run."""
    try:
        open_port(settings.port).close()
    except LabError as error:
        raise LabError(f"the board went away in suite {suite!r}: {error}") from None
