"""RFC 6455, 4.2.1 and 4.2.2: who is let in."""

import base64

from case import HOSTS, Case, good
from wire import NONCE, binary, close, ping, request, text

BARE = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"


def upgrade(name, headers=None, **more):
    """Is upgraded, and serves."""
    return good(name, "4.2.1", [text("x")], [(1, b"x")], headers=headers or {}, **more)


def no(name, headers=None, status=400, **more):
    return Case(name, "4.2.1", headers=headers or {}, status=status, log=(), **more)


def version(name, value):
    return no(
        f"version {name}",
        {"Sec-WebSocket-Version": value},
        426,
        wanted=("sec-websocket-version", "13"),
    )


def key(name, value):
    return no(f"key {name}", {"Sec-WebSocket-Key": value})


CASES = [
    upgrade("as in the RFC"),
    upgrade("Upgrade in another case", {"Upgrade": "WebSocket"}),
    upgrade("Upgrade in capitals", {"Upgrade": "WEBSOCKET"}),
    upgrade("Upgrade is a list", {"Upgrade": "h2c, websocket"}),
    upgrade("Connection is a list", {"Connection": "keep-alive, Upgrade"}),
    upgrade("Connection in another case", {"Connection": "UPGRADE"}),
    upgrade("Connection list without spaces", {"Connection": "keep-alive,upgrade"}),
    upgrade(
        "names in lower case",
        request=request("/echo")
        .replace(b"Upgrade: w", b"upgrade: w")
        .replace(b"Sec-WebSocket-Key", b"sec-websocket-key"),
    ),
    upgrade("value with spaces around", {"Upgrade": "  websocket  "}),
    upgrade(
        "with Origin, protocols and extensions",
        {
            "Origin": "http://example.com",
            "Sec-WebSocket-Protocol": "chat, superchat",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        },
    ),
    upgrade("another key", {"Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode()}),
    upgrade("request split in pieces", split_handshake=True),
    upgrade("query string", path="/echo?a=b&limit=100"),
    no("no Upgrade", {"Upgrade": None}),
    no("Upgrade to something else", {"Upgrade": "h2c"}),
    no("Upgrade to something longer", {"Upgrade": "websockets"}),
    no("Upgrade to something shorter", {"Upgrade": "web"}),
    no("Upgrade empty", {"Upgrade": ""}),
    no("no Connection", {"Connection": None}),
    no("Connection without Upgrade", {"Connection": "keep-alive"}),
    no("Connection with a longer word", {"Connection": "upgrades"}),
    no("plain request", request=BARE),
    no("HTTP/1.0", line="GET /echo HTTP/1.0"),
    no("POST", line="POST /echo HTTP/1.1", status=405),
    no("HEAD", line="HEAD /echo HTTP/1.1"),
    no("no such path", path="/nothing", status=404),
    no("refused by the handler", path="/refuses", status=401),
    key("missing", None),
    key("empty", ""),
    key("too short", base64.b64encode(bytes(15)).decode()),
    key("too long", base64.b64encode(bytes(17)).decode()),
    key("of 24 bytes", base64.b64encode(bytes(24)).decode()),
    key("no base64", "!" * 22 + "=="),
    key("without its padding", NONCE.rstrip("=")),
    version("missing", None),
    version("empty", ""),
    version("8", "8"),
    version("14", "14"),
    version("130", "130"),
    version("no number", "x"),
    good(
        "message in the segment of the handshake", "4.1", [], [(1, b"early")], early=text("early")
    ),
    good(
        "many frames in the segment of the handshake",
        "4.1",
        [],
        [(1, b"a"), (2, b"b"), (10, b"p"), (1, b"c")],
        early=text("a") + binary(b"b") + ping(b"p") + text("c"),
    ),
    Case(
        "close in the segment of the handshake",
        "4.1",
        early=close(3000),
        close=3000,
        log=("raised WebSocketError 3000",),
    ),
    good(
        "half a frame in the segment of the handshake",
        "4.1",
        [text("in two")[5:]],
        [(1, b"in two")],
        early=text("in two")[:5],
    ),
    good(
        "one byte in the segment of the handshake",
        "4.1",
        [text("in two")[1:]],
        [(1, b"in two")],
        early=text("in two")[:1],
        defect="header in two segments",
        on=HOSTS,
    ),
]


def test_case(case, where, conforms):
    conforms(case, where)
