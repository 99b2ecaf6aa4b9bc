"""Is the emulated board alive and as it was? Looked at after every case.

A fresh echo; the heap and lwIP's sockets while it is served (`lab.inject.inside`); then Ctrl-C on
the console, what the app says it has left behind, and the REPL. A look that finds more memory in
use than there should be is repeated by the board itself, after a collection of garbage.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.esp32.chip import ChipError
from lab import LabError
from lab.inject import inside
from lab.inject.station import Connection, Station, StationError
from lab.inject.wire import HEAD_END, NONCE, TEXT, accept_of, frame, request
from lab.targets.embedded import STEP_MOST_TICKS, TICKS_PER_SECOND, EmbeddedBoard

SECONDS = 5.0  # virtual, for each look
CONSOLE_TICKS = TICKS_PER_SECOND // 500  # between two looks at what the console says
HEAP_SLACK = 256  # bytes of Python's heap: what is interned, and small tables
HEAP_ONCE = 6144  # bytes of it that may be gone when they do not go again with each repetition
MEMORY_SLACK = 2304  # bytes of lwIP's memory: ten connections in TIME-WAIT (RFC 9293, 3.6.1)
UPGRADE = request("/echo", host="board")
ACCEPT = accept_of(NONCE).encode()
ECHO = frame(TEXT, "alive?")
ECHOED = b"\x81\x06alive?"


class ProbeFailed(LabError):
    """The board is not what it was; `lingering`: more time might mend it."""

    def __init__(self, text: str, lingering: bool = False) -> None:
        super().__init__(text)
        self.lingering = lingering


@dataclass(frozen=True)
class Level:
    """What the board has in use: bytes of Python's heap and lwIP's sockets while an echo is
    served; then, with the app stopped, free bytes of lwIP's memory, connections served, sockets
    waited for, and tasks."""

    heap: int
    sockets: int
    memory: int
    connections: int
    waiting: int
    tasks: int

    def problems(self, now: Level) -> list[str]:
        """What `now` has more or less of than there was before the case."""
        found = []
        if now.heap > self.heap + HEAP_SLACK:
            found.append(f"{now.heap - self.heap} bytes of heap are gone")
        if now.memory < self.memory - MEMORY_SLACK:
            found.append(f"{self.memory - now.memory} bytes of lwIP's memory are gone")
        for name, before, after in (
            ("sockets in use", self.sockets, now.sockets),
            ("connections served", self.connections, now.connections),
            ("sockets waited for", self.waiting, now.waiting),
            ("tasks", self.tasks, now.tasks),
        ):
            if before != after:
                found.append(f"{name}: {after}, not {before}")
        return found


def traceback_in(printed: str) -> str:
    """The first traceback in one line: what was raised, and where."""
    lines = printed[printed.index("Traceback") :].splitlines()[1:]
    place = ""
    for line in lines:
        if not line.startswith("  "):
            return f"a traceback: {line.strip()}, {place}"
        place = line.strip() if line.startswith("  File") else place
    return "a traceback that is cut short"


class Probes:
    """For one board; make it while the board is as it should be, `explore` may spoil it."""

    def __init__(self, board: EmbeddedBoard, station: Station) -> None:
        self.board, self.station = board, station
        self._inside: inside.Inside | None = None
        self._level: Level | None = None
        self.only_heap = False  # was that all the last look found, and no more than may grow once?
        self._thorough = 0  # bytes of heap in use after a collection, the app being stopped

    # --- before any case ---

    def explore(self) -> None:
        """Find out where to look. The app is stopped by it. Raises LabError."""
        self._stop_app()
        self.board.step_ticks = CONSOLE_TICKS
        try:
            self._inside = inside.find(self.board.chip, self.board.console)
        finally:
            self.board.step_ticks = STEP_MOST_TICKS

    def measure(self) -> None:
        """Take what an honest client leaves behind as the level. Raises LabError."""
        self._level = self._look()
        self._thorough = self._heap_after_collection()

    # --- after a case ---

    def check(self) -> None:
        """Look at the board. Raises ProbeFailed; what is left behind is told when nothing worse
        is wrong, for that may be the cause."""
        left: list[str] = []
        worse: list[str] = []
        self.only_heap = False
        try:
            now = self._look()
            if self._level and (found := self._level.problems(now)):
                left = self._confirmed(found)
                only = len(left) == 1 and left[0].endswith("of heap are gone")
                self.only_heap = only and now.heap - self._level.heap <= HEAP_ONCE
        except (LabError, ChipError) as error:
            worse.append(str(error))
        printed = self.board.console.text
        if "Traceback" in printed:
            worse.append(traceback_in(printed))
        worse += [f"{event.kind}: {event.text}" for event in self.board.events]
        if worse:
            raise ProbeFailed("\n".join(worse))
        if left:
            raise ProbeFailed("\n".join(left), True)

    def _confirmed(self, found: list[str]) -> list[str]:
        """Without what garbage explains."""
        if not found[0].endswith("of heap are gone"):
            return found
        gone = self._heap_after_collection() - self._thorough
        return found[1:] if gone <= HEAP_SLACK else [f"{gone} bytes of heap are gone", *found[1:]]

    # --- looks ---

    def _look(self) -> Level:
        assert self._inside
        connection = self.echo()
        heap = self._inside.heap_used(self.board.chip)
        sockets = self._inside.sockets_used(self.board.chip)
        connection.rst()
        memory, connections, waiting, tasks, _ = self._stop_app()
        return Level(heap, sockets, memory, connections, waiting, tasks)

    def upgrade(self) -> Connection:
        """A fresh connection behind its handshake. Raises StationError."""
        connection = self.station.connect(seconds=SECONDS)
        connection.send(UPGRADE)
        got = connection.received
        self.station.run_until(
            lambda: HEAD_END in got or connection.finished or connection.reset,
            SECONDS, "the answer to a handshake",
        )  # fmt: skip
        if not got.startswith(b"HTTP/1.1 101 ") or ACCEPT not in got:
            raise StationError(f"a handshake is answered by {bytes(got[:80])!r}")
        del got[: got.index(HEAD_END) + len(HEAD_END)]
        return connection

    def echo(self) -> Connection:
        """A fresh connection, on which a message has come back. Raises StationError."""
        connection = self.station.connect(seconds=SECONDS)
        connection.send(UPGRADE + ECHO)
        got = connection.received
        self.station.run_until(
            lambda: got.endswith(ECHOED) or connection.finished or connection.reset,
            SECONDS, "a fresh echo",
        )  # fmt: skip
        if not got.startswith(b"HTTP/1.1 101 ") or not got.endswith(HEAD_END + ECHOED):
            raise StationError(f"a fresh echo is answered by {bytes(got[-80:])!r}")
        return connection

    def heap_in_use(self) -> int:
        """Bytes, while a fresh echo is served. Raises LabError."""
        assert self._inside
        connection = self.echo()
        used = self._inside.heap_used(self.board.chip)
        connection.rst()
        return used

    def _stop_app(self) -> tuple[int, ...]:
        """Ctrl-C: what the app has left behind (`board/app.py`), and a prompt that works.

        Raises LabError."""
        self.board.step_ticks = CONSOLE_TICKS
        try:
            text = self._type("\x03", "Ctrl-C")
            answer = self._type("6*7\r", "6*7")
        finally:
            self.board.step_ticks = STEP_MOST_TICKS
        if "\r\n42\r\n" not in answer:
            raise LabError(f"the REPL answers {answer!r} to 6*7")
        _, found, rest = text.partition("lab: left ")
        if not found:
            raise LabError(f"the app was not there to be stopped: {text[-300:]!r}")
        return tuple(map(int, rest.split("\r\n")[0].split()))

    def _heap_after_collection(self) -> int:
        """Bytes in use, as the board says. Raises LabError."""
        self.board.step_ticks = CONSOLE_TICKS
        try:
            text = self._type("print('used', app.left_behind(True))\r", "the app's function")
        finally:
            self.board.step_ticks = STEP_MOST_TICKS
        return int(text.split("\r\nused ")[1].split()[4])

    def _type(self, text: str, what: str) -> str:
        """What the console says up to the next prompt. Raises LabError."""
        console = self.board.console
        console.mark()
        console.write(text.encode())
        try:
            return console.wait_for_prompt(SECONDS)
        except LabError as error:
            raise LabError(f"the console does not answer {what}: {error}") from None
