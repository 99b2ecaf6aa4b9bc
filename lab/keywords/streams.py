"""A client's byte stream to the board: inside the simulation, or through the gateway."""

from __future__ import annotations

import socket
import struct
from typing import Protocol

from lab.capabilities import Capability
from lab.keywords.bench import Bench
from lab.net.tcp import Connection

BLOCK = 65536


class StreamError(AssertionError):
    """Nothing came in time, or the connection failed."""


class Stream(Protocol):
    """One TCP connection. Timeouts are seconds, virtual inside the simulation."""

    def send(self, data: bytes) -> None:
        """Queue `data`. Raises StreamError when the connection is gone."""

    def flush(self, timeout: float) -> None:
        """Until all that was sent is acknowledged (inside), or handed to the kernel."""

    def receive(self, timeout: float) -> bytes:
        """What comes next; empty at the end (FIN). Raises StreamError (silence, RST)."""

    def finish(self) -> None:
        """FIN: no more from us."""

    def abort(self) -> None:
        """RST."""


def connect(bench: Bench, window: int | None, timeout: float) -> Stream:
    """To the board's HTTP port. window: bytes that the receiver holds unread, at most.

    Raises StreamError.
    """
    if bench.inside:
        return SimulatedStream(bench, window or BLOCK - 1, timeout)
    return KernelStream(bench.address, window, timeout, bench.patience)


class SimulatedStream:
    """Of a `Host` on the board's switch; virtual time passes while it waits."""

    def __init__(self, bench: Bench, window: int, timeout: float) -> None:
        self._board = bench.emulated(Capability.CLOCK)
        self.connection: Connection = bench.host.connect(*bench.address, window)
        c = self.connection
        if not self._board.step_until(lambda: c.established or bool(c.failure), timeout):
            raise StreamError(f"the board did not answer a SYN within {timeout:g} s")
        if c.failure:
            raise StreamError(f"the connection was {c.failure}")

    def send(self, data: bytes) -> None:
        self._check()
        self.connection.send(data)

    def _check(self) -> None:
        if self.connection.failure:
            raise StreamError(f"the connection was {self.connection.failure}")

    def flush(self, timeout: float) -> None:
        c = self.connection
        done = self._board.step_until(lambda: not c.unsent or bool(c.failure), timeout)
        self._check()
        if not done:
            raise StreamError(f"{c.unsent} bytes are not acknowledged within {timeout:g} s")

    def receive(self, timeout: float) -> bytes:
        c = self.connection
        self._board.step_until(lambda: bool(c.received or c.ended or c.failure), timeout)
        if c.received:
            return c.take()
        self._check()
        if not c.ended:
            raise StreamError(f"nothing came within {timeout:g} s")
        return b""

    def finish(self) -> None:
        if not self.connection.failure:
            self.connection.close()

    def abort(self) -> None:
        self.connection.abort()


class KernelStream:
    """A socket of this machine; real time passes."""

    def __init__(
        self, address: tuple[str, int], window: int | None, timeout: float, patience: float = 1
    ) -> None:
        self._patience = patience
        self._socket = socket.socket()
        if window:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(timeout * patience)
        try:
            self._socket.connect(address)
        except OSError as error:
            self._socket.close()
            raise StreamError(f"can't connect: {error}") from None

    def send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise StreamError(f"can't send: {error}") from None

    def flush(self, timeout: float) -> None:
        pass

    def receive(self, timeout: float) -> bytes:
        self._socket.settimeout(timeout * self._patience)
        try:
            return self._socket.recv(BLOCK)
        except TimeoutError:
            raise StreamError(f"nothing came within {timeout:g} s") from None
        except OSError as error:
            raise StreamError(f"the connection was reset: {error}") from None

    def finish(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already

    def abort(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._socket.close()
