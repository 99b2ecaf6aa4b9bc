"""Reading one request (RFC 9112)."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

from .http import NoCaseDict, RequestError

LATE = ('args', 'cookies', 'form', 'json', 'stream')  # made by _parse.py when asked for


class Request:
    """What a handler gets.

    app: the Microdot that serves it; subapp: the mounted one its route is of, else None.
    client_addr: (host, port). method, url, path, query_string (None without one): str as sent,
    percent-encoded. http_version: '1.0' or '1.1'. scheme: 'http' or 'https'.
    url_prefix: where the sub-application is mounted, else ''. route: the handler.
    headers: NoCaseDict; a header that came twice is joined with ', ' (cookies with '; ').
    content_length: bytes, 0 without a body. content_type: str or None.
    body: bytes, b'' when it is longer than max_body_length. stream: the body as an async stream.
    args: MultiDict of the query. cookies: dict. g: holds what handlers want to share.
    json: the body as JSON, None when it is of another type; raises RequestError (ValueError).
    form: MultiDict of an urlencoded form, None when it is none; raises RequestError.
    sock: the connection's (reader, writer). upgraded: the WebSocket after an upgrade, else None.

    What a client can make us hold or wait for is bounded by the class attributes; applications
    may set them:
    """

    max_content_length = 16 * 1024  # bytes of a body; a larger one is refused with 413
    max_body_length = 16 * 1024  # bytes of a body that is read ahead into `body`
    max_readline = 2 * 1024  # bytes of one line; a longer one, or four times as much: 431
    max_read_time = 10  # seconds for the head, and for a body with 1 more per KB; then 408

    class G:
        """Attributes as a handler likes them."""

    def __init__(self, app, client_addr, method, url, http_version, headers, body=b'',
                 stream=None, sock=None, url_prefix='', subapp=None, scheme=None, route=None):
        self.app = app
        self.client_addr = client_addr
        self.method = method
        self.url = url
        self.http_version = http_version
        self.headers = headers
        self.body = body or b''
        self.sock = sock
        self.url_prefix = url_prefix
        self.subapp = subapp
        self.scheme = scheme or 'http'
        self.route = route
        self.url_args = {}
        self.path, found, query = url.partition('?')
        self.query_string = query if found else None
        self.content_type = headers.get('Content-Type')
        length = headers.get('Content-Length', '0')
        # digits alone (RFC 9112, 6.2): int() takes '+1', ' 1' and '1_0' as well
        if not length.encode().isdigit():
            raise RequestError(400, 'Bad Content-Length')
        self.content_length = int(length)
        if stream:
            self.stream = stream
        self.g = Request.G()
        self.upgraded = None
        self.after_request_handlers = []

    def __getattr__(self, name):
        if name not in LATE:
            raise AttributeError(name)
        from . import _parse
        value = getattr(_parse, name)(self)
        setattr(self, name, value)
        return value

    def after_request(self, f):
        """Decorator: f(request, response) runs after this request, when all others have; it may
        return another response. Not when the request fails."""
        self.after_request_handlers.append(f)
        return f

    @classmethod
    async def create(cls, app, client_reader, client_writer, client_addr, scheme=None):
        """Read a request; None when the connection ends before there is one.

        Raises RequestError when it is none, breaks a limit, or needs what we don't do; OSError
        when the connection is lost."""
        try:
            head = await asyncio.wait_for(cls._read_head(client_reader), cls.max_read_time)
            if not head:
                return None
            request = cls(app, client_addr, head[0], head[1], head[2], head[3],
                          sock=(client_reader, client_writer), scheme=scheme)
            size = request.content_length
            if size and size <= min(cls.max_body_length, cls.max_content_length):
                request.body = await asyncio.wait_for(client_reader.readexactly(size),
                                                      cls.max_read_time + size // 1024)
        except asyncio.TimeoutError:
            raise RequestError(408, 'Request timeout')
        except EOFError:
            raise RequestError(400, 'Request cut short')
        return request

    @classmethod
    async def _read_line(cls, reader):
        """One line without its end, None at the end of the stream. Raises RequestError."""
        try:
            if hasattr(reader, 'read_line'):  # _listen.py: bounded
                line = await reader.read_line(cls.max_readline + 1)
            else:
                line = await reader.readline()
        except ValueError:  # CPython: more than 64 KB
            line = b' ' * (cls.max_readline + 1)
        if not line:
            return None
        if len(line) > cls.max_readline:
            raise RequestError(431, 'Line too long')
        if line[-1] != 10:
            raise EOFError
        line = line[:-2] if line[-2:] == b'\r\n' else line[:-1]
        if b'\r' in line or b'\0' in line:
            raise RequestError(400, 'Bad character')
        try:
            return line.decode()
        except ValueError:  # UnicodeError
            raise RequestError(400, 'Not UTF-8')

    @classmethod
    async def _read_head(cls, reader):
        """(method, url, version, headers), None at the end of the stream. Raises RequestError."""
        # an empty line before the request is to be skipped (RFC 9112, 2.2)
        line = await cls._read_line(reader) or await cls._read_line(reader)
        if line is None:
            return None
        parts = line.split(' ')
        if len(parts) != 3 or line.split() != parts or not parts[2].startswith('HTTP/'):
            raise RequestError(400, 'Bad request line')
        version = parts[2][5:]
        if version not in ('1.0', '1.1'):
            raise RequestError(505, 'HTTP version not supported')
        headers = NoCaseDict()
        left = 4 * cls.max_readline
        while True:
            line = await cls._read_line(reader)
            if not line:
                break
            left -= len(line)
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
