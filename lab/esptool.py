"""Espressif's `esptool`, as a program of its own, on a board's serial port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab import LabError
from lab.firmware import BOOTLOADER_OFFSET, Firmware

FLASH_SECONDS = 600  # 1.6 MB, deflated, at 115200 baud takes two and a half minutes
BAUDS = (460800, 115200)  # every USB bridge can do the first; a long cable perhaps not
CHIP = re.compile(r"(?:Chip type:|Detecting chip type\.*|Chip is)\s+(ESP32\S*)")
# ESP32-D0WD, -U4WDH, -S0WD, -PICO ..; not ESP32-S3, ESP32C3 and the like, which are other chips
WANTED = re.compile(r"ESP32(?!-?(?:S[2-9]|C\d|E\d|H\d|P\d))")
# for boards and ports whose DTR and RTS do not do it (ESP32 data sheet, "Strapping Pins")
HOW_TO_LOADER = (
    "\nIs DTR wired to IO0 and RTS to EN? Else bring the chip into its loader by hand: hold BOOT "
    "(IO0 to ground), press and let go RESET (EN), let go BOOT, and run this again"
)


class EsptoolError(LabError):
    """esptool did not do what was wanted; the text ends with what it said."""


# deadlines of a slow link or a busy host (esptool documentation, "Configuration File"); times
# patience. esptool's own are 3 s and 0.1 s
CONFIGURATION = """[esptool]
timeout = {answer:g}
sync_timeout = {sync:g}
serial_write_timeout = {answer:g}
"""
ANSWER_SECONDS, SYNC_SECONDS = 10, 0.1


def _run(port: str, arguments: list[str], seconds: float, configuration: Path) -> str:
    command = [sys.executable, "-m", "esptool", "--port", port, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
            env={**os.environ, "ESPTOOL_CFGFILE": str(configuration)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise EsptoolError(f"esptool did not finish on {port} within {seconds:g} s") from None
    output = done.stdout + done.stderr
    if done.returncode:
        said = [line.strip() for line in output.splitlines() if line.strip()]
        fatal = [line for line in said if "atal error" in line or "rror:" in line]
        why = (fatal or said or ["it does not say why"])[-1]
        hint = HOW_TO_LOADER if "Failed to connect" in why else ""
        raise EsptoolError(f"esptool, {port}: {why}{hint}")
    return output


def flash(
    port: str,
    firmware: Firmware,
    say: Callable[[str], None] = lambda text: None,
    patience: float = 1,
) -> None:
    """Erase the flash of an ESP32 and write `firmware`. Raises EsptoolError, also for another
    chip, which esptool leaves as it was. patience: factor on deadlines."""
    say(f"flashing  {firmware.name} (a minute or two)")
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "firmware.bin")
        image.write_bytes(firmware.data)
        configuration = Path(folder, "esptool.cfg")
        answer, sync = ANSWER_SECONDS * patience, SYNC_SECONDS * patience
        configuration.write_text(CONFIGURATION.format(answer=answer, sync=sync))
        seconds = FLASH_SECONDS * patience
        for baud in BAUDS:
            arguments = ["--chip", "esp32", "--baud", str(baud), "write-flash", "--erase-all",
                         hex(BOOTLOADER_OFFSET), str(image)]  # fmt: skip
            try:
                names = CHIP.findall(_run(port, arguments, seconds, configuration))
                say(f"          done, on an {names[-1] if names else 'ESP32'}")
                return
            except EsptoolError as error:
                never_begun = HOW_TO_LOADER in str(error) or "This chip is" in str(error)
                if baud == BAUDS[-1] or never_begun:
                    raise
                say(f"          {error}; not at {baud} baud, then; now at {BAUDS[-1]}")
