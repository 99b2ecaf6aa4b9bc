"""WebSocket frames without I/O: bytes in, frames and close codes out (RFC 6455, section 5)."""
import sys

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = (CONT, TEXT, BINARY, CLOSE, PING, PONG)

# close codes (RFC 6455, 7.4.1)
NORMAL = 1000
PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
NO_STATUS = 1005
ABNORMAL = 1006
BAD_DATA = 1007
POLICY = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011

CONTROL_MOST = 125  # bytes of payload in a control frame (RFC 6455, 5.5)
SHARED = 1440  # bytes: a segment
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


_shared = []


def shared():
    """The one buffer of all connections, for what is read ahead and for the start of a frame that
    is sent: nothing in it may be wanted after a wait. A memoryview, made when first wanted."""
    if not _shared:
        _shared.append(memoryview(bytearray(SHARED)))
    return _shared[0]


class FrameReader:
    """Puts client frames together from bytes in pieces of any size.

    Put bytes into `space()` and tell `advance()` how many, without a wait in between, since all
    readers share one buffer; then take frames with `next()` until there is none. Nothing is lost
    between two calls, whatever happens to the caller in between; but what `advance()` returns of a
    message may lie in the shared buffer, so take it out before you wait.
    """

    limit = None  # bytes of a message; None: any

    # as they begin; here, since an attribute of an instance costs memory
    _rest = b''  # what is read ..
    _begin = 0  # .. and from where on it is not parsed yet
    _payload = None  # of the frame whose header has been parsed

    def space(self):
        """Where the next bytes go: into the payload, or the shared buffer for what comes next."""
        if self._payload is not None:
            return memoryview(self._payload)[self._have:]
        return shared()

    def advance(self, count):
        """`count` bytes have been put into `space()`. Returns and raises what `next` does."""
        if self._payload is None:
            return self.feed(shared()[:count])
        self._have += count
        return self.next()

    def feed(self, data):
        """Bytes from elsewhere, no more than `space()` has room for. Returns and raises what
        `next` does."""
        if self._payload is not None:
            self.space()[:len(data)] = data
            return self.advance(len(data))
        self._rest = self._rest[self._begin:] + bytes(data) if self._rest else data
        self._begin = 0
        try:
            return self.next()
        finally:
            if self._rest is data:
                self._rest = bytes(data[self._begin:])
                self._begin = 0

    def next(self):
        """The next frame that is whole as (opcode, payload), else None. Raises FrameError; then
        the connection is to be closed."""
        if self._payload is None and not self._header():
            return None
        payload = self._payload
        have = self._have
        if have < self._length:
            if have == len(payload):
                try:
                    payload.extend(bytes(min(have, self._length - have)))
                except MemoryError:
                    raise FrameError(TOO_BIG, 'out of memory')
            return None
        self._payload = None
        if have:
            unmask(payload, self._key)
        return self._opcode, payload

    def _header(self):
        """Parse a header, and begin the payload; False when more is to come."""
        head = self._rest
        begin = self._begin
        end = len(head)
        if end - begin < 2:
            return False
        opcode = check_header(head[begin], head[begin + 1])
        length = head[begin + 1] & 127
        at = begin + 2
        if length > 125:
            code = length
            at += 2 if code == 126 else 8
            if end < at:
                return False
            length = int.from_bytes(head[begin + 2:at], 'big')
            # in the shortest form, and its top bit is 0 (RFC 6455, 5.2)
            if length < (126 if code == 126 else 65536) or length >> 63:
                raise FrameError(PROTOCOL_ERROR, 'invalid length')
        if self.limit is not None and length > self.limit and not opcode & 8:
            raise FrameError(TOO_BIG, 'message too big')
        if end < at + 4:
            return False
        self._key = bytes(head[at:at + 4])
        at += 4
        have = min(length, end - at)
        payload = head[at:at + have]
        if have < length or opcode & 8 or isinstance(head, bytes):
            try:
                payload = bytearray(min(length, GROW))
            except MemoryError:
                raise FrameError(TOO_BIG, 'out of memory')
            payload[:have] = head[at:at + have]
        self._begin = at + have
        self._opcode, self._length, self._have, self._payload = opcode, length, have, payload
        if self._begin == end:
            self._rest, self._begin = b'', 0
        return True

    def unread(self):
        """What an error left: (bytes that are not parsed, bytes of payload to come)."""
        if self._payload is not None:
            return b'', self._length - self._have
        return self._rest[self._begin:], 0


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


class CloseFinder:
    """Looks for the close frame in what a client still sends after we have sent ours."""

    def __init__(self, reader):
        """reader: a FrameReader, perhaps stopped in the middle by an error."""
        self._head = bytearray()
        self._closing = False
        head, self._left = reader.unread()
        self.found = self.feed(head)  # the close frame, in what was read ahead?

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
