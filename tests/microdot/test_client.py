"""The test client, which other people's tests build on."""

import asyncio

import pytest

from microdot import Microdot, Response
from microdot.test_client import TestClient
from microdot.websocket import WebSocketError, with_websocket


def run(coroutine):
    return asyncio.run(coroutine)


@pytest.fixture
def app():
    app = Microdot()

    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def echo(request):
        return {
            "method": request.method,
            "body": request.body.decode(),
            "json": request.json,
            "host": request.headers["Host"],
            "scheme": request.scheme,
            "cookies": request.cookies,
        }

    @app.get("/bytes")
    async def raw(request):
        return b"\xff"

    @app.get("/events")
    async def events(request):
        return "event: e\ndata: {}\nid: 7\n\n: ping\n\nretry: 1500\ndata: x\n\n", {
            "Content-Type": "text/event-stream"
        }

    @app.get("/ws")
    @with_websocket
    async def ws(request, ws):
        app.state["path"] = request.path
        try:
            while True:
                message = await ws.receive()
                if message == "bye":
                    return
                if message == "boom":
                    raise ZeroDivisionError
                if message == "twice":
                    await ws.send("one")
                await ws.send(message)
        except WebSocketError as error:
            app.state["error"] = str(error)
            raise

    app.state = {}
    return app


@pytest.mark.parametrize("method", ["post", "put", "patch", "query"])
@pytest.mark.parametrize("body", ["text", b"text", {"a": 1}, [1]])
def test_bodies(app, method, body):
    found = run(getattr(TestClient(app), method)("/echo", body=body)).json
    assert found["method"] == method.upper()
    if isinstance(body, (dict, list)):
        assert found["json"] == body
    else:
        assert found["body"] == "text"


def test_headers_are_the_callers_and_stay_so(app):
    headers = {"Host": "there", "Content-Type": "application/json"}
    found = run(TestClient(app, scheme="https", host="here").post("/echo", headers, "[1]")).json
    assert (found["host"], found["scheme"], found["json"]) == ("there", "https", [1])
    assert headers == {"Host": "there", "Content-Type": "application/json"}
    found = run(TestClient(app, host="here").delete("/echo")).json
    assert (found["host"], found["scheme"], found["method"]) == ("here", "http", "DELETE")


def test_what_a_response_shows(app):
    response = run(TestClient(app).get("/bytes"))
    assert (response.body, response.text, response.json) == (b"\xff", None, None)
    assert (response.status_code, response.reason) == (200, None)
    response = run(TestClient(app).get("/events"))
    assert response.events == [
        {"data": b"{}", "data_json": {}, "event": "e", "event_id": "7", "retry": None},
        {"data": b"x", "data_json": None, "event": None, "event_id": None, "retry": 1.5},
    ]


def test_cookies_come_and_go_by_path(app):
    @app.get("/set")
    async def set_(request):
        response = Response("")
        response.set_cookie("root", "1")
        response.set_cookie("deep", "2", path="/deep")
        response.set_cookie("max", "x", max_age=100)
        return response

    @app.get("/delete")
    async def delete(request):
        response = Response("")
        for name, path in (("root", "/"), ("deep", "/other"), ("never", None)):
            response.delete_cookie(name, path=path)
        return response

    client = TestClient(app, {"first": "0"})

    async def session():
        await client.get("/set")
        assert client.cookies == {"first": "0", "root": "1", "deep": ("2", "/deep"), "max": "x"}
        assert (await client.get("/echo", {"Cookie": "own=3"})).json["cookies"] == {
            "own": "3", "first": "0", "root": "1", "max": "x",
        }  # fmt: skip
        await client.get("/delete")
        assert client.cookies == {"first": "0", "deep": ("2", "/deep"), "max": "x"}

    run(session())


def test_requests_that_are_none(app):
    client = TestClient(app)
    assert run(client.send(b"")) is None
    assert run(client.send(b"nonsense\n\n")).status_code == 400


# --- WebSockets ---


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 16000])
def test_websocket_echo(app, kind, size):
    got = []

    def plain():
        got.append((yield "x" * size))
        got.append((yield b"y" * size))

    async def generator():
        got.append((yield "x" * size))
        got.append((yield b"y" * size))

    response = run(TestClient(app).websocket("/ws?q", plain if kind == "plain" else generator))
    assert response.body is None
    assert got == ["x" * size, b"y" * size]
    assert app.state == {"path": "/ws", "error": "Websocket connection closed"}


def test_client_that_says_nothing(app):
    def client():
        return
        yield

    run(TestClient(app).websocket("/ws", client))
    assert "error" in app.state


@pytest.mark.parametrize("last", ["bye", "boom"])
def test_handler_that_ends_first(app, last, capfd):
    got = []

    def client():
        got.append((yield "hello"))
        got.append((yield last))

    run(TestClient(app).websocket("/ws", client))
    assert got == ["hello"]
    assert ("ZeroDivisionError" in capfd.readouterr().err) == (last == "boom")


def test_refused_websocket_says_why(app):
    def client():
        yield "x"

    client_ = TestClient(app)
    assert run(client_.websocket("/nothing", client)).status_code == 404
    assert run(client_.websocket("/ws", client, {"Sec-WebSocket-Version": "8"})).status_code == 426
