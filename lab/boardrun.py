"""`lab board`: put the app on a physical board, then run the suites on it, one after the other."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lab import LabError
from lab.boardfile import BoardSettings, load
from lab.deploy import deploy
from lab.flash import ROOT
from lab.interrupt import signals
from lab.targets.port import open_port

RESULTS = Path("results", "board")
SUITES = ("conformance", "injection", "robot")
CHOICE = "LAB_BOARD_SUITES"  # all, none, or some of SUITES with commas between
MORE = {"conformance": "LAB_BOARD_PYTEST", "injection": "LAB_BOARD_PYTEST",
        "robot": "LAB_BOARD_ROBOT"}  # fmt: skip
END_SECONDS = 10


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
    """How a suite is started. $LAB_BOARD_PYTEST, $LAB_BOARD_ROBOT: more options for it."""
    more = shlex.split(environ.get(MORE[suite], ""))
    if suite == "robot":
        folder = str(RESULTS / "robot")
        return [sys.executable, "-m", "robot", "--outputdir", folder, "--xunit", "xunit.xml",
                "--pythonpath", ".", "--skiponfailure", "known-defect", *(more or ["robot"])]  # fmt: skip
    return [sys.executable, "-m", "pytest", "--target", "board", "-rs",
            "--junitxml", str(RESULTS / f"{suite}.xml"), *(more or [f"tests/{suite}"])]  # fmt: skip


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
        print(f"results   {RESULTS}" + (f"; failed: {', '.join(failed)}" if failed else ""))
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
