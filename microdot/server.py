"""From a connection to a response, no keep-alive."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import sys

from .http import RequestError, print_exception
from .request import Request
from .response import Response

LINGER_SECONDS = 0.5  # for a client that has got its response
DRAIN_SECONDS = 2  # for one whose request was not read to its end ..
DRAIN_BYTES = 65536  # .. and this much of it


async def start(app, host, port, debug, ssl, start_serving):
    """See Microdot.start_server()."""
    for route in app.url_map:
        route[1].compile()
    app.debug = debug
    app.ssl = ssl
    if debug:
        print('Starting async server on %s:%d...' % (host, port))
    if sys.implementation.name == 'cpython':
        from ._cpython import serve
    else:
        from ._listen import serve
    return await serve(app, host, port, ssl, start_serving)


async def handle_connection(app, reader, writer):
    """Serve one connection, then close it. A peer that vanishes is no error."""
    request = None
    try:
        try:
            request = await Request.create(app, reader, writer, writer.get_extra_info('peername'),
                                           'https' if app.ssl else 'http')
            if request is None:
                return
            response = await app.dispatch_request(request)
        except RequestError as exc:
            response = await app.dispatch_request(None, exc)
        if response is not Response.already_handled:
            try:
                await response.write(writer)
            except (ValueError, TypeError) as exc:  # what a handler has put in, before any byte
                print_exception(exc)
                response = Response('Internal server error', 500)
                await response.write(writer)
            if 'Content-Length' in response.headers:
                unread = not request or request.content_length > len(request.body)
                await let_client_close(reader, DRAIN_SECONDS if unread else LINGER_SECONDS)
        if app.debug and request:
            print(request.method, request.path, response.status_code)
    except (OSError, EOFError, MemoryError):
        pass
    finally:
        await close_stream(writer)


async def let_client_close(reader, seconds):
    """Give a client that has all of its response the chance to close first, and read what it may
    still send: unread input makes a close into a RST, which can overtake the response.

    Who closes first keeps the connection for two minutes in TIME-WAIT (RFC 9293, 3.6): a few
    hundred of them are all the memory a board's TCP has."""
    try:
        await asyncio.wait_for(_drain(reader), seconds)
    except asyncio.TimeoutError:
        pass


async def _drain(reader):
    left = DRAIN_BYTES
    while left > 0:
        data = await reader.read(512)
        if not data:
            break
        left -= len(data)


async def close_stream(writer):
    """Close a connection that may be gone already."""
    try:
        if hasattr(writer, 'aclose'):
            await writer.aclose()
        else:
            writer.close()
            await writer.wait_closed()
    except (OSError, EOFError):
        pass
