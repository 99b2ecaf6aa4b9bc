"""The VC0706 serial camera as the board sees it: bytes in, bytes out, in virtual time.

Protocol: Vimicro "VC0706 Control Protocol" and "VC0706 User Manual". A command is
``56 serial command length data..``, its answer ``76 serial command status length data..``.
Times of the wire are the UART's business; those of the part are constants here.
"""

from __future__ import annotations

import bisect
import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from hw.camera.scene import Scene, TestCard

TICKS_PER_SECOND = 480_000_000  # as the chip counts, see hw.esp32.chip
TICKS_PER_MS = TICKS_PER_SECOND // 1000

VERSION = b"VC0703 1.00"  # what the part calls itself
BANNER = (  # ms after power-on or reset, and what it says
    (10, VERSION + b"\r\n"),
    (12, b" Ctrl infr exist\r\n"),
    (14, b" User-defined sensor\r\n"),
    (16, b"525\r\n"),
    (2500, b"Init end\r\n"),
)
READY_MS = 16  # commands are taken from here on, frames from "Init end" on
REPLY_MS = 1
FRAMES_PER_SECOND = 30  # NTSC
QUEUE_MOST = 1 << 16  # bytes of answers not yet taken

# commands
GEN_VERSION, SET_SERIAL_NUMBER, SET_PORT, SYSTEM_RESET = 0x11, 0x21, 0x24, 0x26
READ_DATA, WRITE_DATA = 0x30, 0x31
READ_FBUF, GET_FBUF_LEN, FBUF_CTRL = 0x32, 0x34, 0x36
DOWNSIZE_CTRL, DOWNSIZE_STATUS = 0x54, 0x55
LENGTHS = {  # of the data; READ_DATA and WRITE_DATA depend on their contents
    GEN_VERSION: 0, SET_SERIAL_NUMBER: 1, SET_PORT: 3, SYSTEM_RESET: 0, READ_DATA: 4,
    READ_FBUF: 12, GET_FBUF_LEN: 1, FBUF_CTRL: 1, DOWNSIZE_CTRL: 1, DOWNSIZE_STATUS: 0,
}  # fmt: skip

# status
OK, UNKNOWN, BAD_LENGTH, BAD_FORMAT, NOT_NOW = 0, 1, 2, 3, 4

# FBUF_CTRL
STOP_CURRENT, STOP_NEXT, RESUME, STEP = 0, 1, 2, 3
# READ_DATA, WRITE_DATA: device, address
CHIP, EEPROM = 1, 4
COMPRESSION = 0x1204
IMAGE_SIZE = 0x0019
DEFAULT_COMPRESSION = 0x36

SIZES = {0x00: (640, 480), 0x11: (320, 240), 0x22: (160, 120)}
BAUD_BY_CODE = {0xAEC8: 9600, 0x56E4: 19200, 0x2AF2: 38400, 0x1C4C: 57600, 0x0DA6: 115200}
DEFAULT_BAUD = 38400
BAUD_TOLERANCE = 0.04  # 8N1: the tenth bit must still be hit


@dataclass
class SensorState:
    """All there is to know of a sensor but what it looks at: for snapshots."""

    powered: int = 0  # tick of power-on or of the last reset
    baud: int = DEFAULT_BAUD
    serial: int = 0
    eeprom: dict[int, int] = field(default_factory=lambda: {IMAGE_SIZE: 0x00})
    size: int = 0x00
    compression: int = DEFAULT_COMPRESSION
    frame: bytes | None = None  # frozen, ready to be read
    frozen_at: int = 0  # tick of it
    partial: bytes = b""  # of a command
    # (tick, baud, bytes) on their way to the board, by tick
    answers: list[tuple[int, int, bytes]] = field(default_factory=list)


