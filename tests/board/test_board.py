"""The app on the emulated board, seen by real clients through the gateway."""

import contextlib
import json
import urllib.request

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed


def fetch(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        return answer.headers.get_content_type(), answer.read()


def test_page_is_served(url):
    kind, page = fetch(url)
    assert kind == "text/html"
    assert b"<title>ESP32 camera</title>" in page


def test_status_is_json(url):
    kind, text = fetch(url + "status")
    assert kind == "application/json"
    status = json.loads(text)
    assert "MicroPython v1." in status["firmware"]
    assert status["mem_free"] > 50_000


def test_unknown_page_is_404(url):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(url + "nothing")


@pytest.mark.parametrize(
    "message",
    ["", "hello", "grüße, 世界 🚀", "x" * 125, "x" * 126, "x" * 5000, b"", bytes(range(256)) * 8],
    ids=["empty", "short", "utf-8", "125", "126", "5000", "no bytes", "bytes"],
)
def test_echo(ws_url, message):
    with websockets.sync.client.connect(ws_url, max_size=None) as ws:
        ws.send(message)
        assert ws.recv(timeout=20) == message


def test_ping_is_answered(ws_url):
    with websockets.sync.client.connect(ws_url) as ws:
        assert ws.ping(b"payload").wait(20)


def test_close_is_echoed(ws_url):
    with websockets.sync.client.connect(ws_url) as ws:
        ws.close(3001, "enough")
        assert ws.protocol.close_rcvd.code == 3001


def test_message_over_the_limit_ends_with_1009(ws_url):
    with websockets.sync.client.connect(ws_url) as ws:
        ws.send("x" * 16385)
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=20)
        assert ws.protocol.close_rcvd.code == 1009


def test_several_clients_at_once(ws_url):
    with contextlib.ExitStack() as stack:
        connect = websockets.sync.client.connect
        clients = [stack.enter_context(connect(ws_url)) for _ in range(4)]
        for n, ws in enumerate(clients):
            ws.send(f"client {n}")
        for n, ws in enumerate(clients):
            assert ws.recv(timeout=20) == f"client {n}"


def test_ctrl_c_gives_the_repl(board):
    board.console.interrupt()
    assert board.console.eval("1+1") == "2"


def test_cable_pulled_and_put_back(board, ws_url):
    board.set_link(False)
    board.set_link(True)
    with websockets.sync.client.connect(ws_url, open_timeout=30) as ws:
        ws.send("back")
        assert ws.recv(timeout=20) == "back"


def test_reset_by_the_program_under_traffic(board, switch):
    """The EMAC forgets with a reset what it was told: it interrupts no driver that is not there."""
    neighbour = switch.attach("neighbour", lambda frame: None)
    # ARP: who has 10.0.2.15? (RFC 826), to everybody
    question = bytes.fromhex("0001080006040001 5254000a0b0c 0a000263 000000000000 0a00020f")
    frame = b"\xff" * 6 + bytes.fromhex("5254000a0b0c 0806") + question.ljust(46, b"\0")
    board.console.interrupt()
    board.console.write(b"import machine; machine.reset()\r")
    board.console.wait_for("rst:0xc")
    for _ in range(1000):
        neighbour.send(frame)
        if not board.console.absent("lab: http on", 0.02):
            break
    assert [event.text for event in board.events] == ["software, CPU (cause 12)"]
