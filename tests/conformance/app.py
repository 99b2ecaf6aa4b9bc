"""The app under test: an endpoint per behaviour, and a control channel that tells what they saw.

Runs on MicroPython from v1.16, on CPython, and against the published microdot 2.7.0 too, so it
uses nothing that only ours has unless an endpoint is about that.

The control channel is the WebSocket /control: "sync" is answered at once, "mark N" is printed,
"noted X" when X was noted, "report" when no other connection is open any more, with what was noted
since the last report; both after REPORT_SECONDS at the latest.
"""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import json
import sys

from microdot import Microdot, abort
from microdot.websocket import WebSocket, WebSocketError, websocket_upgrade, with_websocket

REPORT_SECONDS = 8
BIG = 12000 if sys.platform == "esp32" else 6000000  # bytes: more than socket buffers hold

app = Microdot()
seen = []
connections = 0
changed = asyncio.Event()
last = None


def left():
    """The largest block of memory that MicroPython leaves to lwIP on an ESP32."""
    try:
        import esp32
    except ImportError:
        return None
    return max([region[2] for region in esp32.idf_heap_info(esp32.HEAP_DATA)])


def note(*words):
    seen.append(" ".join([str(word) for word in words]))
    changed.set()


def note_message(message):
    kind = "text" if isinstance(message, str) else "bytes"
    note(kind, message if len(message) <= 20 else "of %d" % len(message))


def note_error(where, error):
    note(where, type(error).__name__, getattr(error, "code", None))


def count_connections():
    """Wrap what serves a connection, whatever it is called in this version."""
    name = "handle_connection" if hasattr(app, "handle_connection") else "handle_request"
    serve = getattr(app, name)

    async def counted(reader, writer):
        global connections, last
        connections += 1
        try:
            await serve(reader, writer)
        finally:
            connections -= 1
            changed.set()
            if last:
                note("after", last.closed)
                last = None

    setattr(app, name, counted)


def endpoint(path):
    """Decorator: `f(request, ws)` serves `path`; how it ends is noted."""

    def decorate(f):
        @app.route(path)
        @with_websocket
        async def serve(request, ws):
            await watched(f, request, ws)

        return f

    return decorate


def upgraded(path):
    """The same by websocket_upgrade()."""

    def decorate(f):
        @app.route("/upgrade" + path)
        async def serve(request):
            ws = await websocket_upgrade(request)
            return await watched(f, request, ws)

        return endpoint(path)(f)

    return decorate


async def watched(f, request, ws):
    try:
        result = await f(request, ws)
        note("returned")
        return result
    except asyncio.CancelledError:
        note("cancelled")
        raise
    except Exception as error:
        note_error("raised", error)
        raise


async def until(predicate):
    while not predicate():
        changed.clear()
        await changed.wait()


async def bounded(predicate):
    try:
        await asyncio.wait_for(until(predicate), REPORT_SECONDS)
    except asyncio.TimeoutError:
        pass


@app.route("/control")
@with_websocket
async def control(request, ws):
    while True:
        command = await ws.receive()
        if command.startswith("noted "):
            await bounded(lambda wanted=command[6:]: wanted in seen)
        if command.startswith("mark "):
            print(command)
        if command != "report":
            await ws.send(command)
            continue
        await bounded(lambda: connections == 1)
        gc.collect()
        report = {
            "seen": list(seen),
            "open": connections - 1,
            "free": gc.mem_free() if hasattr(gc, "mem_free") else None,
            "left": left(),
        }
        seen.clear()
        await ws.send(json.dumps(report))


# --- messages ---


@endpoint("/echo")
async def echo(request, ws):
    if "limit" in request.args:
        ws.max_message_length = int(request.args["limit"])
    while True:
        message = await ws.receive()
        note_message(message)
        await ws.send(message)


@app.route("/class-limit")
async def class_limit(request):
    before = WebSocket.max_message_length
    WebSocket.max_message_length = int(request.args["limit"])
    try:
        ws = await websocket_upgrade(request)
        while True:
            await ws.send(await ws.receive())
    finally:
        WebSocket.max_message_length = before


@endpoint("/for")
async def loop(request, ws):
    async for message in ws:
        await ws.send(message)
    note("end of loop")


@endpoint("/patient")
async def patient(request, ws):
    """receive() is cancelled again and again, in the middle of frames too."""
    while True:
        try:
            message = await asyncio.wait_for(ws.receive(), 0.02)
        except asyncio.TimeoutError:
            await ws.send("timeout")
            continue
        note_message(message)
        await ws.send(message)


# --- ends of a handler ---


@upgraded("/returns")
async def returns(request, ws):
    pass


@upgraded("/raises")
async def raises(request, ws):
    raise ZeroDivisionError("on purpose")


@upgraded("/aborts")
async def aborts(request, ws):
    abort(403, "not you")


@upgraded("/raises-late")
async def raises_late(request, ws):
    await ws.send(await ws.receive())
    raise ZeroDivisionError("on purpose")


@upgraded("/raises-websocket-error")
async def raises_websocket_error(request, ws):
    raise WebSocketError("on purpose")


@upgraded("/returns-body")
async def returns_body(request, ws):
    return "this is no frame", 200


@upgraded("/reads-then-raises")
async def reads_then_raises(request, ws):
    try:
        await ws.receive()
    except WebSocketError:
        raise ZeroDivisionError("on purpose, after the end")


@app.route("/refuses")
async def refuses(request):
    abort(401)


@endpoint("/remember")
async def remember(request, ws):
    global last
    last = ws


