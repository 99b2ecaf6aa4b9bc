"""What is injected into: an echo, a plain page, a body that is counted, and what is left behind.

Runs on the board, on MicroPython's unix port and on CPython. A request is read for READ_SECONDS
and a message may have LIMIT bytes: less than by default, so that a case ends sooner.
"""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import sys

try:
    from asyncio import core

    import esp32
except ImportError:  # not a board
    pass

from microdot import Microdot, Request
from microdot.websocket import WebSocket, with_websocket

READ_SECONDS = 2
LIMIT = 4096

Request.max_read_time = READ_SECONDS
Request.max_body_length = Request.max_content_length = LIMIT
WebSocket.max_message_length = LIMIT

app = Microdot()
connections = 0


def count_connections():
    """Wrap what serves a connection."""
    serve = app.handle_request

    async def counted(reader, writer):
        global connections
        connections += 1
        try:
            await serve(reader, writer)
        finally:
            connections -= 1

    app.handle_request = counted


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route("/plain")
async def plain(request):
    return "plain"


@app.route("/body", methods=["POST"])
async def body(request):
    return "%d bytes" % len(request.body)


@app.route("/state")
async def state(request):
    """Connections besides this one, and free heap (-1 where there is no such figure)."""
    gc.collect()
    return "%d %d." % (connections - 1, gc.mem_free() if hasattr(gc, "mem_free") else -1)


def left_behind(thorough=False):
    """On a board whose event loop has been stopped: free memory of lwIP, connections served,
    sockets waited for, tasks with something to do, and bytes of heap in use (-1 unless thorough).
    """
    used = -1
    if thorough:
        gc.collect()
        gc.collect()
        used = gc.mem_alloc()
    memory = sum([region[1] for region in esp32.idf_heap_info(esp32.HEAP_DATA)])
    queue = core._task_queue
    tasks = []
    while queue.peek():
        tasks.append(queue.pop())
    for task in tasks:
        queue.push(task)
    return "%d %d %d %d %d" % (memory, connections, len(core._io_queue.map), len(tasks), used)


async def start(host, port, ready):
    count_connections()
    task = asyncio.create_task(app.start_server(host, port))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    if app.server:
        ready()
    await task


def serve(host, port, ready):
    asyncio.run(start(host, port, ready))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), lambda: print("lab: http on %s:%s" % tuple(sys.argv[1:3])))
