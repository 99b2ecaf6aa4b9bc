"""Malformed frames and packets against the board, through the virtual network."""

import pytest
import websockets.sync.client

from lab.inject.socketpeer import SocketPeer
from lab.inject.tcp import TcpPeer
from lab.inject.websocket import WebSocketFrame, handshake_request, parse_frames

BOARD = "10.0.2.15"
HEAD_END = b"\r\n\r\n"


@pytest.fixture
def peer(board, target, request):
    """Of the board's own network; through a socket of this machine where that is out of reach."""
    if target == "board":
        with SocketPeer(board.address, target, board.patience) as peer:
            yield peer
        return
    with TcpPeer(request.getfixturevalue("switch"), seed=1) as peer:
        yield peer


def upgrade(peer):
    """A WebSocket on the board's echo; returns what follows the handshake's answer."""
    peer.connect(BOARD, 80)
    peer.send(handshake_request())
    head = peer.receive_until(lambda data: HEAD_END in data)
    assert head.startswith(b"HTTP/1.1 101 ")
    peer.received = bytearray(head.partition(HEAD_END)[2])


def frames_after(peer, count=1):
    data = peer.receive_until(lambda data: len(parse_frames(data)) >= count)
    return parse_frames(data)


def still_alive(board, ws_url):
    """The server goes on: a fresh echo, nothing on the console, no reset."""
    with websockets.sync.client.connect(ws_url) as ws:
        ws.send("alive")
        assert ws.recv(timeout=10) == "alive"
    assert "Traceback" not in board.console.text
    assert board.events == []


def test_a_true_frame_is_echoed(peer, board, ws_url):
    upgrade(peer)
    peer.send(bytes(WebSocketFrame(opcode="text") / b"hello"))
    (frame,) = frames_after(peer)
    assert (frame.opcode, frame.MASK, frame.data) == (1, 0, b"hello")
    still_alive(board, ws_url)


@pytest.mark.parametrize(
    "frame, code",
    [
        pytest.param(WebSocketFrame(MASK=0) / b"hello", 1002, id="unmasked"),
        pytest.param(WebSocketFrame(RSV1=1) / b"hello", 1002, id="rsv1"),
        pytest.param(WebSocketFrame(opcode=3) / b"hello", 1002, id="reserved opcode"),
        pytest.param(WebSocketFrame(opcode=9, FIN=0) / b"hello", 1002, id="fragmented ping"),
        pytest.param(WebSocketFrame(FIN=0) / b"hello", 1003, id="fragment"),
        pytest.param(WebSocketFrame(length7=127, length64=2**63), 1002, id="length over 2^63"),
        pytest.param(WebSocketFrame(length7=127, length64=2**40), 1009, id="length lies big"),
        pytest.param(WebSocketFrame() / b"\xed\xa0\x80", 1007, id="surrogate"),
        pytest.param(WebSocketFrame() / b"\xc0\x80", 1007, id="overlong"),
        pytest.param(WebSocketFrame(opcode=8) / b"\x03", 1002, id="half a close code"),
    ],
)
def test_malformed_frame_is_answered_with_its_close_code(peer, board, ws_url, frame, code):
    upgrade(peer)
    peer.send(bytes(frame))
    answer = frames_after(peer)[-1]
    assert answer.opcode == 8
    assert int.from_bytes(answer.data[:2], "big") == code
    peer.fin()
    peer.wait_for_end()
    still_alive(board, ws_url)


def test_rst_in_the_middle_of_a_frame(peer, board, ws_url):
    upgrade(peer)
    frame = bytes(WebSocketFrame(opcode="binary") / bytes(1000))
    peer.send(frame[:500])
    peer.rst()
    still_alive(board, ws_url)


def test_rst_that_misses_the_window_changes_nothing(peer, board, ws_url):
    upgrade(peer)
    peer.rst(offset=-100_000)
    peer.send(bytes(WebSocketFrame() / b"still here"))
    assert frames_after(peer)[0].data == b"still here"


def test_fin_in_the_middle_of_a_frame(peer, board, ws_url):
    upgrade(peer)
    peer.send(bytes(WebSocketFrame() / b"hello")[:4])
    peer.fin()
    peer.wait_for_end()
    still_alive(board, ws_url)


def test_bad_checksum_is_dropped(peer, board, ws_url):
    upgrade(peer)
    data = bytes(WebSocketFrame() / b"once")
    peer.send_frame(peer.segment("PA", data, chksum=0x1234))
    peer.send(data)  # the same bytes, retransmitted with a good one
    assert [frame.data for frame in frames_after(peer)] == [b"once"]
    still_alive(board, ws_url)