# --- close ---


@endpoint("/close")
async def close(request, ws):
    code = int(request.args.get("code", 1000))
    reason = request.args.get("reason", "") * int(request.args.get("times", 1))
    try:
        await ws.close(code, reason)
    except ValueError as error:
        note_error("close", error)
    note("closed", ws.closed, getattr(ws, "close_code", None))


@endpoint("/after-close")
async def after_close(request, ws):
    await ws.close()
    await use_closed(ws)


@endpoint("/after-peer")
async def after_peer(request, ws):
    try:
        while True:
            await ws.receive()
    except WebSocketError as error:
        note_error("receive", error)
    await use_closed(ws)


async def use_closed(ws):
    try:
        await ws.send("too late")
        note("sent")
    except WebSocketError as error:
        note_error("send", error)
    try:
        await ws.receive()
        note("received")
    except WebSocketError as error:
        note_error("receive", error)
    await ws.close()
    note("closed", ws.closed)


@endpoint("/closed-by-other")
async def closed_by_other(request, ws):
    """close() while receive() waits in the handler."""

    async def closer():
        await ws.receive()
        await ws.close(3000, "by another task")
        note("closer done")

    task = asyncio.create_task(closer())
    await asyncio.sleep(0)
    try:
        while True:
            note_message(await ws.receive())
    except WebSocketError as error:
        note_error("receive", error)
    await task


@endpoint("/closed-during-send")
async def closed_during_send(request, ws):
    """close() waits for the frame that is on its way."""

    async def sender():
        await ws.send(bytes(BIG))
        note("sent")

    task = asyncio.create_task(sender())
    await asyncio.sleep(0)
    await ws.close(3001)
    await task


@endpoint("/stuck")
async def stuck(request, ws):
    """The peer reads nothing: neither send() nor close() may wait for ever."""

    async def sender():
        try:
            await ws.send(bytes(BIG))
            note("sent")
        except WebSocketError as error:
            note_error("send", error)

    task = asyncio.create_task(sender())
    await asyncio.sleep(0)
    await ws.close(3002)
    await task


@endpoint("/stuck-in-both")
async def stuck_in_both(request, ws):
    """The same with a receive() that waits too: both end with WebSocketError."""

    async def sender():
        try:
            await ws.send(bytes(BIG))
        except WebSocketError as error:
            note_error("send", error)

    async def receiver():
        try:
            await ws.receive()
        except WebSocketError as error:
            note_error("receive", error)

    tasks = [asyncio.create_task(sender()), asyncio.create_task(receiver())]
    await asyncio.sleep(0)
    await ws.close(3003)
    for task in tasks:
        await task


@endpoint("/closed-by-two")
async def closed_by_two(request, ws):
    """close() waits for a long send() when a bad frame comes: there is one close frame."""

    async def sender():
        await ws.send(bytes(BIG))

    async def closer():
        note("closing")
        await ws.close(3004)

    tasks = [asyncio.create_task(sender()), asyncio.create_task(closer())]
    try:
        await ws.receive()
    except WebSocketError as error:
        note_error("receive", error)
    for task in tasks:
        await task


# --- several tasks ---


@endpoint("/two-senders")
async def two_senders(request, ws):
    """Frames of two tasks never interleave."""
    size, count = int(request.args["size"]), int(request.args["count"])

    async def sender(byte):
        try:
            for _ in range(count):
                await ws.send(byte * size)
        except WebSocketError as error:
            note_error("send", error)

    first = asyncio.create_task(sender(b"a"))
    await sender(b"b")
    await first


@endpoint("/two-receivers")
async def two_receivers(request, ws):
    async def receiver():
        message = await ws.receive()
        await ws.send(message)

    first = asyncio.create_task(receiver())
    await receiver()
    await first


@endpoint("/cancelled-send")
async def cancelled_send(request, ws):
    """A send() that is cancelled in mid-frame leaves no half frame before the next."""
    try:
        await asyncio.wait_for(ws.send(bytes(BIG)), 0.05)
        note("sent")
    except asyncio.TimeoutError:
        note("timed out")
    await ws.send("next")


@endpoint("/busy")
async def busy(request, ws):
    """A long send() while another task receives: PONG follows at once."""

    async def sender():
        await ws.send(bytes(BIG))

    task = asyncio.create_task(sender())
    await asyncio.sleep(0)  # its turn comes first, even when the client's frames are here already
    try:
        while True:
            await ws.send(await ws.receive())
    finally:
        await task


# --- what may be sent ---


@endpoint("/types")
async def types(request, ws):
    for data in (
        "gr\u00fc\u00dfe",
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview")[6:],
        "",
        b"",
    ):
        await ws.send(data)
    for data in (None, 5, ["x"], {}):
        try:
            await ws.send(data)
            note("sent", data)
        except TypeError:
            note("TypeError")


@endpoint("/opcodes")
async def opcodes(request, ws):
    await ws.send("text", ws.BINARY)
    await ws.send(b"bytes", ws.TEXT)
    await ws.send(b"ping", ws.PING)
    await ws.send("pong", ws.PONG)
    await ws.send(b"cont", ws.CONT)
    for data, opcode in ((b"x", 3), (b"x", 16), (b"x", -1), (bytes(126), ws.PING)):
        try:
            await ws.send(data, opcode)
            note("sent", opcode)
        except ValueError:
            note("ValueError")


@endpoint("/close-opcode")
async def close_opcode(request, ws):
    await ws.send(b"\x0f\xa0bye", ws.CLOSE)
    note("closed", ws.closed)


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
