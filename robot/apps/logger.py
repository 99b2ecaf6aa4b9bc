"""An app that keeps a diary on flash: each message goes into a file before it comes back."""

import os

from microdot import Microdot
from microdot.websocket import with_websocket
from serving import run

FILE = "diary.txt"
FILLER = "filler.bin"
BLOCK = bytes(4096)

app = Microdot()


@app.route("/write")
@with_websocket
async def write(request, ws):
    while True:
        message = await ws.receive()
        try:
            with open(FILE, "a") as diary:
                diary.write(message)
            await ws.send("written")
        except OSError as error:
            await ws.send("no room" if error.args[0] == 28 else "error %s" % error)


@app.route("/diary")
async def diary(request):
    try:
        return str(os.stat(FILE)[6])
    except OSError:
        return "0"


@app.route("/fill")
async def fill(request):
    """Until nothing more fits."""
    blocks = 0
    try:
        with open(FILLER, "ab") as filler:
            while True:
                filler.write(BLOCK)
                blocks += 1
    except OSError as error:
        return "%d blocks, then error %d" % (blocks, error.args[0])


@app.route("/free")
async def free(request):
    os.remove(FILLER)
    return "freed"


def serve(host="0.0.0.0", port=80, ready=None):
    run(app, host, port, ready)
