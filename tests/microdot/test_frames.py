"""The frame layer without sockets (RFC 6455, section 5): any split of any bytes, same frames."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microdot import _plain, frames
from microdot.frames import CloseFinder, FrameError, FrameReader, decode_text, parse_close

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


def feed(reader, data):
    """What the reader makes of `data`, for which it has room."""
    reader.space()[: len(data)] = data
    return reader.advance(len(data))


def read(stream, pieces=None, limit=None, feed=feed):
    """Frames of `stream`, fed in pieces of at most the given sizes."""
    reader = FrameReader()
    reader.limit = limit
    found, at = [], 0
    sizes = itertools.cycle(pieces or [1 << 30])
    while at < len(stream):
        size = max(1, min(next(sizes), len(reader.space())))
        frame = feed(reader, stream[at : at + size])
        at += size
        while frame:
            found.append((frame[0], bytes(frame[1])))
            frame = reader.next()
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
    assert read(stream, pieces, feed=FrameReader.feed) == messages


def test_what_was_read_ahead_is_kept_when_the_buffer_is_used_again():
    reader = FrameReader()
    frame = feed(reader, masked(1, b"one") + masked(2, b"two") + masked(1, b"three")[:4])
    assert frame == (1, b"one")
    frames.shared()[:] = bytes(len(frames.shared()))
    assert reader.next() == (2, b"two")
    assert reader.next() is None
    frame = feed(reader, masked(1, b"three")[4:])
    assert frame == (1, b"three")
    ping = feed(reader, masked(9, b"is answered, which may mean a wait"))
    frames.shared()[:] = bytes(len(frames.shared()))
    assert ping == (9, b"is answered, which may mean a wait")
    with pytest.raises(FrameError):
        feed(reader, masked(3, b"x") + masked(8, b""))
    frames.shared()[:] = bytes(len(frames.shared()))
    assert CloseFinder(reader).found


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
    reader = FrameReader()
    reader.limit = 1000
    with pytest.raises(FrameError) as raised:
        for byte in stream[:14]:
            feed(reader, bytes([byte]))
    assert raised.value.code == code
    assert raised.value.reason


def test_limit_is_for_messages_not_for_control_frames():
    assert read(masked(1, bytes(10)), limit=10)
    assert read(masked(9, bytes(125)), limit=10) == [(9, bytes(125))]
    assert len(read(masked(2, bytes(100_000)))[0][1]) == 100_000


def test_memory_is_taken_for_what_comes_not_for_what_is_promised():
    reader = FrameReader()
    for part in (b"\x82\xff", (2**62).to_bytes(8, "big"), KEY):
        assert feed(reader, part) is None
    assert len(reader.space()) <= frames.GROW


def test_a_frame_larger_than_the_first_buffer():
    payload = bytes(range(256)) * (frames.GROW // 100)
    assert read(masked(2, payload), [60_000]) == [(2, payload)]


class NoMemory:
    """Stands in for bytearray() and bytes() of a board that has none left."""

    def __init__(self, size):
        raise MemoryError


def test_memory_that_is_not_there_is_1009(monkeypatch):
    reader = FrameReader()
    monkeypatch.setattr(frames, "bytearray", NoMemory, raising=False)
    with pytest.raises(FrameError) as raised:
        feed(reader, b"\x82\x81" + KEY)
    assert raised.value.code == 1009


def test_memory_that_ends_in_a_frame_is_1009(monkeypatch):
    reader = FrameReader()
    for part in (b"\x82\xff", (3 << 20).to_bytes(8, "big"), KEY):
        feed(reader, part)
    monkeypatch.setattr(frames, "bytes", NoMemory, raising=False)
    with pytest.raises(FrameError) as raised:
        feed(reader, bytes(1 << 20))
    assert raised.value.code == 1009


# --- UTF-8 as MicroPython checks it: decode() for the structure, then not_strict() ---

MUTATED = st.builds(
    lambda text, at, byte: (
        lambda data: data[: at % len(data)] + byte + data[at % len(data) + 1 :]
    )(text.encode()),
    st.text(min_size=1, max_size=8),
    st.integers(0, 40),
    st.sampled_from([bytes([n]) for n in (0x80, 0xA0, 0xC0, 0xC1, 0xE0, 0xED, 0xF0, 0xF4, 0xF5)])
    | st.binary(min_size=1, max_size=2),
)


def is_utf8(data):
    try:
        data.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


@given(st.binary(max_size=12) | MUTATED)
@settings(max_examples=2000, deadline=None)
def test_utf8_check_of_micropython_agrees_with_cpython(data):
    strict = structure_is_utf8(data) and not _plain.not_strict(data)
    assert strict == is_utf8(data)


def test_utf8_check_of_every_two_bytes_in_a_sequence():
    """All first and second bytes, in sequences of the right structure."""
    for first in range(0xC0, 0xF8):
        for second in range(0x80, 0xC0):
            data = bytes([first, second]) + b"\x80" * ((first >= 0xE0) + (first >= 0xF0))
            assert _plain.not_strict(data) != is_utf8(data), data


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


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_a_reason_is_cut_between_characters(reason):
    payload = frames.make_close(1000, reason)
    assert payload[:2] == b"\x03\xe8"
    assert len(payload) <= 125
    kept = payload[2:].decode()  # UTF-8, whole
    assert reason.startswith(kept)
    assert kept == reason or len((kept + reason[len(kept)]).encode()) > 123


# --- what a client still sends after an error ---

MESSAGES = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, 3, 9, 10, 15]), st.binary(max_size=300)), max_size=4
)


@given(MESSAGES, st.binary(max_size=125), st.lists(st.integers(1, 40), min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_the_close_frame_is_found_behind_anything(messages, reason, pieces):
    stream = b"".join(masked(opcode, payload, rsv=opcode % 8) for opcode, payload in messages)
    stream += masked(8, reason)
    finder = CloseFinder(FrameReader())
    at, sizes = 0, itertools.cycle(pieces)
    found = False
    while at < len(stream):
        assert not found
        size = next(sizes)
        found = finder.feed(stream[at : at + size])
        at += size
    assert found


@given(st.integers(0, 20), st.binary(min_size=20, max_size=300))
@settings(max_examples=200, deadline=None)
def test_the_close_frame_is_found_from_the_middle_of_a_frame(have, payload):
    stream = masked(2, payload)
    reader = FrameReader()
    for at in range(have):
        feed(reader, stream[at : at + 1])
    finder = CloseFinder(reader)
    assert not finder.found
    assert not finder.feed(stream[have:])
    assert finder.feed(masked(8, b""))


def test_the_close_frame_is_found_in_what_was_read_ahead():
    reader = FrameReader()
    with pytest.raises(FrameError):
        feed(reader, masked(3, b"x") + masked(8, b""))
    assert CloseFinder(reader).found


def test_readers_that_share_the_buffer_mix_nothing_up():
    streams = [masked(2, bytes([n]) * 50) + masked(2, bytes([n]) * 300) for n in range(3)]
    readers = [FrameReader() for _ in streams]
    found = [[] for _ in streams]
    at = [0] * len(streams)
    while any(a < len(stream) for a, stream in zip(at, streams, strict=True)):
        for n, stream in enumerate(streams):
            size = min(7 + n, len(readers[n].space()), len(stream) - at[n])
            frame = feed(readers[n], stream[at[n] : at[n] + size])
            at[n] += size
            while frame:
                found[n].append(bytes(frame[1]))
                frame = readers[n].next()
    assert found == [[bytes([n]) * 50, bytes([n]) * 300] for n in range(3)]


# --- what we send ---


@given(st.sampled_from(frames.OPCODES), st.integers(0, 2**63 - 1))
@settings(max_examples=300, deadline=None)
def test_header_round_trip(opcode, length):
    head = frames.frame_header(opcode, length)
    assert head[0] == 0x80 | opcode
    code = head[1]
    assert (code if code < 126 else int.from_bytes(head[2:], "big")) == length
    assert len(head) == (2 if length < 126 else 4 if length < 65536 else 10)


@given(st.binary(max_size=2000), st.binary(min_size=4, max_size=4))
@settings(max_examples=300, deadline=None)
def test_unmask_is_the_rfc_s(data, key):
    made = bytearray(data)
    _plain.unmask(made, key)
    assert made == bytes(byte ^ key[n % 4] for n, byte in enumerate(data))
