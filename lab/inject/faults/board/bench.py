"""Runs on the board under faults: echoes lines on port 7070, and changes files when told to.

A line that begins with "[" is a JSON list of changes ([operation, path, ..]); each is told on the
console when it begins. The line "?" asks for the CRC of every file that such changes may make.
`small` is a whole app with little to load; `beside` comes up with the camera board's own.
"""

import asyncio
import binascii
import json
import os
import time

import machine
import micropython

PORT = 7070
ADDRESS = ("10.0.2.15", "255.255.255.0", "10.0.2.2", "10.0.2.3")
LINE, LINES = 64, 8  # bytes of a line, lines of a piece
WATCHDOG_MS = 4000


def put(file, path, mark, size):
    """What the lab's `journal.content` says as well, in pieces that a full heap has room for."""
    head = b"%s %d " % (path.encode(), mark)
    tail = b"." * (LINE - 6 - len(head)) + b"\n"
    number = 0
    while size > 0:
        piece = b"".join([head + b"%05d" % (number + n) + tail for n in range(LINES)])
        file.write(piece[:size])
        size -= len(piece)
        number += LINES


def write(path, mark, size):
    with open(path, "wb") as file:
        put(file, path, mark, size)


def append(path, mark, size):
    with open(path, "ab") as file:
        put(file, path, mark, size)


OPERATIONS = {
    "write": write,
    "append": append,
    "rename": os.rename,
    "remove": os.remove,
    "mkdir": os.mkdir,
    "rmdir": os.rmdir,
    "sleep": time.sleep,  # all of it: the event loop stands still
}


def change(changes):
    for number, (name, *arguments) in enumerate(changes):
        print("lab: change %d" % number)
        OPERATIONS[name](*arguments)
    print("lab: change %d" % len(changes))


def digests():
    """Path -> CRC-32, of what is in the root without a dot in its name, and one folder deep."""
    found = {}
    for name, kind, *_ in os.ilistdir("/"):
        if kind == 0x4000 and name != "lib":
            found[name + "/"] = 0
            names = [name + "/" + entry for entry in os.listdir(name)]
        elif "." in name or kind == 0x4000:
            continue
        else:
            names = [name]
        for path in names:
            with open(path, "rb") as file:
                found[path] = binascii.crc32(file.read())
    return found


async def serve(reader, writer):
    try:
        while True:
            line = await reader.readline()
            if not line:
                break
            if line.startswith(b"["):
                change(json.loads(line))
                line = b"done\n"
            elif line == b"?\n":
                line = json.dumps(digests()).encode() + b"\n"
            writer.write(line)
            await writer.drain()
    except OSError:
        pass  # the client has gone
    writer.close()
    await writer.wait_closed()


async def guard():
    """A watchdog that the event loop must feed, unless there is a file `plain`."""
    try:
        os.stat("plain")
        return
    except OSError:
        pass
    watchdog = machine.WDT(timeout=WATCHDOG_MS)
    while True:
        watchdog.feed()
        await asyncio.sleep_ms(WATCHDOG_MS // 4)


def beside():
    """Next to an app whose event loop runs."""
    micropython.mem_info(1)  # tells where the heap lies
    asyncio.create_task(asyncio.start_server(serve, "0.0.0.0", PORT))
    asyncio.create_task(guard())


async def alone():
    beside()
    print("lab: http on port %d" % PORT)
    while True:
        await asyncio.sleep(1000)


def small():
    import network

    lan = network.LAN(
        mdc=machine.Pin(23),
        mdio=machine.Pin(18),
        power=None,
        phy_type=network.PHY_LAN8720,
        phy_addr=0,
    )
    lan.active(True)
    lan.ifconfig(ADDRESS)
    while not lan.isconnected():
        time.sleep_ms(10)
    asyncio.run(alone())
