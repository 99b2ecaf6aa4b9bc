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
CLOSED = 'Websocket connection closed'

# BURST: messages, in or out, after which other tasks have their turn in any case
if sys.implementation.name == 'micropython':
    BURST = 16
    from ._sockets import plain, readable, send_at_once, write_frame, write_parts
else:
    BURST = 64
    from . import _streams

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
    _frame = None  # one that has come and is not dealt with yet; opcode None: a message
    _given = None  # MicroPython: (task that waited for a message, the message)
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
        if (self.request.method != 'GET' or self.request.http_version != '1.1' or
                'websocket' not in _tokens(headers.get('Upgrade', '')) or
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
        if plain(writer):
            send_at_once(writer.s)
        else:
            global _streams
            from . import _streams
            _streams.opened(writer)
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
        # all in one: while it waits, each coroutine on the way costs 100 bytes of the heap
        while self._reader:
            await self._wait()
        self._check_open()
        try:
            self._reader = asyncio.current_task()
            if self._given:
                # wait_for() of MicroPython drops what is returned to its helper when its time is up
                # meanwhile; only then does it wait for the helper's end
                helper, data = self._given
                self._given = None
                if helper.state is False:
                    self._frame = None, data
            self._burst += 1
            if self._burst > BURST:
                self._burst = 0
                await asyncio.sleep(0)
            limit = self.max_message_length
            self._frames.limit = Request.max_body_length if limit < 0 else limit or None
            error = CLOSED
            try:
                while True:
                    frame = self._frame or self._frames.next()
                    while not frame:
                        reader = self.request.sock[0]
                        if not plain(reader):
                            data = await reader.read(len(self._frames.space()))
                            if not data:
                                self._lost()
                            frame = self._frames.feed(data)
                            continue
                        # the socket first: a look of the poller costs as much for each in it
                        count = reader.s.readinto(self._frames.space())
                        if count:
                            frame = self._frames.advance(count)
                        elif count is None:
                            self._burst = 0
                            await readable(reader.s)
                        else:
                            self._lost()
                    self._frame = frame
                    opcode, data = frame
                    frame = None
                    if opcode == frames.PING:
                        await self._send_frame(frames.PONG, data)
                    self._frame = None
                    if opcode == frames.TEXT:
                        data = frames.decode_text(data)
                    elif opcode == frames.BINARY:
                        data = bytes(data)
                    if (opcode or 0) < frames.CLOSE:  # a message
                        waiting = getattr(self._reader, 'state', True)
                        if waiting is not True:
                            self._given = waiting.peek(), data
                        return data
                    if opcode == frames.CLOSE:
                        self._peer_closed = True
                        code, reason = frames.parse_close(data)
                        data = bytes(data[:2])
                        break
            except (OSError, EOFError):
                self._lost()
            except (frames.FrameError, MemoryError) as exc:
                code, error = frames.TOO_BIG, 'out of memory'
                if isinstance(exc, frames.FrameError):
                    code, error = exc.code, exc.reason
                self._frame = frame = data = None  # room to go on with
                reason = error
                data = frames.make_close(code, reason)
            self._check_open()  # another task may be closing
            self.closed = True
            self.close_code = code
            await self._send_close(data)
            await self._drain()
            raise WebSocketError(error, code, reason)
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
        text = isinstance(data, str)
        if opcode is None:
            opcode = frames.TEXT if text else frames.BINARY
        elif opcode not in frames.OPCODES:
            raise ValueError('no opcode: %s' % opcode)
        if text:
            data = data.encode()
        elif (not isinstance(data, (bytes, bytearray, memoryview)) or
                getattr(data, 'itemsize', 1) != 1):
            raise TypeError('str or bytes')
        if opcode & 8 and len(data) > frames.CONTROL_MOST:
            raise ValueError('control frame too long')
        if opcode == frames.CLOSE:
            self._check_open()
            try:
                code = frames.parse_close(data)[0]
            except frames.FrameError as error:
                raise ValueError(error.reason)
            await self._close(code, bytes(data))
        else:
            self._burst += 1
            if self._burst > BURST:
                self._burst = 0
                await asyncio.sleep(0)
            self._check_open()
            if self._writer or opcode == frames.PONG:
                await self._send_frame(opcode, data)
            elif not self._write(opcode, data):
                await self._write_rest()

    async def _send_frame(self, opcode, data):
        while self._writer:
            await self._wait()
        if opcode != frames.CLOSE:
            self._check_open()
        if opcode == frames.PONG:
            self._frame = None  # this answers it
        if not self._write(opcode, data):
            await self._write_rest()

    def _write(self, opcode, data):
        """Write a frame as far as it goes without a wait; True when that is all of it."""
        writer = self.request.sock[1]
        head = frames.frame_header(opcode, len(data))
        try:
            if plain(writer):
                self._unsent = write_frame(writer.s, self._unsent, head, data)
                return not self._unsent
            return _streams.write_frame(writer, head, data)
        except (OSError, EOFError):
            self._lost()

    async def _write_rest(self):
        try:
            self._writer = asyncio.current_task()
            writer = self.request.sock[1]
            if self._unsent:
                await write_parts(writer.s, self._unsent)
            else:
                await writer.drain()
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

    async def _send_close(self, payload):
        writer = self.request.sock[1]
        seconds = CLOSE_SECONDS
        if not plain(writer):
            seconds += _streams.closing(writer)
        try:
            await asyncio.wait_for(self._send_frame(frames.CLOSE, payload), seconds)
        except (WebSocketError, asyncio.TimeoutError):  # it is gone, or it reads nothing
            self._peer_closed = True
            self._stop(self._writer)
            if not plain(writer):
                _streams.abort(writer)

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
        reader = self.request.sock[0]
        finder = frames.CloseFinder(self._frames)
        self._peer_closed = self._peer_closed or finder.found
        left = DRAIN_BYTES
        while left > 0:
            # a peer that has closed waits for us: no more than what is there already
            last = self._peer_closed and not half_closed
            if plain(reader):
                count = reader.s.readinto(frames.shared())
                if count is None and not last:
                    await readable(reader.s)
                    continue
                data = frames.shared()[:count or 0]
            else:
                data = b'' if last else await reader.read(DRAIN_BLOCK)
            if not data:
                break
            left -= len(data)
            if finder.feed(data):
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
    frames.shared()  # is made now, not between what connections leave on the heap

    async def endpoint(request, *args, **kwargs):
        ws = await websocket_upgrade(request)
        await f(request, ws, *args, **kwargs)
        return Response.already_handled
    return endpoint
