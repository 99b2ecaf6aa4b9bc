"""A TCP peer on a socket of this machine, with the face of `lab.inject.tcp.TcpPeer`.

For boards whose network is out of the lab's hands: the bytes of the stream are the tester's to
choose, and its end; the packets are the kernel's.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

from lab.capabilities import Capability, require
from lab.inject.tcp import PeerError

BLOCK = 65536


class SocketPeer:
    """One connection to `address`, whatever address `connect` is told.

    target: that cannot have its packets forged. patience: factor on deadlines, in seconds.
    """

    def __init__(self, address: tuple[str, int], target: str, patience: float = 1) -> None:
        self._address, self._target, self._patience = address, target, patience
        self._socket: socket.socket | None = None
        self.received = bytearray()
        self.reset = self.finished = False

    def connect(self, ip: str, port: int, timeout: float = 10) -> None:
        """Raises PeerError."""
        self.close()
        self.received.clear()
        self.reset = self.finished = False
        try:
            self._socket = socket.create_connection(self._address, timeout * self._patience)
        except OSError as error:
            raise PeerError(f"{self._address[0]}:{self._address[1]}: {error}") from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes, timeout: float = 10) -> None:
        """Raises PeerError; not for a connection that the board has reset."""
        assert self._socket
        self._socket.settimeout(timeout * self._patience)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise PeerError(f"the board took no data for {timeout:g} s") from None
        except OSError:
            self.reset = True

    def receive_until(self, done: Callable[[bytes], bool], timeout: float = 10) -> bytes:
        """Take what the board sends until `done(all of it)`, FIN or RST. Raises PeerError."""
        assert self._socket
        deadline = time.monotonic() + timeout * self._patience
        while not (done(bytes(self.received)) or self.finished or self.reset):
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(BLOCK)
            except TimeoutError:
                raise PeerError(
                    f"what was waited for did not come within {timeout * self._patience:g} s"
                ) from None
            except OSError:
                self.reset = True
                break
            self.received += data
            self.finished = not data
        return bytes(self.received)

    def wait_for_end(self, timeout: float = 10) -> None:
        """Until the board has closed its side (FIN or RST). Raises PeerError."""
        self.receive_until(lambda data: False, timeout)

    def fin(self) -> None:
        """Close our side."""
        assert self._socket
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.reset = True

    def rst(self, offset: int = 0) -> None:
        """Reset the connection. Raises CannotDo with an `offset`: the kernel's never miss."""
        if offset:
            require(self._target, Capability.FRAMES)
        assert self._socket
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def segment(self, *_: object, **__: object) -> object:
        """Raises CannotDo."""
        require(self._target, Capability.FRAMES)
        raise PeerError("a socket has no segments")

    send_frame = segment

    def close(self) -> None:
        """Let go of the connection; harmless twice."""
        if self._socket:
            self._socket.close()

    def __enter__(self) -> SocketPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
