"""Application, request, response: HTTP for one connection at a time (RFC 9112), no keep-alive."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import json
import sys

REASONS = {
    101: 'Switching Protocols', 200: 'OK', 201: 'Created', 202: 'Accepted', 204: 'No Content',
    301: 'Moved Permanently', 302: 'Found', 304: 'Not Modified', 307: 'Temporary Redirect',
    400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found',
    405: 'Method Not Allowed', 413: 'Payload Too Large', 426: 'Upgrade Required',
    431: 'Request Header Fields Too Large', 500: 'Internal Server Error',
}
TYPES = {
    'html': 'text/html', 'css': 'text/css', 'js': 'application/javascript', 'txt': 'text/plain',
    'json': 'application/json', 'jpg': 'image/jpeg', 'png': 'image/png', 'gif': 'image/gif',
    'svg': 'image/svg+xml',
}
LINGER_SECONDS = 0.5
MAX_HEADERS = 64  # lines of one request
SEND_BLOCK = 1024  # bytes read from a file at a time


def print_exception(exc):
    """Write a traceback to the console."""
    if hasattr(sys, 'print_exception'):
        sys.print_exception(exc)
    else:
        import traceback
        traceback.print_exception(exc)


def urldecode(text):
    """Percent-decoding with + for a space (application/x-www-form-urlencoded)."""
    text = text.replace('+', ' ')
    if '%' not in text:
        return text
    parts = text.encode().split(b'%')
    data = bytearray(parts[0])
    for part in parts[1:]:
        try:
            data.append(int(part[:2], 16))
            data.extend(part[2:])
        except ValueError:
            data.extend(b'%' + part)
    try:
        return bytes(data).decode()
    except ValueError:  # UnicodeError on both
        return ''.join(chr(byte) for byte in data)


def parse_query(text):
    """'a=1&b=2' -> {'a': '1', 'b': '2'}"""
    result = {}
    for pair in text.split('&'):
        if pair:
            key, _, value = pair.partition('=')
            result[urldecode(key)] = urldecode(value)
    return result


class HTTPException(Exception):
    """Ends a request with this status. `headers` go into the response."""

    def __init__(self, status_code, reason=None, headers=None):
        super().__init__(status_code, reason)
        self.status_code = status_code
        self.reason = reason or REASONS.get(status_code, 'Error')
        self.headers = headers


def abort(status_code, reason=None):
    """End the request: raises HTTPException."""
    raise HTTPException(status_code, reason)


class Headers:
    """A mapping whose string keys compare without case; the last spelling is kept.

    Not a dict: MicroPython's can't be extended so."""

    def __init__(self, values=None):
        self._values = {}  # lower-case name -> (name, value)
        for name in values or {}:
            self[name] = values[name]

    def __setitem__(self, key, value):
        self._values[key.lower()] = (key, value)

    def __getitem__(self, key):
        return self._values[key.lower()][1]

    def __contains__(self, key):
        return key.lower() in self._values

    def __iter__(self):
        return iter([name for name, _ in self._values.values()])

    def __len__(self):
        return len(self._values)

    def get(self, key, default=None):
        return self._values.get(key.lower(), (key, default))[1]

    def items(self):
        return list(self._values.values())


class Request:
    """What a handler gets. `sock` is the connection's (reader, writer)."""

    max_content_length = 16 * 1024  # bytes; a larger body is refused with 413
    max_body_length = 16 * 1024  # bytes of a body that is read ahead into `body`
    max_readline = 2 * 1024  # bytes of a request or header line

    class G:
        pass

    def __init__(self, app, client_addr, method, url, http_version, headers, sock):
        self.app = app
        self.client_addr = client_addr
        self.method = method
        self.url = url
        self.http_version = http_version
        self.headers = headers
        self.path, _, self.query_string = url.partition('?')
        self.path = urldecode(self.path.replace('+', '%2B'))
        self.args = parse_query(self.query_string)
        self.url_args = {}
        self.content_type = headers.get('Content-Type')
        self.sock = sock
        self.body = b''
        self.upgraded = None  # the WebSocket after an upgrade
        self.g = Request.G()
        self.cookies = {}
        for pair in headers.get('Cookie', '').split(';'):
            name, found, value = pair.strip().partition('=')
            if found:
                self.cookies[name] = value
        length = headers.get('Content-Length', '0')
        try:
            self.content_length = int(length)
        except ValueError:
            self.content_length = -1
        if self.content_length < 0:
            raise HTTPException(400, 'Content-Length is not a number')

    @classmethod
    async def read_line(cls, reader):
        """One line without its end. Raises HTTPException when it is too long."""
        line = await reader.readline()
        if len(line) > cls.max_readline:
            raise HTTPException(431, 'Line too long')
        return line.decode().strip()

    @classmethod
    async def create(cls, app, reader, writer, client_addr):
        """Read a request; None when the connection ends before there is one."""
        line = await cls.read_line(reader)
        if not line:
            return None
        parts = line.split()
        if len(parts) != 3 or not parts[2].startswith('HTTP/'):
            raise HTTPException(400, 'Bad request line')
        headers = Headers()
        for _ in range(MAX_HEADERS + 1):
            line = await cls.read_line(reader)
            if not line:
                break
            name, found, value = line.partition(':')
            if not found:
                raise HTTPException(400, 'Bad header line')
            name, value = name.strip(), value.strip()
            headers[name] = headers[name] + ', ' + value if name in headers else value
        else:
            raise HTTPException(431, 'Too many headers')
        request = cls(app, client_addr, parts[0], parts[1], parts[2][5:], headers,
                      (reader, writer))
        if request.content_length > cls.max_content_length:
            raise HTTPException(413)
        if request.content_length and request.content_length <= cls.max_body_length:
            request.body = await reader.readexactly(request.content_length)
        return request

    @property
    def json(self):
        """The body as JSON, None when it is not."""
        if not self.content_type or self.content_type.split(';')[0] != 'application/json':
            return None
        return json.loads(self.body.decode())

    @property
    def form(self):
        """The body as a form, None when it is not."""
        if (not self.content_type or
                self.content_type.split(';')[0] != 'application/x-www-form-urlencoded'):
            return None
        return parse_query(self.body.decode())