class Vc0706:
    """One camera. Call `receive` with what the board sends, `take` when `due` has come."""

    def __init__(self, scene: Scene | None = None) -> None:
        self.scene: Scene = scene or TestCard()
        self._state = SensorState()
        self.power_on(0)

    # --- power and state ---

    def power_on(self, now: int) -> None:
        """Power comes at tick `now`: everything but the EEPROM starts anew."""
        eeprom = self._state.eeprom
        self._state = SensorState(powered=now, eeprom=eeprom, size=eeprom[IMAGE_SIZE])
        for ms, text in BANNER:
            self._say(now + ms * TICKS_PER_MS, text)

    def snapshot(self) -> SensorState:
        """A copy of the whole state."""
        return copy.deepcopy(self._state)

    def restore(self, state: SensorState) -> None:
        """Be again what `snapshot` returned."""
        self._state = copy.deepcopy(state)

    @property
    def baud(self) -> int:
        """Bits a second on its wires."""
        return self._state.baud

    # --- the wire ---

    def due(self) -> int | None:
        """Tick at which it sends next."""
        return self._state.answers[0][0] if self._state.answers else None

    def take(self, now: int, baud: int) -> bytes:
        """What it has sent by tick `now`, as a receiver at `baud` reads it."""
        out = b""
        answers = self._state.answers
        while answers and answers[0][0] <= now:
            _, sent_at, data = answers.pop(0)
            out += data if _same_speed(sent_at, baud) else _garbled(data)
        return out

    def receive(self, now: int, data: bytes, baud: int) -> None:
        """The board sends `data` at tick `now` with `baud` bits a second."""
        s = self._state
        if now < s.powered + READY_MS * TICKS_PER_MS:
            return  # not there yet
        s.partial += data if _same_speed(s.baud, baud) else _garbled(data)
        while True:
            start = s.partial.find(b"\x56")
            s.partial = s.partial[start:] if start >= 0 else b""
            if len(s.partial) < 4 or len(s.partial) < 4 + s.partial[3]:
                return
            command, s.partial = s.partial[: 4 + s.partial[3]], s.partial[4 + s.partial[3] :]
            if command[1] == s.serial:
                self._execute(now, command[2], command[4:])

    def _say(self, tick: int, data: bytes) -> None:
        if sum(len(d) for _, _, d in self._state.answers) < QUEUE_MOST:
            answer = (tick, self._state.baud, data)
            bisect.insort(self._state.answers, answer, key=lambda a: a[0])

    # --- commands ---

    def _execute(self, now: int, command: int, data: bytes) -> None:
        handler = _HANDLERS.get(command)
        wanted = LENGTHS.get(command)
        if handler is None:
            status, answer = UNKNOWN, b""
        elif wanted is not None and len(data) != wanted:
            status, answer = BAD_LENGTH, b""
        else:
            status, answer = handler(self, now, data)
        tick = now + REPLY_MS * TICKS_PER_MS
        head = bytes((0x76, self._state.serial, command, status))
        if command == READ_FBUF:  # its data comes between two answers, after the delay asked for
            self._say(tick, head + b"\0")
            if status == OK:
                delay = int.from_bytes(data[10:12], "big") * TICKS_PER_MS // 100
                self._say(tick + delay, answer)
                self._say(tick + 2 * delay, head + b"\0")
            return
        self._say(tick, head + bytes((len(answer),)) + answer)
        if status == OK and command == SET_PORT:
            self._state.baud = BAUD_BY_CODE[int.from_bytes(data[1:3], "big")]
        elif status == OK and command == SYSTEM_RESET:
            pending = self._state.answers
            self.power_on(tick)
            self._state.answers[:0] = [a for a in pending if a[0] <= tick]

    def _version(self, now: int, data: bytes) -> tuple[int, bytes]:
        return OK, VERSION

    def _set_serial(self, now: int, data: bytes) -> tuple[int, bytes]:
        self._state.serial = data[0]
        return OK, b""

    def _set_port(self, now: int, data: bytes) -> tuple[int, bytes]:
        known = data[0] == 1 and int.from_bytes(data[1:3], "big") in BAUD_BY_CODE
        return OK if known else BAD_FORMAT, b""

    def _nothing(self, now: int, data: bytes) -> tuple[int, bytes]:
        return OK, b""

    def _read_data(self, now: int, data: bytes) -> tuple[int, bytes]:
        device, count, address = data[0], data[1], int.from_bytes(data[2:4], "big")
        if count != 1:
            return BAD_FORMAT, b""
        if device == EEPROM and address in self._state.eeprom:
            return OK, bytes((self._state.eeprom[address],))
        if device == CHIP and address == COMPRESSION:
            return OK, bytes((self._state.compression,))
        return BAD_FORMAT, b""

    def _write_data(self, now: int, data: bytes) -> tuple[int, bytes]:
        if len(data) < 5 or len(data) != 4 + data[1]:
            return BAD_LENGTH, b""
        device, address, value = data[0], int.from_bytes(data[2:4], "big"), data[4]
        if data[1] != 1:
            return BAD_FORMAT, b""
        if device == EEPROM and address == IMAGE_SIZE and value in SIZES:
            self._state.eeprom[address] = value  # in force after the next reset
        elif device == CHIP and address == COMPRESSION:
            self._state.compression = value
        else:
            return BAD_FORMAT, b""
        return OK, b""

    def _downsize(self, now: int, data: bytes) -> tuple[int, bytes]:
        if data[0] not in SIZES:
            return BAD_FORMAT, b""
        self._state.size = data[0]
        return OK, b""

    def _downsize_status(self, now: int, data: bytes) -> tuple[int, bytes]:
        return OK, bytes((self._state.size,))

    def _control(self, now: int, data: bytes) -> tuple[int, bytes]:
        s = self._state
        if data[0] not in (STOP_CURRENT, STOP_NEXT, RESUME, STEP):
            return BAD_FORMAT, b""
        if data[0] == RESUME:
            s.frame = None
        elif now < s.powered + BANNER[-1][0] * TICKS_PER_MS or (data[0] == STEP and not s.frame):
            return NOT_NOW, b""
        else:
            at = now if data[0] == STOP_CURRENT else now + TICKS_PER_SECOND // FRAMES_PER_SECOND
            seconds = (at - s.powered) / TICKS_PER_SECOND
            s.frozen_at = at
            s.frame = self.scene.jpeg(
                int(seconds * FRAMES_PER_SECOND), seconds, SIZES[s.size], _quality(s.compression)
            )
        return OK, b""

    def _frame_length(self, now: int, data: bytes) -> tuple[int, bytes]:
        if data[0] not in (0, 1):
            return BAD_FORMAT, b""
        if self._state.frame is None:
            return NOT_NOW, b""
        return OK, len(self._state.frame).to_bytes(4, "big")

    def _read_frame(self, now: int, data: bytes) -> tuple[int, bytes]:
        start, length = int.from_bytes(data[2:6], "big"), int.from_bytes(data[6:10], "big")
        if data[0] not in (0, 1) or data[1] & 0x0E != 0x0A or start % 8:
            return BAD_FORMAT, b""
        frame = self._state.frame
        if frame is None or start + length > _padded(len(frame)):
            return NOT_NOW, b""
        return OK, frame[start : start + length].ljust(length, b"\0")


