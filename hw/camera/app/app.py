"""The app of the camera board: a page with the live picture, an echo, its state as JSON.

WebSocket `/camera`: pictures as binary messages. Text messages are JSON objects; the board
answers each with one: {"led": true}, {"size": "320x240"}, {"compression": 54},
{"message": "to everybody"}, {"ping": 1}. What it can't do gets {"error": why}.
"""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import json
import os
import sys
import time

import machine
import micropython
from stream import Stream

from microdot import Microdot, send_file
from microdot.websocket import WebSocketError, with_websocket

PAGE = "index.html"
LED_GPIO = 2
GOING_AWAY = 1001  # RFC 6455, 7.4.1
GOODBYE_SECONDS = 1
CTRL_C = 3

app = Microdot()
stream = Stream()
led = machine.Pin(LED_GPIO, machine.Pin.OUT, value=0)
clients = []  # of /camera
talks = []  # the task of each WebSocket
counters = {"requests": 0, "websockets": 0, "messages": 0, "closes": {}}


@app.before_request
async def count(request):
    counters["requests"] += 1


@app.route("/")
async def index(request):
    return send_file(PAGE)


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    await _talk(ws, ws.send)


@app.route("/status")
async def status(request):
    return {
        "uptime_ms": time.ticks_ms(),
        "mem_free": gc.mem_free(),
        "mem_alloc": gc.mem_alloc(),
        "firmware": sys.version,
        "machine": os.uname().machine,
        "led": bool(led.value()),
        "camera": stream.camera.name if stream.camera else None,
        "camera_error": stream.error,
        "frames": stream.frames,
        "capture_ms": stream.captured_ms,
        "clients": len(clients),
        "counters": counters,
    }


@app.route("/camera")
@with_websocket
async def camera(request, ws):
    async def obey(text):
        answer = await _command(text)
        if answer:
            await ws.send(json.dumps(answer))

    clients.append(ws)
    pictures = asyncio.create_task(_send_pictures(ws))
    try:
        await _talk(ws, obey)
    finally:
        pictures.cancel()
        clients.remove(ws)


async def _talk(ws, on_message):
    """Give each message to `on_message`, until the client goes or the board stops."""
    talk = asyncio.current_task()
    talks.append(talk)
    counters["websockets"] += 1
    try:
        while True:
            message = await ws.receive()
            counters["messages"] += 1
            await on_message(message)
    except asyncio.CancelledError:
        await ws.close(GOING_AWAY, "the board stops")
    finally:
        talks.remove(talk)
        code = str(ws.close_code)
        closes = counters["closes"]  # how many of each code
        closes[code] = closes.get(code, 0) + 1
        print("lab: closed " + code)


async def _send_pictures(ws):
    try:
        await stream.watch(ws.send)
    except WebSocketError:
        pass  # the handler hears of it too


async def _command(text):
    """Do what one text message asks for; returns the answer, None when everybody got it."""
    try:
        command = json.loads(text)
        (name,) = command
        value = command[name]
    except (ValueError, TypeError, IndexError):
        return {"error": "a command is a JSON object with one key"}
    if name == "led":
        led.value(bool(value))
        return await _tell_all({"led": bool(led.value())})
    if name == "message":
        print("lab: message: %s" % value)
        return await _tell_all({"message": value, "clients": len(clients)})
    if name == "ping":
        return {"pong": value}
    if name in ("size", "compression"):
        return _camera_setting(name, value)
    return {"error": "no such command: %s" % name}


def _camera_setting(name, value):
    part = stream.camera
    if not hasattr(part, "set_" + name):
        return {"error": "this camera has no %s to set" % name}
    try:
        values = tuple([int(n) for n in str(value).split("x")])
    except ValueError:
        values = ()
    if name == "size" and values not in part.sizes:
        return {"error": "no such size: %s" % value}
    if name == "compression" and not (len(values) == 1 and 0 <= values[0] <= 255):
        return {"error": "compression is 0 to 255, not %s" % value}
    stream.between_frames(lambda: getattr(part, "set_" + name)(*values))
    return {name: value}


async def _tell_all(what):
    """A JSON message to everybody on /camera; nobody waits for one who reads slowly."""
    text = json.dumps(what)
    for ws in clients:
        asyncio.create_task(_tell(ws, text))


async def _tell(ws, text):
    try:
        await ws.send(text)
    except WebSocketError:
        pass  # its handler hears of it too


async def _serve(host, port, ready):
    task = asyncio.create_task(app.start_server(host, port))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    if app.server and ready:
        ready()
    pictures = asyncio.create_task(stream.run())
    try:
        await task
    finally:
        pictures.cancel()


async def _say_goodbye():
    """Close every WebSocket with 1001, and the port."""
    # the task that the interrupt hit may fail now in any way
    asyncio.get_event_loop().set_exception_handler(lambda loop, context: None)
    app.shutdown()
    for talk in list(talks):
        talk.cancel()
    for talk in list(talks):
        try:
            await asyncio.wait_for(talk, GOODBYE_SECONDS)
        except asyncio.TimeoutError:
            pass


def serve(host="0.0.0.0", port=80, ready=None):
    """Serve until the console is interrupted; `ready()` is called when clients may come."""
    try:
        asyncio.run(_serve(host, port, ready))
    except KeyboardInterrupt:
        micropython.kbd_intr(-1)  # once is enough
        try:
            asyncio.run(_say_goodbye())  # the other tasks are still there, and go on meanwhile
        finally:
            micropython.kbd_intr(CTRL_C)
        raise
