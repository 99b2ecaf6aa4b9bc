"""The three places where the app under test runs, each behind the same few attributes."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from case import BOARD, CPYTHON, UNIX

from lab.board import BoardError
from lab.console import Console
from lab.firmware import resolve
from lab.flash import APP, ROOT, Versioned, build_image, compile_mpy, takes_mpy
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.pytest_board import BoardTarget as Physical
from lab.targets import emulated_board
from lab.targets.embedded import BoardSnapshot, EmbeddedBoard
from lab.targets.serial import SerialBoard
from lab.targets.unix import READY_LINE, AppProcess, CPythonProcess, MicroPythonProcess

SCRIPT = Path(__file__).with_name("app.py")
UP_SECONDS = 60
MARK_SECONDS = 20
MAIN = """
import sys
try:
    import app, net
    app.serve('0.0.0.0', 80, lambda: print('lab: http on ' + address))
except Exception as exc:
    sys.print_exception(exc)
    print('lab: error')
""".replace("import app, net\n", "import app, net\n    address = net.connect()\n")


def output_to(console: Console, start: int, mark: str) -> tuple[str, int]:
    """Text from position `start` to the line `mark`, and where the next begins."""
    console.wait_for(re.compile(mark.encode() + rb"\r?\n"), MARK_SECONDS)
    text, found, _ = console.text[start:].partition(mark)
    after = start + len(text) + len(found)
    return text.replace("\r\n", "\n").lstrip("\n"), after


class ProcessTarget:
    """The app as a process on this machine."""

    def __init__(self, name: str, process: AppProcess) -> None:
        self.name = name
        self.address = (process.host, process.port)
        self._console = process.console
        self._at = len(process.console.text)

    def output(self, mark: str) -> str:
        text, self._at = output_to(self._console, self._at, mark)
        return text

    def was_reset(self, port: int) -> bool:
        return False


class BoardTarget:
    """The app on the emulated board, through its gateway."""

    name = BOARD

    def __init__(self, board: EmbeddedBoard, gateway: Gateway, switch: Switch) -> None:
        self.address = gateway.forwards[80]
        self.board = board
        self._at = len(board.console.text)
        self._resets: set[int] = set()  # ports of clients
        switch.taps.append(self._tap)

    def _tap(self, now: int, port: str, direction: str, frame: bytes) -> None:
        """Note RST segments of the board (RFC 9293, 3.1), which libslirp hides from clients. It
        keeps their ports."""
        if port == "board" and direction == "in" and frame[12:14] == b"\x08\x00":
            tcp = 14 + (frame[14] & 15) * 4
            if frame[23] == 6 and len(frame) > tcp + 13 and frame[tcp + 13] & 4:
                self._resets.add(int.from_bytes(frame[tcp + 2 : tcp + 4], "big"))

    def output(self, mark: str) -> str:
        if self.board.events:
            raise BoardError(f"the board had {self.board.events}")
        text, self._at = output_to(self.board.console, self._at, mark)
        return text

    def was_reset(self, port: int) -> bool:
        return port in self._resets


class SerialTarget:
    """The app on a physical board. Its RST segments reach the client as they are."""

    name = BOARD

    def __init__(self, board: SerialBoard) -> None:
        self.board = board
        self.address = board.address
        self._at = len(board.console.text)

    def output(self, mark: str) -> str:
        if self.board.events:
            raise BoardError(f"the board had {self.board.events}")
        text, self._at = output_to(self.board.console, self._at, mark)
        return text

    def was_reset(self, port: int) -> bool:
        return False


def app_files(firmware: Versioned) -> dict[str, bytes]:
    """microdot and the app under test."""
    files = {"main.py": MAIN.encode()}
    sources = {
        path: f"lib/microdot/{path.stem}" for path in sorted((ROOT / "microdot").glob("*.py"))
    }
    sources |= {path: path.stem for path in (SCRIPT, APP / "net.py")}
    for path, name in sources.items():
        if takes_mpy(firmware):
            files[f"{name}.mpy"] = compile_mpy(path.read_bytes(), path.name)
        else:
            files[f"{name}.py"] = path.read_bytes()
    return files


def board_image() -> bytes:
    """Flash with the firmware, microdot and the app under test."""
    firmware = resolve()
    return build_image(firmware, app_files(firmware))


@contextmanager
def serial(physical: Physical) -> Iterator[SerialTarget]:
    """The board of `--target board`, started anew."""
    board = physical.board()
    board.serve(app_files(physical.identity()), read_only=True)
    yield SerialTarget(board)


@contextmanager
def cpython(path: tuple[Path, ...] = (ROOT,)) -> Iterator[ProcessTarget]:
    with CPythonProcess(SCRIPT, path) as process:
        yield ProcessTarget(CPYTHON, process)


@contextmanager
def unix(path: tuple[Path, ...] = (ROOT,)) -> Iterator[ProcessTarget]:
    with MicroPythonProcess(SCRIPT, path) as process:
        yield ProcessTarget(UNIX, process)


@functools.cache
def _booted() -> tuple[bytes, BoardSnapshot]:
    """A flash image and the state of a board that serves from it; booted once in a process."""
    image = board_image()
    switch = Switch()
    gateway = Gateway(switch)
    try:
        with EmbeddedBoard(image, switch, "eager") as one:
            one.console.wait_for(READY_LINE, UP_SECONDS)
            return image, one.snapshot()
    finally:
        gateway.stop()


@contextmanager
def board(target: str = "embedded") -> Iterator[BoardTarget]:
    """On an emulated board of `target`. Raises RenodeError."""
    board_class = emulated_board(target)
    image, snapshot = _booted()
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    try:
        with board_class(image, switch, "eager", snapshot=snapshot) as one:
            yield BoardTarget(one, gateway, switch)
    finally:
        gateway.stop()


HOST_OPENERS = {CPYTHON: cpython, UNIX: unix}
OPENERS: dict[str, Callable[[], object]] = {**HOST_OPENERS, BOARD: board}
