"""The app of the board: a page, a WebSocket echo, its state as JSON."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import sys
import time

from microdot import Microdot, send_file
from microdot.websocket import with_websocket

PAGE = "index.html"

app = Microdot()


@app.route("/")
async def index(request):
    return send_file(PAGE)


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route("/status")
async def status(request):
    uptime = time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)
    free = gc.mem_free() if hasattr(gc, "mem_free") else None
    return {"uptime_ms": uptime, "mem_free": free, "firmware": sys.version}


async def _serve(host, port, ready):
    task = asyncio.create_task(app.start_server(host, port))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    if app.server and ready:
        ready()
    await task


def serve(host="0.0.0.0", port=80, ready=None):
    """Serve until the console is interrupted; `ready()` is called when clients may come."""
    asyncio.run(_serve(host, port, ready))
