"""The accept loop on MicroPython, in place of asyncio.start_server().

lwIP on the ESP32 has ten sockets. A connection that finds none left is reset with its request
unread, so no more are accepted than can be served; the others wait in the backlog.
"""
try:
    import asyncio
    from asyncio import core
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
    from uasyncio import core
import gc
import socket

BACKLOG = 5  # what lwIP's accept queue holds; with more it sends RST
MAX_CONNECTIONS = 8  # of ten sockets, one listens and one is left to the app
SHUTDOWN_SECONDS = 3  # for requests that are under way


class Listener:
    """Serves connections with `handle(reader, writer)` until `close`."""

    def __init__(self, handle, host, port):
        self._handle = handle
        self._tasks = []  # one for each connection (no set: before v1.20 a task has no hash)
        self._done = asyncio.Event()  # one of them is
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(socket.getaddrinfo(host, port)[0][-1])
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self._task = asyncio.create_task(self._accept())

    async def _accept(self):
        while True:
            await self._until_less_than(MAX_CONNECTIONS)
            yield core._io_queue.queue_read(self._socket)
            try:
                connection, address = self._socket.accept()
            except OSError:
                continue  # it is gone again
            # So that what lasts of a connection lies close together, not scattered over a heap full
            # of garbage: there a message finds no room, and MicroPython takes lwIP's memory.
            gc.collect()
            connection.setblocking(False)
            stream = asyncio.StreamReader(connection, {'peername': address})
            self._tasks.append(asyncio.create_task(self._serve(stream)))

    async def _serve(self, stream):
        try:
            await self._handle(stream, stream)
        finally:
            self._tasks.remove(asyncio.current_task())
            self._done.set()

    async def _until_less_than(self, most):
        while len(self._tasks) >= most:
            self._done.clear()
            await self._done.wait()

    async def wait_closed(self):
        """Until `close`, or an error of the accept loop; then requests under way get
        SHUTDOWN_SECONDS to complete."""
        try:
            await self._task
        except asyncio.CancelledError:
            pass
        finally:
            self._socket.close()
        try:
            await asyncio.wait_for(self._until_less_than(1), SHUTDOWN_SECONDS)
        except asyncio.TimeoutError:
            for task in list(self._tasks):
                task.cancel()

    def close(self):
        """Accept no more."""
        self._task.cancel()


async def serve(app, host, port, ssl, start_serving):
    """See Microdot.start_server()."""
    if not start_serving:
        raise ValueError('start_serving must be True')
    # what requests need comes in now, not between what they leave on the heap, which would keep
    # it in pieces
    from . import dispatch  # noqa: F401
    gc.collect()
    if ssl:
        app.server = await asyncio.start_server(app.handle_request, host, port, ssl=ssl)
    else:
        app.server = Listener(app.handle_request, host, port)
    await app.server.wait_closed()
