"""One connection: a request, its response, no keep-alive."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import sys

from .core import NoCaseDict, Request, RequestError, Response, print_exception

READ_BLOCK = 512  # bytes
FIELD_COST = 32  # bytes of memory for a header besides its text, as RFC 7541, 4.1 counts them
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
            response.sent = False
            try:
                await response.write(writer)
            except (OSError, EOFError):
                raise
            except Exception as exc:  # what a handler has put in, or its generator
                print_exception(exc)
                if response.sent:
                    return
                response = Response('Internal server error', 500)
                await response.write(writer)
            unread = not request or request.content_length > len(request.body)
            if unread or 'Content-Length' in response.headers:
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
        data = await reader.read(READ_BLOCK)
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


# --- reading (RFC 9112, 2 to 6) ---


async def read_request(cls, app, reader, writer, client_addr, scheme):
    """See Request.create(). The limits are those of the class `cls`."""
    seconds = cls.max_read_time
    lines = Lines(reader, cls.max_readline)
    try:
        head = await asyncio.wait_for(read_head(lines), seconds)
        if not head:
            return None
        request = cls(app, client_addr, head[0], head[1], head[2], head[3],
                      sock=(reader, writer), scheme=scheme)
        if request.path[:1] != '/' and '://' in request.path:  # absolute-form (RFC 9112, 3.2.2)
            request.path = '/' + request.path.partition('://')[2].partition('/')[2]
        size = request.content_length
        rest = lines.rest()
        if size and size <= min(cls.max_body_length, cls.max_content_length):
            request.body = rest[:size]
            rest = rest[size:]
            size -= len(request.body)
            if size:
                request.body += await asyncio.wait_for(reader.readexactly(size),
                                                       seconds + size // 1024)
    except asyncio.TimeoutError:
        raise RequestError(408, 'Request timeout')
    except EOFError:
        raise RequestError(400, 'Request cut short')
    if rest:  # of a body that is left to the handler, or frames that came with a handshake
        from ._stream import Ahead
        request.sock = Ahead(request, rest), writer
    return request


class Lines:
    """The lines of a request, of at most `most` bytes. They are read in blocks: line by line
    MicroPython would read a byte at a time, each a call to lwIP, and without a limit."""

    def __init__(self, reader, most):
        self.most = most
        self._reader = reader
        self._data = b''
        self._at = 0

    async def next(self):
        """One without its end, None at the end of the stream. Raises RequestError, and EOFError
        for a line without an end."""
        while True:
            end = self._data.find(b'\n', self._at)
            if (end if end >= 0 else len(self._data)) - self._at >= self.most:
                raise RequestError(431, 'Line too long')
            if end >= 0:
                break
            more = await self._reader.read(READ_BLOCK)
            if not more:
                if self.rest():
                    raise EOFError
                return None
            self._data = self.rest() + more
            self._at = 0
        line = self._data[self._at:end]
        self._at = end + 1
        if line[-1:] == b'\r':
            line = line[:-1]
        if b'\r' in line or b'\0' in line:
            raise RequestError(400, 'Bad character')
        try:
            return line.decode()
        except ValueError:  # UnicodeError
            raise RequestError(400, 'Not UTF-8')

    def rest(self):
        """What was read beyond the lines."""
        return self._data[self._at:]


async def read_head(lines):
    """(method, url, version, headers), None at the end of the stream. Raises RequestError and
    EOFError."""
    # an empty line before the request is to be skipped (RFC 9112, 2.2)
    line = await lines.next() or await lines.next()
    if line is None:
        return None
    parts = line.split(' ')
    if len(parts) != 3 or line.split() != parts or not parts[2].startswith('HTTP/'):
        raise RequestError(400, 'Bad request line')
    version = parts[2][5:]
    if version not in ('1.0', '1.1'):
        raise RequestError(505, 'HTTP version not supported')
    headers = NoCaseDict()
    left = 4 * lines.most  # bytes of all headers, each with what it costs us besides
    while True:
        line = await lines.next()
        if not line:
            break
        left -= len(line) + FIELD_COST
        if left < 0:
            raise RequestError(431, 'Too many headers')
        name, found, value = line.partition(':')
        # no space in or around a name (5.1), so no folded line either (5.2)
        if not found or name.split() != [name]:
            raise RequestError(400, 'Bad header line')
        value = value.strip(' \t')
        if name in headers:
            value = headers[name] + ('; ' if name.lower() == 'cookie' else ', ') + value
        headers[name] = value
    if line is None:
        raise EOFError
    # two messages where the other side sees one, or the other way round (11.2)
    if 'Transfer-Encoding' in headers:
        raise RequestError(501, 'Transfer-Encoding is not supported')
    if ',' in headers.get('Host', ',' if version == '1.1' else ''):
        raise RequestError(400, 'One Host header is needed')
    return parts[0], parts[1], version, headers


# --- writing ---


def complete(response):
    """Add Content-Type and, where it is known, Content-Length."""
    headers = response.headers
    if isinstance(response.body, (bytes, bytearray)) and 'Content-Length' not in headers:
        headers['Content-Length'] = str(len(response.body))
    if 'Content-Type' not in headers:
        kind = response.default_content_type
        headers['Content-Type'] = kind if 'charset=' in kind else kind + '; charset=UTF-8'


def head(response):
    """Status line and headers as bytes. Raises ValueError when one has a line end in it."""
    complete(response)
    reason = response.reason
    if reason is None:
        reason = 'OK' if response.status_code == 200 else 'N/A'
    lines = ['HTTP/1.0 %d %s' % (response.status_code, reason)]
    for name, value in response.headers.items():
        for item in value if isinstance(value, list) else (value,):
            lines.append('%s: %s' % (name, item))
    for line in lines:
        if '\r' in line or '\n' in line:
            raise ValueError('line end in a header: %r' % line)
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


async def send(stream, data, more=b''):
    """Write one or two pieces, and wait until they are on their way."""
    if hasattr(stream, 'awrite'):
        await stream.awrite(data)
        if more:
            await stream.awrite(more)
    else:
        stream.write(data)
        if more:
            stream.write(more)
        await stream.drain()


async def write(response, stream):
    """See Response.write(). `response.sent` tells afterwards whether anything has been sent."""
    body = response.body
    parts = None if isinstance(body, (bytes, bytearray)) else response.body_iter()
    try:
        data = head(response)
        response.sent = True
        if not parts:
            await send(stream, data, b'' if response.is_head else body)
            return
        await send(stream, data)
        if not response.is_head:
            async for part in parts:
                await send(stream, part.encode() if isinstance(part, str) else part)
    finally:
        if parts:
            await parts.aclose()
