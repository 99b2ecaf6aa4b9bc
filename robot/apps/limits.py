"""How long may a message be? GET /limit/N sets it for the connections to come."""

import gc

from microdot import Microdot, Request
from microdot.websocket import WebSocket, WebSocketError, with_websocket
from serving import run

app = Microdot()


@app.route("/limit/<value>")
async def limit(request, value):
    WebSocket.max_message_length = int(value)
    return value


@app.route("/body/<int:value>")
async def body(request, value):
    Request.max_body_length = value
    return str(value)


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route("/length")
@with_websocket
async def length(request, ws):
    """Tells the length of each message: no second one in memory."""
    try:
        while True:
            size = len(await ws.receive())
            gc.collect()
            await ws.send(str(size))
    except WebSocketError as error:
        print("lab: closed %d %s." % (error.code, error.reason))
        raise


def serve(host="0.0.0.0", port=80, ready=None):
    run(app, host, port, ready)
