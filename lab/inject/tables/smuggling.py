"""One request where the other side sees two, around the upgrade (RFC 9112, 6.1, 6.3 and 11.2;
RFC 9110, 7.8): what stands behind a request must not be taken for another, nor a body for frames."""

from __future__ import annotations

from typing import Any

from lab.inject.stream import Expect, Fin, Pause, StreamCase
from lab.inject.tables.lines import HTTP, LIMIT, OK, OKAY, READ_SECONDS, RFC, answered
from lab.inject.wire import TEXT, close, frame, request, text

PLAIN = b"GET /plain HTTP/1.1\r\nHost: b\r\n\r\n"
TIMEOUT = (READ_SECONDS, READ_SECONDS + 0.6)


def smuggled(
    name: str, status: int | None, *steps: Any, source: str = HTTP + "11.2", **more: Any
) -> StreamCase:
    return answered("smuggling", name, source, status, *steps, **more)


def post(body: bytes, *fields: str) -> bytes:
    head = ["POST /body HTTP/1.1", "Host: b", *fields]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def length(value: str) -> StreamCase:
    """A Content-Length that is none (RFC 9112, 6.3)."""
    return smuggled(
        f"Content-Length: {value!r}",
        400,
        post(b"12345", f"Content-Length: {value}"),
        source=HTTP + "6.3",
    )


def upgrade(*fields: str) -> bytes:
    whole = request("/echo")
    return whole[:-2] + "".join(f"{f}\r\n" for f in fields).encode() + b"\r\n"


def upgraded(
    name: str, *steps: Any, frames: tuple[tuple[int, bytes], ...], code: int | None, **more: Any
) -> StreamCase:
    """The upgrade is taken; what stands behind it is frames."""
    expect = Expect(frames=frames, close=code, **more)
    return StreamCase("smuggling", name, RFC + "4.1", steps, expect, upgraded=False)


CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
# fmt: off
CASES = [
    # two lengths, or none that can be believed
    *[length(v) for v in ("-1", "+5", "5 5", "5,5", "5, 5", "5;5", "0x5", "5.0", "five", "1_0", "٥", "", "\t", "5\v", "NaN", "-0", "1e1", "5 ,")],
    smuggled("two lengths that differ", 400, post(b"12345", "Content-Length: 5", "Content-Length: 6"), source=HTTP + "6.3"),
    smuggled("two lengths that agree", 400, post(b"12345", "Content-Length: 5", "Content-Length: 5"), source=HTTP + "6.3"),
    smuggled("length of 100 digits", 413, post(b"x", "Content-Length: " + "9" * 100), source=HTTP + "6.3"),
    smuggled("length of 2^64 + 5", 413, post(b"hello", f"Content-Length: {(1 << 64) + 5}"), source=HTTP + "6.3"),
    smuggled("length of 2^32 + 5", 413, post(b"hello", f"Content-Length: {(1 << 32) + 5}"), source=HTTP + "6.3"),
    smuggled("length with zeros in front", 200, post(b"hello", "Content-Length: 00005"), source=HTTP + "6.3", body=b"5 bytes"),
    smuggled("one byte more than is taken", 413, post(bytes(LIMIT + 1), f"Content-Length: {LIMIT + 1}")),
    smuggled("as many bytes as are taken", 200, post(bytes(LIMIT), f"Content-Length: {LIMIT}"), body=b"%d bytes" % LIMIT),
    # Transfer-Encoding is not spoken: 501 (6.1), however it is written, and never a body of some other length
    *[smuggled(f"Transfer-Encoding: {v!r}", 501, post(CHUNKED, f"Transfer-Encoding: {v}"), source=HTTP + "6.1")
      for v in ("chunked", "Chunked", "identity", "gzip, chunked", "chunked, identity", "x", "", "\tchunked")],
    smuggled("Transfer-Encoding and a length", 501, post(CHUNKED, "Content-Length: 5", "Transfer-Encoding: chunked")),
    smuggled("a length and Transfer-Encoding", 501, post(CHUNKED, "Transfer-Encoding: chunked", "Content-Length: 5")),
    smuggled("Transfer-Encoding twice", 501, post(CHUNKED, "Transfer-Encoding: identity", "Transfer-Encoding: chunked")),
    smuggled("transfer-encoding in small letters", 501, post(CHUNKED, "transfer-encoding: chunked")),
    smuggled("Transfer-Encoding with a space before its colon", 400, post(CHUNKED, "Transfer-Encoding : chunked"), source=HTTP + "5.1"),
    smuggled("Transfer-Encoding behind a bare CR", 400, post(CHUNKED, "X: 1\rTransfer-Encoding: chunked"), source=HTTP + "2.2"),
    smuggled("Transfer-Encoding in a folded line", 400, post(CHUNKED, "X: 1", " Transfer-Encoding: chunked"), source=HTTP + "5.2"),
    smuggled("Transfer-Encoding with an upgrade", 501, upgrade("Transfer-Encoding: chunked") + CHUNKED),
    # a second request behind the first is not answered: one connection, one request
    smuggled("two requests in one segment", 200, PLAIN * 2, body=b"plain", source=HTTP + "9.6"),
    smuggled("an upgrade behind a request", 200, PLAIN + request("/echo") + OK, body=b"plain"),
    smuggled("a request behind a body", 200, post(b"hello", "Content-Length: 5") + PLAIN, body=b"5 bytes"),
    smuggled("a request as a body", 200, post(PLAIN, f"Content-Length: {len(PLAIN)}"), body=b"%d bytes" % len(PLAIN)),
    smuggled("an upgrade as a body", 200, post(request("/echo"), f"Content-Length: {len(request('/echo'))}"), body=b"%d bytes" % len(request("/echo"))),
    smuggled("a request behind a body of no bytes", 200, post(b"", "Content-Length: 0") + PLAIN, body=b"0 bytes"),
    smuggled("a body without a length", 200, post(b"hello"), body=b"0 bytes", source=HTTP + "6.3"),
    smuggled("a request behind one that is refused", 400, b"GET /plain\r\n\r\n" + PLAIN),
    smuggled("frames without a handshake", 400, OK + b"\n", source=RFC + "4.1"),
    smuggled("frames behind a refused handshake", 426, request("/echo", {"Sec-WebSocket-Version": "8"}) + OK * 5, source=RFC + "4.2.2"),
    smuggled("frames behind a request for another page", 200, PLAIN + OK * 5, body=b"plain"),
    smuggled("an upgrade to a page that has none", 200, request("/plain") + OK, body=b"plain", source=RFC + "4.2.2"),
    smuggled("an upgrade in an upgrade's line end", 400, request("/echo")[:-2] + b" " + request("/echo"), source=HTTP + "5.2"),
    smuggled("a line end in a value, and a request", 400, request("/echo", {"X": "1\n\rGET /plain HTTP/1.1"}), source=HTTP + "5"),
    # bodies cut short
    smuggled("a body cut by FIN", 400, post(b"hel", "Content-Length: 5"), Pause(0.01), Fin(), source=HTTP + "8"),
    smuggled("a body that never comes", 408, post(b"", "Content-Length: 5"), after=TIMEOUT, source="RFC 9110, 15.5.9"),
    smuggled("an upgrade whose body never comes", 408, upgrade("Content-Length: 5"), after=TIMEOUT, source="RFC 9110, 7.8"),
    # an upgrade with a body: the frames begin behind it (RFC 9110, 7.8)
    upgraded("a body, then frames", upgrade("Content-Length: 5") + b"hello" + OK + close(), frames=(OKAY,), code=1000),
    upgraded("a frame as the body, then frames", upgrade(f"Content-Length: {len(text('no'))}") + text("no") + OK + close(), frames=(OKAY,), code=1000),
    upgraded("a close frame as the body, then frames", upgrade(f"Content-Length: {len(close())}") + close() + OK + close(), frames=(OKAY,), code=1000),
    upgraded("a body in a segment of its own, then frames", upgrade("Content-Length: 5"), Pause(0.01), b"hello", Pause(0.01), OK + close(), frames=(OKAY,), code=1000),
    upgraded("no body of length 0", upgrade("Content-Length: 0") + OK + close(), frames=(OKAY,), code=1000),
    # HTTP behind the upgrade is frames that are wrong, and gets no answer in HTTP
    upgraded("a request behind the upgrade", request("/echo") + PLAIN, frames=(), code=1002),
    upgraded("an upgrade behind the upgrade", request("/echo") * 2, frames=(), code=1002),
    upgraded("a request behind a good frame", request("/echo") + OK + PLAIN, frames=(OKAY,), code=1002),
    upgraded("a request in a frame", request("/echo") + frame(TEXT, PLAIN) + close(), frames=((TEXT, PLAIN),), code=1000),
    upgraded("an empty line behind the upgrade", request("/echo") + b"\r\n" + OK, frames=(), code=1002),
    upgraded("chunks behind the upgrade", request("/echo") + CHUNKED, frames=(), code=1002),
    upgraded("a frame of a server behind the upgrade", request("/echo") + b"\x81\x02no", frames=(), code=1002),
    # the key must not be a way to write lines into the answer
    smuggled("a line end in the key", 400, request("/echo", {"Sec-WebSocket-Key": "a\r\n b"}), source=HTTP + "5.2"),
    smuggled("an LF in the key, and a field", 400, request("/echo", {"Sec-WebSocket-Key": "AAAA\nX-Set: 1"}), source=RFC + "4.2.1"),
]
# fmt: on
