"""A server behind a plain TCP socket as a rig: a process of this machine, or any board.

What can be seen of it from outside is looked at after every case: a fresh echo; where the app
that is injected into serves, that no connection is left and the heap is back; and for a process,
that it runs and has printed no traceback.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable

from lab import LabError
from lab.inject.boards import FOLDER
from lab.inject.case import Case, CaseFailed
from lab.inject.outcome import Outcome
from lab.inject.probes import ACCEPT, ECHO, ECHOED, UPGRADE, traceback_in
from lab.inject.wire import HEAD_END, take_head
from lab.targets.unix import AppProcess, CPythonProcess, MicroPythonProcess

SECONDS = 10.0  # for a connection, an answer
SETTLE_SECONDS = 15.0  # for what a case leaves behind
HEAP_SLACK = 32768  # bytes, over all cases; a collection of garbage is conservative
POLL_SECONDS = 0.05  # between two questions for the state
STATE = b"GET /state HTTP/1.1\r\nHost: rig\r\n\r\n"


class SocketStream:
    """See `lab.inject.stream.Stream`. Raises CaseFailed when there is no connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.received = bytearray()
        self.finished = self.reset = False
        self._out = bytearray()
        self._fin = False
        try:
            self.socket = socket.create_connection(address, SECONDS)
        except OSError as error:
            raise CaseFailed(f"no connection to {address[0]}:{address[1]}: {error}") from None
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._out += data
        self.push()

    def fin(self) -> None:
        self._fin = True
        self.push()

    def rst(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Let go of the socket."""
        self.socket.close()

    @property
    def gone(self) -> bool:
        """Nothing more can come."""
        return self.finished or self.reset or self.socket.fileno() < 0

    @property
    def wants_room(self) -> bool:
        """Is there something to send?"""
        return bool(self._out) and not self.reset

    def push(self) -> None:
        """Send what goes."""
        try:
            while self._out:
                del self._out[: self.socket.send(self._out)]
            if self._fin:
                self._fin = False
                self.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # the end is found when it is read

    def pull(self) -> None:
        """Take what has come."""
        try:
            while not self.gone:
                data = self.socket.recv(65536)
                self.received += data
                self.finished = not data
        except BlockingIOError:
            pass
        except OSError:
            self.reset = True


class SocketRig:
    """A `lab.inject.stream.StreamRig`, and a `lab.inject.outcome.Rig`, for the server at `address`.

    process: that serves there, when it is ours; it is closed with the rig. patience: factor on
    deadlines. Raises LabError when the server does not answer to begin with.
    """

    def __init__(
        self, address: tuple[str, int], process: AppProcess | None = None, patience: float = 1
    ) -> None:
        self.address, self.process, self.patience = address, process, patience
        self._streams: list[SocketStream] = []
        self._heap: int | None = None
        self._read = 0  # of the process's output
        try:
            self._echo()
            state = self._state()
            self._knows_state = state is not None
            self._heap = state[1] if state else None
        except BaseException:
            self.close()
            raise

    def keeper(self, case: Case) -> None:
        """See `lab.inject.outcome.Rig.keeper`: here nothing repeats bit for bit."""

    def close(self) -> None:
        """Hang up, and end the process."""
        self._hang_up()
        if self.process:
            self.process.close()

    def _hang_up(self) -> None:
        for stream in self._streams:
            stream.close()
        self._streams.clear()

    # --- StreamRig ---

    @property
    def now(self) -> float:
        """Seconds on the wall clock."""
        return time.monotonic()

    @property
    def tardiness(self) -> float:
        """Seconds by which things may happen later here."""
        return 2.0 * self.patience

    def open(self, upgraded: bool) -> SocketStream:
        """See `StreamRig.open`."""
        stream = SocketStream(self.address)
        self._streams.append(stream)
        if upgraded:
            stream.send(UPGRADE)
            got = stream.received
            self.wait(lambda: HEAD_END in got or stream.gone, SECONDS * self.patience)
            if not got.startswith(b"HTTP/1.1 101 ") or ACCEPT not in got:
                raise CaseFailed(f"a handshake is answered by {bytes(got[:80])!r}")
            del got[: got.index(HEAD_END) + len(HEAD_END)]
        return stream

    def wait(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """See `StreamRig.wait`."""
        end = self.now + seconds
        while not predicate():
            left = end - self.now
            if left <= 0:
                return False
            there = [s for s in self._streams if not s.gone]
            readers = [s.socket for s in there]
            writers = [s.socket for s in there if s.wants_room]
            select.select(readers, writers, [], left)
            for stream in there:
                stream.push()
                stream.pull()
        return True

    def pause(self, seconds: float) -> None:
        """See `StreamRig.pause`."""
        self.wait(lambda: False, seconds)

    def note(self, text: str) -> None:
        """See `StreamRig.note`: nothing is kept here."""

    # --- a case ---

    def run(self, case: Case) -> Outcome:
        """See `Rig.run`."""
        began = self.now
        problems: list[str] = []
        harm: list[str] = []
        try:
            case.play(self)
        except LabError as error:
            problems = str(error).splitlines()
        self._hang_up()
        try:
            self._probe()
        except LabError as error:
            harm = str(error).splitlines()
        self._hang_up()
        return Outcome(problems, harm, 0, self.now - began, console=self._printed())

    def _printed(self) -> str:
        """Output of the process since the last look."""
        if not self.process:
            return ""
        text = self.process.console.text
        new, self._read = text[self._read :], len(text)
        return new

    def _probe(self) -> None:
        """Raises LabError when the server is not what it was."""
        read = self._read
        self._echo()
        end = self.now + SETTLE_SECONDS * self.patience
        while self._knows_state:
            state = self._state()
            left = "it does not tell its state any more" if state is None else self._leaks(*state)
            if not left:
                break
            if self.now > end:
                raise LabError(left)
            self.pause(POLL_SECONDS)
        self._look_inside(read)

    def _look_inside(self, read: int) -> None:
        """What the one who serves shows besides, on its console from position `read` on. Raises
        LabError."""
        if self.process:
            printed = self.process.console.text[read:]
            if "Traceback" in printed:
                raise LabError(traceback_in(printed))
            if self.process.process.poll() is not None:
                raise LabError("the app has ended")

    def _leaks(self, connections: int, heap: int) -> str:
        if connections:
            return f"connections served: {connections}, not 0"
        if self._heap is not None and 0 <= heap < self._heap - HEAP_SLACK:
            return f"{self._heap - heap} bytes of heap are gone"
        return ""

    def _echo(self) -> None:
        """A fresh connection and a message that comes back. Raises LabError."""
        stream = self.open(True)
        stream.send(ECHO)
        seconds = SECONDS * self.patience
        if not self.wait(lambda: stream.received == ECHOED or stream.gone, seconds):
            raise LabError(f"a fresh echo did not come in {seconds:g} s")
        if stream.received != ECHOED:
            raise LabError(f"a fresh echo is answered by {bytes(stream.received[-80:])!r}")
        stream.rst()
        self._streams.remove(stream)

    def _state(self) -> tuple[int, int] | None:
        """Connections and free heap as the app says (`board/app.py`); None from another app."""
        stream = self.open(False)
        stream.send(STATE)
        self.wait(lambda: stream.gone or stream.received.endswith(b"."), SECONDS * self.patience)
        stream.rst()
        self._streams.remove(stream)
        head = take_head(stream.received)
        if not head or head[0] != 200:
            return None
        try:
            connections, heap = stream.received.rstrip(b".").split()
            return int(connections), int(heap)
        except ValueError:
            return None


def open_unix(seed: int = 1) -> SocketRig:
    """The app on MicroPython's unix port. Raises LabError."""
    process = MicroPythonProcess(FOLDER / "app.py")
    return SocketRig((process.host, process.port), process)


def open_cpython(seed: int = 1) -> SocketRig:
    """The app on this Python. Raises LabError."""
    process = CPythonProcess(FOLDER / "app.py")
    return SocketRig((process.host, process.port), process)
