"""A client of the serial loader that says what a test wants it to say: SLIP, commands, replies."""

import struct

from hw.esp32.chip import TICKS_PER_US, Stop

END, ESC = b"\xc0", b"\xdb"
SYNC, READ_REG, WRITE_REG = 0x08, 0x0A, 0x09
MEM_BEGIN, MEM_DATA, MEM_END = 0x05, 0x07, 0x06
FLASH_BEGIN, FLASH_DATA, FLASH_END = 0x02, 0x03, 0x04
DEFL_BEGIN, DEFL_DATA, DEFL_END = 0x10, 0x11, 0x12
READ_SLOW, MD5, BAUD = 0x0E, 0x13, 0x0F
SYNC_DATA = b"\x07\x07\x12\x20" + b"\x55" * 32
BLOCK = 0x400
SECOND = TICKS_PER_US * 1_000_000


def escape(data):
    return END + data.replace(ESC, ESC + b"\xdd").replace(END, ESC + b"\xdc") + END


def unescape(data):
    return data.replace(ESC + b"\xdc", END).replace(ESC + b"\xdd", ESC)


def checksum(data):
    total = 0xEF
    for byte in data:
        total ^= byte
    return total


def words(*values):
    return struct.pack(f"<{len(values)}I", *values)


class Loader:
    """On a chip that has come out of reset with GPIO0 low."""

    def __init__(self, chip):
        self.chip = chip
        self.text = b""

    def run(self, seconds):
        """What UART0 says in so much virtual time."""
        end, said = self.chip.now + int(seconds * SECOND), self.text
        self.text = b""
        while self.chip.run(end, Stop.UART):
            said += self.chip.uart_receive()
        return said + self.chip.uart_receive()

    def send(self, opcode, data=b"", check=0):
        self.chip.uart_send(escape(struct.pack("<BBHI", 0, opcode, len(data), check) + data))

    def replies(self, count=1, seconds=5):
        """(opcode, value, data, error) of each."""
        end = self.chip.now + int(seconds * SECOND)
        while self.text.count(END) < 2 * count:
            assert self.chip.run(end, Stop.UART), f"no reply, but {self.text!r}"
            self.text += self.chip.uart_receive()
        found = []
        for _ in range(count):
            _, packet, self.text = self.text.split(END, 2)
            packet = unescape(packet)
            direction, opcode, size, value = struct.unpack("<BBHI", packet[:8])
            assert (direction, size) == (1, len(packet) - 8)
            failed, error = packet[-4:-2]
            assert failed == bool(error)
            found.append((opcode, value, packet[8:-4], error))
        return found

    def ask(self, opcode, data=b"", check=0):
        """(value, data) of a command that must succeed."""
        self.send(opcode, data, check)
        ((answered, value, data, error),) = self.replies()
        assert (answered, error) == (opcode, 0)
        return value, data

    def error(self, opcode, data=b"", check=0):
        """The code of a command that must fail."""
        self.send(opcode, data, check)
        ((answered, _, _, error),) = self.replies()
        assert answered == opcode
        return error

    def block(self, opcode, number, data):
        return self.ask(opcode, words(len(data), number, 0, 0) + data, checksum(data))
