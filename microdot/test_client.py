"""Requests to an app without a server or a network, for tests on CPython and MicroPython.

    client = TestClient(app)
    response = await client.get('/')
    assert response.text == 'Hello'
"""
import json

from ._stream import AsyncBytesIO
from .core import Request, RequestError, Response
from .server import head

CLOSE = b'\x88\x82\0\0\0\0\x03\xe8'  # with code 1000


class TestResponse:
    """What came back.

    status_code: int. reason: str, None unless the app has set it. headers: NoCaseDict; Set-Cookie
    is a list. body: bytes; text: str when they are UTF-8; json: when it is JSON; events: list of
    dicts when it is a stream of server-sent events. All None when there is no body: after HEAD, or
    when the handler wrote to the connection itself.
    """

    __test__ = False  # for pytest: no test case

    def __init__(self):
        self.status_code = None
        self.reason = None
        self.headers = {}
        self.body = None
        self.text = None
        self.json = None
        self.events = None

    @classmethod
    async def create(cls, res):
        """From a Response, whose body is read to its end."""
        self = cls()
        head(res)  # raises ValueError for headers that can't be sent
        self.status_code = res.status_code
        self.reason = res.reason
        self.headers = res.headers
        parts = res.body_iter()
        try:
            if not res.is_head:
                self.body = b''
                async for part in parts:
                    self.body += part.encode() if isinstance(part, str) else part
        finally:
            await parts.aclose()
        if self.body is not None:
            self._interpret(self.headers['Content-Type'].split(';')[0])
        return self

    def _interpret(self, content_type):
        try:
            self.text = self.body.decode()
        except ValueError:  # UnicodeError
            return
        if content_type == 'application/json':
            self.json = json.loads(self.text)
        elif content_type == 'text/event-stream':
            events = [parse_event(text) for text in self.text.split('\n\n')]
            self.events = [event for event in events if event['data']]


def parse_event(text):
    """One server-sent event as a dict (HTML standard, 9.2.6); its data is None in a comment."""
    event = {'data': None, 'data_json': None, 'event': None, 'event_id': None, 'retry': None}
    for line in text.split('\n'):
        name, _, value = line.partition(':')
        value = value.strip()
        if name == 'data':
            event['data'] = value.encode()
            try:
                event['data_json'] = json.loads(value)
            except ValueError:
                pass
        elif name == 'event':
            event['event'] = value
        elif name == 'id':
            event['event_id'] = value
        elif name == 'retry':
            event['retry'] = int(value) / 1000
    return event


