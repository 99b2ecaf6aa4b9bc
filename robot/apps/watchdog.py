"""An app that a watchdog guards, and ways to hang it."""

import machine

from microdot import Microdot
from microdot.websocket import with_websocket
from serving import run

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

TIMEOUT_MS = 2000
FEED_S = 0.5

app = Microdot()


@app.route("/cause")
async def cause(request):
    return {"cause": machine.reset_cause(), "watchdog": machine.WDT_RESET}


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    """Echoes; hangs on request."""
    while True:
        message = await ws.receive()
        if message == "hang":
            while True:
                pass
        if message == "wait":
            await asyncio.sleep(4 * TIMEOUT_MS / 1000)
        await ws.send(message)


async def feed():
    watchdog = machine.WDT(timeout=TIMEOUT_MS)
    while True:
        watchdog.feed()
        await asyncio.sleep(FEED_S)


def serve(host="0.0.0.0", port=80, ready=None):
    run(app, host, port, ready, feed())
