"""What a conformance case says; the tables are in the test modules, one for each section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import wire

CPYTHON, UNIX, BOARD = "cpython", "unix", "board"
TARGETS = (CPYTHON, UNIX, BOARD)
HOSTS = (CPYTHON, UNIX)
EMPTY = 1005  # as a close code: a close frame without one


@dataclass(frozen=True)
class Sync:
    """Wait until the server has read what was sent before: a round trip on another connection."""


@dataclass(frozen=True)
class Until:
    """Wait for one more frame with this payload."""

    payload: bytes


@dataclass(frozen=True)
class Noted:
    """Wait until the handler has noted this."""

    text: str


@dataclass(frozen=True)
class Fin:
    """Close the client's side."""


@dataclass(frozen=True)
class Rst:
    """Reset the connection; nothing more is seen of it."""


@dataclass(frozen=True)
class Silence:
    """Read nothing more until the server has ended the connection by itself."""


Step = bytes | Sync | Until | Noted | Fin | Rst | Silence
Frame = tuple[int, bytes]


def trickle(data: bytes, size: int = 1) -> list[Step]:
    """`data` in pieces, each read by the server before the next is sent."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [step for piece in pieces for step in (piece, Sync())]


@dataclass(frozen=True)
class Case:
    """One conversation and how it must go.

    send: steps after the handshake. early: bytes in the segment of the handshake.
    frames: what the server sends before its close frame. close: the code in that, EMPTY for
    none, None when there must be no close frame. end: of TCP, "fin", "rst" or "any".
    answer: the client answers a close frame as it must. log: what the handler noted.
    partial: the connection may end in a frame. traceback: one is printed.
    ignore: frames with this payload don't count.
    wanted: a field of the HTTP answer that must be there.
    """

    name: str
    rfc: str
    send: tuple[Step, ...] = ()
    frames: tuple[Frame, ...] = ()
    close: int | None = 1000
    reason: bytes | None = None
    path: str = "/echo"
    headers: dict[str, str | None] = field(default_factory=dict)
    line: str | None = None
    request: bytes | None = None
    early: bytes = b""
    split_handshake: bool = False
    status: int = 101
    wanted: tuple[str, str] | None = None
    end: str = "fin"
    answer: bool = True
    log: tuple[str, ...] | None = None
    partial: bool = False
    traceback: bool = False
    ignore: bytes | None = None
    any_order: bool = False
    log_in_any_order: bool = False
    on: tuple[str, ...] = TARGETS
    defect: str = ""
    seconds: float = 20
    receive_buffer: int | None = None

    @property
    def request_bytes(self) -> bytes:
        if self.request is not None:
            return self.request
        return wire.request(self.path, self.headers, self.line)


def good(name: str, rfc: str, send: Iterable[Step], frames: Iterable[Frame] = (), **more) -> Case:  # type: ignore[no-untyped-def]
    """`send`, then a close frame that is echoed."""
    return Case(name, rfc, (*send, wire.close()), tuple(frames), **more)


def refused(name: str, rfc: str, bad: Iterable[Step], code: int, **more) -> Case:  # type: ignore[no-untyped-def]
    """A message that is echoed, then what the server must refuse with `code`."""
    more.setdefault("log", ("text ok", f"raised WebSocketError {code}"))
    return Case(name, rfc, (wire.text("ok"), *bad), ((1, b"ok"),), code, **more)


def echo(name: str, rfc: str, *payloads: bytes | str, **more) -> Case:  # type: ignore[no-untyped-def]
    """Messages, in one piece, that come back as they are."""
    frames = [(wire.TEXT, p.encode()) if isinstance(p, str) else (wire.BINARY, p) for p in payloads]
    return good(name, rfc, [b"".join(wire.frame(o, p) for o, p in frames)], frames, **more)
