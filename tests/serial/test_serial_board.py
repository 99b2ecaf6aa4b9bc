"""A board on a serial port: what is put on it, how it starts, and what is said when it can't.

An emulated one stands in, its UART0 on RFC 2217; idle time passes ten times as fast.
"""

import os
import pty
import threading

import pytest

from lab import boards, deploy, esptool
from lab.board import BoardError
from lab.boardfile import BoardSettings
from lab.capabilities import CannotDo
from lab.flash import board_files
from lab.redact import MASK
from lab.standin import StandIn
from lab.targets import files, port, serial
from lab.targets.port import BoardGone, open_port
from lab.targets.serial import SerialBoard

PASSWORD = "correct horse"
pytestmark = pytest.mark.timeout(600)  # files go over a serial port


@pytest.fixture(scope="module")
def standin():
    with StandIn() as standin:
        standin.board.set_pace("hasty")
        yield standin


@pytest.fixture
def settings(standin):
    return BoardSettings(standin.url, password=PASSWORD, net="lan", address=standin.address)


@pytest.fixture
def board(settings):
    with SerialBoard(settings) as board:
        yield board


def test_the_app_is_put_on_it_once_and_only_changes_after_that(settings):
    said = []
    with deploy.deploy(settings, said.append) as board:
        assert board.address == settings.at("")
        assert board.events == []
        wanted = board_files()
        wanted["index.html"] += b"<!-- newer -->"
        changes = board.put(wanted)
        assert (changes.sent, changes.removed) == (("index.html",), ())
        assert board.put(board_files()).sent == ("index.html",)
        board.start(cold=True)
        assert board.wait_until_up() == board.address
        assert board.events == []  # the resets were ours
    assert any("files sent, 1 removed, 0 as they were" in line for line in said)


def test_a_reset_by_the_program_is_an_event(board):
    board.prompt()
    board.start()
    board.wait_until_up()
    board.prompt()
    board.console.write(b"import machine; machine.reset()\r")
    board.wait_until_up()
    assert [event.kind for event in board.events] == ["reset"]
    assert "SW_CPU_RESET" in board.events[0].text


def test_the_password_is_on_the_board_and_nowhere_else(settings):
    wifi = BoardSettings(settings.port, "net", PASSWORD)
    with SerialBoard(wifi) as board:
        board.prompt()
        changed = deploy.configure(board, files.digests(board.console))
        assert changed == ["wifi.json"]
        shown = board.console.eval("open('wifi.json').read()")
        backwards = "''.join(reversed(__import__('json').load(open('wifi.json'))['password']))"
        stored = board.console.eval(backwards)
        files.remove(board.console, ["wifi.json"])
        assert stored == repr(PASSWORD[::-1])
        assert MASK.decode() in shown and PASSWORD not in shown
        assert PASSWORD not in board.console.text and PASSWORD.encode() not in bytes(board.log)


def test_files_of_somebody_else_are_not_removed_unasked(settings, board):
    board.prompt()
    files.send(board.console, "diary.txt", b"dear diary")
    files.remove(board.console, [files.MARK])
    board.close()
    with pytest.raises(deploy.DeployError, match=r"diary.txt\); ERASE=1"):
        deploy.deploy(settings, str)
    with SerialBoard(settings) as again:
        again.prompt()
        there = files.digests(again.console)
        assert there["diary.txt"] == files.digest(b"dear diary")
        files.send(again.console, files.MARK, b"")
        files.remove(again.console, ["diary.txt"])


def test_what_it_can_t_do_is_said_with_the_reason(board):
    with pytest.raises(CannotDo, match="power_command"):
        board.power_cycle()
    with pytest.raises(CannotDo, match="out of the lab's hands"):
        board.set_link(False)
    with pytest.raises(CannotDo, match="minutes"):
        board.put({"big.bin": bytes(files.SEND_MOST + 1)})


def test_a_power_command_makes_it_able(settings, tmp_path):
    done = tmp_path / "done"
    command = f"sh -c 'echo {{action}} >> {done}'"
    with SerialBoard(BoardSettings(settings.port, power_command=command)) as board:
        board.power_cycle()
    assert done.read_text() == "off\non\n"
    broken = BoardSettings(settings.port, power_command="sh -c 'echo no relay; exit 3'")
    with SerialBoard(broken) as board, pytest.raises(BoardError, match="no relay"):
        board.power_off()


