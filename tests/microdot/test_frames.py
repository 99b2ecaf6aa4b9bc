"""The frame layer without sockets (RFC 6455, section 5): any split of any bytes, same frames."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microdot import frames
from microdot.frames import FrameError, FrameReader, decode_text, parse_close, strict_utf8

KEY = b"\x12\x34\x56\x78"


def masked(opcode, payload, fin=True, rsv=0, length=None):
    """A client's frame."""
    size = len(payload)
    if length is None:
        length = (
            bytes([size])
            if size < 126
            else b"\x7e" + size.to_bytes(2, "big")
            if size < 65536
            else b"\x7f" + size.to_bytes(8, "big")
        )
    head = bytes([fin << 7 | rsv << 4 | opcode, length[0] | 0x80]) + length[1:]
    return head + KEY + bytes(b ^ KEY[i % 4] for i, b in enumerate(payload))


def read(stream, pieces=None, limit=1 << 20):
    """Frames of `stream`, fed in pieces of at most the given sizes."""
    reader = FrameReader(limit)
    found, at = [], 0
    sizes = itertools.cycle(pieces or [1 << 30])
    while at < len(stream):
        size = max(1, min(next(sizes), reader.wants))
        frame = reader.feed(stream[at : at + size])
        at += size
        if frame:
            found.append((frame[0], bytes(frame[1])))
    return found


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 125, 126, 127, 511, 513, 65535, 65536])
@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_lengths(size, opcode):
    payload = bytes(i & 127 for i in range(size))
    assert read(masked(opcode, payload)) == [(opcode, payload)]


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 8, 9, 10]), st.binary(max_size=125)), max_size=5),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_any_split_gives_the_same_frames(messages, pieces):
    stream = b"".join(masked(opcode, payload) for opcode, payload in messages)
    assert read(stream, pieces) == messages


REFUSED = {
    "rsv1": (masked(1, b"x", rsv=4), 1002),
    "rsv2": (masked(1, b"x", rsv=2), 1002),
    "rsv3": (masked(2, b"x", rsv=1), 1002),
    **{f"opcode {n}": (masked(n, b"x"), 1002) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "unmasked text": (b"\x81\x01x", 1002),
    "unmasked empty": (b"\x81\x00", 1002),
    "ping of 126": (masked(9, bytes(126)), 1002),
    "fragmented ping": (masked(9, b"x", fin=False), 1002),
    "fragmented close": (masked(8, b"", fin=False), 1002),
    "fragment": (masked(1, b"x", fin=False), 1003),
    "continuation": (masked(0, b"x"), 1003),
    "16-bit length of 125": (masked(1, bytes(125), length=b"\x7e\x00\x7d"), 1002),
    "64-bit length of 65535": (masked(1, b"", length=b"\x7f" + (65535).to_bytes(8, "big")), 1002),
    "64-bit length, top bit": (masked(1, b"", length=b"\x7f\x80" + bytes(7)), 1002),
    "over the limit": (masked(1, bytes(1001)), 1009),
    "far over the limit": (masked(2, b"", length=b"\x7f\x7f" + b"\xff" * 7), 1009),
}


@pytest.mark.parametrize("stream, code", REFUSED.values(), ids=REFUSED)
def test_refused_from_the_header(stream, code):
    reader = FrameReader(1000)
    with pytest.raises(FrameError) as raised:
        for byte in stream[:14]:
            reader.feed(bytes([byte]))
    assert raised.value.code == code
    assert raised.value.reason


def test_limit_is_for_messages_not_for_control_frames():
    assert read(masked(1, bytes(10)), limit=10)
    assert read(masked(9, bytes(125)), limit=10) == [(9, bytes(125))]
    assert len(read(masked(2, bytes(100_000)), limit=0)[0][1]) == 100_000


def test_memory_that_is_not_there_is_1009(monkeypatch):
    reader = FrameReader(0)
    with pytest.raises(FrameError) as raised:
        reader.feed(b"\x82\xff")
        reader.feed((2**62).to_bytes(8, "big"))
        reader.feed(KEY)
    assert raised.value.code == 1009


@given(st.binary(max_size=12))
@settings(max_examples=2000, deadline=None)
def test_utf8_check_of_micropython_agrees_with_cpython(data):
    """MicroPython's decode() looks at the structure; strict_utf8() must find the rest."""
    try:
        data.decode("utf-8")
        valid = True
    except UnicodeDecodeError:
        valid = False
    assert (structure_is_utf8(data) and strict_utf8(data)) == valid


def structure_is_utf8(data):
    """What MicroPython's own check accepts (py/unicode.c)."""
    need = 0
    for byte in data:
        if need:
            if not 0x80 <= byte < 0xC0:
                return False
            need -= 1
        elif byte >= 0xC0:
            if byte >= 0xF8:
                return False
            need = 1 + (byte >= 0xE0) + (byte >= 0xF0)
        elif byte >= 0x80:
            return False
    return not need


@pytest.mark.parametrize(
    "data",
    [b"\xc0\x80", b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf",
     b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\x80", b"\xe2\x82"],
)  # fmt: skip
def test_bad_text_is_1007(data):
    with pytest.raises(FrameError) as raised:
        decode_text(b"ok " + data)
    assert raised.value.code == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4999])
def test_close_codes_that_may_come(code):
    assert parse_close(code.to_bytes(2, "big") + "grüße".encode()) == (code, "grüße")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_close_codes_that_may_not(code):
    with pytest.raises(FrameError) as raised:
        parse_close(code.to_bytes(2, "big"))
    assert raised.value.code == 1002


def test_odd_close_payloads():
    assert parse_close(b"") == (1005, "")
    for payload, code in ((b"\x03", 1002), (b"\x03\xe8\xff", 1007)):
        with pytest.raises(FrameError) as raised:
            parse_close(payload)
        assert raised.value.code == code


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_header_that_we_send(size):
    header = frames.frame_header(frames.BINARY, size)
    assert header[0] == 0x82
    assert not header[1] & 0x80
    code = header[1]
    assert (code if code < 126 else int.from_bytes(header[2:], "big")) == size
    assert len(header) == {0: 2, 125: 2, 126: 4, 65535: 4, 65536: 10}[size]
