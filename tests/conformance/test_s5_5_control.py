"""RFC 6455, 5.5: ping and pong."""

from case import Case, good, refused
from wire import CLOSE, PING, PONG, TEXT, binary, close, frame, ping, text

CASES = [
    *[
        good(f"ping of {n}", "5.5.2", [ping(b"\x80" * n)], [(PONG, b"\x80" * n)])
        for n in (0, 1, 4, 124, 125)
    ],
    good("ping of text", "5.5.2", [ping(b"hello")], [(PONG, b"hello")]),
    *[
        refused(f"ping of {n}", "5.5", [frame(PING, bytes(n))], 1002, defect="long control frames")
        for n in (126, 127, 1000)
    ],
    refused("pong of 126", "5.5", [frame(PONG, bytes(126))], 1002),
    refused("close of 126", "5.5", [frame(CLOSE, b"\x03\xe8" + b"x" * 124)], 1002),
    refused(
        "ping with a 64-bit length",
        "5.5",
        [frame(PING, bytes(10), length=b"\x7f" + (10).to_bytes(8, "big"))],
        1002,
    ),
    refused("fragmented ping", "5.5", [frame(PING, b"x", fin=False)], 1002),
    refused("fragmented pong", "5.5", [frame(PONG, b"x", fin=False)], 1002),
    refused("fragmented close", "5.5", [frame(CLOSE, b"\x03\xe8", fin=False)], 1002, answer=False),
    good(
        "ten pings in one piece",
        "5.5.2",
        [b"".join(ping(b"%d" % n) for n in range(10))],
        [(PONG, b"%d" % n) for n in range(10)],
    ),
    good(
        "ping between messages",
        "5.5.2",
        [text("a") + ping(b"p") + binary(b"b")],
        [(TEXT, b"a"), (PONG, b"p"), (2, b"b")],
        log=("text a", "bytes b'b'", "raised WebSocketError 1000"),
    ),
    good(
        "ping longer than max_message_length",
        "5.5.2",
        [ping(bytes(125)), text("ok")],
        [(PONG, bytes(125)), (TEXT, b"ok")],
        path="/echo?limit=10",
    ),
    good(
        "pong is dropped", "5.5.3", [frame(PONG, b"unasked")], log=("raised WebSocketError 1000",)
    ),
    good("empty pong is dropped", "5.5.3", [frame(PONG)]),
    good("pong of 125 is dropped", "5.5.3", [frame(PONG, bytes(125)), text("ok")], [(TEXT, b"ok")]),
    good(
        "pongs between messages",
        "5.5.3",
        [frame(PONG, b"x") + text("a") + frame(PONG) + text("b")],
        [(TEXT, b"a"), (TEXT, b"b")],
    ),
    Case(
        "ping after close is not answered",
        "5.5.1",
        (close() + ping(b"late"),),
        log=("raised WebSocketError 1000",),
    ),
    Case(
        "text after close is not delivered",
        "5.5.1",
        (close() + text("late"),),
        log=("raised WebSocketError 1000",),
    ),
]


def test_case(case, where, conforms):
    conforms(case, where)
