"""On the board while it is fuzzed: an echo, and a witness that tells how the board is. It prints
nothing, so whatever stands on the console is a finding."""

import gc

import net

from microdot import Microdot
from microdot.websocket import with_websocket

LIMIT = 2048  # bytes of a message, see lab/inject/fuzz/model.py

app = Microdot()


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    ws.max_message_length = LIMIT
    while True:
        await ws.send(await ws.receive())


@app.route("/witness")
@with_websocket
async def witness(request, ws):
    while True:
        question = await ws.receive()
        if question == "heap":
            gc.collect()
            question = str(gc.mem_alloc())
        await ws.send(question)


address = net.connect()
print("lab: http on %s:80" % address)
app.run("0.0.0.0", 80)
