"""Apps that a certain message harms, each in another way, so that each look at a board is seen to
find what it is there for."""

from lab.inject.boards import FOLDER

ECHO = "        await ws.send(await ws.receive())\n"
HARM = """        message = await ws.receive()
        if message == "{trigger}":
            {harm}
        await ws.send(message)
"""


TOP = """
kept = []


async def idle():
    await asyncio.sleep(3600)
"""


def app(trigger, harm):
    """Source of the app under injection that does `harm`, a statement, on `trigger`."""
    source = (FOLDER / "app.py").read_text()
    assert ECHO in source
    source = source.replace(ECHO, HARM.format(trigger=trigger, harm=harm))
    return source.replace("app = Microdot()\n", "app = Microdot()\n" + TOP).encode()


# what is done, and what the look at the board must say
HARMS = {
    "raises": ("1 / 0", "a traceback: "),
    "leaks heap": ("kept.append(bytearray(2000))", "bytes of heap are gone"),
    "leaks a socket": (
        "import socket; kept.append(socket.socket())",
        "sockets in use: ",
    ),
    "leaks a task": ("kept.append(asyncio.create_task(idle()))", "tasks: 1, not 0"),
    "stops serving": ("app.server._task.cancel()", ""),
    "resets": ("import machine; machine.reset()", "reset: "),
    "panics": ("import machine; machine.mem32[0]", "panic: "),
    "hangs": ("import time; time.sleep(60)", "did not come in"),
    "keeps Ctrl-C": ("import micropython; micropython.kbd_intr(-1)", "the console does not answer"),
    "counts wrong": ("globals()['connections'] += 1", "connections served: "),
}
