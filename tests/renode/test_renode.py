"""The real thing, where Renode is: Monitor, switch, snapshots, and the same board in both engines.

Skipped with the reason where there is no Renode that fits (marker `renode`).
"""

import os
import re
import subprocess

import both
import pytest
from websockets.sync.client import connect

from hw.camera.sensor import Vc0706
from lab import renode
from lab.net.bridge import MessageServer
from lab.net.gateway import Gateway, HostForward
from lab.net.host import Host, checksum
from lab.net.router import Router
from lab.net.switch import Switch
from lab.renode import RenodeError
from lab.targets.embedded import EmbeddedBoard
from lab.targets.renode import RenodeBoard

pytestmark = [pytest.mark.renode, pytest.mark.timeout(600)]

EMAC = b"\x24\x0a\xc4\x00\x00\x04"
OUTSIDER = b"\x02\x00\x00\x00\x00\x98"


@pytest.fixture(scope="session", autouse=True)
def _found():
    try:
        renode.find()
    except RenodeError as error:
        pytest.skip(str(error))


@pytest.fixture
def at_prompt(booted_repl):
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        yield board


def test_boots_from_power_on(repl_image):
    with RenodeBoard(repl_image) as board:
        board.console.wait_for("POWERON_RESET", 5)
        board.console.wait_for_prompt(5)
        assert board.console.eval("6 * 7") == "42"


def test_a_state_of_the_other_engine_goes_on_here_and_back(booted_repl, at_prompt):
    at_prompt.console.run("x = 41\n")
    state = at_prompt.snapshot()
    with EmbeddedBoard(booted_repl.image, snapshot=state) as other:
        assert other.console.eval("x + 1") == "42"


def test_same_boot_same_tick(repl_image):
    """Both engines say the prompt after the same virtual time, to a quantum of Renode's."""
    times = []
    for make in (EmbeddedBoard, RenodeBoard):
        with make(repl_image) as board:
            board.console.wait_for_prompt(5)
            times.append(board.seconds)
    assert abs(times[0] - times[1]) <= 0.016


def test_monitor_looks_into_the_chip(at_prompt):
    ask = at_prompt.link.command
    assert ask("sysbus ReadDoubleWord 0x3FFAE270") == "0x00EF4016"
    ask("sysbus WriteDoubleWord 0x3FFE7FF0 0x12345678")
    assert ask("sysbus ReadWord 0x3FFE7FF2") == "0x1234"
    assert int(ask("sysbus.cpu PC"), 0) == at_prompt.chip.register("pc")
    assert 110_000 < int(ask("sysbus.uart0 BaudRate"), 0) < 120_000


def test_a_command_that_fails_is_told(at_prompt):
    with pytest.raises(RenodeError, match=r"Renode refuses: .*no_such_thing"):
        at_prompt.link.command("no_such_thing")
    assert at_prompt.console.eval("1") == "1"


def test_renodes_own_save_and_load(tmp_path, repl_image):
    """A loaded emulation is where the saved one was, and goes on."""
    (tmp_path / "flash.bin").write_bytes(repl_image)
    text = run_renode(
        tmp_path,
        f'emulation RunFor "1"\nsysbus.cpu Status\nSave @{tmp_path}/all.save\n'
        f'sysbus.cpu PowerCycle\nemulation RunFor "0.1"\nsysbus.cpu Status\n'
        f"Load @{tmp_path}/all.save\nmach set 0\nsysbus.cpu Status\n"
        'emulation RunFor "0.5"\nsysbus.cpu Status\nquit\n',
        renode.BOARD,
        ESP32_FLASH=str(tmp_path / "flash.bin"),
    )
    ticks = [int(n) for n in re.findall(r"^(\d+)(?: \d+){13}\r?$", text, re.M)]
    assert len(ticks) == 4, text
    assert ticks[0] == 480_000_000
    assert ticks[1] != ticks[0]
    assert ticks[2] == ticks[0]
    assert ticks[3] == ticks[0] + 240_000_000


def test_power_cut_keeps_what_was_written(at_prompt):
    at_prompt.console.run("with open('kept', 'w') as f: f.write('41')\n")
    at_prompt.power_cycle()
    at_prompt.console.wait_for_prompt(5)
    assert at_prompt.console.eval("open('kept').read()") == "'41'"


def test_a_supply_that_fails_in_mid_write_is_told_once(at_prompt):
    at_prompt.power_off(100)
    at_prompt.console.write(b"open('new', 'w').write('x' * 20000)\r")
    assert at_prompt.step_until(lambda: not at_prompt.powered, 10)
    at_prompt.power_on()
    at_prompt.console.wait_for("POWERON_RESET", 5)
    at_prompt.console.wait_for_prompt(5)
    assert at_prompt.powered


def test_pins_and_led(at_prompt):
    at_prompt.console.run("import machine\nled = machine.Pin(2, machine.Pin.OUT)\nled.on()\n")
    at_prompt.wait_for_gpio(2, True)
    assert at_prompt.link.command("sysbus.gpio.led State") == "True"
    at_prompt.console.run("led.off()\n")
    at_prompt.wait_for_gpio(2, False)
    assert at_prompt.link.command("sysbus.gpio.led State") == "False"
    at_prompt.link.command("sysbus.gpio Drive 4 1")
    assert at_prompt.console.eval("machine.Pin(4, machine.Pin.IN).value()") == "1"


def answers(make, booted, frames):
    """What a board says to frames from an outsider, each followed by 10 ms."""
    switch, said = Switch(), []
    with make(booted.image, switch, snapshot=booted.snapshot, camera=Vc0706()) as board:
        Router(switch, board.clock)
        port = switch.attach("outsider", said.append)
        for frame in frames:
            port.send(frame)
            board.run_for(0.01)
        board.run_for(0.5)
        assert board.failure is None
        return said


