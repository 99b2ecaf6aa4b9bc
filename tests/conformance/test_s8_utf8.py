"""RFC 6455, 8.1: text is UTF-8 (RFC 3629), at every boundary, whole and cut."""

from case import echo, refused, trickle
from wire import close, text

VALID = {
    "U+0000": "\0",
    "U+007F": "\x7f",
    "U+0080": "\x80",
    "U+07FF": "\u07ff",
    "U+0800": "\u0800",
    "U+0FFF": "\u0fff",
    "U+1000": "\u1000",
    "U+CFFF": "\ucfff",
    "U+D7FF": "\ud7ff",
    "U+E000": "\ue000",
    "U+FFFD": "\ufffd",
    "U+FFFE": "\ufffe",
    "U+FFFF": "\uffff",
    "U+10000": "\U00010000",
    "U+3FFFF": "\U0003ffff",
    "U+40000": "\U00040000",
    "U+FFFFF": "\U000fffff",
    "U+100000": "\U00100000",
    "U+10FFFF": "\U0010ffff",
    "greek": "κόσμε",
    "mixed": "Hello-µ@ßöäüàá-UTF-8!! 世界 🚀",
}
INVALID = {
    "lone continuation 80": b"\x80",
    "lone continuation BF": b"\xbf",
    "continuations": b"\x80\xbf\x80",
    "C0 80, overlong U+0000": b"\xc0\x80",
    "C0 AF, overlong slash": b"\xc0\xaf",
    "C1 BF, overlong U+007F": b"\xc1\xbf",
    "E0 80 80": b"\xe0\x80\x80",
    "E0 9F BF, overlong U+07FF": b"\xe0\x9f\xbf",
    "F0 80 80 80": b"\xf0\x80\x80\x80",
    "F0 8F BF BF, overlong U+FFFF": b"\xf0\x8f\xbf\xbf",
    "F8 88 80 80 80": b"\xf8\x88\x80\x80\x80",
    "FC 84 80 80 80 80": b"\xfc\x84\x80\x80\x80\x80",
    "ED A0 80, U+D800": b"\xed\xa0\x80",
    "ED AD BF, U+DB7F": b"\xed\xad\xbf",
    "ED B0 80, U+DC00": b"\xed\xb0\x80",
    "ED BF BF, U+DFFF": b"\xed\xbf\xbf",
    "surrogate pair": b"\xed\xa0\x80\xed\xb0\x80",
    "F4 90 80 80, U+110000": b"\xf4\x90\x80\x80",
    "F5 80 80 80": b"\xf5\x80\x80\x80",
    "F7 BF BF BF, U+1FFFFF": b"\xf7\xbf\xbf\xbf",
    "FE": b"\xfe",
    "FF": b"\xff",
    "C2 alone": b"\xc2",
    "C2, then ASCII": b"\xc2A",
    "E2 82 cut": b"\xe2\x82",
    "E2 82, then ASCII": b"\xe2\x82A",
    "F0 9F 9A cut": b"\xf0\x9f\x9a",
    "F0 9F, then ASCII": b"\xf0\x9fAA",
    "F0 cut": b"\xf0",
    "E2 28 A1": b"\xe2\x28\xa1",
    "Latin-1": "grüße".encode("latin-1"),
    "Autobahn's": "κόσμε".encode() + b"\xed\xa0\x80edited",
}
SURROUNDED = "ED A0 80, U+D800", "C0 AF, overlong slash", "E2 82 cut", "F5 80 80 80"
BIG = "ü世🚀x" * 400

CASES = [
    *[echo(name, "8.1", string) for name, string in VALID.items()],
    echo("all together", "8.1", "".join(VALID.values())),
    echo("long", "8.1", BIG),
    *[
        refused(
            name,
            "8.1",
            [text(data)],
            1007,
            defect="invalid UTF-8" if "U+" in name and "cut" not in name else "",
        )
        for name, data in INVALID.items()
    ],
    *[
        refused(
            f"{name}, in long text",
            "8.1",
            [text(BIG.encode() + INVALID[name] + (b"" if "cut" in name else BIG.encode()))],
            1007,
        )
        for name in SURROUNDED
    ],
    *[
        refused(f"{name}, in pieces", "8.1", trickle(text(b"\xce\xba" + INVALID[name])), 1007)
        for name in SURROUNDED
    ],
    refused("a bad text, then a close", "8.1", [text(b"\xff") + close()], 1007, answer=False),
    echo("not UTF-8 is fine in binary", "8.1", b"\xff\xfe\xc0\x80\xed\xa0\x80"),
]


def test_case(case, where, conforms):
    conforms(case, where)
