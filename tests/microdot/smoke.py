"""The core through its test client, where MicroPython runs: the same checks on every target.

Runs on MicroPython from v1.16, so without pytest. Prints a line for each check and one at the end.
"""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import sys

from microdot import Microdot, Response, URLPattern, abort, redirect, send_file
from microdot.microdot import MultiDict, NoCaseDict, print_exception, urldecode, urlencode
from microdot.test_client import TestClient
from microdot.websocket import WebSocketError, with_websocket

app = Microdot()
sub = Microdot()
client = TestClient(app)
log = []


class Broken(ValueError):
    pass


class Parts:
    """An async iterator as MicroPython can have one."""

    def __init__(self):
        self.left = ["a", b"b", "c"]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self):
        log.append("closed")


URLPattern.register_type("hex", "[0-9a-f]+", lambda text: int(text, 16))


@app.before_request
def count(request):
    request.g.count = 1


@app.after_request
async def mark(request, response):
    response.headers["X-Mark"] = str(request.g.count)


@app.after_error_request
def mark_error(request, response):
    response.headers["X-Error"] = str(response.status_code)


@app.errorhandler(404)
def missing(request):
    return {"error": "missing"}, 404


@app.errorhandler(ValueError)
async def bad_value(request, exc):
    return str(exc), 422


@app.get("/")
async def index(request):
    return "hello", 201, {"X-A": "b"}


@app.get("/plain/<name>/<int:number>")
def plain(request, name, number):
    return [name, number, request.args.getlist("q"), request.args.get("n", type=int)]


@app.get("/hex/<hex:value>")
async def hexadecimal(request, value):
    return str(value)


@app.get("/files/<path:path>")
async def files(request, path):
    return path


@app.get("/word/<re:[a-z]+:word>")
async def word(request, word):
    return word


@app.post("/body")
async def body(request):
    data = await request.stream.read()
    return {"json": request.json, "form": request.form, "size": len(data)}


@app.get("/cookies")
async def cookies(request):
    response = Response(",".join(sorted(request.cookies)))
    response.set_cookie("one", "1", path="/", max_age=5, http_only=True)
    response.delete_cookie("two")
    return response


@app.get("/stream")
async def stream(request):
    return Parts()


@app.get("/generator")
async def generator(request):
    def parts():
        yield "x"
        yield b"y"

    return parts()


@app.get("/file")
async def file(request):
    return send_file("smoke.txt", max_age=60)


@app.get("/away")
async def away(request):
    return redirect("/")


@app.get("/abort")
async def aborting(request):
    abort(418, "teapot")


@app.get("/broken")
async def broken(request):
    raise Broken("it is")


@app.get("/inject")
async def inject(request):
    return "", {"X-A": "a\r\nX-B: b"}


@app.get("/echo")
@with_websocket
async def echo(request, ws):
    try:
        while True:
            await ws.send(await ws.receive())
    except WebSocketError:
        log.append("left")


@sub.get("/here")
async def here(request):
    return request.url_prefix


@sub.errorhandler(418)
async def sub_teapot(request):
    return "sub", 418


@sub.get("/abort")
async def sub_abort(request):
    abort(418)


app.mount(sub, "/sub", local=True)


async def check_basics():
    res = await client.get("/")
    assert (res.status_code, res.text, res.headers["x-a"]) == (201, "hello", "b")
    assert res.headers["X-Mark"] == "1" and res.headers["Content-Length"] == "5"
    res = await client.request("HEAD", "/")
    assert res.body is None and res.headers["content-length"] == "5"
    res = await client.request("OPTIONS", "/")
    assert res.headers["Allow"] == "GET, HEAD, OPTIONS"
    res = await client.put("/")
    assert res.status_code == 405 and res.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert (await client.get("/away")).headers["Location"] == "/"


async def check_patterns():
    res = await client.get("/plain/ann/-7?q=a%20b&q=c+d&n=5")
    assert res.json == ["ann", -7, ["a b", "c d"], 5]
    assert (await client.get("/plain/ann/7x")).status_code == 404
    assert (await client.get("/hex/ff")).text == "255"
    assert (await client.get("/hex/xy")).status_code == 404
    assert (await client.get("/files/a/b/c")).text == "a/b/c"
    assert (await client.get("/word/abc")).text == "abc"
    assert (await client.get("/word/ABC")).status_code == 404
    assert (await client.get("/word/" + "a" * 1500)).status_code in (200, 404)  # no stack for it


