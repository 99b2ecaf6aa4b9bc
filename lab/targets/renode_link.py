"""A Renode process with our board in it, and the line through which the lab drives it.

Renode connects to the lab, on loopback: once for commands and UARTs, once for frames
(hw/renode/Lab.cs says what passes). Renode ends when the lab hangs up, and no port of its own is
open: its Monitor reads a pipe that nothing is written to.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import struct
import subprocess
import tempfile
import threading
import xmlrpc.client
from pathlib import Path

from lab import renode
from lab.net.bridge import LOOPBACK, BridgeError, MessageServer
from lab.renode import RenodeError

START_SECONDS = 120  # mono compiles the plug-in on the way
ANSWER_SECONDS = 120
END_SECONDS = 10
UARTS = 3
LOG_TAIL = 4000


# the robot server of a Renode that somebody else has started: boards live there
running_port: int | None = None


def script(flash: Path, link_port: int, bridge_port: int) -> str:
    """The Monitor script of a board that the lab drives."""
    lines = [
        f"$flash=@{flash}",
        f"include @{renode.BOARD}",
        f'emulation CreateLabBridge "lab_bridge" {bridge_port}',
        "connector Connect lab_bridge switch",
        "lab_bridge ConnectRaw sysbus.emac",
        f'emulation CreateLabLink "lab" {link_port} sysbus.cpu "lab_bridge"',
        *(f"lab AttachUart sysbus.uart{n} {n}" for n in range(UARTS)),
        "emulation SetAdvanceImmediately true",
        "logLevel 2",  # a line for each start and stop of time would fill the disk
        "lab Begin",
    ]
    return "\n".join(lines) + "\n"


class RenodeLink:
    """Renode, started with `image` on the board's flash; its time stands still. Raises
    RenodeError."""

    def __init__(self, image: bytes) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._running = running_port
        self.uart = [bytearray() for _ in range(UARTS)]
        self.frames: list[bytes] = []
        self.frames_sent = 0
        self.frames_received = 0
        self._arrived = threading.Condition()
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory(prefix="lab-rn-")  # Renode sweeps renode-*
        self.folder = Path(self._folder.name)
        self._server = MessageServer(self._receive, self._end)
        self._bridge = MessageServer(self._frame)
        self._start(image)

    def _start(self, image: bytes) -> None:
        flash = self.folder / "flash.bin"
        flash.write_bytes(image)
        start = self.folder / "lab.resc"
        start.write_text(script(flash, self._server.port, self._bridge.port))
        self._log_path = self.folder / "renode.log"
        atexit.register(self.close)
        try:
            if self._running is None:
                self._start_process(start)
            else:
                self._keyword("ExecuteScript", str(start))
            self._answer(START_SECONDS)
        except RenodeError:
            self.close()
            raise

    def _start_process(self, start: Path) -> None:
        program = renode.find().program
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(
                [program, "--disable-xwt", "--console", "--plain", str(start)],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder,
                env={**os.environ, "TMPDIR": str(self.folder)},
                start_new_session=True,  # Ctrl-C is the lab's affair
            )  # fmt: skip
        threading.Thread(
            target=self._watch, args=(self._process,), daemon=True, name="renode"
        ).start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._answers.put(None)

    def _keyword(self, name: str, *arguments: str) -> None:
        """Of Renode's robot server."""
        server = xmlrpc.client.ServerProxy(f"http://{LOOPBACK}:{self._running}")
        try:
            result = server.run_keyword(name, list(arguments))
        except (OSError, xmlrpc.client.Error) as error:
            raise RenodeError(f"Renode's robot server does not do {name}: {error}") from None
        if isinstance(result, dict) and result.get("status") != "PASS":
            raise RenodeError(f"Renode refuses: {result.get('error')}")

    def _receive(self, message: bytes) -> None:
        if message[:1] == b"U":
            self.uart[message[1]] += message[2:]
        else:
            self._answers.put(message[1:])

    def _frame(self, frame: bytes) -> None:
        with self._arrived:
            self.frames.append(frame)
            self.frames_received += 1
            self._arrived.notify_all()

    def _end(self, error: BridgeError | None) -> None:
        self._answers.put(None)

    def _answer(self, timeout: float = ANSWER_SECONDS) -> bytes:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise RenodeError(
                f"Renode does not answer within {timeout:g} s{self._said()}"
            ) from None
        if answer is None:
            raise RenodeError(f"Renode has ended{self._said()}")
        if answer[:1] != b"+":
            said = answer[1:].decode("utf-8", "replace").strip()
            raise RenodeError(f"Renode refuses: {said}")
        return answer[1:]

    def _ask(self, request: bytes) -> bytes:
        if not self._server.send(request):
            raise RenodeError(f"Renode has ended{self._said()}")
        return self._answer()

    def _said(self) -> str:
        try:
            tail = self._log_path.read_text("utf-8", "replace")[-LOG_TAIL:].strip()
        except OSError:
            tail = ""
        return f"; it said:\n{tail}" if tail else ""

    # --- what the lab asks for ---

    def command(self, text: str) -> str:
        """A command of Renode's Monitor; returns what it prints. Raises RenodeError."""
        return self._ask(b"C" + text.encode()).decode("utf-8", "replace").strip()

    def read_memory(self, addr: int, size: int) -> bytes:
        """Guest memory as core 0 sees it. Raises RenodeError."""
        return self._ask(b"M" + struct.pack("!II", addr, size))

    def type(self, data: bytes, uart: int) -> None:
        """Bytes on the wire to a UART."""
        for at in range(0, len(data), 4096):
            self._server.send(b"W" + bytes([uart]) + data[at : at + 4096])

    def send_frame(self, frame: bytes) -> None:
        """A frame to Renode's switch."""
        if self._bridge.send(frame):
            self.frames_sent += 1

    def run_for(self, nanoseconds: int, reasons: int = 0) -> list[int]:
        """Let virtual time pass; returns the numbers of `cpu Status` (hw/renode/Esp32.cs).

        reasons: of `Stop`; less time passes when the chip stops for one of them, up to the end of
        that quantum. All that was sent before is there at its beginning, and all that the board
        has sent in it is here at its end. Raises RenodeError.
        """
        answer = self._ask(b"R" + struct.pack("!QII", nanoseconds, self.frames_sent, reasons))
        frames, *status = map(int, answer.split())
        with self._arrived:
            self._arrived.wait_for(lambda: self.frames_received >= frames, ANSWER_SECONDS)
        return status

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """Renode; None where somebody else has started it."""
        return self._process

    def close(self) -> None:
        """End Renode; harmless twice."""
        atexit.unregister(self.close)
        if self._running is not None:
            with contextlib.suppress(RenodeError):  # it may have ended before us
                self._keyword("ResetEmulation")
        self._server.close()
        self._bridge.close()
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._running = None
        self._folder.cleanup()
