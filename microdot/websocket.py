"""WebSocket endpoints (RFC 6455).

    @app.route('/echo')
    @with_websocket
    async def echo(request, ws):
        while True:
            await ws.send(await ws.receive())
"""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import binascii
import hashlib

from . import frames
from .core import HTTPException, Request, Response, print_exception

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'  # RFC 6455, 1.3
DRAIN_BYTES = 65536  # what a peer may still send after our close frame ..
DRAIN_SECONDS = 2  # .. and for how long we listen, so that unread input makes no RST
CLOSED = 'Websocket connection closed'


class WebSocketError(Exception):
    """The connection is closed, or the peer broke the protocol.

    code, reason: of the close frame, 1006 when there was none.
    """

    def __init__(self, message=CLOSED, code=frames.ABNORMAL, reason=''):
        super().__init__(message)
        self.code = code
        self.reason = reason


class WebSocket:
    """The connection a handler gets; do not construct it directly."""

    CONT = frames.CONT
    TEXT = frames.TEXT
    BINARY = frames.BINARY
    CLOSE = frames.CLOSE
    PING = frames.PING
    PONG = frames.PONG

    # bytes; -1: Request.max_body_length, 0: no limit
    max_message_length = -1

    def __init__(self, request):
        self.request = request
        self.closed = False
        self.close_code = None
        self._peer_closed = False
        limit = self.max_message_length
        if limit < 0:
            limit = Request.max_body_length
        self._frames = frames.FrameReader(limit)
        self._lock = asyncio.Lock()

    # --- handshake (RFC 6455, 4.2) ---

    async def handshake(self):
        """Answer the upgrade request. Raises HTTPException when it is none."""
        headers = self.request.headers
        if self.request.method != 'GET' or self.request.http_version != '1.1':
            raise HTTPException(400, 'A WebSocket starts with GET and HTTP/1.1')
        if ('websocket' not in _tokens(headers.get('Upgrade', '')) or
                'upgrade' not in _tokens(headers.get('Connection', ''))):
            raise HTTPException(400, 'Not a WebSocket upgrade')
        if headers.get('Sec-WebSocket-Version', '').strip() != '13':
            raise HTTPException(426, None, {'Sec-WebSocket-Version': '13'})
        key = headers.get('Sec-WebSocket-Key', '').strip()
        if not _valid_key(key):
            raise HTTPException(400, 'Bad Sec-WebSocket-Key')
        digest = hashlib.sha1(key.encode() + GUID).digest()
        await self._write(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
                          b'Connection: Upgrade\r\nSec-WebSocket-Accept: ' +
                          binascii.b2a_base64(digest).strip() + b'\r\n\r\n')
        self.request.upgraded = self

    # --- receive ---

    async def receive(self):
        """The next message: str for text, bytes for binary.

        Answers PING; a close frame, a lost connection or a broken protocol raises
        WebSocketError. When it is cancelled, the next call goes on in the same frame.
        """
        while True:
            if self.closed:
                raise WebSocketError(CLOSED, self.close_code or frames.ABNORMAL)
            try:
                frame = await self._read_frame()
                if frame[0] == frames.TEXT:
                    return frames.decode_text(frame[1])
                if frame[0] == frames.BINARY:
                    return bytes(frame[1])
                await self._control(frame[0], frame[1])
            except frames.FrameError as error:
                await self._fail(error.code, error.reason)
            except MemoryError:
                await self._fail(frames.TOO_BIG, 'out of memory')

    async def _read_frame(self):
        reader = self.request.sock[0]
        while True:
            try:
                data = await reader.read(self._frames.wants)
            except (OSError, EOFError):
                data = b''
            if not data:
                self._lost()
            frame = self._frames.feed(data)
            if frame:
                return frame

    def _lost(self):
        self.closed = True
        self._peer_closed = True
        self.close_code = frames.ABNORMAL
        raise WebSocketError(CLOSED, frames.ABNORMAL)

    async def _control(self, opcode, payload):
        if opcode == frames.PING:
            await self._send_frame(frames.PONG, payload)
        elif opcode == frames.CLOSE:
            code, reason = frames.parse_close(payload)
            self._peer_closed = True
            await self._send_close(bytes(payload[:2]))
            self.close_code = code
            raise WebSocketError(CLOSED, code, reason)

    async def _fail(self, code, reason):
        await self.close(code, reason)
        raise WebSocketError(reason, code, reason)

    # --- send ---

    async def send(self, data, opcode=None):
        """Send str as text, bytes as binary, or either with `opcode`.

        Raises WebSocketError when the connection is closed or gets lost."""
        if self.closed:
            raise WebSocketError(CLOSED, self.close_code or frames.ABNORMAL)
        if opcode is None:
            opcode = frames.TEXT if isinstance(data, str) else frames.BINARY
        if isinstance(data, str):
            data = data.encode()
        await self._send_frame(opcode, data)

    async def _send_frame(self, opcode, data):
        try:
            await self._write(frames.frame_header(opcode, len(data)), data)
        except (OSError, EOFError):
            self._lost()

    async def _write(self, head, data=b''):
        """Both parts, and no other frame in between."""
        writer = self.request.sock[1]
        await self._lock.acquire()
        try:
            writer.write(head)
            if data:
                writer.write(data)
            await writer.drain()
        finally:
            self._lock.release()

    # --- close ---

    async def close(self, code=frames.NORMAL, reason=''):
        """Send a close frame and end the connection; harmless twice."""
        if self.closed:
            return
        data = reason.encode()[:frames.CONTROL_MOST - 2]
        await self._send_close(bytes((code >> 8, code & 255)) + data)
        self.close_code = code

    async def _send_close(self, payload):
        self.closed = True
        try:
            await self._write(frames.frame_header(frames.CLOSE, len(payload)), payload)
            if not self._peer_closed:
                await asyncio.wait_for(self._drain_input(), DRAIN_SECONDS)
        except (OSError, EOFError, asyncio.TimeoutError):
            pass

    async def _drain_input(self):
        reader, writer = self.request.sock
        if hasattr(writer, 'can_write_eof') and writer.can_write_eof():
            writer.write_eof()
        left = DRAIN_BYTES
        while left > 0:
            data = await reader.read(512)
            if not data:
                break
            left -= len(data)

    async def handler_failed(self, exc):
        """The handler has raised: say so to the client, never in HTTP."""
        if isinstance(exc, WebSocketError):
            await self.close()
        elif isinstance(exc, HTTPException):
            await self.close(frames.POLICY, exc.reason)
        else:
            print_exception(exc)
            await self.close(frames.INTERNAL_ERROR)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return await self.receive()
        except WebSocketError:
            raise StopAsyncIteration


def _tokens(header):
    return [token.strip().lower() for token in header.split(',')]


def _valid_key(key):
    """16 bytes in base64 (RFC 6455, 4.2.1): 22 characters and ==."""
    if len(key) != 24 or not key.endswith('=='):
        return False
    try:
        return len(binascii.a2b_base64(key.encode())) == 16
    except ValueError:  # binascii.Error
        return False


async def websocket_upgrade(request):
    """Turn the request into a WebSocket. Raises HTTPException when it is no upgrade."""
    ws = WebSocket(request)
    await ws.handshake()
    return ws


def with_websocket(f):
    """Decorator: `f(request, ws, ...)` serves a WebSocket endpoint."""
    async def endpoint(request, *args, **kwargs):
        ws = await websocket_upgrade(request)
        await f(request, ws, *args, **kwargs)
        return Response.already_handled
    return endpoint
