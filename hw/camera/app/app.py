"""The app of the board: a page, a WebSocket echo, its state as JSON."""
import gc
import sys
import time

from microdot import Microdot, send_file
from microdot.websocket import with_websocket

PAGE = 'index.html'

app = Microdot()


@app.route('/')
async def index(request):
    return send_file(PAGE)


@app.route('/echo')
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route('/status')
async def status(request):
    uptime = time.ticks_ms() if hasattr(time, 'ticks_ms') else int(time.monotonic() * 1000)
    free = gc.mem_free() if hasattr(gc, 'mem_free') else None
    return {'uptime_ms': uptime, 'mem_free': free, 'firmware': sys.version}


def serve(host='0.0.0.0', port=80):
    """Serve until the console is interrupted."""
    app.run(host, port)
