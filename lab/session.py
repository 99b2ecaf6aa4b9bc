"""A running lab: the board with its network, consoles and capture, and its state for others."""

from __future__ import annotations

import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from hw.camera.sensor import Vc0706
from lab import LabError
from lab.board import BoardError, Event, wait_for_boot
from lab.consoles import ConsoleServer
from lab.control import ControlServer
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.interrupt import Interrupted, signals
from lab.net.capture import Capture
from lab.net.gateway import Gateway, GatewayError, HostForward
from lab.net.switch import Switch
from lab.statefile import State, run_dir
from lab.targets import emulated_board
from lab.targets.embedded import Pace

HTTP_PORT = 8080
CONSOLE_PORT = 2323
UP_SECONDS = 30

Say = Callable[[str], None]


class Session:
    """Board, switch, gateway, consoles and capture, brought up together.

    http_port, console_port: None takes the usual one when it is free, else any. Raises LabError.
    """

    def __init__(
        self,
        firmware: str | None = None,
        http_port: int | None = None,
        console_port: int | None = None,
        capture: Path | None = None,
        pace: Pace = "real",
        say: Say = lambda text: None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._closers: list[Callable[[], None]] = []
        try:
            self._bring_up(firmware, http_port, console_port, capture, pace, say, progress)
        except BaseException:
            self.close()
            raise

    def _bring_up(
        self,
        wanted: str | None,
        http_port: int | None,
        console_port: int | None,
        capture: Path | None,
        pace: Pace,
        say: Say,
        progress: Callable[[int, int | None], None] | None,
    ) -> None:
        target = os.environ.get("TARGET") or "embedded"
        make_board = emulated_board(target)
        firmware = signals.aside(lambda: resolve(wanted, _until_interrupted(progress)))
        say(f"firmware  {firmware.name}")
        signals.check()
        files = board_files(firmware)
        signals.check()
        image = build_image(firmware, files)
        say(f"flash     {len(files)} files, {sum(map(len, files.values()))} bytes on littlefs")
        signals.check()
        self.switch = Switch()
        self.gateway = self._gateway(http_port)
        self._closers.append(self.gateway.stop)
        self._closers.append(self._start_capture(capture))
        # A person waits for the boot, and nobody watches its clock.
        booting: Pace = "hasty" if pace == "real" else pace
        self.board = make_board(image, self.switch, booting, camera=Vc0706())
        self._closers.append(self.board.close)
        self.consoles = self._consoles(console_port)
        self._closers.append(self.consoles.close)
        self.board.listeners.append(self.consoles.feed)
        with signals.calling(self._give_up):
            self._wait_until_up(say)
            if pace == "real":
                self.board.set_pace(pace)
            self._wait_for_page()
        signals.check()
        control = ControlServer(self.board, run_dir())
        self._closers.append(control.close)
        host, port = self.gateway.forwards[80]
        self.state = State(
            http_url=f"http://{host}:{port}/",
            websocket_url=f"ws://{host}:{port}/echo",
            console_tcp="socket://%s:%d" % self.consoles.tcp,
            console_pty=self.consoles.pty,
            capture=str(self.capture.path),
            pid=os.getpid(),
            firmware=firmware.name,
            target=target,
        )

    def _give_up(self, number: int) -> None:
        self.board.console.fail(Interrupted(number))

    def _gateway(self, port: int | None) -> Gateway:
        try:
            return Gateway(self.switch, [HostForward(80, HTTP_PORT if port is None else port)])
        except GatewayError:
            if port is not None:
                raise
            return Gateway(self.switch, [HostForward(80, 0)])

    def _consoles(self, port: int | None) -> ConsoleServer:
        try:
            return ConsoleServer(self._type, CONSOLE_PORT if port is None else port)
        except LabError:
            if port is not None:
                raise
            return ConsoleServer(self._type, 0)

    def _type(self, data: bytes) -> None:
        self.board.console.write(data)

    def _start_capture(self, path: Path | None) -> Callable[[], None]:
        temporary = path is None
        if path is None:
            run_dir().mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(".pcapng", "lab-", run_dir())
            os.close(handle)
            path = Path(name)
        try:
            self.capture = Capture(path, self.switch, self._capture_failed)
        except OSError as error:
            if temporary:
                path.unlink(missing_ok=True)
            raise LabError(f"capture file {path}: {error.strerror}") from None

        def end() -> None:
            self.capture.close()
            if temporary:
                self.capture.path.unlink(missing_ok=True)

        return end

    def _capture_failed(self, error: OSError) -> None:
        for observer in self.board.observers if hasattr(self, "board") else ():
            observer(Event("capture", f"ended early: {error.strerror}"))

    def _wait_until_up(self, say: Say) -> None:
        """Boot and address. Raises LabError with what the board said instead."""
        start = time.monotonic()
        console = self.board.console
        try:
            line = wait_for_boot(
                console, rb"lab: http on ([0-9.]+):80|lab: error: [^\r\n]*\r", UP_SECONDS
            )
        except BoardError as error:
            if error is self.board.failure:
                raise
            raise LabError(f"the board did not bring its app up: {error}") from None
        if "lab: http on" not in line:
            raise LabError(
                f"the board failed to bring its app up; the console shows:\n{console.tail}"
            )
        say(f"board     up at {line.rpartition(' ')[2]} after {time.monotonic() - start:.1f} s")

    def _wait_for_page(self) -> None:
        """The first answer. Raises LabError when there is none."""
        host, port = self.gateway.forwards[80]
        try:
            signals.aside(lambda: _fetch(f"http://{host}:{port}/"))
        except (OSError, urllib.error.URLError) as error:
            raise LabError(f"the board's page can't be fetched: {error}") from None

    def close(self) -> None:
        """Take everything down again, last first; harmless twice."""
        while self._closers:
            self._closers.pop()()


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=UP_SECONDS) as answer:
        return bytes(answer.read())


def _until_interrupted(
    progress: Callable[[int, int | None], None] | None,
) -> Callable[[int, int | None], None]:
    """`progress`, and an end to the download when a signal has come."""

    def call(done: int, total: int | None) -> None:
        signals.check()
        if progress:
            progress(done, total)

    return call
