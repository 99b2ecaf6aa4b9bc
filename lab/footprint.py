"""How much of a board's heap a package takes: measured on the emulated board, from .mpy files.

    footprint(package_files(ROOT / "microdot"), IMPORT)["imported"]

A program for `footprint` calls `mark(name)` where it wants to know; the board collects garbage and
tells how many bytes more than at the start are in use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from lab import LabError
from lab.firmware import resolve
from lab.flash import build_image, compile_mpy
from lab.targets.embedded import EmbeddedBoard

BOOT_SECONDS = 60
MARK = re.compile(r"^mark (\w+) (-?\d+)$", re.MULTILINE)
PRELUDE = """
import gc
def mark(name, since=0):
    gc.collect()
    gc.collect()
    now = gc.mem_alloc() - since
    if since:
        print('mark', name, now)
    return now
start = mark('start')
"""
# what `import microdot.websocket` takes, with the core it is built on
IMPORT = """
import microdot
mark('core', start)
import microdot.websocket
mark('imported', start)
"""
# the same and a server that has answered a request over the board's own loopback; the network
# interface, which lwIP needs, is up before and does not count
SERVING = """
import machine, network
network.LAN(mdc=machine.Pin(23), mdio=machine.Pin(18), power=None,
            phy_type=network.PHY_LAN8720, phy_addr=0).active(True)
start = mark('start')
import asyncio
from microdot import Microdot
from microdot.websocket import with_websocket
app = Microdot()

@app.route('/')
async def index(request):
    return 'Hello'

@app.route('/echo')
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(await ws.receive())

async def main():
    server = asyncio.create_task(app.start_server('127.0.0.1', 80))
    while not app.server:
        await asyncio.sleep_ms(1)
    for _ in range(2):
        reader, writer = await asyncio.open_connection('127.0.0.1', 80)
        writer.write(b'GET / HTTP/1.0\\r\\n\\r\\n')
        await writer.drain()
        answer = await reader.read(1000)
        assert answer.startswith(b'HTTP/1.0 200'), answer
        writer.close()
        await writer.wait_closed()
    reader = writer = answer = None
    await asyncio.sleep_ms(100)
    mark('serving', start)

asyncio.run(main())
"""


def package_files(folder: Path, modules: list[str] | None = None) -> dict[str, bytes]:
    """A package for the board's filesystem: its modules (all of them when None) as .mpy."""
    names = modules or sorted(path.stem for path in folder.glob("*.py"))
    return {
        f"lib/{folder.name}/{name}.mpy": compile_mpy(
            (folder / f"{name}.py").read_bytes(), f"{folder.name}/{name}.py"
        )
        for name in names
    }


def footprint(
    files: Mapping[str, bytes], program: str, firmware: str | None = None
) -> dict[str, int]:
    """Bytes of heap in use at each `mark` of `program`, more than before it.

    Raises BoardException when it fails, LabError when it marks nothing.
    """
    with EmbeddedBoard(build_image(resolve(firmware), files)) as board:
        board.console.wait_for_prompt(BOOT_SECONDS)
        output = board.console.run(PRELUDE + program).replace("\r", "")
    marks = {name: int(size) for name, size in MARK.findall(output)}
    if not marks:
        raise LabError(f"the program has marked nothing; it printed:\n{output}")
    return marks
