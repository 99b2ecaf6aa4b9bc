"""Requests to upgrade, right and wrong (RFC 6455, 4.1; RFC 9112), for `lab.inject.fuzz.grammar`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3

# of each, the first is right
LINES = (b"GET /echo HTTP/1.1", b"GET /echo HTTP/1.0", b"GET /echo HTTP/2.0",
         b"POST /echo HTTP/1.1", b"GET  /echo HTTP/1.1", b"GET /echo",
         b"get /echo HTTP/1.1", b"GET /none HTTP/1.1",
         b"GET /%65cho HTTP/1.1", b"GET /echo?a=%zz&b HTTP/1.1", b"GET * HTTP/1.1",
         b"GET http://board/echo HTTP/1.1", b"\r\nGET /echo HTTP/1.1", b"GET /echo HTTP/1.1 x",
         b"HEAD /echo HTTP/1.1", b"OPTIONS /echo HTTP/1.1", b"GET /\xc3\xa4 HTTP/1.1",
         b"GET /\xff HTTP/1.1", b"GET /" + b"a" * 2100 + b" HTTP/1.1")  # fmt: skip
HEADERS = {
    b"Host": (b"board", b"", b"a, b", b"[::1]:80"),
    b"Upgrade": (b"websocket", b"WebSocket", b"h2c, websocket", b"web socket", b"",
                 b"websocket/13"),
    b"Connection": (b"Upgrade", b"keep-alive, Upgrade", b"upgrade", b"close", b"", b"Upgrade, "),
    b"Sec-WebSocket-Key": (KEY, KEY[:-2], b"", b"AAAA", KEY + b"=", b"=" * 24, b"\xc3\xa4" * 12,
                           b"!" * 22 + b"==", KEY[:10] + b" " + KEY[11:]),
    b"Sec-WebSocket-Version": (b"13", b" 13 ", b"8", b"13, 8", b"", b"013", b"+13", b"0x0d"),
}  # fmt: skip
EXTRA = (b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 1e3",
         b"Content-Length: 99999999999999999999", b"Content-Length: 3, 3", b"Content-Length: +3",
         b"Transfer-Encoding: chunked", b"Transfer-Encoding : chunked", b" folded: yes", b": none",
         b"no colon", b"Cookie: a=b; c", b"Host: other", b"X: \0", b"X: \xff", b"X: a\rb",
         b"Origin: http://elsewhere", b"Sec-WebSocket-Extensions: permessage-deflate",
         b"Sec-WebSocket-Protocol: chat", b"Upgrade: websocket", b"X: " + b"y" * 2100,
         b"Expect: 100-continue")  # fmt: skip


def handshake(rng: Random) -> bytes:
    """A request to upgrade, right in two of five."""
    honest = rng.random()
    wrong = 0.0 if honest < 0.4 else 0.15 if honest < 0.9 else 0.5

    def pick(choices: Sequence[bytes]) -> bytes:
        return choices[int(rng.random() * len(choices))] if rng.random() < wrong else choices[0]

    lines = [pick(LINES)]
    for name, values in HEADERS.items():
        if rng.random() >= wrong / 3:
            lines.append((name.lower() if rng.random() < 0.1 else name) + b": " + pick(values))
    while rng.random() < wrong:
        lines.insert(1 + int(rng.random() * len(lines)), EXTRA[int(rng.random() * len(EXTRA))])
    end = b"\n" if rng.random() < wrong / 4 else b"\r\n"
    return end.join(lines) + (end * 2 if rng.random() >= wrong / 4 else end)
