"""What both frameworks serve while they are compared; runs on the board, on the unix port and on
CPython. The import of the framework is timed and weighed here, before anything else happens."""

import asyncio
import gc
import sys
import time

ticks = getattr(time, "ticks_us", None) or (lambda: time.perf_counter_ns() // 1000)


def free():
    gc.collect()
    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else 0


before = free()
start = ticks()
import microdot

middle = ticks()
core = free()
middle_again = ticks()
from microdot.websocket import WebSocket, with_websocket

end = ticks()
print(
    "import: core %d us %d bytes, with websocket %d us %d bytes"
    % (middle - start, before - core, middle - start + end - middle_again, before - free())
)

app = microdot.Microdot()
WebSocket.max_message_length = 2 << 20


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route("/sink")
@with_websocket
async def sink(request, ws):
    while True:
        for _ in range(int(await ws.receive())):
            await ws.receive()
        await ws.send("done")


@app.route("/source")
@with_websocket
async def source(request, ws):
    while True:
        count, size = (int(word) for word in (await ws.receive()).split())
        data = bytes(size)
        for _ in range(count):
            await ws.send(data)


@app.route("/free")
async def mem_free(request):
    return str(free())


async def _serve(host, port):
    task = asyncio.create_task(app.start_server(host, port))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    print("serving")
    await task


def serve(host, port):
    asyncio.run(_serve(host, port))


if __name__ == "__main__":
    serve("127.0.0.1", int(sys.argv[1]))
