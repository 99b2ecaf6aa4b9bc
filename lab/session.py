"""A running lab: the board with its network, consoles and capture, and its state for others."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hw.camera.sensor import Vc0706
from lab import LabError
from lab.console import ConsoleError
from lab.consoles import ConsoleServer
from lab.firmware import cache_dir, resolve
from lab.flash import board_files, build_image
from lab.net.capture import Capture
from lab.net.gateway import Gateway, GatewayError, HostForward
from lab.net.switch import Switch
from lab.targets.embedded import EmbeddedBoard, Pace

HTTP_PORT = 8080
CONSOLE_PORT = 2323
UP_SECONDS = 30

Say = Callable[[str], None]


@dataclass
class State:
    """What `lab status --json` prints."""

    http_url: str
    websocket_url: str
    console_tcp: str
    console_pty: str
    capture: str
    pid: int
    firmware: str
    target: str = "embedded"


def run_dir() -> Path:
    """Where the state of a running lab is kept."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "lab" if base else cache_dir() / "run"


class StateFile:
    """`lab.json` beside a lock that the running lab holds: a state without it is stale."""

    def __init__(self) -> None:
        self.path = run_dir() / "lab.json"
        self._lock_path = run_dir() / "lab.lock"
        self._lock: int | None = None

    def acquire(self) -> None:
        """Be the one lab that runs. Raises LabError when there is another."""
        run_dir().mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise LabError(
                "a lab is running already: `lab status` shows it, `lab down` ends it"
            ) from None
        self._lock = lock
        self.path.unlink(missing_ok=True)

    def write(self, state: State) -> None:
        """Tell others."""
        part = self.path.with_suffix(".tmp")
        part.write_text(json.dumps(asdict(state), indent=2) + "\n")
        part.replace(self.path)

    def read(self) -> State | None:
        """The running lab's state, None when none runs or it is not up yet."""
        if not self._held():
            return None
        try:
            return State(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _held(self) -> bool:
        """Does a running lab hold the lock?"""
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def release(self) -> None:
        """Remove what `acquire` and `write` made."""
        if self._lock is None:
            return
        self.path.unlink(missing_ok=True)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None


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
        firmware = resolve(wanted, progress)
        say(f"firmware  {firmware.name}")
        files = board_files()
        image = build_image(firmware, files)
        say(f"flash     {len(files)} files, {sum(map(len, files.values()))} bytes on littlefs")
        self.switch = Switch()
        self.gateway = self._gateway(http_port)
        self._closers.append(self.gateway.stop)
        self._closers.append(self._start_capture(capture))
        self.board = EmbeddedBoard(image, self.switch, pace, camera=Vc0706())
        self._closers.append(self.board.close)
        self.consoles = self._consoles(console_port)
        self._closers.append(self.consoles.close)
        self.board.listeners.append(self.consoles.feed)
        self._wait_until_up(say)
        host, port = self.gateway.forwards[80]
        self.state = State(
            http_url=f"http://{host}:{port}/",
            websocket_url=f"ws://{host}:{port}/echo",
            console_tcp="socket://%s:%d" % self.consoles.tcp,
            console_pty=self.consoles.pty,
            capture=str(self.capture.path),
            pid=os.getpid(),
            firmware=firmware.name,
        )

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
            self.capture = Capture(path, self.switch)
        except OSError as error:
            raise LabError(f"capture file {path}: {error.strerror}") from None

        def end() -> None:
            self.capture.close()
            if temporary:
                self.capture.path.unlink(missing_ok=True)

        return end

    def _wait_until_up(self, say: Say) -> None:
        """Boot, address, first answer. Raises LabError with what the board said instead."""
        start = time.monotonic()
        console = self.board.console
        try:
            line = console.wait_for(
                re.compile(rb"lab: http on ([0-9.]+):80|lab: error: [^\r\n]*\r|Guru Meditation"),
                UP_SECONDS,
            )
        except ConsoleError:
            raise LabError(
                f"the board did not bring its app up within {UP_SECONDS} s; its console shows:\n"
                f"{console.tail or '(nothing)'}"
            ) from None
        if "lab: http on" not in line:
            raise LabError(
                f"the board failed to bring its app up; its console shows:\n{console.tail}"
            )
        say(f"board     up at {line.rpartition(' ')[2]} after {time.monotonic() - start:.1f} s")
        host, port = self.gateway.forwards[80]
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/", timeout=UP_SECONDS) as answer:
                answer.read()
        except (OSError, urllib.error.URLError) as error:
            raise LabError(f"the board's page can't be fetched: {error}") from None

    def close(self) -> None:
        """Take everything down again, last first; harmless twice."""
        while self._closers:
            self._closers.pop()()
