"""Serial ports of this machine, and who answers at them: `lab boards`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from lab import LabError
from lab.boardfile import BoardSettings
from lab.deploy import identify
from lab.targets.serial import SerialBoard

# USB vendor of the bridge: its name, and boards that have one (vendors' data sheets)
BRIDGES = {
    0x10C4: "CP210x",  # Espressif's DevKitC, Olimex
    0x1A86: "CH340",  # Olimex ESP32-POE, most ESP32-CAM programmers
    0x0403: "FTDI",  # programmers
    0x303A: "Espressif USB",  # newer chips, without a bridge
}


@dataclass(frozen=True)
class Found:
    """A serial port. answer: what is at its other end, or why that is not known."""

    device: str
    bridge: str
    usb: str
    answer: str = ""

    def __str__(self) -> str:
        return f"{self.device:16} {self.bridge:14} {self.usb:10} {self.answer}".rstrip()


def ports(there: Any = None) -> list[Found]:
    """What is plugged in by USB. there: in place of pyserial's list of ports."""
    if there is None:
        from serial.tools.list_ports import comports

        there = comports()
    found = []
    for port in sorted(there, key=lambda p: p.device):
        if port.vid is None:
            continue  # a UART of the mainboard
        bridge = BRIDGES.get(port.vid, port.manufacturer or "unknown")
        found.append(Found(port.device, bridge, f"{port.vid:04x}:{port.pid:04x}"))
    return found


def ask(device: str) -> str:
    """Who answers there, in words; an app that runs there is interrupted."""
    try:
        with SerialBoard(BoardSettings(device, net="lan", patience=1)) as board:
            who = identify(board)
            return f"{who.machine}, MicroPython {who.version}"
    except LabError as error:
        return str(error).splitlines()[0]


def report(identifying: bool = True) -> int:
    """Print a line for each port."""
    found = ports()
    if not found:
        print("no USB serial port: plug a board in (a cable with data lines, not a charger's)")
        return 1
    for port in found:
        print(dataclasses.replace(port, answer=ask(port.device) if identifying else ""), flush=True)
    return 0
