"""RFC 6455, 5: TCP may cut anywhere, a client may stop anywhere, receive() may be cancelled."""

from case import HOSTS, Case, Fin, Rst, Sync, Until, good, refused, trickle
from wire import binary, close, frame, ping, text

WORD = text("hello, world")
LONG = binary(bytes(range(200)))
CUTS = range(len(text("hello")) + 1)

CASES = [
    # byte by byte: each read by the server before the next is sent
    good(
        "text byte by byte",
        "5.2",
        trickle(WORD),
        [(1, b"hello, world")],
        defect="header in two segments",
    ),
    good(
        "16-bit length byte by byte",
        "5.2",
        [*trickle(LONG[:14]), LONG[14:]],
        [(2, bytes(range(200)))],
    ),
    good("empty text byte by byte", "5.2", [*trickle(text()), text("x")], [(1, b""), (1, b"x")]),
    good("ping byte by byte", "5.5.2", trickle(ping(b"p")), [(10, b"p")]),
    Case("close byte by byte", "5.5.1", tuple(trickle(close(3333, "slowly"))), close=3333),
    good(
        "three frames byte by byte",
        "5.2",
        trickle(text("a") + ping(b"b") + binary(b"c")),
        [(1, b"a"), (10, b"b"), (2, b"c")],
    ),
    good("UTF-8 byte by byte", "8.1", trickle(text("ü世🚀")), [(1, "ü世🚀".encode())]),
    *[
        good(
            f"pieces of {size}",
            "5.2",
            trickle(WORD + LONG + ping(b"p"), size),
            [(1, b"hello, world"), (2, bytes(range(200))), (10, b"p")],
        )
        for size in (3, 5, 7, 11, 64)
    ],
    *[
        good(f"cut after {at}", "5.2", [WORD[:at], Sync(), WORD[at:]], [(1, b"hello, world")])
        for at in (1, 2, 3, 5, 6, 7, 12)
    ],
    good(
        "cut in a 64-bit length",
        "5.2",
        [*trickle(binary(bytes(65536))[:14], 3), binary(bytes(65536))[14:]],
        [(2, bytes(65536))],
        path="/echo?limit=70000",
        on=HOSTS,
    ),
    refused("reserved opcode byte by byte", "5.2", trickle(frame(3, b"")[:2]), 1002),
    refused(
        "too long, byte by byte",
        "10.4",
        trickle(binary(bytes(1000))[:4]),
        1009,
        path="/echo?limit=999",
    ),
    # receive() timed out in the middle of a frame
    *[
        good(
            f"receive() times out after byte {at}",
            "5.2",
            [WORD[:at], Until(b"timeout"), Until(b"timeout"), WORD[at:]],
            [(1, b"hello, world")],
            path="/patient",
            ignore=b"timeout",
            defect="timed-out receive()" if at else "",
        )
        for at in (0, 1, 2, 4, 6, 7, 17)
    ],
    good(
        "receive() times out at every third byte",
        "5.2",
        [step for piece in trickle(LONG[:30], 3)[::2] for step in (piece, Until(b"timeout"))]
        + [LONG[30:]],
        [(2, bytes(range(200)))],
        path="/patient",
        ignore=b"timeout",
        seconds=40,
    ),
    good(
        "receive() times out before and in a ping",
        "5.5.2",
        [Until(b"timeout"), ping(b"p")[:3], Until(b"timeout"), ping(b"p")[3:], text("x")],
        [(10, b"p"), (1, b"x")],
        path="/patient",
        ignore=b"timeout",
    ),
    Case(
        "receive() times out in a close",
        "5.5.1",
        (close(3000)[:5], Until(b"timeout"), Until(b"timeout"), close(3000)[5:]),
        close=3000,
        path="/patient",
        ignore=b"timeout",
    ),
    # the client is gone at any byte
    *[
        Case(
            f"FIN after {at} bytes",
            "7.1.1",
            (text("hello")[:at], Sync(), Fin()),
            ((1, b"hello"),) if at == len(text("hello")) else (),
            None,
            log=(
                *(["text hello"] if at == len(text("hello")) else []),
                "raised WebSocketError 1006",
            ),
        )
        for at in CUTS
    ],
    *[
        Case(
            f"RST after {at} bytes",
            "7.1.1",
            (text("hello")[:at], Sync(), Rst()),
            (),
            None,
            log=("raised WebSocketError 1006",),
        )
        for at in range(len(text("hello")))
    ],
    Case(
        "FIN in a long frame",
        "7.1.1",
        (binary(bytes(9000))[:5000], Sync(), Fin()),
        (),
        None,
        log=("raised WebSocketError 1006",),
    ),
    Case(
        "RST in a long frame",
        "7.1.1",
        (binary(bytes(9000))[:5000], Sync(), Rst()),
        (),
        None,
        log=("raised WebSocketError 1006",),
    ),
    Case("RST right behind a message", "7.1.1", (text("x"), Rst()), (), None),
    Case("RST right behind a bad frame", "7.1.1", (frame(3, b"x"), Rst()), (), None),
    Case("RST right behind a close", "7.1.1", (close(), Rst()), (), None),
    Case(
        "RST while we send",
        "7.1.1",
        (Sync(), Rst()),
        (),
        None,
        path="/two-senders?size=10000&count=50",
        receive_buffer=2048,
    ),
    Case(
        "FIN while receive() times out",
        "7.1.1",
        (WORD[:3], Until(b"timeout"), Fin()),
        (),
        None,
        path="/patient",
        ignore=b"timeout",
        log=("raised WebSocketError 1006",),
    ),
]


def test_case(case, where, conforms):
    conforms(case, where)