class TestClient:
    """Sends requests to `app` and keeps its cookies.

    cookies: dict of name -> value, or (value, path) where the path is not '/'. scheme: 'http' or
    'https'. host: for the Host header.
    """

    __test__ = False

    def __init__(self, app, cookies=None, scheme=None, host=None):
        self.app = app
        self.cookies = cookies or {}
        self.scheme = scheme
        self.host = host or 'example.com:1234'

    async def request(self, method, path, headers=None, body=None, sock=None):
        """Send one; returns a TestResponse. body: bytes, str, or dict or list for JSON."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        body = body.encode() if isinstance(body, str) else body or b''
        if body:
            headers.setdefault('Content-Length', str(len(body)))
        headers.setdefault('Host', self.host)
        self._add_cookies(path, headers)
        lines = ['%s %s HTTP/1.%d' % (method, path, 1 if sock else 0)]
        lines += ['%s: %s' % (name, headers[name]) for name in headers]
        return await self.send(('\r\n'.join(lines) + '\r\n\r\n').encode() + body, sock)

    async def send(self, data, sock=None):
        """Send a whole request as bytes; returns a TestResponse, None when there is none."""
        if sock:
            sock[0].buffer = data
        else:
            sock = AsyncBytesIO(data), AsyncBytesIO(b'')
        try:
            req = await Request.create(self.app, sock[0], sock[1], ('127.0.0.1', 1234),
                                       scheme=self.scheme)
            if not req:
                return None
            res = await self.app.dispatch_request(req)
        except RequestError as exc:
            res = await self.app.dispatch_request(None, exc)
        if res is Response.already_handled:
            return TestResponse()
        self._take_cookies(res)
        return await TestResponse.create(res)

    def get(self, path, headers=None):
        """To be awaited, as those that follow: see `request`."""
        return self.request('GET', path, headers)

    def post(self, path, headers=None, body=None):
        return self.request('POST', path, headers, body)

    def put(self, path, headers=None, body=None):
        return self.request('PUT', path, headers, body)

    def patch(self, path, headers=None, body=None):
        return self.request('PATCH', path, headers, body)

    def delete(self, path, headers=None):
        return self.request('DELETE', path, headers)

    def query(self, path, headers=None, body=None):
        return self.request('QUERY', path, headers, body)

    async def websocket(self, path, client, headers=None):
        """Open a WebSocket and talk to its handler.

        client: generator function, plain or async. It yields str and bytes, which are sent, and
        gets back what the handler sends next. When it ends, the WebSocket is closed.
        Returns a TestResponse: without a body after the WebSocket, else why there was none."""
        all_headers = {
            'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
            'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        }
        all_headers.update(headers or {})
        peer = WebSocketPeer(client())
        return await self.request('GET', path, all_headers, sock=(peer, peer))

    # --- cookies ---

    def _add_cookies(self, path, headers):
        pairs = [headers['Cookie']] if 'Cookie' in headers else []
        for name, value in self.cookies.items():
            value, where = value if isinstance(value, tuple) else (value, '/')
            if path.startswith(where):
                pairs.append(name + '=' + value)
        if pairs:
            headers['Cookie'] = '; '.join(pairs)

    def _take_cookies(self, res):
        for cookie in res.headers.get('Set-Cookie', []):
            pair, _, rest = cookie.partition(';')
            name, _, value = pair.partition('=')
            options = {}
            for option in rest.split(';'):
                key, _, text = option.strip().partition('=')
                options[key.lower()] = text
            path = options.get('path', '/')
            if options.get('max-age') == '0' or ' 1970 ' in options.get('expires', ''):
                kept = self.cookies.get(name)
                if path == (kept[1] if isinstance(kept, tuple) else '/'):
                    self.cookies.pop(name, None)
            else:
                self.cookies[name] = value if path == '/' else (value, path)


class WebSocketPeer:
    """Reader and writer of a connection whose other end is a generator."""

    def __init__(self, client):
        self.buffer = b''  # for the server to read
        self._client = client
        self._sent = b''  # by the server, not looked at yet
        self._upgraded = False
        self._ended = False

    async def _next(self, data):
        """Hand a message to the client, or None; what it yields goes to the server."""
        if self._ended:
            return
        try:
            if hasattr(self._client, 'asend'):
                message = await self._client.asend(data)
            else:
                message = self._client.send(data)
        except (StopIteration, StopAsyncIteration):
            self._ended = True
            self.buffer += CLOSE
            return
        opcode = 1 if isinstance(message, str) else 2
        message = message.encode() if isinstance(message, str) else message
        size = len(message)
        if size < 126:
            head = bytes((0x80 | opcode, 0x80 | size))
        elif size < 65536:
            head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2, 'big')
        else:
            head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8, 'big')
        # RFC 6455, 5.3: with a mask, here of zeros
        self.buffer += head + bytes(4) + message

    # --- reader ---

    async def read(self, n=-1):
        if not self.buffer and self._upgraded:
            await self._next(None)
        n = len(self.buffer) if n < 0 else n
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    async def readinto(self, buf):
        data = await self.read(len(buf))
        buf[:len(data)] = data
        return len(data)

    async def readexactly(self, n):
        data = b''
        while len(data) < n:
            part = await self.read(n - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    async def readline(self):
        line, found, self.buffer = self.buffer.partition(b'\n')
        return line + found

    # --- writer ---

    def write(self, data):
        self._sent += data

    async def awrite(self, data):
        self.write(data)
        await self.drain()

    async def drain(self):
        if not self._upgraded:
            if b'\r\n\r\n' not in self._sent:
                return
            self._sent = self._sent.split(b'\r\n\r\n', 1)[1]
            self._upgraded = True
        while True:
            frame = self._sent
            size = frame[1] & 127 if len(frame) > 1 else 0
            at = {126: 4, 127: 10}.get(size, 2)
            if at > 2:
                size = int.from_bytes(frame[2:at], 'big')
            if len(frame) < at + size:
                return
            payload, self._sent = frame[at:at + size], frame[at + size:]
            if frame[0] & 15 == 1:
                await self._next(bytes(payload).decode())
            elif frame[0] & 15 == 2:
                await self._next(bytes(payload))
            elif frame[0] & 15 == 8:
                self._ended = True

    def get_extra_info(self, name, default=None):
        return default

    def close(self):
        pass

    async def wait_closed(self):
        pass