def test_lines_that_lead_nowhere_are_noticed(standin, monkeypatch):
    monkeypatch.setattr(serial, "BOOT_SECONDS", 0.3)
    bare = BoardSettings(standin.pty, net="lan", address=standin.address)
    with SerialBoard(bare) as board, pytest.raises(CannotDo, match="DTR and RTS"):
        board.reset()


# --- errors -----------------------------------------------------------------------------------


def test_no_such_port(tmp_path):
    with pytest.raises(BoardError, match=r"no such port: .*; `lab boards`"):
        open_port(str(tmp_path / "ttyUSB0"))


def test_a_busy_port():
    master, slave = pty.openpty()
    try:
        first = open_port(os.ttyname(slave))
        with pytest.raises(BoardError, match="busy"):
            open_port(os.ttyname(slave))
        first.close()
    finally:
        os.close(master)
        os.close(slave)


def test_no_permission():
    error = PermissionError(13, "Permission denied")
    assert "dialout" in port._why("/dev/ttyUSB0", True, error)


def test_nobody_serves():
    with pytest.raises(BoardError, match="nobody serves a board at socket:"):
        open_port("socket://127.0.0.1:1")


def test_no_board_answers(monkeypatch):
    monkeypatch.setattr(serial, "PROMPT_SECONDS", 0.1)
    monkeypatch.setattr(serial, "BOOT_SECONDS", 0.1)
    master, slave = pty.openpty()
    try:
        settings = BoardSettings(os.ttyname(slave))
        said = pytest.raises(BoardError, match=r"no board answers at .*powered")
        with SerialBoard(settings) as board, said:
            board.prompt()
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    "who, said",
    [
        (("esp32", "v1.23.0 on 2024-06-02", "Board with ESP32S3"), "another one: .*ESP32S3"),
        (("rp2", "v1.23.0", "Raspberry Pi Pico with RP2040"), "another one: .*RP2040"),
        (("esp32", "v1.12 on 2019-12-20", "ESP32 module with ESP32"), "needs v1.16 or newer"),
    ],
)
def test_another_chip_or_an_old_firmware(who, said):
    class Answering:
        settings = BoardSettings("/dev/ttyUSB0")
        console = property(lambda self: self)

        def prompt(self):
            pass

        def eval(self, expression):
            return repr(who)

    with pytest.raises(deploy.DeployError, match=said):
        deploy.identify(Answering())


@pytest.mark.parametrize("name", ["ESP32-D0WDQ6-V3", "ESP32-U4WDH", "ESP32-S0WD", "ESP32"])
def test_kinds_of_esp32(name):
    assert esptool.WANTED.match(name)


@pytest.mark.parametrize("name", ["ESP32-S3", "ESP32S2", "ESP32-C3", "ESP32C6", "ESP8266EX"])
def test_other_chips(name):
    assert not esptool.WANTED.match(name)


def test_a_wrong_wifi_password_is_the_app_s_own_error(board):
    board.put({"main.py": b"print('lab: error: the Wi-Fi refuses: is the password right?')\n"})
    board.start()
    with pytest.raises(BoardError, match="says: error: the Wi-Fi refuses"):
        board.wait_until_up()


def test_ports_are_listed_by_their_bridges():
    class Port:
        def __init__(self, device, vid, pid):
            self.device, self.vid, self.pid, self.manufacturer = device, vid, pid, None

    found = boards.ports([Port("/dev/ttyUSB1", 0x1A86, 0x7523), Port("/dev/ttyS0", None, None),
                          Port("/dev/ttyUSB0", 0x10C4, 0xEA60)])  # fmt: skip
    assert [(p.device, p.bridge, p.usb) for p in found] == [
        ("/dev/ttyUSB0", "CP210x", "10c4:ea60"), ("/dev/ttyUSB1", "CH340", "1a86:7523"),
    ]  # fmt: skip


def test_a_board_that_vanishes_is_gone_at_once_and_another_goes_on(settings, board):
    board.prompt()
    with StandIn() as doomed:
        doomed.board.set_pace("hasty")
        with SerialBoard(BoardSettings(doomed.url)) as lost:
            lost.prompt()
            waiting = threading.Timer(0.2, doomed.unplug)
            waiting.start()
            with pytest.raises(BoardGone, match=r"gone in mid-run .*plugged in"):
                lost.console.run("while True: pass", timeout=60)
            waiting.join()
            with pytest.raises(BoardGone):
                lost.prompt()
    assert board.console.eval("6 * 7") == "42"
