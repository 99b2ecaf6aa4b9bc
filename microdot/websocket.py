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
import sys

from . import frames
from .core import HTTPException, Request, Response, print_exception

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'  # RFC 6455, 1.3
CLOSE_SECONDS = 2  # for our close frame to leave, behind what is on its way
DRAIN_SECONDS = 2  # for the peer to answer it ..
DRAIN_BYTES = 1 << 20  # .. and what it may still send, so that unread input makes no RST
DRAIN_BLOCK = 512
FIRST = 1436  # bytes of payload that leave in one write with the header: a segment
BURST = 16  # messages, in or out, after which other tasks have their turn in any case
CLOSED = 'Websocket connection closed'

if sys.implementation.name == 'micropython':
    from ._sockets import plain, read_into, send_at_once, write_parts
else:
    def plain(stream):
        return False


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

    # as they begin; here, since an attribute of an instance costs memory
    closed = False
    close_code = None  # of the close frame, the peer's or ours; 1006: there was none
    _peer_closed = False
    _frame = None  # one that has come and is not dealt with yet
    _reader = None  # the task that receives, or waits for the end
    _writer = None  # the task that sends
    _freed = None  # the Event of those who wait until one of these is None
    _stopped = ()  # those of them that close() has stopped
    _unsent = None  # what is left of a frame of which a part is out
    _burst = 0  # messages since other tasks had a turn

    def __init__(self, request):
        self.request = request
        self._frames = frames.FrameReader()

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
        self.request.upgraded = self
        writer = self.request.sock[1]
        if hasattr(writer, 'transport'):  # CPython: drain() waits until all is out
            writer.transport.set_write_buffer_limits(0)
        elif plain(writer):
            send_at_once(writer.s)
        try:
            writer.write(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
                         b'Connection: Upgrade\r\nSec-WebSocket-Accept: ' +
                         binascii.b2a_base64(digest).strip() + b'\r\n\r\n')
            await writer.drain()
        except (OSError, EOFError):
            self._lost()

    # --- receive ---

    async def receive(self):
        """The next message: str for text, bytes for binary.

        Answers PING; a close frame, a lost connection or a broken protocol raises
        WebSocketError. When it is cancelled, the next call goes on in the same frame.
        """
        while self._reader:
            await self._wait()
        self._check_open()
        try:
            self._reader = asyncio.current_task()
            return await self._next_message()
        except asyncio.CancelledError:
            self._on_cancelled(self._reader)
            raise
        finally:
            self._reader = None
            self._tell()

    async def _wait(self):
        """Until a task has done with receiving or sending."""
        if not self._freed:
            self._freed = asyncio.Event()
        await self._freed.wait()

    def _tell(self):
        """That a task has done so. True when there was one to be told."""
        freed = self._freed
        if freed:
            self._freed = None
            freed.set()
        return freed

    async def _turn(self):
        """After a burst of messages, which are taken and sent without waiting, let others run."""
        self._burst += 1
        if self._burst > BURST:
            self._burst = 0
            await asyncio.sleep(0)

    async def _next_message(self):
        await self._turn()
        try:
            while True:
                if not self._frame:
                    self._frame = await self._read_frame()
                opcode, data = self._frame
                if opcode == frames.PING:
                    await self._send_frame(frames.PONG, data)
                self._frame = None
                if opcode == frames.TEXT:
                    return frames.decode_text(data)
                if opcode == frames.BINARY:
                    return bytes(data)
                if opcode == frames.CLOSE:
                    await self._on_close(data)
        except frames.FrameError as error:
            code, reason = error.code, error.reason
        except MemoryError:
            code, reason = frames.TOO_BIG, 'out of memory'
        self._frame = data = None  # room to go on with
        self._check_open()  # another task may be closing
        self.closed = True
        self.close_code = code
        await self._end(frames.make_close(code, reason))
        raise WebSocketError(reason, code, reason)

    async def _read_frame(self):
        source = self._frames
        limit = self.max_message_length
        source.limit = Request.max_body_length if limit < 0 else limit or None
        frame = source.next()
        while not frame:
            count = await self._read(source.space())
            if not count:
                self._lost()
            frame = source.advance(count)
        return frame

    async def _read(self, room):
        """Read some bytes; 0 at the end of the connection."""
        reader = self.request.sock[0]
        try:
            if plain(reader):
                # the socket first: a look of the poller costs as much for each socket in it
                count = reader.s.readinto(room)
                if count is None:
                    self._burst = 0
                    count = await read_into(reader.s, room)
                return count
            data = await reader.read(len(room))
        except (OSError, EOFError):
            return 0
        room[:len(data)] = data
        return len(data)

    async def _on_close(self, payload):
        self._peer_closed = True
        code, reason = frames.parse_close(payload)
        self._check_open()
        self.closed = True
        self.close_code = code
        await self._end(bytes(payload[:2]))
        raise WebSocketError(CLOSED, code, reason)

    def _check_open(self):
        if self.closed:
            raise WebSocketError(CLOSED, self.close_code or frames.ABNORMAL)

    def _lost(self):
        self.closed = self._peer_closed = True
        self.close_code = frames.ABNORMAL
        raise WebSocketError()

    # --- send ---

    async def send(self, data, opcode=None):
        """Send str as text, bytes as binary, or either with `opcode`.

        When it is cancelled, a frame that is partly out is completed before the next. Raises
        WebSocketError when the connection is closed or gets lost, TypeError and ValueError for
        what can't be sent."""
        if opcode is None:
            opcode = frames.TEXT if isinstance(data, str) else frames.BINARY
        elif opcode not in frames.OPCODES:
            raise ValueError('no opcode: %s' % opcode)
        if isinstance(data, str):
            data = data.encode()
        elif (not isinstance(data, (bytes, bytearray, memoryview)) or
                getattr(data, 'itemsize', 1) != 1):
            raise TypeError('str or bytes')
        if opcode & 8 and len(data) > frames.CONTROL_MOST:
            raise ValueError('too long for a control frame')
        self._check_open()
        if opcode == frames.CLOSE:
            try:
                code = frames.parse_close(data)[0]
            except frames.FrameError as error:
                raise ValueError(error.reason)
            await self._close(code, bytes(data))
        else:
            await self._turn()
            await self._send_frame(opcode, data)

    async def _send_frame(self, opcode, data):
        while self._writer:
            await self._wait()
        try:
            if opcode != frames.CLOSE:
                self._check_open()
            if opcode == frames.PONG:
                self._frame = None  # this answers it
            self._writer = asyncio.current_task()
            await self._write(frames.frame_header(opcode, len(data)), data)
        except (OSError, EOFError):
            self._lost()
        except asyncio.CancelledError:
            self._on_cancelled(self._writer)
            raise
        finally:
            self._writer = None
            others = self._tell()
        if others:
            await asyncio.sleep(0)  # it is their turn

    async def _write(self, head, data):
        """A frame: its head and the start of `data` in one piece, since two small segments would
        wait for each other (Nagle's algorithm), the rest from where it is."""
        writer = self.request.sock[1]
        first = bytearray(head)
        first.extend(data[:FIRST])
        if plain(writer):
            parts = self._unsent or []
            parts.append(first)
            if len(data) > FIRST:
                parts.append(memoryview(data)[FIRST:])
            self._unsent = parts
            await write_parts(writer.s, parts)
            self._unsent = None
            return
        writer.write(bytes(first))
        if len(data) > FIRST:
            writer.write(memoryview(data)[FIRST:])
        await writer.drain()

    # --- close ---

    async def close(self, code=frames.NORMAL, reason=''):
        """Send a close frame and end the connection; harmless twice. Returns when the end is
        settled. Raises ValueError for a code that no close frame may have."""
        if not frames.valid_close_code(code):
            raise ValueError('no close code: %s' % code)
        await self._close(code, frames.make_close(code, reason))

    async def _close(self, code, payload):
        first = not self.closed
        if first:
            self.closed = True
            self.close_code = code
            await self._send_close(payload)
            self._stop(self._reader)
        while self._reader:  # until a receive() has seen the end, or another close() is done
            await self._wait()
        if first:
            self._reader = asyncio.current_task()
            try:
                await self._drain()
            finally:
                self._reader = None
                self._tell()

    async def _end(self, payload):
        """Close from within receive()."""
        await self._send_close(payload)
        await self._drain()

    async def _send_close(self, payload):
        try:
            await asyncio.wait_for(self._send_frame(frames.CLOSE, payload), CLOSE_SECONDS)
        except (WebSocketError, asyncio.TimeoutError):  # it is gone, or it reads nothing
            self._peer_closed = True
            self._stop(self._writer)
            if hasattr(self.request.sock[1], 'transport'):
                self.request.sock[1].transport.abort()

    async def _drain(self):
        """Read on, so that unread input makes no RST, which could overtake our close frame: up to
        the peer's own, or the end."""
        try:
            await asyncio.wait_for(self._read_to_end(), DRAIN_SECONDS)
        except (OSError, EOFError, asyncio.TimeoutError):
            pass

    async def _read_to_end(self):
        writer = self.request.sock[1]
        half_closed = hasattr(writer, 'can_write_eof') and writer.can_write_eof()
        if half_closed:
            writer.write_eof()
        finder = frames.CloseFinder(self._frames)
        room = memoryview(bytearray(DRAIN_BLOCK))
        self._peer_closed = self._peer_closed or finder.found
        left = DRAIN_BYTES
        while left > 0:
            if self._peer_closed and not half_closed:
                # it waits for us to close: no more than what is there already
                reader = self.request.sock[0]
                count = plain(reader) and reader.s.readinto(room)
            else:
                count = await self._read(room)
            if not count:
                break
            left -= count
            if finder.feed(room[:count]):
                self._peer_closed = True

    def _stop(self, task):
        """Make a receive() or send() of another task raise WebSocketError."""
        if task and task is not asyncio.current_task():
            self._stopped += (task,)
            task.cancel()

    def _on_cancelled(self, task):
        """Was it `_stop`? Then raises WebSocketError."""
        if task in self._stopped:
            if not hasattr(task, 'uncancel') or not task.uncancel():
                self._check_open()

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