async def check_errors():
    res = await client.get("/nothing")
    assert (res.status_code, res.json) == (404, {"error": "missing"})
    assert res.headers["X-Error"] == "404" and "X-Mark" not in res.headers
    res = await client.get("/abort")
    assert (res.status_code, res.text) == (418, "teapot")
    res = await client.get("/broken")
    assert (res.status_code, res.text) == (422, "it is")
    try:
        await client.get("/inject")
    except ValueError:
        return
    raise AssertionError


async def check_bodies():
    res = await client.post("/body", body={"a": [1, "b"]})
    assert res.json == {"json": {"a": [1, "b"]}, "form": None, "size": 15}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    res = await client.post("/body", form, "a=1&a=2")
    assert res.json == {"json": None, "form": {"a": ["1", "2"]}, "size": 7}
    res = await client.post("/body", {"Content-Type": "application/json"}, b"x")
    assert res.status_code == 422  # the app's handler of ValueError
    res = await client.post("/body", body=b"x" * 17000)
    assert (res.status_code, res.text) == (413, "Payload too large")


async def check_streams():
    del log[:]
    assert (await client.get("/stream")).text == "abc"
    assert log == ["closed"]
    assert (await client.get("/generator")).text == "xy"
    with open("smoke.txt", "w") as out:
        out.write("smoke" * 500)
    res = await client.get("/file")
    assert len(res.body) == 2500 and res.headers["Content-Type"] == "text/plain"
    assert res.headers["Cache-Control"] == "max-age=60"


async def check_cookies():
    client.cookies.update({"two": "2", "three": "3"})
    res = await client.get("/cookies")
    assert res.text == "three,two"
    assert res.headers["Set-Cookie"][0] == "one=1; Path=/; Max-Age=5; HttpOnly"
    assert client.cookies == {"three": "3", "one": "1"}


async def check_mounts():
    assert (await client.get("/sub/here")).text == "/sub"
    assert (await client.get("/sub/abort")).text == "sub"


async def check_hostile():
    for data, status in (
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: \xff\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA: b", 400),
        (b"GET / HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\nab", 400),
        (b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501),
        (b"GET /" + b"a" * 3000 + b" HTTP/1.0\r\n\r\n", 431),
        (b"GET / HTTP/3.0\r\n\r\n", 505),
    ):
        assert (await client.send(data)).status_code == status, data[:60]
    assert await client.send(b"") is None


async def check_mappings():
    headers = NoCaseDict({"One": 1})
    headers["oNE"] = 2
    assert headers == {"One": 2} and headers.get("ONE") == 2 and "one" in headers
    del headers["one"]
    assert headers == {} and headers.get("One", 5) == 5
    values = MultiDict({"a": "1"})
    values["a"] = "2"
    assert values["a"] == "1" and values.getlist("a", type=int) == [1, 2]
    assert urldecode("a%c3%bc+%zz%") == "a\u00fc %zz%"
    assert urldecode(urlencode("a b+c%d&e=f")) == "a b+c%d&e=f"


async def check_websocket():
    del log[:]
    got = []

    def talk():
        got.append((yield "hello"))
        got.append((yield b"x" * 300))
        got.append((yield ""))

    res = await client.websocket("/echo", talk)
    assert res.body is None
    assert got == ["hello", b"x" * 300, ""], got
    assert log == ["left"]
    assert (await client.get("/echo")).status_code == 400


CHECKS = (
    ("basics", check_basics),
    ("patterns", check_patterns),
    ("errors", check_errors),
    ("bodies", check_bodies),
    ("streams", check_streams),
    ("cookies", check_cookies),
    ("mounts", check_mounts),
    ("hostile", check_hostile),
    ("mappings", check_mappings),
    ("websocket", check_websocket),
)


async def main():
    passed = 0
    for name, check in CHECKS:
        gc.collect()
        try:
            await check()
            passed += 1
            print("ok", name)
        except Exception as exc:
            print("not ok", name)
            print_exception(exc)
    print("smoke: %d of %d on %s" % (passed, len(CHECKS), sys.implementation.name))


asyncio.run(main())
