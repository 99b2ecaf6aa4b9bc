"""A cable to another program's switch: frames on a stream, as QEMU's stream netdev sends them.

Each message is a length of 32 bits, big-endian, and then the frame without FCS
(`qemu -netdev stream`, Renode through hw/renode/Lab.cs). The bridge listens on loopback for one
peer, and no root is needed. What comes and goes passes the switch like any frame, so gateway,
capture, injection and impairments see it.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

from lab import LabError
from lab.interrupt import start_thread
from lab.net.switch import Port, Switch

LOOPBACK = "127.0.0.1"
MESSAGE_MOST = 1 << 24
FRAME_LEAST, FRAME_MOST = 14, 1518
CHUNK = 65536


class BridgeError(LabError):
    """The peer is gone, or what it sends is no stream of messages."""


def pack(message: bytes) -> bytes:
    """`message` with its length before it."""
    return struct.pack("!I", len(message)) + message


class Unpacker:
    """Messages out of a stream that comes in any pieces."""

    def __init__(self, most: int = MESSAGE_MOST) -> None:
        self._most = most
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The messages that `data` completes. Raises BridgeError at a length beyond `most`."""
        self._data += data
        while len(self._data) >= 4:
            size = int.from_bytes(self._data[:4], "big")
            if size > self._most:
                raise BridgeError(f"the peer announces a message of {size} bytes: it speaks "
                                  "another protocol")  # fmt: skip
            if len(self._data) < 4 + size:
                return
            message = bytes(self._data[4 : 4 + size])
            del self._data[: 4 + size]
            yield message

    @property
    def partial(self) -> int:
        """Bytes of a message that has not ended."""
        return len(self._data)


class MessageServer:
    """Listens on a free port of loopback for one peer, and exchanges messages with it.

    receive: called with each message, in the thread that reads. ended: called once when the
    peer has hung up, with the error if there was one.
    """

    def __init__(
        self,
        receive: Callable[[bytes], None],
        ended: Callable[[BridgeError | None], None] = lambda error: None,
        port: int = 0,
    ) -> None:
        self._receive, self._ended = receive, ended
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((LOOPBACK, port))
        except OSError as error:
            self._listener.close()
            raise BridgeError(f"port {port} for the bridge: {error.strerror}") from None
        self._listener.listen(1)
        self.port = int(self._listener.getsockname()[1])
        self._peer: socket.socket | None = None
        self._sending = threading.Lock()
        self.connected = threading.Event()
        self._closing = False
        self._thread = start_thread(self._run, "bridge")

    def send(self, message: bytes) -> bool:
        """False when nobody is there."""
        with self._sending:
            if self._peer is None:
                return False
            try:
                self._peer.sendall(pack(message))
            except OSError:
                return False
            return True

    def _run(self) -> None:
        error: BridgeError | None = None
        try:
            self._peer, _ = self._listener.accept()
        except OSError:
            return self._ended(None)
        self._listener.close()  # one peer, and nobody after it
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connected.set()
        unpacker = Unpacker()
        try:
            while data := self._peer.recv(CHUNK):
                for message in unpacker.feed(data):
                    self._receive(message)
        except BridgeError as problem:
            error = problem
        except OSError:
            pass
        if unpacker.partial and error is None and not self._closing:
            error = BridgeError("the peer hung up in the middle of a message")
        self._peer.close()
        self._ended(error)

    def close(self) -> None:
        """Hang up; harmless twice."""
        self._closing = True
        for end in (self._listener, self._peer):
            if end is None:
                continue
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # not connected, or closed already
            end.close()
        if self._thread is not threading.current_thread():
            self._thread.join()


class Bridge:
    """A port of `switch`, `cable`, with a foreign switch behind it, which connects to `port`."""

    def __init__(self, switch: Switch, name: str = "bridge", port: int = 0) -> None:
        self.received = self.sent = self.refused = 0  # frames, seen from here
        self.error: BridgeError | None = None
        self._server = MessageServer(self._receive, self._end, port)
        self.port = self._server.port
        self.connected = self._server.connected
        self.ended = threading.Event()
        self.cable: Port = switch.attach(name, self._send)

    def _receive(self, frame: bytes) -> None:
        if not FRAME_LEAST <= len(frame) <= FRAME_MOST:
            self.refused += 1
            return
        self.received += 1
        self.cable.send(frame)

    def _send(self, frame: bytes) -> None:
        if self._server.send(frame):
            self.sent += 1

    def _end(self, error: BridgeError | None) -> None:
        self.error = error
        self.cable.detach()
        self.ended.set()

    def close(self) -> None:
        """Leave the switch and hang up; harmless twice."""
        self.cable.detach()
        self._server.close()
