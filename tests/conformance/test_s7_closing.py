"""RFC 6455, 5.5.1, 7.1 and 7.4: close frames, their codes, and the end of TCP."""

from case import EMPTY, HOSTS, TARGETS, Case, Fin, refused
from wire import CLOSE, TEXT, binary, close, frame, ping, text

GOOD = [
    1000,
    1001,
    1002,
    1003,
    1007,
    1008,
    1009,
    1010,
    1011,
    1012,
    1013,
    1014,
    3000,
    3999,
    4000,
    4999,
]
BAD = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535]
REASONS = {
    "no": b"",
    "short": b"bye",
    "UTF-8": "grüße 世界 🚀".encode(),
    "of 123 bytes": b"x" * 123,
}
BAD_REASONS = {
    "no UTF-8": b"\xff",
    "cut off": b"ok \xe2\x82",
    "overlong": b"\xc0\x80",
    "a surrogate": b"\xed\xa0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
}


def ends(name, path, code, **more):
    """A handler that ends by itself."""
    return Case(name, "7.1.2", (), path=path, close=code, **more)


CASES = [
    *[
        Case(
            f"close with {code}",
            "7.4",
            (close(code),),
            close=code,
            reason=b"",
            log=(f"raised WebSocketError {code}",),
            defect="close code echo",
        )
        for code in GOOD
    ],
    Case("empty close", "5.5.1", (close(None),), close=EMPTY, log=("raised WebSocketError 1005",)),
    *[
        refused(f"close with {code}", "7.4", [close(code)], 1002, defect="close without a status")
        for code in BAD
    ],
    refused("close with half a code", "5.5.1", [frame(CLOSE, b"\x03")], 1002),
    *[
        Case(
            f"reason: {name}", "7.1.6", (close(1000, reason),), log=("raised WebSocketError 1000",)
        )
        for name, reason in REASONS.items()
    ],
    *[
        refused(f"reason: {name}", "8.1", [close(1000, reason)], 1007)
        for name, reason in BAD_REASONS.items()
    ],
    Case("close after messages", "7.1.2", (text("a"), close(1001)), ((TEXT, b"a"),), 1001),
    Case("two closes", "5.5.1", (close(1000) + close(1001),), close=1000),
    Case("close, then garbage", "7.1.1", (close(1000) + b"\xff" * 2000,), close=1000),
    Case("close, then FIN", "7.1.1", (close(1000), Fin()), close=1000),
    Case("close, then the client waits for us to end TCP", "7.1.1", (close(4000),), close=4000),
    # our close reaches a client that goes on sending
    *[
        Case(
            f"refused with {size} bytes behind it",
            "7.1.7",
            (frame(3, b"") + binary(bytes(size)),),
            close=1002,
            on=on,
        )
        for size, on in ((100, TARGETS), (10_000, TARGETS), (60_000, TARGETS), (500_000, HOSTS))
    ],
    *[
        Case(
            f"too big by {size} bytes, which are sent all the same",
            "7.1.7",
            (binary(bytes(16384 + size)),),
            close=1009,
            defect="close lost to a RST" if size > 500_000 else "",
            on=on,
        )
        for size, on in ((1, TARGETS), (40_000, TARGETS), (600_000, HOSTS))
    ],
    Case(
        "refused with many frames behind it",
        "7.1.7",
        (frame(3, b"bad") + (text("more") + ping(b"x")) * 500,),
        close=1002,
    ),
    Case(
        "refused, the client answers nothing and ends",
        "7.1.7",
        (frame(3, b"bad"), Fin()),
        close=1002,
        answer=False,
    ),
    Case(
        "refused, the client says nothing more",
        "7.1.7",
        (frame(3, b"bad"),),
        close=1002,
        answer=False,
        end="any",
    ),
    # ends of handlers
    *[
        case
        for path, how in (("", "with_websocket"), ("/upgrade", "websocket_upgrade"))
        for case in (
            ends(f"handler returns, {how}", path + "/returns", 1000, log=("returned",)),
            ends(
                f"handler raises, {how}",
                path + "/raises",
                1011,
                traceback=True,
                log=("raised ZeroDivisionError None",),
                defect="HTTP in the stream" if path else "",
            ),
            ends(
                f"handler aborts, {how}",
                path + "/aborts",
                1008,
                reason=b"not you",
                log=("raised HTTPException None",),
                defect="HTTP in the stream" if path else "",
            ),
            ends(f"handler raises WebSocketError, {how}", path + "/raises-websocket-error", 1000),
            ends(f"handler returns a body, {how}", path + "/returns-body", 1000, log=("returned",)),
            Case(
                f"handler raises after a message, {how}",
                "7.1.2",
                (text("x"),),
                ((TEXT, b"x"),),
                1011,
                path=path + "/raises-late",
                traceback=True,
            ),
            Case(
                f"handler raises after the close, {how}",
                "7.1.2",
                (close(1001),),
                close=1001,
                path=path + "/reads-then-raises",
                traceback=True,
            ),
            Case(
                f"handler raises, unread input, {how}",
                "7.1.2",
                (text("x") + binary(bytes(5000)),),
                ((TEXT, b"x"),),
                1011,
                path=path + "/raises-late",
                traceback=True,
            ),
        )
    ],
    Case("handler returns, frames in flight", "7.1.2", (text("a") * 50,), path="/returns"),
]


def test_case(case, where, conforms):
    conforms(case, where)
