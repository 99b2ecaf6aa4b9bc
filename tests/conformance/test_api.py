"""The API of microdot.websocket: limits, what may be sent, close(), several tasks at once."""

from case import BOARD, HOSTS, Case, Fin, Noted, Silence, Sync, Until, echo, good, refused
from wire import BINARY, PING, PONG, TEXT, binary, close, frame, ping, text

BIG = 6_000_000  # bytes; as in app.py
NEVER_SENT = b"\x82\xfe\x40\x01"  # a header that says 16385 bytes


def limited(limit, size, fits, **more):
    path = f"/echo?limit={limit}"
    name = f"limit {limit}, {size} bytes"
    if fits:
        return echo(name, "10.4", bytes(size), path=path, **more)
    return Case(
        name,
        "10.4",
        (binary(bytes(size)),),
        path=path,
        close=1009,
        log=("raised WebSocketError 1009",),
        **more,
    )


CASES = [
    # max_message_length
    limited(-1, 16384, True),
    limited(-1, 16385, False, defect="close without a status"),
    limited(0, 1, True, defect="zero limit"),
    limited(0, 20000, True, defect="zero limit"),
    limited(0, 300_000, True, on=HOSTS),
    *[
        limited(limit, limit + more, not more)
        for limit in (1, 10, 125, 126, 127, 1000)
        for more in (0, 1)
    ],
    limited(65535, 65535, True, on=HOSTS),
    limited(65535, 65536, False),
    limited(1, 0, True),
    echo("limit is for the bytes of a text", "10.4", "üü", path="/echo?limit=4"),
    Case("text over the limit in bytes", "10.4", (text("üüü"),), path="/echo?limit=5", close=1009),
    echo("limit set on the class", "10.4", bytes(10), path="/class-limit?limit=10"),
    Case(
        "over the limit set on the class",
        "10.4",
        (binary(bytes(11)),),
        path="/class-limit?limit=10",
        close=1009,
    ),
    refused("refused from the header, before the payload", "10.4", [NEVER_SENT], 1009),
    refused("length that lies: 2^31", "10.4", [b"\x82\xff" + (2**31).to_bytes(8, "big")], 1009),
    refused("length that lies: 2^62", "10.4", [b"\x82\xff" + (2**62).to_bytes(8, "big")], 1009),
    Case(
        "limit 0, more than the board's memory",
        "10.4",
        (binary(b"")[:1] + b"\xff" + (1 << 20).to_bytes(8, "big") + b"1234" + bytes(3000),),
        close=1009,
        path="/echo?limit=0",
        on=(BOARD,),
        log=("raised WebSocketError 1009",),
    ),
    Case(
        "limit 0, 2^62 bytes of the board's memory",
        "10.4",
        (b"\x82\xff" + (1 << 62).to_bytes(8, "big") + b"1234",),
        close=1009,
        path="/echo?limit=0",
        on=(BOARD,),
    ),
    Case(
        "limit 0, memory for one copy only",
        "10.4",
        (binary(bytes(65536)),),
        close=1009,
        path="/echo?limit=0",
        on=(BOARD,),
    ),
    # close(), and after
    *[
        Case(
            f"close({code})",
            "7.4",
            path=f"/close?code={code}",
            close=code,
            reason=b"",
            log=(f"closed True {code}", "returned"),
        )
        for code in (1000, 1001, 1011, 3000, 4999)
    ],
    *[
        Case(
            f"close({code})",
            "7.4",
            path=f"/close?code={code}",
            close=1000,
            log=("close ValueError None", "closed False None", "returned"),
        )
        for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 70000)
    ],
    Case("reason", "7.1.6", path="/close?code=3000&reason=bye", close=3000, reason=b"bye"),
    Case("reason of 123 bytes", "5.5", path="/close?reason=x&times=123", reason=b"x" * 123),
    Case("reason of 124 bytes is cut", "5.5", path="/close?reason=x&times=124", reason=b"x" * 123),
    Case(
        "reason is cut between characters",
        "5.5",
        path="/close?reason=%C3%BC&times=100",
        reason="ü".encode() * 61,
    ),
    Case(
        "reason is cut between long characters",
        "5.5",
        path="/close?reason=%F0%9F%9A%80&times=50",
        reason="🚀".encode() * 30,
    ),
    Case(
        "send(), receive(), close() after close()",
        "7.1.2",
        path="/after-close",
        log=("send WebSocketError 1000", "receive WebSocketError 1000", "closed True", "returned"),
        defect="send() after close()",
    ),
    Case(
        "send(), receive(), close() after the peer's close",
        "7.1.2",
        (close(3000),),
        close=3000,
        path="/after-peer",
        log=(
            "receive WebSocketError 3000",
            "send WebSocketError 3000",
            "receive WebSocketError 3000",
            "closed True",
            "returned",
        ),
    ),
    Case(
        "send(), receive(), close() after FIN",
        "7.1.2",
        (Fin(),),
        close=None,
        path="/after-peer",
        log=(
            "receive WebSocketError 1006",
            "send WebSocketError 1006",
            "receive WebSocketError 1006",
            "closed True",
            "returned",
        ),
    ),
    Case(
        "close frame by send()",
        "5.5.1",
        path="/close-opcode",
        close=4000,
        reason=b"bye",
        log=("closed True", "returned"),
    ),
    # messages
    good(
        "async for",
        "5.6",
        [text("a"), binary(b"b")],
        [(TEXT, b"a"), (BINARY, b"b")],
        path="/for",
        log=("end of loop", "returned"),
    ),
    Case(
        "types of data",
        "5.6",
        path="/types",
        frames=(
            (TEXT, "grüße".encode()),
            (BINARY, b"bytes"),
            (BINARY, b"bytearray"),
            (BINARY, b"view"),
            (TEXT, b""),
            (BINARY, b""),
        ),
        log=("TypeError",) * 4 + ("returned",),
    ),
    Case(
        "opcodes of send()",
        "5.2",
        path="/opcodes",
        frames=((BINARY, b"text"), (TEXT, b"bytes"), (PING, b"ping"), (10, b"pong"), (0, b"cont")),
        log=("ValueError",) * 4 + ("returned",),
    ),
    # several tasks
    good(
        "PONG follows a long send() at once",
        "5.5.2",
        [ping(b"p"), text("x"), Until(b"x")],
        [(BINARY, bytes(BIG)), (PONG, b"p"), (TEXT, b"x")],
        path="/busy",
        on=HOSTS,
    ),
    Case(
        "send() cancelled in mid-frame",
        "5.4",
        (Noted("timed out"),),
        ((BINARY, bytes(BIG)), (TEXT, b"next")),
        path="/cancelled-send",
        log=("timed out", "returned"),
        on=HOSTS,
        receive_buffer=4096,
    ),
    Case(
        "close() during send()",
        "5.5.1",
        (Sync(),),
        ((BINARY, bytes(BIG)),),
        3001,
        path="/closed-during-send",
        log=("sent", "returned"),
        on=HOSTS,
    ),
    Case(
        "close() while the client reads nothing",
        "7.1.7",
        (Silence(),),
        close=None,
        path="/stuck",
        log=("send WebSocketError 3002", "returned"),
        on=HOSTS,
        end="any",
        partial=True,
        receive_buffer=4096,
    ),
    Case(
        "close() while the client reads nothing, send() and receive() wait",
        "7.1.7",
        (Silence(),),
        close=None,
        path="/stuck-in-both",
        log=("receive WebSocketError 3003", "returned", "send WebSocketError 3003"),
        log_in_any_order=True,
        on=HOSTS,
        end="any",
        partial=True,
        receive_buffer=4096,
    ),
    Case(
        "bad frame while close() waits for a send()",
        "5.5.1",
        (Noted("closing"), frame(3, b"bad"), Sync()),
        ((BINARY, bytes(BIG)),),
        3004,
        path="/closed-by-two",
        log=("closing", "receive WebSocketError 3004", "returned"),
        on=HOSTS,
        receive_buffer=4096,
    ),
    Case(
        "closed is true after the handler",
        "7.1.2",
        path="/remember",
        log=("returned", "after True"),
    ),
    Case(
        "two tasks send small frames",
        "5.4",
        path="/two-senders?size=10&count=50",
        frames=((BINARY, b"a" * 10),) * 50 + ((BINARY, b"b" * 10),) * 50,
        any_order=True,
    ),
    Case(
        "two tasks send large frames",
        "5.4",
        path="/two-senders?size=9000&count=10",
        frames=((BINARY, b"a" * 9000),) * 10 + ((BINARY, b"b" * 9000),) * 10,
        any_order=True,
        receive_buffer=4096,
    ),
    Case(
        "two tasks receive",
        "5.4",
        (text("one"), text("two")),
        ((TEXT, b"one"), (TEXT, b"two")),
        path="/two-receivers",
        log=("returned",),
    ),
    Case(
        "close() while receive() waits",
        "7.1.2",
        (text("now"),),
        path="/closed-by-other",
        close=3000,
        reason=b"by another task",
        log=("receive WebSocketError 3000", "closer done", "returned"),
    ),
    Case(
        "close() while receive() waits in a frame",
        "7.1.2",
        (text("now"), text("half")[:7]),
        path="/closed-by-other",
        close=3000,
        answer=False,
        end="any",
    ),
]


def test_case(case, where, conforms):
    conforms(case, where)
