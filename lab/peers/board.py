"""The comparison on the emulated board: stepped, the client on its switch, so it repeats exactly.

Times are virtual (the chip at the clock its firmware sets, one instruction a cycle) and the
network has no delay; instructions are both cores', idling included, which the table shows of its
own. Neither depends on the machine this runs on.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from lab.firmware import resolve
from lab.flash import build_image
from lab.inject.station import Connection, Station, StationError
from lab.net.switch import Switch
from lab.peers.client import HEAD_END, TEXT, frame, framed, handshake, payload
from lab.peers.packages import Framework
from lab.targets.embedded import EmbeddedBoard

SIZES: tuple[int, ...] = (64, 1024, 4096, 16384)
ROUNDS = 15  # echoes of one size; the median counts
STREAM_BYTES = 65536  # in one direction, for each size
CONNECTIONS = 4
BOOT_SECONDS = 60
MESSAGE_SECONDS = 20  # virtual, for anything that is waited for

IMPORT = re.compile(rb"import: core (\d+) us (-?\d+) bytes, with websocket (\d+) us (-?\d+) bytes")

Figures = dict[str, float]


class BoardRun:
    """One framework on one fresh board."""

    def __init__(self, framework: Framework, board: EmbeddedBoard, station: Station) -> None:
        self.board, self.station = board, station
        self.figures: Figures = {}
        self.name = framework.name

    # --- helpers ---

    def connect(self, path: str) -> Connection:
        """An upgraded connection."""
        connection = self.station.connect()
        connection.send(handshake(path))
        self.wait(lambda: HEAD_END in connection.received)
        assert connection.received.startswith(b"HTTP/1.1 101 ")
        connection.received.clear()
        return connection

    def wait(self, predicate: Callable[[], bool]) -> None:
        self.station.run_until(predicate, MESSAGE_SECONDS)

    def receive(self, connection: Connection, size: int) -> None:
        """Wait for so many bytes."""
        self.wait(lambda: len(connection.received) >= size)

    def answer(self, connection: Connection, size: int) -> None:
        """Wait for one frame with `size` bytes of payload, and take it."""
        self.receive(connection, framed(size))
        connection.received.clear()

    def end(self, connection: Connection) -> None:
        """A close that the board has time to follow."""
        connection.send(frame(b"\x03\xe8", 8))
        connection.fin()
        self.wait(lambda: connection.finished or connection.reset)
        self.station.run_for(0.5)
        connection.drop()

    def free(self) -> int:
        """Free heap after a collection, as an HTTP request sees it."""
        connection = self.station.connect()
        connection.send(b"GET /free HTTP/1.1\r\nHost: board\r\n\r\n")
        self.wait(lambda: connection.finished or b"Content-Length" in connection.received)
        self.station.run_for(0.2)
        body = bytes(connection.received).partition(HEAD_END)[2]
        connection.fin()
        self.station.run_for(0.7)  # what keeps the connection open has its own deadline
        connection.drop()
        return int(body)

    def idle_rate(self, seconds: float = 2) -> float:
        """Instructions of an idle second, a connection open."""
        before = self.board.chip.instructions()
        self.station.run_for(seconds)
        return (self.board.chip.instructions() - before) / seconds

    # --- figures ---

    def imports(self) -> None:
        match = IMPORT.search(self.board.console.text.encode())
        assert match
        core_us, core, all_us, everything = map(int, match.groups())
        self.figures |= {"import core ms": core_us / 1000, "import core RAM": core}
        self.figures |= {"import all ms": all_us / 1000, "import all RAM": everything}

    def echo(self, size: int) -> None:
        """Round trips, the next message when the last has come back."""
        connection = self.connect("/echo")
        idle = self.idle_rate()
        message = frame(payload(size))
        counts, times = [], []
        for _ in range(ROUNDS):
            instructions, start = self.board.chip.instructions(), self.board.seconds
            connection.send(message)
            self.answer(connection, size)
            times.append(self.board.seconds - start)
            counts.append(self.board.chip.instructions() - instructions)
        self.figures[f"echo {size} instructions"] = statistics.median(counts)
        self.figures[f"echo {size} instructions/byte"] = statistics.median(counts) / size
        self.figures[f"echo {size} round trips/s"] = 1 / statistics.median(times)
        self.figures["idle instructions/s"] = idle

    def receive_stream(self, size: int) -> None:
        """Into the board, as fast as its window and the framework let it."""
        count = max(4, STREAM_BYTES // size)
        connection = self.connect("/sink")
        start, instructions = self.board.seconds, self.board.chip.instructions()
        message = frame(payload(size))
        connection.send(frame(b"%d" % count, TEXT))
        for _ in range(count):
            connection.send(message)  # 2.7.0 ends when a header comes in two pieces
        self.answer(connection, len("done"))
        self._stream("receive", size, count, start, instructions)

    def send_stream(self, size: int) -> None:
        """Out of the board, as fast as it can."""
        count = max(4, STREAM_BYTES // size)
        connection = self.connect("/source")
        start, instructions = self.board.seconds, self.board.chip.instructions()
        connection.send(frame(b"%d %d" % (count, size), TEXT))
        self.receive(connection, count * framed(size))
        self._stream("send", size, count, start, instructions)

    def _stream(self, way: str, size: int, count: int, start: float, instructions: int) -> None:
        total = size * count
        spent = self.board.chip.instructions() - instructions
        self.figures[f"{way} {size} MB/s"] = total / (self.board.seconds - start) / 1e6
        self.figures[f"{way} {size} instructions/byte"] = spent / total

    def memory(self) -> None:
        """Heap of a connection: waiting for a message, and when but the last byte of 1 KB
        has come."""
        none = self.free()
        connections = [self.connect("/echo") for _ in range(CONNECTIONS)]
        self.figures["RAM idle connection"] = (none - self.free()) / CONNECTIONS
        message = frame(payload(1024))
        for connection in connections:
            connection.send(message)
            self.answer(connection, 1024)
        for connection in connections:
            connection.send(message[:-1])
        self.station.run_for(0.1)
        self.figures["RAM busy connection"] = (none - self.free()) / CONNECTIONS
        for connection in connections:
            connection.send(message[-1:])
            self.answer(connection, 1024)
            self.end(connection)


@contextmanager
def serving(framework: Framework) -> Iterator[BoardRun]:
    """A board that serves the framework's app."""
    switch = Switch()
    image = build_image(resolve(), framework.board_files())
    with EmbeddedBoard(image, switch) as board, Station(switch, board) as station:
        board.console.wait_for("serving", BOOT_SECONDS)
        yield BoardRun(framework, board, station)


def measure(framework: Framework) -> Figures:
    """All figures of one framework, each on a fresh board; what it fails at is left out.
    Raises LabError when it does not even start."""
    figures: Figures = {}
    parts: list[Callable[[BoardRun], None]] = [BoardRun.imports, BoardRun.memory]
    for kind in (BoardRun.echo, BoardRun.receive_stream, BoardRun.send_stream):
        parts += [partial(kind, size=size) for size in SIZES]
    for part in parts:
        with serving(framework) as run:
            try:
                part(run)
            except StationError:
                continue  # shown as a gap
            figures |= run.figures
    return figures
