"""WebSocket frames without I/O: bytes in, frames and close codes out (RFC 6455, section 5)."""
import sys

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = (CONT, TEXT, BINARY, CLOSE, PING, PONG)

# close codes (RFC 6455, 7.4.1)
NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
NO_STATUS = 1005
ABNORMAL = 1006
BAD_DATA = 1007
POLICY = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011

CONTROL_MOST = 125  # bytes of payload in a control frame (RFC 6455, 5.5)
GROW = 1 << 20  # bytes; a buffer beyond that grows with what comes, not with what is promised


class FrameError(Exception):
    """The peer broke the protocol: close with `code`."""

    def __init__(self, code, reason):
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


if sys.implementation.name == 'micropython':
    try:
        from ._viper import not_strict, unmask
    except (ImportError, SyntaxError, ValueError):  # a port without an emitter of machine code
        from ._plain import not_strict, unmask
else:
    from ._plain import unmask
    not_strict = None  # decode() is strict


def decode_text(data):
    """Bytes as str. Raises FrameError (1007) when they are not UTF-8."""
    try:
        text = str(data, 'utf-8')
    except ValueError:  # UnicodeError
        raise FrameError(BAD_DATA, 'not UTF-8')
    # MicroPython: encode() shares the memory of `text`
    if not_strict and len(text) != len(data) and not_strict(text.encode()):
        raise FrameError(BAD_DATA, 'not UTF-8')
    return text


def valid_close_code(code):
    """May this code stand in a close frame (RFC 6455, 7.4)?"""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def parse_close(payload):
    """(code, reason) of a close frame; (1005, '') when it is empty. Raises FrameError."""
    if not payload:
        return NO_STATUS, ''
    if len(payload) == 1:
        raise FrameError(PROTOCOL_ERROR, 'close code cut in half')
    code = payload[0] << 8 | payload[1]
    if not valid_close_code(code):
        raise FrameError(PROTOCOL_ERROR, 'close code not allowed')
    return code, decode_text(payload[2:])


def make_close(code, reason):
    """Payload of a close frame; a reason that is too long is cut between two characters."""
    data = reason.encode()
    if len(data) > CONTROL_MOST - 2:
        end = CONTROL_MOST - 2
        while data[end] & 0xC0 == 0x80:
            end -= 1
        data = data[:end]
    return bytes((code >> 8, code & 255)) + data


def frame_header(opcode, length):
    """Header of an unmasked frame with FIN (RFC 6455, 5.2), as a server sends it."""
    if length < 126:
        return bytes((0x80 | opcode, length))
    if length < 65536:
        return bytes((0x80 | opcode, 126, length >> 8, length & 255))
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, 'big')


