"""The scapy layer: fields that lie, dissection both ways, sessions of real clients."""

import os

import pytest
import websockets.sync.client
from scapy.layers.http import HTTPRequest, HTTPResponse
from scapy.sendrecv import sniff

from lab.inject.websocket import (
    WebSocketClose,
    WebSocketFrame,
    WebSocketSession,
    bind_websocket,
    frame_size,
    frames_of,
    parse_frames,
    xor_mask,
)
from lab.net.capture import Capture


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536])
@pytest.mark.parametrize("mask", [0, 1])
def test_round_trip(size, mask):
    data = bytes(n & 255 for n in range(size))
    built = bytes(WebSocketFrame(opcode="binary", MASK=mask) / data)
    (frame,) = parse_frames(built)
    assert frame.data == data and frame.length() == size
    frame.raw_packet_cache = None  # build it again, from its fields
    assert bytes(frame) == built
    assert frame_size(built) == len(built)


def test_the_payload_is_masked_on_the_wire():
    built = bytes(WebSocketFrame(key=b"abcd") / b"hello")
    assert built == b"\x81\x85abcd" + xor_mask(b"hello", b"abcd")
    assert b"hello" not in built


@pytest.mark.parametrize(
    "frame, expected",
    [
        (WebSocketFrame(length7=5, MASK=0) / b"x", "8105 78"),
        (WebSocketFrame(length7=126, length16=3, MASK=0) / b"x", "817e0003 78"),
        (WebSocketFrame(length7=127, length64=1 << 63, MASK=0) / b"x", "817f8000000000000000 78"),
        (WebSocketFrame(FIN=0, RSV1=1, RSV3=1, opcode=11, MASK=0), "5b00"),
        (WebSocketFrame(opcode="close", MASK=0) / WebSocketClose(code=1002, reason=b"no"),
         "8804 03ea 6e6f"),
    ],
)  # fmt: skip
def test_every_field_may_lie(frame, expected):
    assert bytes(frame) == bytes.fromhex(expected)


def test_a_close_frame_shows_its_code():
    built = bytes(WebSocketFrame(opcode="close") / WebSocketClose(code=4001, reason=b"bye"))
    (frame,) = parse_frames(built)
    assert (frame[WebSocketClose].code, frame[WebSocketClose].reason) == (4001, b"bye")
    assert frame.data == b"\x0f\xa1bye"


def test_frames_in_a_row_and_half_a_frame():
    stream = b"".join(
        (bytes(WebSocketFrame() / b"a"), bytes(WebSocketFrame(opcode="ping", MASK=0) / b"b"))
    )
    assert [(f.opcode, f.data) for f in parse_frames(stream + b"\x81")] == [(1, b"a"), (9, b"b")]
    for cut in range(len(stream)):
        assert len(parse_frames(stream[:cut])) == (cut >= 7)


def test_a_real_client_in_a_capture(board, ws_url, switch, tmp_path):
    messages = ["hello", b"\0" * 300, "", os.urandom(3000), "ünïcödé"]
    capture = Capture(tmp_path / "ws.pcapng", switch)
    try:
        with websockets.sync.client.connect(ws_url) as ws:
            for message in messages:
                ws.send(message)
                assert ws.recv(20) == message
            assert ws.ping(b"there?").wait(20)
            ws.close(4002, "done")
    finally:
        capture.close()
    bind_websocket(80)
    packets = sniff(offline=str(capture.path), session=WebSocketSession, quiet=True)
    seen = {"client": [], "board": []}
    for packet in packets:
        for frame in frames_of(packet):
            who = "client" if frame.MASK else "board"
            seen[who].append((frame.opcode, frame.data))
    sent = [(1 if isinstance(m, str) else 2, m.encode() if isinstance(m, str) else m)
            for m in messages]  # fmt: skip
    close = (8, b"\x0f\xa2done")
    assert seen["client"] == [*sent, (9, b"there?"), close]
    assert seen["board"] == [*sent, (10, b"there?"), (8, b"\x0f\xa2")]
    assert [p[HTTPRequest].Path for p in packets if HTTPRequest in p] == [b"/echo"]
    assert [p[HTTPResponse].Status_Code for p in packets if HTTPResponse in p] == [b"101"]
