"""WebSockets on streams that are none of MicroPython's own: CPython's, TLS, and those of tests.

Imported when there is one."""
import sys

# bytes of payload that leave in one write with the header
FIRST = 1436 if sys.implementation.name == 'micropython' else 65536
BACKLOG = 16384  # bytes that a send() may leave to asyncio of CPython ..
SLOWEST = 8192  # .. and how many of them leave in a second, so that close() may wait for them


def opened(writer):
    """The handshake is done."""
    if hasattr(writer, 'transport'):
        writer.transport.set_write_buffer_limits(BACKLOG)


def write_frame(writer, head, data):
    """Write a frame: its head and the start of `data` in one piece, since two small segments would
    wait for each other (Nagle's algorithm). True when there is nothing left to drain."""
    writer.write(head + data if len(data) <= FIRST else head + memoryview(data)[:FIRST])
    if len(data) > FIRST:
        rest = memoryview(data)[FIRST:]
        # what the handler may change is not to be kept until it is out
        writer.write(rest if isinstance(data, bytes) else bytes(rest))
    transport = getattr(writer, 'transport', None)
    return (transport is not None and not transport.get_write_buffer_size() and
            not transport.is_closing())


def closing(writer):
    """From here on drain() waits until all is out; the seconds that this may take longer."""
    if not hasattr(writer, 'transport'):
        return 0
    left = min(writer.transport.get_write_buffer_size(), BACKLOG)
    writer.transport.set_write_buffer_limits(0)
    return left / SLOWEST


def abort(writer):
    """Drop what is not out."""
    if hasattr(writer, 'transport'):
        writer.transport.abort()
