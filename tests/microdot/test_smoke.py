"""The core smoke suite (smoke.py, through the test client) wherever the framework runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.firmware import resolve
from lab.flash import ROOT, build_image, compile_mpy
from lab.footprint import package_files
from lab.pinned import PackageError
from lab.targets.embedded import EmbeddedBoard
from lab.targets.unix import micropython_command

SMOKE = Path(__file__).with_name("smoke.py")
SECONDS = 60
CHECKS = SMOKE.read_text().count("async def check_")


def run(command, folder, env):
    done = subprocess.run(
        [*command, str(SMOKE)], cwd=folder, env={**os.environ, **env},
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    return done.stdout + done.stderr


def on_cpython(folder):
    return run([sys.executable], folder, {"PYTHONPATH": str(ROOT)})


def on_unix(folder):
    """With a heap of a board's size."""
    try:
        command, env = micropython_command("300K")
    except PackageError as error:
        pytest.skip(str(error))
    return run(command, folder, {**env, "MICROPYPATH": f"{ROOT}:.frozen"})


def on_board(folder):
    files = package_files(ROOT / "microdot")
    files["smoke.mpy"] = compile_mpy(SMOKE.read_bytes(), "smoke.py")
    with EmbeddedBoard(build_image(resolve(), files)) as board:
        board.console.wait_for_prompt(SECONDS)
        output = board.console.run("import smoke")
        assert board.events == []
        return output.replace("\r", "")


@pytest.mark.parametrize("target", [on_cpython, on_unix, on_board], ids=lambda f: f.__name__)
def test_smoke(target, tmp_path):
    output = target(tmp_path)
    name = "cpython" if target is on_cpython else "micropython"
    assert f"smoke: {CHECKS} of {CHECKS} on {name}\n" in output, output
    assert "Traceback" not in output, output
