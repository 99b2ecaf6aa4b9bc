"""Espressif's `esptool`, as a program of its own, on a board's serial port."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab import LabError
from lab.firmware import BOOTLOADER_OFFSET, Firmware

CHIP_SECONDS = 60
FLASH_SECONDS = 600  # 1.6 MB at 115200 baud takes two and a half minutes
CHIP = re.compile(r"(?:Chip type:|Detecting chip type\.*|Chip is)\s+(ESP32\S*)")
# ESP32-D0WD, -U4WDH, -S0WD, -PICO ..; not ESP32-S3, ESP32C3 and the like, which are other chips
WANTED = re.compile(r"ESP32(?!-?(?:S[2-9]|C\d|E\d|H\d|P\d))")


class EsptoolError(LabError):
    """esptool did not do what was wanted; the text ends with what it said."""


def _run(port: str, arguments: list[str], seconds: float) -> str:
    command = [sys.executable, "-m", "esptool", "--port", port, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise EsptoolError(f"esptool did not finish on {port} within {seconds:g} s") from None
    output = done.stdout + done.stderr
    if done.returncode:
        said = [line.strip() for line in output.splitlines() if line.strip()]
        fatal = [line for line in said if "atal error" in line or "rror:" in line]
        raise EsptoolError(f"esptool, {port}: {(fatal or said or ['it does not say why'])[-1]}")
    return output


def chip(port: str) -> str:
    """The chip's name, as in "ESP32-D0WD-V3". Raises EsptoolError when none answers."""
    output = _run(port, ["--after", "no-reset", "chip-id"], CHIP_SECONDS)
    names: list[str] = CHIP.findall(output)
    if not names:
        raise EsptoolError(f"esptool does not say which chip is at {port}")
    return names[-1]


def flash(port: str, firmware: Firmware, say: Callable[[str], None] = lambda text: None) -> None:
    """Erase the flash of an ESP32 and write `firmware`. Raises EsptoolError, also for another
    chip, which is left as it was."""
    found = chip(port)
    if not WANTED.match(found):
        raise EsptoolError(f"the chip at {port} is an {found}; the lab's firmware is for the ESP32")
    say(f"flashing  {firmware.name} on an {found} (some minutes)")
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "firmware.bin")
        image.write_bytes(firmware.data)
        arguments = ["--chip", "esp32", "write-flash", "--erase-all", hex(BOOTLOADER_OFFSET),
                     str(image)]  # fmt: skip
        _run(port, arguments, FLASH_SECONDS)
