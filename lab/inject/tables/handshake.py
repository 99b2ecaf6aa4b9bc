"""Handshakes that are malformed (RFC 6455, 4.2.1; RFC 9112, 2 to 5): none may be upgraded that is
not whole, and each must be answered with the status that says why."""

from __future__ import annotations

import base64
from typing import Any

from lab.inject.stream import Fin, StreamCase
from lab.inject.tables.lines import HTTP, READ_SECONDS, RFC, answered
from lab.inject.wire import NONCE, close, request

LINE = (
    2048  # bytes that the server takes in a line, Request.max_readline; four times as much in all
)
TIMEOUT = (READ_SECONDS, READ_SECONDS + 0.6)


def hs(name: str, source: str, status: int | None, data: bytes, **more: Any) -> StreamCase:
    return answered("handshake", name, source, status, data, **more)


def line(name: str, text: str, status: int = 400) -> StreamCase:
    return hs(f"request line: {name}", HTTP + "3", status, request("", line=text))


def field(name: str, status: int, source: str = RFC + "4.2.1", **headers: str | None) -> StreamCase:
    return hs(
        name, source, status, request("/echo", {n.replace("_", "-"): v for n, v in headers.items()})
    )


def raw(name: str, status: int, extra: bytes, source: str = HTTP + "5") -> StreamCase:
    """`extra` in place of the empty line before the last field."""
    whole = request("/echo")
    at = whole.index(b"Sec-WebSocket-Version")
    return hs(f"header: {name}", source, status, whole[:at] + extra + whole[at:])


def taken(name: str, source: str, data: bytes) -> StreamCase:
    """Looks odd and is right: it is upgraded, and closes as it should."""
    return answered("handshake", f"taken: {name}", source, 101, data + close(), close=1000)


def key(name: str, value: str) -> StreamCase:
    return field(f"key: {name}", 400, RFC + "4.2.1 5", Sec_WebSocket_Key=value)


def version(value: str) -> StreamCase:
    return hs(
        f"version {value!r}",
        RFC + "4.2.2",
        426,
        request("/echo", {"Sec-WebSocket-Version": value}),
        header=("sec-websocket-version", "13"),
    )


def of_size(size: int, name: str = "X-Long") -> str:
    """A value that makes its line so long, without its end."""
    return "v" * (size - len(name) - 2)


HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(32, 64)) + b"\0" * 100  # of TLS 1.2
# fmt: off
CASES = [
    # the request line (RFC 9112, 3)
    line("two spaces", "GET  /echo HTTP/1.1"), line("a tab", "GET\t/echo HTTP/1.1"), line("space in front", " GET /echo HTTP/1.1"),
    line("space behind", "GET /echo HTTP/1.1 "), line("no version", "GET /echo"), line("no target", "GET HTTP/1.1"),
    line("one word", "GET"), line("four words", "GET /echo now HTTP/1.1"), line("a space in the target", "GET /ec ho HTTP/1.1"),
    line("no name of a protocol", "GET /echo 1.1"), line("another protocol", "GET /echo HTCPCP/1.0"),
    line("protocol in lower case", "GET /echo http/1.1"), line("a CR in it", "GET /ec\rho HTTP/1.1"), line("a NUL in it", "GET /ec\0ho HTTP/1.1"),
    line("version 0.9", "GET /echo HTTP/0.9", 505), line("version 2.0", "GET /echo HTTP/2.0", 505), line("version 3", "GET /echo HTTP/3", 505),
    line("version 11", "GET /echo HTTP/11", 505), line("version 1.1.1", "GET /echo HTTP/1.1.1", 505), line("version in words", "GET /echo HTTP/one", 505),
    line("no number of a version", "GET /echo HTTP/", 505), line("version 1.0", "GET /echo HTTP/1.0"),
    hs("request line: bytes that are not UTF-8", HTTP + "3", 400, b"GET /\xff\xfe HTTP/1.1\r\nHost: b\r\n\r\n"),
    hs("request line: as long as none may be", HTTP + "3", 431, b"GET /" + b"a" * LINE + b" HTTP/1.1\r\n\r\n"),
    hs("request line: 8 KB", HTTP + "3", 431, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n\r\n"),
    hs("request line: 3000 bytes and no end", HTTP + "3", 431, b"A" * 3000),
    # methods: GET alone begins a WebSocket (RFC 6455, 4.1)
    *[line(f"method {m}", f"{m} /echo HTTP/1.1", 405) for m in ("PUT", "DELETE", "PATCH", "TRACE", "get", "Get", "GETT", "G", "WEBSOCKET", "GET/")],
    # targets
    *[line(f"target {t}", f"GET {t} HTTP/1.1", 404)
      for t in ("/", "//echo", "/echo/", "/echo/x", "/ECHO", "/ech", "/echoo", "/.", "/../echo", "/echo/../echo", "/echo%00", "/%2e%2e/echo", "*", "echo", "?")],
    # what is no HTTP at all
    answered("handshake", "none: a TLS hello, then FIN", HTTP + "2", 400, HELLO, Fin()),
    hs("none: a TLS hello, and patience", HTTP + "2", 408, HELLO, after=TIMEOUT),
    hs("none: the preface of HTTP/2", HTTP + "2", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"),
    hs("none: SSH", HTTP + "2", 400, b"SSH-2.0-OpenSSH_9.6\r\n"), hs("none: SMTP", HTTP + "2", 400, b"EHLO board\r\n"),
    hs("none: a frame", HTTP + "2", 400, b"\x81\x85\x12\x34\x56\x78hello\r\n"), hs("none: spaces", HTTP + "2", 400, b"   \r\n"),
    hs("none: three empty lines", HTTP + "2.2", 400, b"\r\n\r\n\r\n"), hs("none: zeros", HTTP + "2", 400, bytes(64) + b"\n"),
    hs("none: random bytes", HTTP + "2", 400, bytes((n * 167 + 13) & 255 for n in range(300)) + b"\n"),
    # lines of the header (RFC 9112, 5)
    raw("no colon", 400, b"Nonsense\r\n"), raw("space before the colon", 400, b"X : 1\r\n"), raw("space in the name", 400, b"X Y: 1\r\n"),
    raw("tab before the colon", 400, b"X\t: 1\r\n"), raw("no name", 400, b": 1\r\n"), raw("a folded value", 400, b"X: 1\r\n  2\r\n"),
    raw("a folded value with a tab", 400, b"X: 1\r\n\t2\r\n"), raw("a NUL in the value", 400, b"X: a\0b\r\n"), raw("a CR in the value", 400, b"X: a\rb\r\n"),
    raw("a CR in the name", 400, b"X\r: b\r\n"), raw("a value that is not UTF-8", 400, b"X: \xff\xfe\r\n"), raw("a name that is not UTF-8", 400, b"\xff: 1\r\n"),
    raw("a line of just too many bytes", 431, f"X-Long: {of_size(LINE)}\r\n".encode()), raw("a line of 8 KB", 431, b"X: " + b"v" * 8192 + b"\r\n"),
    raw("five long lines, too much in all", 431, f"X-Long: {of_size(LINE - 1)}\r\n".encode() * 5),
    raw("a second request line", 400, b"GET /echo HTTP/1.1\r\n"),
    # fields that a WebSocket needs (RFC 6455, 4.2.1)
    field("no Host", 400, HTTP + "3.2", Host=None), raw("two Hosts", 400, b"Host: other\r\n", HTTP + "3.2"), field("Host is a list", 400, HTTP + "3.2", Host="a, b"),
    *[field(f"Upgrade: {v!r}", 400, Upgrade=v) for v in ("websocket/13", "web socket", "websocket;q=1", "wébsocket", "websocket websocket", "websockét", ";websocket", "h2c, web", "\"websocket\"")],
    *[field(f"Connection: {v!r}", 400, Connection=v) for v in ("close", "Upgrade;", "keep-alive Upgrade", "up-grade", "upgrade/1", "", ",", "\"Upgrade\"")],
    field("Upgrade and Connection exchanged", 400, Upgrade="Upgrade", Connection="websocket"),
    # keys
    key("blanks inside", NONCE[:10] + " " + NONCE[11:]), key("in the alphabet for URLs", "-_" * 11 + "=="), key("twenty bytes", base64.b64encode(bytes(20)).decode()),
    key("one = only", NONCE[:-1]), key("three =", NONCE[:-3] + "==="), key("= in front", "==" + NONCE[:-2]), key("not ASCII", "é" * 22 + "=="),
    key("as hexadecimal", "00" * 16), key("quoted", f'"{NONCE}"'), key("a list", f"{NONCE}, {NONCE}"), key("of 1500 bytes", "A" * 1500), key("a NUL as text", "%00" * 8),
    raw("two keys", 400, f"Sec-WebSocket-Key: {NONCE}\r\n".encode(), RFC + "11.3.1"),
    # versions: 426 says which is right (4.2.2)
    *[version(v) for v in ("0", "12", "13.0", "+13", "013", "0x0d", "1", "3", "-13", "13;", "13 13", "8, 13", "13, 8", "1３", "255", "256", "99999999999999999999", "thirteen")],
    raw("two versions", 426, b"Sec-WebSocket-Version: 8\r\n", RFC + "11.3.5"),
    # what looks wrong and is right
    taken("an empty line in front", HTTP + "2.2", b"\r\n" + request("/echo")),
    taken("lines that end in LF alone", HTTP + "2.2", request("/echo").replace(b"\r\n", b"\n")),
    taken("no space behind the colons", HTTP + "5", request("/echo").replace(b": ", b":")),
    taken("tabs around a value", HTTP + "5.6.3", request("/echo", {"Upgrade": "\t websocket\t "})),
    taken("Upgrade in two fields", RFC + "4.2.1", request("/echo", {"Upgrade": "h2c\r\nUpgrade: websocket"})),
    taken("Connection in two fields", RFC + "4.2.1", request("/echo", {"Connection": "keep-alive\r\nConnection: Upgrade"})),
    taken("empty elements in a list", HTTP + "5.6.1", request("/echo", {"Connection": ", ,Upgrade,, "})),
    taken("upgrade and close", RFC + "4.2.1", request("/echo", {"Connection": "close, upgrade"})),
    taken("names in capitals", HTTP + "5.1", request("/echo").replace(b"Sec-WebSocket-", b"SEC-WEBSOCKET-").replace(b"Host", b"HOST")),
    taken("a line as long as may be", HTTP + "3", request("/echo", {"X-Long": of_size(LINE - 2)})),
    taken("50 short fields", HTTP + "5", request("/echo", {f"X-{n}": str(n) for n in range(50)})),
    taken("an empty value", HTTP + "5", request("/echo", {"X-Empty": ""})),
    taken("a query of 1000 bytes", HTTP + "3.2", request("/echo?" + "q=1&" * 250)),
    taken("a Host with a port", HTTP + "3.2", request("/echo", {"Host": "board:80"})),
    taken("an empty Host", HTTP + "3.2", request("/echo", {"Host": ""})),
    taken("Expect: 100-continue", HTTP + "10.1.1", request("/echo", {"Expect": "100-continue"})),
    taken("extensions nobody knows", RFC + "9.1", request("/echo", {"Sec-WebSocket-Extensions": "x-unknown; a=1, permessage-deflate; client_max_window_bits=99"})),
    taken("a target with its host", HTTP + "3.2.2", request("http://board/echo")),
]
# fmt: on
