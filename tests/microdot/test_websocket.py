"""WebSockets and HTTP over loopback on CPython: what a client sees."""

import asyncio
import socket
import threading

import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed

from lab.inject.websocket import WebSocketFrame, handshake_request, parse_frames
from microdot import Microdot, abort
from microdot.websocket import WebSocketError, websocket_upgrade, with_websocket

REUSED = 5 << 20  # bytes; more than a socket takes at once


def make_app():
    app = Microdot()
    app.seen = []

    @app.route("/echo")
    @with_websocket
    async def echo(request, ws):
        try:
            while True:
                await ws.send(await ws.receive())
        except WebSocketError as error:
            app.seen.append((error.code, ws.closed))
            raise

    @app.route("/fails")
    @with_websocket
    async def fails(request, ws):
        raise ZeroDivisionError

    @app.route("/upgrade-fails")
    async def upgrade_fails(request):
        ws = await websocket_upgrade(request)
        await ws.send("open")
        raise ZeroDivisionError

    @app.route("/aborts")
    @with_websocket
    async def aborts(request, ws):
        abort(403)

    @app.route("/returns")
    @with_websocket
    async def returns(request, ws):
        await ws.send("bye")

    @app.route("/reused")
    @with_websocket
    async def reused(request, ws):
        data = bytearray(b"a" * REUSED)
        for byte in (b"a", b"b", b"c"):
            data[:] = byte * REUSED
            await ws.send(data)
        data.clear()  # raises while somebody holds on to it

    @app.route("/patient")
    @with_websocket
    async def patient(request, ws):
        while True:
            try:
                await ws.send(await asyncio.wait_for(ws.receive(), 0.02))
            except TimeoutError:
                pass

    return app


@pytest.fixture(scope="module")
def app():
    return make_app()


@pytest.fixture(scope="module")
def address(app):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(app.start_server("127.0.0.1", port),)
    )
    thread.start()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            pass
    yield "127.0.0.1", port
    loop.call_soon_threadsafe(app.shutdown)
    thread.join(10)
    assert not thread.is_alive()


def url(address, path):
    return "ws://{}:{}".format(*address) + path


def raw(address, path="/echo", **headers):
    """A socket behind the handshake."""
    client = socket.create_connection(address, 10)
    client.sendall(handshake_request(path, **headers))
    return client


def head_of(client):
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(4096)
        if not part:
            break
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode(), rest


def all_of(client):
    data = b""
    while part := client.recv(4096):
        data += part
    return data


@pytest.mark.parametrize("message", ["", "x", "grüße", "x" * 16384, b"", b"\0\xff" * 100])
def test_echo(address, message):
    with websockets.sync.client.connect(url(address, "/echo")) as ws:
        ws.send(message)
        assert ws.recv(timeout=10) == message


def test_what_is_sent_may_be_changed_at_once_and_all_arrives_before_the_close(address):
    with websockets.sync.client.connect(url(address, "/reused"), max_size=None) as ws:
        messages = [ws.recv(timeout=10) for _ in range(3)]
        assert messages == [byte * REUSED for byte in (b"a", b"b", b"c")]
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=10)
        assert ws.close_code == 1000


def test_byte_by_byte(address):
    with raw(address) as client:
        _, rest = head_of(client)
        for byte in bytes(WebSocketFrame() / b"slowly"):
            client.sendall(bytes([byte]))
        while not parse_frames(rest):
            rest += client.recv(100)
        assert parse_frames(rest)[0].data == b"slowly"


def test_frames_in_the_segment_of_the_handshake_are_not_lost(address):
    with socket.create_connection(address, 10) as client:
        client.sendall(handshake_request() + bytes(WebSocketFrame() / b"early"))
        _, rest = head_of(client)
        while not parse_frames(rest):
            rest += client.recv(100)
        assert parse_frames(rest)[0].data == b"early"


def test_receive_that_times_out_loses_nothing(address):
    """Named defect of 2.7.0: a timed-out receive() desynchronises."""
    with raw(address, "/patient") as client:
        _, rest = head_of(client)
        frame = bytes(WebSocketFrame() / b"in two pieces")
        for part in (frame[:1], frame[1:5], frame[5:9], frame[9:]):
            client.sendall(part)
            threading.Event().wait(0.05)  # let the handler's own deadline pass
        while not parse_frames(rest):
            rest += client.recv(100)
        assert parse_frames(rest)[0].data == b"in two pieces"


@pytest.mark.parametrize(
    "path, code",
    [("/fails", 1011), ("/upgrade-fails", 1011), ("/aborts", 1008), ("/returns", 1000)],
)
def test_end_of_the_handler_is_a_close_frame(address, path, code):
    """Named defect of 2.7.0: a raise after websocket_upgrade() writes HTTP into the stream."""
    with websockets.sync.client.connect(url(address, path)) as ws:
        with pytest.raises(ConnectionClosed):
            while True:
                assert ws.recv(timeout=10) in ("open", "bye")
        assert ws.protocol.close_rcvd.code == code


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_close_code_is_echoed(address, app, code):
    """Named defect of 2.7.0: close code never echoed."""
    with websockets.sync.client.connect(url(address, "/echo")) as ws:
        ws.close(code)
        assert ws.protocol.close_rcvd.code == code


@pytest.mark.parametrize(
    "frame, code",
    [
        (WebSocketFrame(MASK=0) / b"x", 1002),
        (WebSocketFrame(opcode=8) / b"\x03\xed", 1002),
        (WebSocketFrame() / b"\xff", 1007),
        (WebSocketFrame() / bytes(16385), 1009),
    ],
)
def test_close_reaches_the_client_with_unread_input(address, frame, code):
    """Named defect of 2.7.0: CLOSE lost to a RST."""
    with raw(address) as client:
        _, rest = head_of(client)
        client.sendall(bytes(frame) + bytes(WebSocketFrame() / b"more") * 50)
        client.shutdown(socket.SHUT_WR)
        answer = parse_frames(rest + all_of(client))
        assert [f.opcode for f in answer] == [8]
        assert int.from_bytes(answer[0].data[:2], "big") == code


@pytest.mark.parametrize("cut", range(1, 12))
def test_peer_that_vanishes_leaves_no_trace(address, cut, capfd):
    with raw(address) as client:
        head_of(client)
        client.sendall(bytes(WebSocketFrame() / b"hello")[:cut])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    test_echo(address, "alive")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Upgrade": "h2c"}, "400"),
        ({"Upgrade": None}, "400"),
        ({"Connection": "keep-alive"}, "400"),
        ({"Sec_WebSocket_Key": None}, "400"),
        ({"Sec_WebSocket_Key": "c2hvcnQ="}, "400"),
        ({"Sec_WebSocket_Key": "!" * 22 + "=="}, "400"),
        ({"Sec_WebSocket_Version": "8"}, "426"),
        ({"Sec_WebSocket_Version": None}, "426"),
        ({"Upgrade": "WebSocket", "Connection": "keep-alive, upgrade"}, "101"),
    ],
)
def test_handshake(address, headers, status):
    with raw(address, **headers) as client:
        head, _ = head_of(client)
    assert head.split()[1] == status
    assert ("Sec-WebSocket-Version: 13" in head) == (status == "426")


def test_plain_request_for_a_websocket_is_400(address):
    head, body = http(address, b"GET /echo HTTP/1.1\r\nHost: board\r\n\r\n")
    assert head[0].split()[1] == "400"
    assert body == b"Not a WebSocket upgrade"


def http(address, request):
    with socket.create_connection(address, 10) as client:
        client.sendall(request)
        data = all_of(client)
    head, _, body = data.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body
