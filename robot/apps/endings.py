"""Every way in which a WebSocket handler ends; the console tells how it was for the app."""

from microdot import Microdot, abort
from microdot.websocket import WebSocketError, websocket_upgrade, with_websocket
from serving import run

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

app = Microdot()
again = asyncio.Event()


def tell(what):
    print("lab: " + what)


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    try:
        while True:
            await ws.send(await ws.receive())
    except WebSocketError as error:
        tell("closed %d %s." % (error.code, error.reason))
        raise


@app.route("/returns")
@with_websocket
async def returns(request, ws):
    await ws.receive()


@app.route("/raises")
@with_websocket
async def raises(request, ws):
    await ws.receive()
    raise ValueError("on purpose")


@app.route("/aborts")
@with_websocket
async def aborts(request, ws):
    await ws.receive()
    abort(403)


@app.route("/upgrade-raises")
async def upgrade_raises(request):
    ws = await websocket_upgrade(request)
    await ws.receive()
    raise ValueError("on purpose")


@app.route("/upgrade-aborts")
async def upgrade_aborts(request):
    ws = await websocket_upgrade(request)
    await ws.receive()
    abort(403)


@app.route("/private")
async def private(request):
    if request.headers.get("Authorization") != "let me in":
        abort(401)
    ws = await websocket_upgrade(request)
    await ws.send("welcome")


@app.route("/close/<int:code>")
@with_websocket
async def close(request, ws, code):
    await ws.close(code, "as you wish")
    tell("closed: %s" % ws.closed)


@app.route("/close-twice")
@with_websocket
async def close_twice(request, ws):
    await ws.close()
    await ws.close(1011, "never sent")
    tell("closed twice")


@app.route("/send-after-close")
@with_websocket
async def send_after_close(request, ws):
    await ws.close()
    for attempt in (ws.send("too late"), ws.receive()):
        try:
            await attempt
        except WebSocketError as error:
            tell("refused: %s." % error)


@app.route("/big/<int:size>")
@with_websocket
async def big(request, ws, size):
    """On each message: `size` bytes."""
    data = bytes(size)
    try:
        while True:
            await ws.receive()
            await ws.send(data)
    except WebSocketError as error:
        tell("closed %d %s." % (error.code, error.reason))
        raise


@app.route("/flood/<int:count>/<int:size>")
@with_websocket
async def flood(request, ws, count, size):
    """`count` messages of `size` bytes, each beginning with its number, then end."""
    data = bytearray(size)
    try:
        for n in range(count):
            data[:4] = n.to_bytes(4, "big")
            await ws.send(data)
        tell("sent all")
    except WebSocketError as error:
        tell("closed %d %s." % (error.code, error.reason))
        raise


@app.route("/impatient")
@with_websocket
async def impatient(request, ws):
    """Asks again after each 100 ms; says how often when something has come."""
    waited = 0
    while True:
        try:
            message = await asyncio.wait_for(ws.receive(), 0.1)
        except asyncio.TimeoutError:
            waited += 1
            continue
        await ws.send("%s after %s waits" % (message, "some" if waited else "no"))


@app.route("/shutdown")
async def shutdown(request):
    app.shutdown()
    return "shutting down"


@app.route("/http-raises")
async def http_raises(request):
    raise ValueError("on purpose")


@app.route("/hello")
async def hello(request):
    return "hello"


def serve(host="0.0.0.0", port=80, ready=None):
    run(app, host, port, ready)
