"""HTTP on sockets, of CPython, the unix port and the board: what broken and hostile clients get."""

import socket
import struct
import threading
from contextlib import contextmanager
from pathlib import Path

import http_app
import pytest
from http_app import make_app
from loopback import exchange, serving, split

from lab.firmware import resolve
from lab.flash import board_files, build_image, compile_mpy
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.pinned import PackageError
from lab.targets.embedded import EmbeddedBoard
from lab.targets.unix import CPythonProcess, MicroPythonProcess
from microdot import Request

HOST = b"Host: board\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST /body HTTP/1.1\r\n" + HOST


BOARD_MAIN = """
import asyncio
import net
import http_app
net.connect()
asyncio.run(http_app.main("0.0.0.0", 80))
"""


class Target:
    """Where the app serves; `tracebacks`: how many its console may show."""

    def __init__(self, address, console):
        self.address = address
        self.console = console
        self.tracebacks = 0


@contextmanager
def on_process(kind):
    try:
        process = kind(Path(http_app.__file__))
    except PackageError as error:
        pytest.skip(str(error))
    with process:
        yield Target((process.host, process.port), process.console)


def on_cpython():
    return on_process(CPythonProcess)


def on_unix():
    return on_process(MicroPythonProcess)


@contextmanager
def on_board():
    files = {name: data for name, data in board_files().items() if name != "app.mpy"}
    source = Path(http_app.__file__).read_bytes()
    files["http_app.mpy"] = compile_mpy(source, "http_app.py")
    files["main.py"] = BOARD_MAIN.encode()
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    try:
        with EmbeddedBoard(build_image(resolve(), files), switch, "eager") as board:
            board.console.wait_for("lab: http on", 60)
            yield Target(gateway.forwards[80], board.console)
    finally:
        gateway.stop()


@pytest.fixture(scope="module", params=[on_cpython, on_unix, on_board], ids=lambda f: f.__name__)
def target(request):
    with request.param() as target:
        yield target
        assert target.console.text.count("Traceback") == target.tracebacks


