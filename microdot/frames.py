"""WebSocket frames without I/O: bytes in, frames and close codes out (RFC 6455, section 5)."""
try:
    from ._viper import check_utf8, unmask
except (ImportError, SyntaxError, NameError):  # CPython, and ports without a native emitter
    check_utf8 = None

    def unmask(data, key):
        """XOR `data` (bytearray) in place with the 4-byte `key` (RFC 6455, 5.3): as one big
        number, a block at a time, so that memory stays near the size of a block."""
        block = 512
        whole = int.from_bytes(key * (block // 4), 'little')
        view = memoryview(data)
        for at in range(0, len(data), block):
            part = view[at:at + block]
            size = len(part)
            mask = whole if size == block else int.from_bytes((key * (size // 4 + 1))[:size],
                                                              'little')
            part[:] = (int.from_bytes(part, 'little') ^ mask).to_bytes(size, 'little')
        return data

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


class FrameError(Exception):
    """The peer broke the protocol: close with `code`."""

    def __init__(self, code, reason):
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


def strict_utf8(data):
    """For data that decodes: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629)?
    MicroPython's decode() looks at the structure only."""
    last = len(data) - 1
    for i, byte in enumerate(data):
        if byte < 0xC2:
            if byte >= 0xC0:
                return False
        elif byte >= 0xE0 and i < last:
            second = data[i + 1]
            if ((byte == 0xE0 and second < 0xA0) or (byte == 0xED and second > 0x9F) or
                    (byte == 0xF0 and second < 0x90) or (byte == 0xF4 and second > 0x8F) or
                    byte > 0xF4):
                return False
    return True


def decode_text(data):
    """Bytes as str. Raises FrameError (1007) when they are not UTF-8."""
    try:
        text = str(data, 'utf-8')
    except ValueError:  # UnicodeError
        raise FrameError(BAD_DATA, 'not UTF-8')
    if len(text) != len(data) and not (check_utf8 or strict_utf8)(data):
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


def frame_header(opcode, length):
    """Header of an unmasked frame with FIN (RFC 6455, 5.2), as a server sends it."""
    if length < 126:
        return bytes((0x80 | opcode, length))
    if length < 65536:
        return bytes((0x80 | opcode, 126, length >> 8, length & 255))
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, 'big')


class FrameReader:
    """Puts client frames together from bytes in pieces of any size.

    Read at most `wants` bytes, `feed` them; every frame comes out whole. Nothing is lost between
    two calls, whatever happens to the caller in between.
    """

    def __init__(self, max_length):
        self.max_length = max_length  # bytes of a message; 0: any
        self.restart()

    def restart(self):
        """Begin with a new frame."""
        self.opcode = None
        self.length = 0
        self.payload = None
        self._expect(2, self._on_header)

    def _expect(self, size, then):
        self._buffer = bytearray(size)
        self._have = 0
        self._then = then
        self.wants = size

    def feed(self, data):
        """Take up to `wants` bytes; returns (opcode, payload) when they complete a frame, else
        None. Raises FrameError; then the connection is to be closed."""
        size = len(data)
        self._buffer[self._have:self._have + size] = data
        self._have += size
        self.wants -= size
        if self.wants:
            return None
        return self._then(self._buffer)

    def _on_header(self, head):
        first, second = head
        opcode = first & 15
        if first & 0x70:
            raise FrameError(PROTOCOL_ERROR, 'RSV bits set')
        if opcode not in OPCODES:
            raise FrameError(PROTOCOL_ERROR, 'reserved opcode')
        length = second & 127
        if opcode & 8:
            if length > CONTROL_MOST:
                raise FrameError(PROTOCOL_ERROR, 'control frame too long')
            if not first & 0x80:
                raise FrameError(PROTOCOL_ERROR, 'fragmented control frame')
        elif opcode == CONT or not first & 0x80:
            raise FrameError(UNSUPPORTED, 'fragmentation is not supported')
        if not second & 0x80:
            raise FrameError(PROTOCOL_ERROR, 'frame without mask')
        self.opcode = opcode
        if length < 126:
            self._check_length(length)
        else:
            self._expect(2 if length == 126 else 8, self._on_length)

    def _on_length(self, field):
        length = int.from_bytes(field, 'big')
        if length < (126 if len(field) == 2 else 65536):
            raise FrameError(PROTOCOL_ERROR, 'length not in its shortest form')
        if field[0] & 0x80 and len(field) == 8:
            raise FrameError(PROTOCOL_ERROR, 'length has its top bit set')
        self._check_length(length)

    def _check_length(self, length):
        if self.max_length and length > self.max_length and not self.opcode & 8:
            raise FrameError(TOO_BIG, 'message too big')
        self.length = length
        self._expect(4, self._on_mask)

    def _on_mask(self, key):
        self.key = bytes(key)
        if not self.length:
            return self._on_payload(bytearray())
        try:
            self._expect(self.length, self._on_payload)
        except (MemoryError, OverflowError):
            raise FrameError(TOO_BIG, 'out of memory')

    def _on_payload(self, data):
        opcode = self.opcode
        if data:
            unmask(data, self.key)
        self.restart()
        return opcode, data
