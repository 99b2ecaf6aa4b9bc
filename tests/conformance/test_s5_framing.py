"""RFC 6455, 5.1 to 5.4, 5.6: masks, lengths, reserved bits, opcodes, fragments, messages."""

from case import BOARD, HOSTS, Fin, echo, good, refused
from wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, binary, close, frame, text

LENGTHS = (0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 255, 256, 511, 512, 513, 1023, 1024, 1025)
KEYS = {
    "zero": b"\0\0\0\0",
    "all ones": b"\xff\xff\xff\xff",
    "of the RFC": b"\x37\xfa\x21\x3d",
    "with the top bit": b"\x80\0\0\x01",
}


def pattern(size):
    """Bytes that show any shift or swap."""
    return bytes((n * 7 + n // 256) & 255 for n in range(size))


def lengthy(size, **more):
    return [
        echo(f"text of {size}", "5.2", "t" * size, **more),
        echo(f"binary of {size}", "5.2", pattern(size), **more),
    ]


def not_shortest(name, length):
    return refused(
        f"length not in its shortest form: {name}", "5.2", [frame(BINARY, b"", length=length)], 1002
    )


RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]

CASES = [
    # lengths
    *[case for size in LENGTHS if size for case in lengthy(size)],
    echo(
        "empty text",
        "5.6",
        "",
        defect="empty messages",
        log=("text ", "raised WebSocketError 1000"),
    ),
    echo("empty binary", "5.6", b"", defect="empty messages"),
    echo(
        "empty messages between others", "5.6", "", "a", "", b"", b"b", "", defect="empty messages"
    ),
    *lengthy(16383),
    *lengthy(16384),
    *[
        case
        for size in (65535, 65536, 65537, 100_000)
        for case in lengthy(size, path="/echo?limit=200000", on=HOSTS)
    ],
    *[
        echo(f"binary of {size}", "5.2", pattern(size), path="/echo?limit=40000", on=(BOARD,))
        for size in (8000, 12000)
    ],
    echo("a megabyte", "5.2", pattern(1 << 20), path="/echo?limit=1048576", on=HOSTS),
    echo("messages of every small size", "5.2", *[pattern(n) for n in range(1, 40)]),
    not_shortest("16 bits for 0", b"\x7e\0\0"),
    not_shortest("16 bits for 125", b"\x7e\0\x7d"),
    not_shortest("64 bits for 0", b"\x7f" + bytes(8)),
    not_shortest("64 bits for 126", b"\x7f" + (126).to_bytes(8, "big")),
    not_shortest("64 bits for 65535", b"\x7f" + (65535).to_bytes(8, "big")),
    refused(
        "length with its top bit set",
        "5.2",
        [frame(BINARY, b"", length=b"\x7f\x80" + bytes(7))],
        1002,
    ),
    refused("length of all ones", "5.2", [frame(BINARY, b"", length=b"\x7f" + b"\xff" * 8)], 1002),
    # masks
    *[
        good(
            f"key {name}",
            "5.3",
            [frame(BINARY, pattern(size), key=key) for size in (1, 7, 300)],
            [(2, pattern(size)) for size in (1, 7, 300)],
        )
        for name, key in KEYS.items()
    ],
    good(
        "another key for each frame",
        "5.3",
        [
            frame(TEXT, f"number {n}", key=bytes([n, n * 3 & 255, 255 - n, n * 7 & 255]))
            for n in range(20)
        ],
        [(1, f"number {n}".encode()) for n in range(20)],
    ),
    *[
        refused(
            f"unmasked {name}", "5.1", [frame(opcode, payload, key=None)], 1002, defect="unmasked"
        )
        for name, opcode, payload in (
            ("text", TEXT, "x"),
            ("empty text", TEXT, ""),
            ("binary", BINARY, b"1234"),
            ("ping", PING, b"x"),
            ("long binary", BINARY, bytes(300)),
        )
    ],
    refused("unmasked close", "5.1", [frame(CLOSE, b"\x03\xe8", key=None)], 1002),
    refused(
        "unmasked frame, then a true close",
        "5.1",
        [frame(TEXT, "no", key=None) + text("more") + close()],
        1002,
        answer=False,
    ),
    # reserved bits
    *[
        refused(
            f"RSV {rsv:03b} in {name}",
            "5.2",
            [frame(opcode, b"x", rsv=rsv)],
            1002,
            defect="RSV bits",
        )
        for rsv in range(1, 8)
        for name, opcode in (("text", TEXT), ("ping", PING))
    ],
    refused("RSV in an empty binary", "5.2", [frame(BINARY, b"", rsv=4)], 1002),
    refused("RSV in a close frame", "5.2", [frame(CLOSE, b"\x03\xe8", rsv=1)], 1002, answer=False),
    refused("RSV in a pong", "5.2", [frame(PONG, b"", rsv=2)], 1002),
    # reserved opcodes
    *[
        refused(
            f"opcode {n}",
            "5.2",
            [frame(n, b"payload")],
            1002,
            defect="reserved opcodes" if n < 8 else "",
        )
        for n in RESERVED
    ],
    *[refused(f"opcode {n}, empty", "5.2", [frame(n)], 1002) for n in RESERVED],
    # fragments: a clean refusal, as the API says
    refused("first fragment of a text", "5.4", [frame(TEXT, "x", fin=False)], 1003),
    refused("first fragment of a binary", "5.4", [frame(BINARY, b"x", fin=False)], 1003),
    refused("first fragment, empty", "5.4", [frame(TEXT, "", fin=False)], 1003),
    refused(
        "both fragments of a text",
        "5.4",
        [frame(TEXT, "one", fin=False) + frame(CONT, "two")],
        1003,
    ),
    refused("continuation of nothing", "5.4", [frame(CONT, "x")], 1003),
    refused("continuation of nothing, not the last", "5.4", [frame(CONT, "x", fin=False)], 1003),
    refused(
        "the reason says so",
        "5.4",
        [frame(CONT, "x")],
        1003,
        reason=b"fragmentation is not supported",
    ),
    refused("unmasked fragment", "5.4", [frame(TEXT, "x", fin=False, key=None)], 1003),
    # several frames at once
    echo("a hundred messages in one piece", "5.6", *[f"message {n}" for n in range(100)]),
    good(
        "good messages before a bad frame are delivered",
        "5.6",
        [text("one") + binary(b"two")],
        [(1, b"one"), (2, b"two")],
    ),
    refused(
        "what follows a bad frame is not read",
        "7.1.7",
        [frame(3, b"bad") + text("never seen")],
        1002,
    ),
    refused("bad frame, then FIN", "7.1.7", [frame(3, b"bad"), Fin()], 1002),
]


def test_case(case, where, conforms):
    conforms(case, where)
