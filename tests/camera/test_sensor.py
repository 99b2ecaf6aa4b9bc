"""The VC0706 model, command by command (Vimicro, "VC0706 Control Protocol")."""

import io

import pytest
from PIL import Image

from hw.camera.sensor import BANNER, TICKS_PER_MS, VERSION, Vc0706

BAUD = 38400
LATER = 3000 * TICKS_PER_MS  # past "Init end"


class Board:
    """The other end of the wire: what is said gets its answer."""

    def __init__(self):
        self.sensor = Vc0706()
        self.now = LATER
        self.baud = BAUD
        self.listen()

    def listen(self):
        out = b""
        while (due := self.sensor.due()) is not None:
            self.now = max(self.now, due)
            out += self.sensor.take(self.now, self.baud)
        return out

    def say(self, text):
        self.sensor.receive(self.now, bytes.fromhex(text), self.baud)
        return self.listen()


@pytest.fixture
def board():
    return Board()


def answer(text):
    return bytes.fromhex(text)


def test_banner_after_power_on():
    sensor = Vc0706()
    heard = []
    while (due := sensor.due()) is not None:
        heard.append((due // TICKS_PER_MS, sensor.take(due, BAUD)))
    assert heard == list(BANNER)
    assert heard[0][1].startswith(VERSION) and heard[-1] == (2500, b"Init end\r\n")


def test_version(board):
    assert board.say("56 00 11 00") == answer("76 00 11 00 0b") + VERSION


@pytest.mark.parametrize(
    "command, status",
    [
        ("56 00 99 00", "99 01 00"),  # no such command
        ("56 00 11 01 00", "11 02 00"),  # wrong length
        ("56 00 54 01 33", "54 03 00"),  # no such size
        ("56 00 36 01 09", "36 03 00"),
        ("56 00 24 03 01 12 34", "24 03 00"),  # no such speed
        ("56 00 34 01 00", "34 04 00"),  # no frame is held
        ("56 00 30 04 04 02 00 19", "30 03 00"),
        ("56 00 31 05 04 01 00 20 00", "31 03 00"),
        ("56 00 31 02 04 01", "31 02 00"),
    ],
)
def test_refusals(board, command, status):
    assert board.say(command) == answer("76 00 " + status)


def test_another_serial_number_is_not_meant(board):
    assert board.say("56 01 11 00") == b""


def test_noise_before_a_command(board):
    assert board.say("00 ff 13 56 00 11 00")[:5] == answer("76 00 11 00 0b")


def test_a_command_in_pieces(board):
    assert board.say("56") == b""
    assert board.say("00 11") == b""
    assert board.say("00")[:5] == answer("76 00 11 00 0b")


def freeze(board):
    assert board.say("56 00 36 01 00") == answer("76 00 36 00 00")
    reply = board.say("56 00 34 01 00")
    assert reply[:5] == answer("76 00 34 00 04")
    return int.from_bytes(reply[5:], "big")


def read(board, start, length):
    reply = board.say(f"56 00 32 0c 00 0a {start:08x} {length:08x} 00 0a")
    assert reply[:5] == reply[-5:] == answer("76 00 32 00 00")
    return reply[5:-5]


def test_a_frame_in_pieces_is_the_frame(board):
    assert board.say("56 00 54 01 22") == answer("76 00 54 00 00")
    length = freeze(board)
    padded = -(-length // 8) * 8
    frame = b"".join(read(board, at, min(512, padded - at)) for at in range(0, padded, 512))
    picture = Image.open(io.BytesIO(frame[:length]))
    assert picture.size == (160, 120) and picture.format == "JPEG"
    picture.load()
    assert read(board, 0, 16) == frame[:16]  # it is still held
    assert board.say("56 00 36 01 02") == answer("76 00 36 00 00")
    assert board.say("56 00 34 01 00") == answer("76 00 34 04 00")  # and now it is not


@pytest.mark.parametrize("start, length, status", [(4, 8, 3), (0, 1 << 20, 4), (1 << 16, 8, 4)])
def test_reading_what_is_not_there(board, start, length, status):
    freeze(board)
    reply = board.say(f"56 00 32 0c 00 0a {start:08x} {length:08x} 00 0a")
    assert reply == answer(f"76 00 32 {status:02x} 00")


def test_the_delay_before_the_data_is_in_hundredths_of_a_millisecond(board):
    freeze(board)
    board.sensor.receive(board.now, answer("56 00 32 0c 00 0a 00000000 00000008 03 e8"), BAUD)
    head, data = board.sensor._state.answers[:2]
    assert data[0] - head[0] == 10 * TICKS_PER_MS


def test_no_frame_before_init_end():
    sensor = Vc0706()
    now = 100 * TICKS_PER_MS
    sensor.take(now, BAUD)
    sensor.receive(now, answer("56 00 36 01 00"), BAUD)
    assert sensor.take(now + TICKS_PER_MS, BAUD) == answer("76 00 36 04 00")


def test_size_in_the_eeprom_comes_with_the_next_reset(board):
    assert board.say("56 00 31 05 04 01 00 19 11") == answer("76 00 31 00 00")
    assert board.say("56 00 55 00") == answer("76 00 55 00 01 00")
    assert board.say("56 00 26 00").startswith(answer("76 00 26 00 00") + VERSION)
    assert board.say("56 00 55 00") == answer("76 00 55 00 01 11")
    board.sensor.power_on(board.now)
    board.listen()
    assert board.say("56 00 30 04 04 01 00 19") == answer("76 00 30 00 01 11")


def test_compression_makes_frames_smaller_until_power_on(board):
    fine = freeze(board)
    assert board.say("56 00 31 05 01 01 12 04 ff") == answer("76 00 31 00 00")
    assert freeze(board) < fine / 2
    assert board.say("56 00 30 04 01 01 12 04") == answer("76 00 30 00 01 ff")
    board.sensor.power_on(board.now)
    board.listen()
    assert board.say("56 00 30 04 01 01 12 04") == answer("76 00 30 00 01 36")


def test_speed_changes_after_the_answer(board):
    assert board.say("56 00 24 03 01 0d a6") == answer("76 00 24 00 00")
    heard = board.say("56 00 11 00")  # still at 38400: it understands nothing
    assert heard == b""
    board.baud = 115200
    assert board.say("56 00 11 00")[5:] == VERSION


def test_a_listener_at_another_speed_hears_noise(board):
    board.sensor.receive(board.now, answer("56 00 11 00"), BAUD)
    noise = board.sensor.take(board.now + TICKS_PER_MS, 115200)
    assert len(noise) == 16 and b"\x76" not in noise


def test_snapshot(board):
    board.say("56 00 54 01 11")
    length = freeze(board)
    state = board.sensor.snapshot()
    board.say("56 00 36 01 02")
    board.say("56 00 54 01 22")
    board.sensor.restore(state)
    assert board.say("56 00 55 00") == answer("76 00 55 00 01 11")
    assert board.say("56 00 34 01 00")[5:] == length.to_bytes(4, "big")


def test_frames_advance_with_time(board):
    numbers = []
    for _ in range(2):
        length = freeze(board)
        frame = read(board, 0, -(-length // 8) * 8)
        at = frame.index(b"frame ") + 6
        numbers.append(int(frame[at : at + 6]))
        board.say("56 00 36 01 02")
        board.now += 1000 * TICKS_PER_MS
    assert numbers[1] - numbers[0] in (30, 31)
