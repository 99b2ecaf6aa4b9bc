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
import socket

BACKLOG = 5  # what lwIP's accept queue holds; with more it sends RST
MAX_CONNECTIONS = 8  # of ten sockets, one listens and one is left to the app


class Listener:
    """Serves connections with `handle(reader, writer)` until `close`."""

    def __init__(self, handle, host, port):
        self._handle = handle
        self._open = 0
        self._free = asyncio.Event()
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
            while self._open >= MAX_CONNECTIONS:
                self._free.clear()
                await self._free.wait()
            yield core._io_queue.queue_read(self._socket)
            try:
                connection, address = self._socket.accept()
            except OSError:
                continue  # it is gone again
            connection.setblocking(False)
            stream = asyncio.StreamReader(connection, {'peername': address})
            self._open += 1
            asyncio.create_task(self._serve(stream))

    async def _serve(self, stream):
        try:
            await self._handle(stream, stream)
        finally:
            self._open -= 1
            self._free.set()

    async def wait_closed(self):
        """Until `close`, or an error of the accept loop."""
        try:
            await self._task
        except asyncio.CancelledError:
            pass
        finally:
            self._socket.close()

    def close(self):
        """Accept no more."""
        self._task.cancel()