def echo_requests():
    """Pings that are right, and wrong in ways that Renode's packet parser refuses or mends."""
    head = EMAC + OUTSIDER + b"\x08\x00"

    def ping(identifier, length=None, version=0x45):
        icmp = with_checksum(b"\x08\x00\x00\x00" + bytes([0, identifier, 0, 1]) + b"x" * 32)
        total = (20 + len(icmp) if length is None else length).to_bytes(2, "big")
        ip = bytes([version, 0]) + total + b"\0\1\0\0\x40\x01\0\0" + bytes([10, 0, 2, 77])
        ip += bytes([10, 0, 2, 15])
        ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
        return (head + ip + icmp).ljust(80, b"\xaa")

    arp = EMAC + OUTSIDER + b"\x08\x06\0\1\x08\0\6\4\0\1" + OUTSIDER + bytes([10, 0, 2, 77])
    arp += bytes(6) + bytes([10, 0, 2, 15])
    return [
        arp.ljust(60, b"\0"), ping(1), ping(2, length=0), ping(3, length=65535),
        ping(4, version=0x4F), ping(5, version=0x95), head + b"\x45", ping(6),
    ]  # fmt: skip


def with_checksum(icmp):
    return icmp[:2] + checksum(icmp).to_bytes(2, "big") + icmp[4:]


def test_malformed_frames_reach_the_chip_as_they_are(booted_app):
    ours = answers(EmbeddedBoard, booted_app, echo_requests())
    theirs = answers(RenodeBoard, booted_app, echo_requests())
    assert len(ours) >= 3  # the ARP reply and two pings
    assert theirs == ours


def test_clients_inside_the_simulation(booted_app):
    switch = Switch()
    with RenodeBoard(
        booted_app.image, switch, snapshot=booted_app.snapshot, camera=Vc0706()
    ) as board:
        Router(switch, board.clock)
        connection = Host(switch, board.clock).connect("10.0.2.15", 80)
        assert board.step_until(lambda: connection.established, 5)


def test_real_clients_through_the_gateway(booted_app):
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    try:
        with RenodeBoard(
            booted_app.image, switch, "eager", snapshot=booted_app.snapshot, camera=Vc0706()
        ):
            with connect("ws://%s:%d/echo" % gateway.forwards[80]) as ws:
                ws.send("through Renode's switch")
                assert ws.recv(timeout=30) == "through Renode's switch"
            with connect("ws://%s:%d/camera" % gateway.forwards[80]) as ws:
                pictures = 0
                while pictures < 2:
                    pictures += isinstance(ws.recv(timeout=60), bytes)
    finally:
        gateway.stop()


def test_a_pulled_cable_is_seen_by_the_program(booted_app):
    switch = Switch()
    with RenodeBoard(booted_app.image, switch, snapshot=booted_app.snapshot) as board:
        assert board.link.command("sysbus.emac Link") == "True"
        board.set_link(False)
        assert board.link.command("sysbus.emac Link") == "False"
        board.set_link(True)


def test_renode_that_dies_is_told_with_what_it_said(repl_image):
    with RenodeBoard(repl_image) as board:
        board.console.wait_for_prompt(5)
        board.link.process.kill()
        board.link.process.wait()
        with pytest.raises(RenodeError, match="Renode has ended"):
            board.run_for(1)


def test_a_chip_that_cant_go_on(repl_image, booted_repl):
    both.a_chip_that_cant_go_on_says_so_each_time_and_the_next_one_can(repl_image, booted_repl)


def test_nothing_listens(at_prompt):
    """Renode connects to the lab; it opens no port."""
    done = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no ss to ask")
    assert f"pid={at_prompt.link.process.pid}," not in done.stdout


def test_a_second_board_uses_the_same_process(booted_repl, at_prompt):
    pid = at_prompt.link.process.pid
    at_prompt.close()
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        assert board.link.process.pid == pid
        assert board.console.eval("1 + 1") == "2"


def test_the_persons_script_says_when_there_is_no_image(tmp_path):
    text = run_renode(tmp_path, "quit\n", renode.SCRIPT, ESP32_FLASH=str(tmp_path / "none.bin"))
    assert "no flash image at" in text
    assert "lab renode image" in text


def test_the_persons_script_runs_a_board_on_the_labs_network(tmp_path, app_image):
    """`renode hw/renode/camera.resc` alone, then a bridge by hand: it asks for an address."""
    (tmp_path / "flash.bin").write_bytes(app_image)
    frames = []
    bridge = MessageServer(frames.append)
    try:
        text = run_renode(
            tmp_path,
            f'emulation CreateLabBridge "lab" {bridge.port}\nconnector Connect lab switch\n'
            'lab ConnectRaw sysbus.emac\npause\nemulation RunFor "5"\nquit\n',
            renode.SCRIPT,
            ESP32_FLASH=str(tmp_path / "flash.bin"),
        )
    finally:
        bridge.close()
    assert "POWERON_RESET" in text
    asked = [f for f in frames if f[:6] == b"\xff" * 6 and f[6:12] == EMAC]
    assert asked, text
    assert asked[0][34:38] == bytes([0, 68, 0, 67])  # DHCP: from port 68 to port 67


def run_renode(folder, typed, script=renode.SCRIPT, **env):
    """What Renode prints when it starts with `script` and is typed to."""
    done = subprocess.run(
        [renode.find().program, "--disable-xwt", "--console", "--plain", str(script)],
        input=typed, capture_output=True, text=True, timeout=300,
        env={**os.environ, "TMPDIR": str(folder), **env},
    )  # fmt: skip
    return done.stdout + done.stderr