def _padded(size: int) -> int:
    """Frames lie in the part's memory in units of 8 bytes."""
    return -(-size // 8) * 8


def _quality(compression: int) -> int:
    """The part's compression ratio (00 best .. FF smallest) on Pillow's scale."""
    return max(5, 90 - compression * 80 // 255)


def _same_speed(one: int, other: int) -> bool:
    return abs(one - other) <= BAUD_TOLERANCE * one


def _garbled(data: bytes) -> bytes:
    """What a receiver at another speed makes of `data`: nothing that begins a command."""
    return bytes(byte >> 1 | 0x80 for byte in data)


_Handler = Callable[[Vc0706, int, bytes], tuple[int, bytes]]
_HANDLERS: dict[int, _Handler] = {
    GEN_VERSION: Vc0706._version,
    SET_SERIAL_NUMBER: Vc0706._set_serial,
    SET_PORT: Vc0706._set_port,
    SYSTEM_RESET: Vc0706._nothing,
    READ_DATA: Vc0706._read_data,
    WRITE_DATA: Vc0706._write_data,
    READ_FBUF: Vc0706._read_frame,
    GET_FBUF_LEN: Vc0706._frame_length,
    FBUF_CTRL: Vc0706._control,
    DOWNSIZE_CTRL: Vc0706._downsize,
    DOWNSIZE_STATUS: Vc0706._downsize_status,
}