class Response:
    """Body (str, bytes, dict or list for JSON, a file, or an iterator), status, headers."""

    default_content_type = 'text/plain'
    already_handled = None  # set below: the handler has written to the connection itself

    def __init__(self, body='', status_code=200, headers=None, reason=None):
        self.status_code = status_code
        self.headers = Headers(headers)
        self.reason = reason
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            self.headers['Content-Type'] = 'application/json; charset=UTF-8'
        self.body = body.encode() if isinstance(body, str) else body

    def set_cookie(self, cookie, value, path=None, max_age=None, http_only=False):
        """Add a Set-Cookie header."""
        text = cookie + '=' + value
        if path:
            text += '; Path=' + path
        if max_age is not None:
            text += '; Max-Age=' + str(max_age)
        if http_only:
            text += '; HttpOnly'
        self.headers['Set-Cookie'] = text

    async def write(self, writer):
        """Send it."""
        body = self.body
        plain = isinstance(body, (bytes, bytearray))
        if plain:
            self.headers['Content-Length'] = str(len(body))
        if 'Content-Type' not in self.headers:
            self.headers['Content-Type'] = self.default_content_type + '; charset=UTF-8'
        head = ['HTTP/1.0 %d %s' % (self.status_code,
                                    self.reason or REASONS.get(self.status_code, 'N/A'))]
        for name, value in self.headers.items():
            head.append('%s: %s' % (name, value))
        writer.write(('\r\n'.join(head) + '\r\n\r\n').encode())
        await writer.drain()
        if plain:
            if body:
                writer.write(body)
                await writer.drain()
        elif hasattr(body, 'read'):
            await self._write_file(writer, body)
        elif hasattr(body, '__anext__'):
            async for part in body:
                await self._write_part(writer, part)
        else:
            for part in body:
                await self._write_part(writer, part)

    async def _write_part(self, writer, part):
        writer.write(part.encode() if isinstance(part, str) else part)
        await writer.drain()

    async def _write_file(self, writer, file):
        try:
            while True:
                block = file.read(SEND_BLOCK)
                if not block:
                    break
                await self._write_part(writer, block)
        finally:
            file.close()


Response.already_handled = Response()


def redirect(location, status_code=302):
    """A response that sends the client elsewhere."""
    if '\r' in location or '\n' in location:
        raise ValueError('a location has no line ends')
    return Response('', status_code, {'Location': location})