@pytest.mark.parametrize(
    "request_, status, body",
    [
        (GET + b"\r\n", 200, b"home"),
        (b"GET / HTTP/1.0\r\n\r\n", 200, b"home"),
        (b"GET / HTTP/1.0\n\n", 200, b"home"),
        (b"\r\n" + GET + b"\r\n", 200, b"home"),  # RFC 9112, 2.2
        (b"HEAD / HTTP/1.0\r\n\r\n", 200, b""),
        # the request line (RFC 9112, 3)
        (b"nonsense\r\n\r\n", 400, b"Bad request line"),
        (b"GET /\r\n\r\n", 400, b"Bad request line"),
        (b"GET  / HTTP/1.1\r\n\r\n", 400, b"Bad request line"),
        (b"GET\t/ HTTP/1.1\r\n\r\n", 400, b"Bad request line"),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400, b"Bad request line"),
        (b" / HTTP/1.1\r\n\r\n", 400, b"Bad request line"),
        (b"GET / FTP/1.1\r\n\r\n", 400, b"Bad request line"),
        (b"GET / HTTP/2.0\r\n\r\n", 505, b"HTTP version not supported"),
        (b"GET / HTTP/1.1x\r\n\r\n", 505, b"HTTP version not supported"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400, b"Not UTF-8"),
        (b"GET /\0 HTTP/1.1\r\n\r\n", 400, b"Bad character"),
        (b"GET / HTTP/1.1\rX: y\r\n\r\n", 400, b"Bad character"),
        (b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\n\r\n", 431, b"Line too long"),
        (b"GET /" + b"a" * 50000 + b" HTTP/1.1\r\n\r\n", 431, b"Line too long"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\n", 400, b"Bad character"),  # TLS
        # headers (RFC 9112, 5)
        (GET + b"bad header\r\n\r\n", 400, b"Bad header line"),
        (GET + b": value\r\n\r\n", 400, b"Bad header line"),
        (GET + b"X : y\r\n\r\n", 400, b"Bad header line"),
        (GET + b"X\t: y\r\n\r\n", 400, b"Bad header line"),
        (GET + b"A: b\r\n folded: line\r\n\r\n", 400, b"Bad header line"),
        (GET + b"A: b\r\n\tfolded\r\n\r\n", 400, b"Bad header line"),
        (GET + b"A: \xff\r\n\r\n", 400, b"Not UTF-8"),
        (GET + b"A: b\0\r\n\r\n", 400, b"Bad character"),
        (GET + b"A: b\rC: d\r\n\r\n", 400, b"Bad character"),
        (GET + b"A: " + b"b" * 2048 + b"\r\n\r\n", 431, b"Line too long"),
        (GET + b"A: b\r\n" * 2048 + b"\r\n", 431, b"Too many headers"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, b"One Host header is needed"),
        (GET + HOST + b"\r\n", 400, b"One Host header is needed"),
        # how long is the body (RFC 9112, 6)
        (POST + b"Content-Length: 3\r\n\r\nabc", 200, b"abc"),
        (POST + b"content-length:\t3 \r\n\r\nabc", 200, b"abc"),
        (POST + b"Content-Length: 0\r\n\r\n", 200, b""),
        (POST + b"\r\n", 200, b""),
        (POST + b"Content-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n", 200, b"abc"),
        (POST + b"Content-Length: x\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length:\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: -1\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: +3\r\n\r\nabc", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 1_0\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 0x3\r\n\r\nabc", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 3.0\r\n\r\nabc", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: \x0b3\r\n\r\nabc", 400, b"Bad Content-Length"),
        (POST + "Content-Length: ٣\r\n\r\nabc".encode(), 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400, b"Bad Content-Length"),
        (POST + b"Content-Length: 40000\r\n\r\n" + b"x" * 40000, 413, b"Payload too large"),
        (POST + b"Content-Length: " + b"9" * 2000 + b"\r\n\r\n", 413, b"Payload too large"),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            501,
            b"Transfer-Encoding is not supported",
        ),
        (
            POST + b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            501,
            b"Transfer-Encoding is not supported",
        ),
        # what a handler asks for, and what it does
        (
            b"POST /json HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\nx",
            400,
            b"The body is not JSON",
        ),
        (
            b"POST /json HTTP/1.0\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1\r\n\r\n\xff",
            400,
            b"The body is not UTF-8",
        ),
        (
            b"POST /form HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 3\r\n\r\na=\xff",
            400,
            b"The body is not UTF-8",
        ),
        (
            b"GET /args?a=%zz&a=%&a=%41%42&a HTTP/1.0\r\n\r\n",
            200,
            b'{"got": ["%zz", "%", "AB", ""]}',
        ),
        (b"GET /files/a%2f..%2fb HTTP/1.0\r\n\r\n", 200, b"a%2f..%2fb"),
        (b"GET /nothing HTTP/1.0\r\n\r\n", 404, b"Not found"),
        (b"PUT / HTTP/1.0\r\n\r\n", 405, b"Not found"),
        (b"OPTIONS / HTTP/1.0\r\n\r\n", 200, b""),
    ],
)  # fmt: skip
def test_request(target, request_, status, body):
    found, head, data = split(exchange(target.address, request_))
    assert found == status
    assert data == body
    assert "Content-Length: %d" % (4 if request_[:4] == b"HEAD" else len(body)) in head


@pytest.mark.parametrize("path", ["/inject", "/inject-reason", "/number"])
def test_what_can_not_be_sent_is_500(target, path):
    status, head, body = split(exchange(target.address, b"GET %s HTTP/1.0\r\n\r\n" % path.encode()))
    assert (status, body) == (500, b"Internal server error")
    assert not any("Set-Cookie" in line or line.startswith("X") for line in head)
    target.console.wait_for("Error: ")  # the app's author is told
    target.tracebacks += 1


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\n",
        GET,
        GET + b"Accept",
        POST + b"Content-Length: 5\r\n\r\n",
        POST + b"Content-Length: 5\r\n\r\nabcd",
    ],
)
def test_request_cut_short_is_400(target, request_):
    status, _, body = split(exchange(target.address, request_))
    assert (status, body) == (400, b"Request cut short")


