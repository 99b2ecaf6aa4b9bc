"""What is different on CPython: plain functions run in threads, and the server is asyncio's."""
import asyncio
import traceback
from inspect import iscoroutine, iscoroutinefunction

SHUTDOWN_SECONDS = 3  # for requests that are under way


def print_exception(exc):
    """Write a traceback to stderr."""
    traceback.print_exception(exc)


async def invoke_handler(handler, *args, **kwargs):
    """Call a handler: a coroutine function here, any other in a thread, so that it may block."""
    if iscoroutinefunction(handler):
        return await handler(*args, **kwargs)
    result = await asyncio.to_thread(handler, *args, **kwargs)
    if iscoroutine(result):
        result = await result
    return result


class Writer:
    """A StreamWriter with `awrite` and `aclose`, as MicroPython's streams have them."""

    def __init__(self, writer):
        self._writer = writer
        self.write, self.drain, self.transport = writer.write, writer.drain, writer.transport

    def __getattr__(self, name):
        return getattr(self._writer, name)

    async def awrite(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def aclose(self):
        self._writer.close()
        await self._writer.wait_closed()


class Server:
    """asyncio's server for an app, with a `close` that any thread may call."""

    def __init__(self, app):
        self._app = app
        self._loop = asyncio.get_running_loop()
        self._tasks = set()  # one for each connection
        self._server = None

    async def start(self, host, port, ssl, start_serving):
        """Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._connected, host, port, ssl=ssl,
                                                  start_serving=start_serving)

    def __getattr__(self, name):
        return getattr(self._server, name)

    async def _connected(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await self._app.handle_request(reader, Writer(writer))

    def close(self):
        """Accept no more; `serve` and `serve_forever` return or are cancelled."""
        self._loop.call_soon_threadsafe(self._server.close)

    async def serve(self):
        """Until `close`; then requests under way get SHUTDOWN_SECONDS to complete."""
        try:
            await self._server.serve_forever()
        except asyncio.CancelledError:
            if self._server.is_serving():  # the caller's wish, not close()
                raise
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=SHUTDOWN_SECONDS)
        for task in self._tasks:
            task.cancel()


async def serve(app, host, port, ssl, start_serving):
    """See Microdot.start_server()."""
    server = Server(app)
    await server.start(host, port, ssl, start_serving)
    app.server = server  # from here on clients may come
    if not start_serving:
        return server
    await server.serve()