def send_file(filename, status_code=200, content_type=None):
    """A file as the response; its type from its name. Raises OSError when there is none."""
    if content_type is None:
        content_type = TYPES.get(filename.split('.')[-1], 'application/octet-stream')
    return Response(open(filename, 'rb'), status_code, {'Content-Type': content_type})


class Pattern:
    """A URL pattern: '/user/<id>', '/user/<int:id>', '/files/<path:name>'."""

    def __init__(self, text):
        self.parts = []  # literal, or (type, name)
        for segment in text.lstrip('/').split('/'):
            if segment.startswith('<') and segment.endswith('>'):
                kind, found, name = segment[1:-1].partition(':')
                if not found:
                    kind, name = 'string', kind
                if kind not in ('string', 'int', 'path'):
                    raise ValueError('unknown type in URL pattern: ' + kind)
                self.parts.append((kind, name))
            else:
                self.parts.append(segment)

    def match(self, path):
        """The arguments by name, None when `path` does not match."""
        args = {}
        segments = path.lstrip('/').split('/')
        for i, part in enumerate(self.parts):
            if i >= len(segments):
                return None
            if isinstance(part, str):
                if part != segments[i]:
                    return None
                continue
            kind, name = part
            value = segments[i]
            if not value:
                return None
            if kind == 'path':
                args[name] = '/'.join(segments[i:])
                return args
            if kind == 'int':
                try:
                    value = int(value)
                except ValueError:
                    return None
            args[name] = value
        return args if len(segments) == len(self.parts) else None


async def invoke(handler, *args, **kwargs):
    """Call a handler, which may be a coroutine or a plain function."""
    result = handler(*args, **kwargs)
    if hasattr(result, 'send') and hasattr(result, 'throw'):
        result = await result
    return result