def test_connection_without_a_request_is_just_closed(target):
    assert exchange(target.address, b"") == b""
    assert exchange(target.address, b"\r\n") == b""


def test_streamed_body(target):
    """Longer than what a socket takes at once."""
    body = split(exchange(target.address, b"GET /long HTTP/1.0\r\n\r\n"))[2]
    assert body == b"".join(b"%d\n" % n for n in range(2000))


@pytest.mark.parametrize("path", [b"/fails", b"/fails-later"])
def test_body_that_fails(target, path):
    """Once the head is out there is no second response."""
    data = exchange(target.address, b"GET %s HTTP/1.0\r\n\r\n" % path)
    assert data.count(b"HTTP/1.0") == 1
    assert data.startswith(b"HTTP/1.0 200 OK\r\n")
    assert split(data)[2] == (b"" if path == b"/fails" else b"begun")
    target.console.wait_for("Error: ")
    target.tracebacks += 1


def test_byte_by_byte(target):
    with socket.create_connection(target.address, 10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in POST + b"Content-Length: 3\r\n\r\nabc":
            client.sendall(bytes([byte]))
        data = b""
        while part := client.recv(100):
            data += part
    assert split(data)[2] == b"abc"


@pytest.mark.parametrize("sent", [b"", b"GET", GET, POST + b"Content-Length: 9\r\n\r\nabc"])
def test_slow_client_is_408(sent, monkeypatch):
    """No client holds a connection by sending nothing, or half a request."""
    monkeypatch.setattr(Request, "max_read_time", 0.05)
    with serving(make_app()) as address:
        status, _, body = split(exchange(address, sent, half_close=False))
    assert (status, body) == (408, b"Request timeout")


@pytest.mark.parametrize("path", [b"/", b"/stream"])
def test_client_that_resets_leaves_no_trace(path, capfd):
    app = make_app()
    closed = threading.Event()

    @app.get("/stream")
    async def stream(request):
        async def parts():
            try:
                while True:
                    yield b"x" * 4096
            finally:
                closed.set()

        return parts()

    with serving(app) as address:
        with socket.create_connection(address, 10) as client:
            client.sendall(b"GET %s HTTP/1.0\r\n\r\n" % path)
            client.recv(1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert split(exchange(address, GET + b"\r\n"))[0] == 200
        if path == b"/stream":
            assert closed.wait(10)
    assert "Traceback" not in capfd.readouterr().err


def test_shutdown_from_a_handler_answers_first():
    app = make_app()

    @app.get("/bye")
    def bye(request):  # in a thread
        request.app.shutdown()
        return "bye"

    @app.get("/later")
    async def later(request):
        request.app.shutdown()
        return "later"

    for path, body in ((b"/bye", b"bye"), (b"/later", b"later")):
        with serving(app) as address:
            data = exchange(address, b"GET %s HTTP/1.0\r\n\r\n" % path)
            assert split(data)[2] == body


def test_plain_handlers_may_block():
    """They run in threads: each of these waits for the other."""
    app = make_app()
    barrier = threading.Barrier(2, timeout=10)

    @app.get("/meet")
    def meet(request):
        barrier.wait()
        return "met"

    with serving(app) as address:
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(exchange(address, b"GET /meet HTTP/1.0\r\n\r\n"))
            )
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert [split(answer)[2] for answer in answers] == [b"met", b"met"]


def test_port_that_is_taken_is_an_oserror():
    app = make_app()
    with serving(make_app()) as address, pytest.raises(OSError):
        app.run(*address)
    assert app.server is None


def test_bad_pattern_is_found_at_the_start():
    app = make_app()
    app.get("/<nonsense:x>")(lambda request, x: x)
    with pytest.raises(ValueError, match="invalid URL pattern: /<nonsense:x>"):
        app.run("127.0.0.1", 0)


def test_debug_logs_requests(capsys):
    app = make_app()
    app.debug = True
    with serving(app) as address:
        app.debug = True
        exchange(address, b"GET /nothing HTTP/1.0\r\n\r\n")
    assert "GET /nothing 404" in capsys.readouterr().out
