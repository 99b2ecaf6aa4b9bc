"""Reading and writing a socket of MicroPython in place: what its Stream would copy.

Waiting is by the event loop's own queue, as in Stream.
"""
try:
    import asyncio
    from asyncio import core
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
    from uasyncio import core
import gc
import socket
import sys

from .frames import shared

# lwIP on the ESP32 lives on what the heap of MicroPython leaves, which after it has grown may be
# next to nothing: a collection may give some back, and for small pieces there is room
RETRY_SECONDS = 0.02
SMALL = 256  # bytes
NO_MEMORY = (12, 105)  # ENOMEM, ENOBUFS


def plain(stream):
    """Is it a stream of the event loop's own, so that `stream.s` may be used beside it?"""
    return type(stream) is asyncio.StreamReader


def send_at_once(s):
    """Have no small segment wait until the client has acknowledged the one before, which a client
    delays by 40 ms and more (RFC 1122, 4.2.3.2 and 4.2.3.4)."""
    if hasattr(socket, 'TCP_NODELAY') or sys.platform == 'linux':  # which has no name for it
        try:
            s.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
        except (OSError, AttributeError):  # it is gone, or no plain socket
            pass


def readable(s):
    """await it: until the loop finds the socket ready."""
    yield core._io_queue.queue_read(s)


def write_frame(s, unsent, head, data):
    """Write a frame behind the parts `unsent`, without a wait: what is then left to be written, a
    list for `write_parts`, empty when nothing is. Raises OSError.

    Its head and the start of `data` leave in one piece, out of the shared buffer: in two small
    ones they would be two segments."""
    if unsent:
        unsent.append(head)
        unsent.append(data)
        return unsent
    room = shared()
    start = len(head)
    first = min(len(data), len(room) - start)
    room[:start] = head
    room[start:start + first] = data if first == len(data) else memoryview(data)[:first]
    whole = room[:start + first]
    try:
        count = s.write(whole) or 0
    except OSError as error:
        if error.args[0] not in NO_MEMORY:
            raise
        count = 0
    parts = []
    try:
        if count < start + first:
            parts.append(bytes(whole[count:]))
        if first < len(data):
            parts.append(memoryview(data)[first:])
    except MemoryError:
        raise OSError(12)  # ENOMEM: the connection ends, for nothing may follow half a frame
    return parts


async def write_parts(s, parts):
    """Write the buffers in the list `parts`, which loses what is out; so it keeps the rest
    when this is cancelled."""
    refused = 0
    while parts:
        part = parts[0]
        try:
            count = s.write(memoryview(part)[:SMALL] if refused > 1 else part)
        except OSError as error:
            if error.args[0] not in NO_MEMORY:
                raise
            count, refused = None, refused or 1
        if count is None:
            if refused:  # it was ready, and yet takes nothing: no memory in lwIP
                if refused % 16 == 1:
                    gc.collect()
                await asyncio.sleep(RETRY_SECONDS)
            refused += 1
            yield core._io_queue.queue_write(s)
        elif count < len(part):
            parts[0] = memoryview(part)[count:]
            if refused == 1:
                refused = 0
        else:
            parts.pop(0)