class Microdot:
    """An application: routes and hooks, and the server that runs them."""

    def __init__(self):
        self.routes = []  # (methods, pattern, handler)
        self.before_handlers = []
        self.after_handlers = []
        self.error_handlers = {}
        self.server = None
        self.debug = False

    # --- decorators ---

    def route(self, url_pattern, methods=None):
        """Decorator: this handler serves `url_pattern` for `methods` (GET)."""
        def decorate(handler):
            self.routes.append(([m.upper() for m in methods or ['GET']], Pattern(url_pattern),
                                handler))
            return handler
        return decorate

    def get(self, url_pattern):
        return self.route(url_pattern, ['GET'])

    def post(self, url_pattern):
        return self.route(url_pattern, ['POST'])

    def put(self, url_pattern):
        return self.route(url_pattern, ['PUT'])

    def patch(self, url_pattern):
        return self.route(url_pattern, ['PATCH'])

    def delete(self, url_pattern):
        return self.route(url_pattern, ['DELETE'])

    def before_request(self, handler):
        """Decorator: runs before every handler; what it returns ends the request."""
        self.before_handlers.append(handler)
        return handler

    def after_request(self, handler):
        """Decorator: handler(request, response) runs after; it may return another response."""
        self.after_handlers.append(handler)
        return handler

    def errorhandler(self, status_code_or_exception):
        """Decorator: serves a status code (handler(request)) or an exception class
        (handler(request, exception))."""
        def decorate(handler):
            self.error_handlers[status_code_or_exception] = handler
            return handler
        return decorate

    def mount(self, subapp, url_prefix=''):
        """Serve another application's routes under `url_prefix`."""
        prefix = [p for p in url_prefix.strip('/').split('/') if p]
        for methods, pattern, handler in subapp.routes:
            pattern.parts = prefix + pattern.parts
            self.routes.append((methods, pattern, handler))
        self.before_handlers.extend(subapp.before_handlers)
        self.after_handlers.extend(subapp.after_handlers)
        self.error_handlers.update(subapp.error_handlers)

    # --- one request ---

    def find_route(self, request):
        """The handler, or the status (404, 405) that says why there is none."""
        status = 404
        for methods, pattern, handler in self.routes:
            args = pattern.match(request.path)
            if args is None:
                continue
            if request.method in methods or (request.method == 'HEAD' and 'GET' in methods):
                request.url_args = args
                return handler
            status = 405
        return status

    def make_response(self, result):
        """What a handler may return, as a Response."""
        if isinstance(result, Response):
            return result
        if isinstance(result, tuple):
            body, rest = result[0], result[1:]
            status = rest[0] if rest and isinstance(rest[0], int) else 200
            headers = rest[-1] if rest and isinstance(rest[-1], dict) else None
            if isinstance(body, Response):
                body.status_code = status
                for name in headers or {}:
                    body.headers[name] = headers[name]
                return body
            return Response(body, status, headers)
        return Response('' if result is None else result, 204 if result is None else 200)

    async def error_response(self, request, status_code, reason=None, headers=None):
        handler = self.error_handlers.get(status_code)
        if handler and request:
            return self.make_response(await invoke(handler, request))
        return Response(reason or REASONS.get(status_code, 'Error'), status_code, headers)

    async def exception_response(self, request, exc):
        """After a handler has raised; an upgraded connection gets a close frame instead."""
        if request.upgraded:
            await request.upgraded.handler_failed(exc)
            return Response.already_handled
        if isinstance(exc, HTTPException):
            return await self.error_response(request, exc.status_code, exc.reason, exc.headers)
        for kind in self.error_handlers:
            if isinstance(kind, type) and isinstance(exc, kind):
                return self.make_response(await invoke(self.error_handlers[kind], request, exc))
        print_exception(exc)
        return await self.error_response(request, 500)

    async def dispatch_request(self, request):
        """From request to response; never raises but for cancellation."""
        try:
            handler = self.find_route(request)
            if isinstance(handler, int):
                response = await self.error_response(request, handler)
            else:
                response = None
                for before in self.before_handlers:
                    response = await invoke(before, request)
                    if response is not None:
                        break
                if response is None:
                    response = await invoke(handler, request, **request.url_args)
                if request.upgraded:
                    await request.upgraded.close()
                    response = Response.already_handled
                response = self.make_response(response)
            if response is not Response.already_handled:
                for after in self.after_handlers:
                    response = await invoke(after, request, response) or response
        except Exception as exc:
            response = await self.exception_response(request, exc)
        return response

    # --- server ---

    async def handle_connection(self, reader, writer):
        """Serve one connection, then close it. A peer that vanishes is no error."""
        try:
            try:
                request = await Request.create(self, reader, writer,
                                               writer.get_extra_info('peername'))
                if request is None:
                    return
                response = await self.dispatch_request(request)
                if request.method == 'HEAD' and response is not Response.already_handled:
                    response.body = b''
            except HTTPException as exc:
                response = Response(exc.reason, exc.status_code, exc.headers)
            except ValueError:  # bytes that are no text
                response = Response(REASONS[400], 400)
            if response is not Response.already_handled:
                await response.write(writer)
                if 'Content-Length' in response.headers:
                    await let_client_close(reader)
        except (OSError, EOFError):
            pass
        finally:
            await close_stream(writer)

    async def start_server(self, host='0.0.0.0', port=5000, debug=False, ssl=None):
        """Serve until `shutdown`. Raises OSError when the port is taken."""
        self.debug = debug
        if sys.implementation.name == 'micropython' and not ssl:
            from ._listen import Listener
            self.server = Listener(self.handle_connection, host, port)
        elif ssl:
            self.server = await asyncio.start_server(self.handle_connection, host, port, ssl=ssl)
        else:
            self.server = await asyncio.start_server(self.handle_connection, host, port)
        server = self.server
        if hasattr(server, 'serve_forever'):  # CPython
            try:
                await server.serve_forever()
            except asyncio.CancelledError:
                if self.server:  # not by shutdown()
                    raise
        else:
            await server.wait_closed()

    def run(self, host='0.0.0.0', port=5000, debug=False, ssl=None):
        """`start_server` in an event loop of its own."""
        asyncio.run(self.start_server(host, port, debug, ssl))

    def shutdown(self):
        """Make `start_server` return."""
        server, self.server = self.server, None
        if server:
            server.close()


async def let_client_close(reader):
    """Give a client that has all of its response the chance to close first.

    Who closes first keeps the connection for two minutes in TIME-WAIT (RFC 9293, 3.6): a few
    hundred of them are all the memory a board's TCP has."""
    try:
        await asyncio.wait_for(reader.read(1), LINGER_SECONDS)
    except asyncio.TimeoutError:
        pass


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