class FrameReader:
    """Puts client frames together from bytes in pieces of any size.

    Put bytes into `space()` and tell `advance()` how many, or `feed` them; each frame comes out
    whole. Nothing is lost between two calls, whatever happens to the caller in between.
    """

    def __init__(self, limit=None):
        self.limit = limit  # bytes of a message; None: any
        self._head = bytearray(14)  # header and mask of the frame that comes in
        self.restart()

    def restart(self):
        """Begin with a new frame."""
        self._have = 0  # bytes of what is read at the moment: header or payload
        self._wanted = 6  # no client frame is shorter: two bytes and the mask
        self._opcode = None  # once the first two bytes were checked
        self._length = None  # once the header has told it
        self._payload = None  # once the header is whole

    @property
    def between(self):
        """Has nothing come yet of the next frame?"""
        return not self._have and self._payload is None

    def space(self):
        """Where the next bytes go."""
        if self._payload is None:
            return memoryview(self._head)[self._have:self._wanted]
        return memoryview(self._payload)[self._have:]

    def feed(self, data):
        """`advance` with as many bytes as `space` has room for, or fewer."""
        self.space()[:len(data)] = data
        return self.advance(len(data))

    def advance(self, count):
        """`count` bytes have been put into `space()`. Returns (opcode, payload) when they complete
        a frame, else None. Raises FrameError; then the connection is to be closed."""
        self._have += count
        if self._payload is None:
            if self._have < 2:
                return None
            self._header()
            if self._payload is None or self._length:
                return None
        elif self._have < self._length:
            self._grow()
            return None
        opcode, payload = self._opcode, self._payload
        if payload:
            unmask(payload, self._key)
        self.restart()
        return opcode, payload

    def _header(self):
        head = self._head
        if self._opcode is None:
            self._opcode = check_header(head[0], head[1])
            size = head[1] & 127
            self._wanted = 6 if size < 126 else 8 if size == 126 else 14
        at = self._wanted - 4
        if self._have < at:
            return
        if self._length is None:
            length = head[1] & 127 if at == 2 else int.from_bytes(head[2:at], 'big')
            check_length(length, head[1] & 127)
            if self.limit is not None and length > self.limit and not self._opcode & 8:
                raise FrameError(TOO_BIG, 'message too big')
            self._length = length
        if self._have == self._wanted:
            self._key = bytes(head[at:at + 4])
            try:
                self._payload = bytearray(min(self._length, GROW))
            except MemoryError:
                raise FrameError(TOO_BIG, 'out of memory')
            self._have = 0

    def _grow(self):
        have = len(self._payload)
        if self._have == have:
            try:
                self._payload.extend(bytes(min(have, self._length - have)))
            except MemoryError:
                raise FrameError(TOO_BIG, 'out of memory')

    def unread(self):
        """What an error left of its frame: (bytes of the header, bytes of payload to come)."""
        if self._payload is not None:
            return b'', self._length - self._have
        return bytes(self._head[:self._have]), 0


def check_header(first, second):
    """The opcode of a client's frame that begins so (RFC 6455, 5.2). Raises FrameError."""
    opcode = first & 15
    if first & 0x70:
        raise FrameError(PROTOCOL_ERROR, 'RSV bits set')
    if opcode not in OPCODES:
        raise FrameError(PROTOCOL_ERROR, 'reserved opcode')
    if opcode & 8:
        if second & 127 > CONTROL_MOST:
            raise FrameError(PROTOCOL_ERROR, 'control frame too long')
        if not first & 0x80:
            raise FrameError(PROTOCOL_ERROR, 'fragmented control frame')
    elif opcode == CONT or not first & 0x80:
        raise FrameError(UNSUPPORTED, 'fragmentation is not supported')
    if not second & 0x80:
        raise FrameError(PROTOCOL_ERROR, 'frame without mask')
    return opcode


def check_length(length, code):
    """Is the length of a frame written as it must be (RFC 6455, 5.2)? Raises FrameError."""
    if (code == 126 and length < 126) or (code == 127 and length < 65536):
        raise FrameError(PROTOCOL_ERROR, 'length not in its shortest form')
    if length >> 63:
        raise FrameError(PROTOCOL_ERROR, 'length has its top bit set')


class CloseFinder:
    """Looks for the close frame in what a client still sends after we have sent ours."""

    def __init__(self, reader):
        """reader: a FrameReader, perhaps stopped in the middle by an error."""
        self._head = bytearray()
        self._closing = False
        head, self._left = reader.unread()
        self.feed(head)

    def feed(self, data):
        """True when the close frame has come."""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                step = min(self._left, size - at)
                self._left -= step
                at += step
            else:
                self._head.append(data[at])
                at += 1
                if not self._header():
                    continue
            if self._closing and not self._left:
                return True
        return False

    def _header(self):
        head = self._head
        if len(head) < 2:
            return False
        code = head[1] & 127
        end = 2 if code < 126 else 4 if code == 126 else 10
        mask = 4 if head[1] & 0x80 else 0
        if len(head) < end + mask:
            return False
        self._left = code if end == 2 else int.from_bytes(head[2:end], 'big')
        self._closing = head[0] & 15 == CLOSE
        self._head = bytearray()
        return True
