"""Bring a physical board up: its firmware, its files, its network, and the app's address."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab import LabError, esptool
from lab.boardfile import BoardSettings
from lab.firmware import Firmware, resolve
from lab.flash import board_files
from lab.targets import files
from lab.targets.port import open_port
from lab.targets.serial import SerialBoard

Say = Callable[[str], None]
WIFI, LAN = "wifi.json", "lan.json"
OLDEST = (1, 16)  # of MicroPython, that the app runs on


class DeployError(LabError):
    """The board can't be made to run the app; the text says what to do."""


@dataclass(frozen=True)
class Identity:
    """What a board says of itself (os.uname): the firmware's version and the machine."""

    platform: str
    version: str
    machine: str

    @property
    def release(self) -> tuple[int, int]:
        """(1, 23) for v1.23.0."""
        words = self.version.lstrip("v").split(" ")[0].split(".")
        numbers = [int("".join(c for c in w if c.isdigit()) or 0) for w in [*words, "0"][:2]]
        return numbers[0], numbers[1]


def identify(board: SerialBoard) -> Identity:
    """Who answers at the prompt. Raises BoardError, DeployError for another chip."""
    board.prompt()
    expression = "(__import__('sys').platform,) + tuple(__import__('os').uname())[3:]"
    try:
        found = Identity(*ast.literal_eval(board.console.eval(expression)))
    except (ValueError, SyntaxError, TypeError, LabError) as error:
        board.check()
        raise DeployError(f"the board does not say what it is: {error}") from None
    chip = found.machine.rpartition(" with ")[2]
    if found.platform != "esp32" or not esptool.WANTED.match(chip):
        raise DeployError(f"the chip at {board.settings.port} is another one: {found.machine}; "
                          "the lab needs an ESP32")  # fmt: skip
    if found.release < OLDEST:
        raise DeployError(f"its MicroPython is {found.version}; the app needs v1.16 or newer. "
                          "FLASH=1 writes the pinned one")  # fmt: skip
    return found


def network_files(settings: BoardSettings) -> dict[str, bytes]:
    """The files that tell hw/camera/app/net.py which network to use. Raises DeployError."""
    if settings.net == "lan":
        found = {files.MARK: b""}
        if settings.lan:
            found[LAN] = json.dumps(dict(settings.lan), sort_keys=True).encode()
        return found
    if not settings.ssid:
        raise DeployError("which Wi-Fi? SSID=... PASSWORD=..., or ssid and password in board.toml; "
                          "NET=lan for a board with Ethernet")  # fmt: skip
    wifi = {"ssid": settings.ssid, "password": settings.password}
    return {WIFI: json.dumps(wifi, sort_keys=True).encode(), files.MARK: b""}


def configure(board: SerialBoard, there: Mapping[str, str]) -> list[str]:
    """Write what differs of the network's files; returns their names, never what is in them."""
    wanted = network_files(board.settings)
    surplus = [path for path in (WIFI, LAN) if path in there and path not in wanted]
    files.remove(board.console, surplus, board.patience)
    changed = [path for path in wanted if there.get(path) != files.digest(wanted[path])]
    for path in changed:
        files.send(board.console, path, wanted[path], board.patience)
    return [path for path in changed + surplus if path != files.MARK]


def deploy(settings: BoardSettings, say: Say = print) -> SerialBoard:
    """A board that serves the camera app, opened. Raises LabError.

    It is flashed only when the settings say so; of its files only those are sent that differ.
    """
    firmware = resolve()
    network_files(settings)  # what is missing is said before anything is done
    if settings.flash:
        open_port(settings.port).close()  # says better than esptool why it can't be
        esptool.flash(settings.port, firmware, say, settings.patience)
    board = SerialBoard(settings)
    try:
        if settings.flash and not board.press():
            say("          press its RESET button (EN): the port has no line that does")
            board.wait_for_reset()
        _bring_up(board, firmware, say)
    except BaseException:
        board.close()
        raise
    return board


def _bring_up(board: SerialBoard, firmware: Firmware, say: Say) -> None:
    found = identify(board)
    say(f"board     {found.machine}, MicroPython {found.version}")
    if firmware.micropython and firmware.micropython != found.version:
        say(f"          (pinned is {firmware.name}; FLASH=1 writes it)")
    wanted = board_files(found)
    there = files.digests(board.console, board.patience)
    strangers = files.foreign(there, wanted)
    if strangers and not board.settings.erase:
        some = ", ".join(strangers[:5]) + (" .." if len(strangers) > 5 else "")
        raise DeployError(f"the board carries files that the lab has not put there ({some}); "
                          "ERASE=1 lets the lab remove them")  # fmt: skip
    changed = configure(board, there)
    if changed:
        say(f"network   {board.settings.net}: {', '.join(changed)} changed")
    say(f"files     {board.put(wanted, there)}")
    board.start()
    host, port = board.wait_until_up()
    say(f"page      http://{host}:{port}/")
