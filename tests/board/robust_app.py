"""Runs on the board as main.py, for test_robust.py: counts its own tasks."""

import asyncio
import gc
import time
from asyncio import core

import machine
import network

live = [0]
create_task = core.create_task


async def counted(coroutine):
    live[0] += 1
    try:
        return await coroutine
    finally:
        live[0] -= 1


core.create_task = asyncio.create_task = lambda coroutine: create_task(counted(coroutine))

lan = network.LAN(
    mdc=machine.Pin(23),
    mdio=machine.Pin(18),
    power=None,
    phy_type=network.PHY_LAN8720,
    phy_addr=0,
)
lan.active(True)
lan.ifconfig(("10.0.2.15", "255.255.255.0", "10.0.2.2", "10.0.2.3"))
while not lan.isconnected():
    time.sleep_ms(10)

from microdot import Microdot
from microdot.websocket import WebSocket, websocket_upgrade, with_websocket

app = Microdot()


@app.route("/echo")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())


@app.route("/unlimited")
async def unlimited(request):
    WebSocket.max_message_length = 0  # looked at when the connection begins
    ws = await websocket_upgrade(request)
    WebSocket.max_message_length = -1
    while True:
        await ws.send(await ws.receive())


@app.route("/patient")
@with_websocket
async def patient(request, ws):
    while True:
        try:
            await ws.send(await asyncio.wait_for(ws.receive(), 0.02))
        except asyncio.TimeoutError:
            pass


@app.route("/hasty")
@with_websocket
async def hasty(request, ws):
    await ws.receive()
    try:
        await asyncio.wait_for(ws.send(b"x" * 20000), 0.05)
    except asyncio.TimeoutError:
        await ws.send(b"late")


@app.route("/both")
@with_websocket
async def both(request, ws):
    async def send(letter):
        for _ in range(4):
            await ws.send(letter * 16000)

    await asyncio.gather(send(b"a"), send(b"b"))


@app.route("/state")
async def state(request):
    gc.collect()
    gc.collect()
    return "%d %d %d." % (gc.mem_free(), live[0], len(core._io_queue.map))


async def main():
    task = asyncio.create_task(app.start_server("0.0.0.0", 80))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    print("serving")
    await task


asyncio.run(main())
