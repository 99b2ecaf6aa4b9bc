"""A WebSocket client that may lie (RFC 6455): every field of a frame is the tester's to choose."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.inject.websocket import OPCODES, WebSocketFrame, handshake_request
from lab.keywords.streams import Stream, StreamError

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
HEAD_END = b"\r\n\r\n"
SHOWN = 60  # bytes of a payload in the log
CLOSE, PING, PONG = 8, 9, 10
NUMBERS = {name: number for number, name in OPCODES.items()}


def opcode_number(text: str) -> int:
    """By name (``text``, ``ping``) or number. Raises AssertionError."""
    if text.lower() in NUMBERS:
        return NUMBERS[text.lower()]
    try:
        return int(text, 0)
    except ValueError:
        known = ", ".join(NUMBERS)
        raise AssertionError(f"an opcode is one of {known}, or a number, not {text!r}") from None


@dataclass(frozen=True)
class Frame:
    """What the board has sent."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    payload: bytes

    def __str__(self) -> str:
        name = OPCODES.get(self.opcode, f"opcode {self.opcode}")
        text = f"{name} {len(self.payload)} bytes {shown(self.payload)}"
        if self.opcode == CLOSE and len(self.payload) >= 2:
            text = f"close {self.code} {shown(self.payload[2:])}"
        odd = "" if self.fin else " FIN=0"
        odd += f" RSV={self.rsv}" if self.rsv else ""
        return text + odd + (" MASKED" if self.masked else "")

    @property
    def message(self) -> str | bytes:
        """Of a text or binary frame."""
        return self.payload.decode() if self.opcode == 1 else self.payload

    @property
    def code(self) -> int | None:
        """Of a close frame; None when it has none."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else None


def shown(data: bytes) -> str:
    """The start of a payload, for people."""
    text = repr(data[:SHOWN])
    return text + (" .." if len(data) > SHOWN else "")


@dataclass(frozen=True)
class Response:
    """An HTTP response's head, and what came behind it."""

    status: int
    headers: dict[str, str]
    rest: bytes

    @classmethod
    def parse(cls, data: bytes) -> Response:
        """Raises StreamError when that is no HTTP."""
        head, found, rest = data.partition(HEAD_END)
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if not found or not words[0].startswith("HTTP/1.") or not words[1:2]:
            raise StreamError(f"that is no HTTP response: {shown(data)}")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        return cls(int(words[1]), headers, rest)


class WebSocketClient:
    """One connection. note: gets a line for each frame in either direction."""

    def __init__(self, stream: Stream, note: Callable[[str], None]) -> None:
        self.stream = stream
        self._note = note
        self._buffer = bytearray()
        self.frames: deque[Frame] = deque()  # come, and not looked for yet
        self.ended = False
        self.closed = False  # we have sent a close frame

    # --- handshake ---

    def upgrade(self, path: str, timeout: float, headers: dict[str, str | None],
                behind: bytes = b"", line: str | None = None,
                chunk: int | None = None) -> Response:  # fmt: skip
        """Ask for a WebSocket; returns the answer, whatever it is. behind: bytes of frames that
        leave together with the request; headers: see `handshake_request`; line: another request
        line; chunk: bytes in a segment. Raises StreamError."""
        self._note(f"-> upgrade {path}")
        request = handshake_request(path, "board", **headers)
        if line:
            request = line.encode() + request[request.index(b"\r\n") :]
        request += behind
        step = chunk or len(request)
        for at in range(0, len(request), step):
            self.stream.send(request[at : at + step])
            if chunk:
                self.stream.flush(timeout)
        while HEAD_END not in self._buffer:
            data = self.stream.receive(timeout)
            if not data:
                raise StreamError(f"the connection ended instead of an answer: "
                                  f"{shown(bytes(self._buffer))}")  # fmt: skip
            self._buffer += data
        response = Response.parse(bytes(self._buffer))
        self._note(f"<- HTTP {response.status}")
        if response.status == 101:
            self._buffer = bytearray(response.rest)
            self._parse()
        return response

    # --- sending ---

    def send(self, opcode: int, payload: bytes, **fields: Any) -> None:
        """A masked frame; `fields` as in `WebSocketFrame` (FIN, RSV1, MASK, key, length7..)."""
        frame = bytes(WebSocketFrame(opcode=opcode, **fields) / payload)
        said = Frame(True, 0, opcode, False, payload)
        self._note(f"-> {said} {fields or ''}")
        self.closed = self.closed or opcode == CLOSE
        self.stream.send(frame)

    def send_raw(self, data: bytes) -> None:
        """Bytes as they are."""
        self._note(f"-> raw {len(data)} bytes {shown(data)}")
        self.stream.send(data)

    # --- receiving ---

    def _parse(self) -> None:
        data = self._buffer
        while len(data) >= 2:
            code, masked = data[1] & 127, bool(data[1] & 128)
            at = 2 + {126: 2, 127: 8}.get(code, 0)
            if len(data) < at:
                return
            size = code if at == 2 else int.from_bytes(data[2:at], "big")
            end = at + 4 * masked + size
            if len(data) < end:
                return
            payload = bytes(data[end - size : end])
            frame = Frame(bool(data[0] & 128), data[0] >> 4 & 7, data[0] & 15, masked, payload)
            del data[:end]
            self._note(f"<- {frame}")
            self.frames.append(frame)

    def _more(self, timeout: float) -> bool:
        """Take what comes; False when the connection has ended. Raises StreamError."""
        try:
            data = self.stream.receive(timeout)
        except StreamError as error:
            self._note(f"<- {error}")
            raise
        if not data:
            self._note("<- end of the connection")
            self.ended = True
            return False
        self._buffer += data
        self._parse()
        return True

    def take(self, wanted: Callable[[Frame], bool], timeout: float) -> Frame:
        """The first frame that is `wanted`; those before it stay. Raises StreamError."""
        while True:
            for frame in self.frames:
                if wanted(frame):
                    self.frames.remove(frame)
                    return frame
            if self.ended or not self._more(timeout):
                raise StreamError("the connection ended; " + self.unread())

    def unread(self) -> str:
        """What came and was not looked for, in words."""
        left = "; ".join(str(f) for f in self.frames) or "no frame"
        return f"not looked for: {left}" + (f" and {len(self._buffer)} bytes of another"
                                            if self._buffer else "")  # fmt: skip

    def wait_for_end(self, timeout: float) -> None:
        """Until the board has closed its side with FIN. Raises StreamError (RST, silence)."""
        while not self.ended and self._more(timeout):
            pass


def accept_for(key: str) -> str:
    """What the server must answer to a key (RFC 6455, 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
