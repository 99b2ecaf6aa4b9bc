"""RFC 6455, 5.2, 5.3, 5.6: frames, masks, lengths, messages."""

from case import echo, refused
from wire import TEXT, frame

CASES = [
    *[echo(f"text of {n}", "5.2", "t" * n) for n in (0, 1, 2, 125, 126, 127, 1000)],
    *[echo(f"binary of {n}", "5.2", b"\x80" * n) for n in (0, 1, 2, 125, 126, 127, 1000)],
    refused("unmasked", "5.1", [frame(TEXT, "x", key=None)], 1002),
]


def test_case(case, where, conforms):
    conforms(case, where)
