"""Two boards in one emulation of Renode (marker `renode`): they talk over its switch."""

import os
import re
import subprocess

import pytest

from lab import renode
from lab.firmware import resolve
from lab.flash import build_image
from lab.renode import RenodeError

pytestmark = [pytest.mark.renode, pytest.mark.timeout(600)]

FIRST, SECOND = "240ac4000001", "240ac4000011"
# the board with the first MAC address serves, the other is its client; both say who they are
MAIN = f"""
import machine, network, os, socket, time
me = machine.unique_id().hex()
first = me == "{FIRST}"
lan = network.LAN(mdc=machine.Pin(23), mdio=machine.Pin(18), power=None,
                  phy_type=network.PHY_LAN8720, phy_addr=0)
lan.active(True)
lan.ifconfig(("10.0.9.1" if first else "10.0.9.2", "255.255.255.0", "10.0.9.1", "10.0.9.1"))
while not lan.isconnected():
    time.sleep_ms(10)
print("seen: i am", me, lan.config("mac").hex(), os.urandom(8).hex())
if first:
    server = socket.socket()
    server.bind(("0.0.0.0", 7))
    server.listen(1)
    client = server.accept()[0]
    client.send(b"to " + client.recv(100) + b" from " + me.encode())
    client.close()
else:
    while True:  # the other one may not listen yet
        client = socket.socket()
        try:
            client.connect(("10.0.9.1", 7))
            break
        except OSError:
            client.close()
            time.sleep_ms(50)
    client.send(me.encode())
    print("seen:", client.recv(100).decode())
"""


@pytest.fixture(scope="module")
def consoles(tmp_path_factory):
    """What both boards print in 5 virtual seconds of hw/renode/two.resc."""
    try:
        program = renode.find().program
    except RenodeError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("two")
    image = folder / "flash.bin"
    image.write_bytes(build_image(resolve(), {"main.py": MAIN.encode()}))
    script = folder / "run.resc"
    script.write_text(
        f"include @{renode.FOLDER / 'two.resc'}\npause\n"
        + "".join(
            f'mach set "{name}"\nsysbus.cpu PowerCycle\n'
            f"sysbus.uart0 CreateFileBackend @{folder / name} true\n"
            for name in ("first", "second")
        )
        + 'emulation RunFor "5"\nquit\n'
    )
    done = subprocess.run(
        [program, "--disable-xwt", "--console", "--plain", str(script)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        env={**os.environ, "TMPDIR": str(folder), "ESP32_FLASH": str(image)},
    )  # fmt: skip
    assert (folder / "second").exists(), done.stdout + done.stderr
    return [(folder / name).read_text() for name in ("first", "second")]


def said(console):
    return re.findall(r"^seen: (.*?)\r?$", console, re.M)


def test_each_has_its_own_mac_and_seed(consoles):
    (first, second) = ([line.split()[2:] for line in said(c)[:1]] for c in consoles)
    assert first[0][:2] == [FIRST, FIRST[:-1] + "4"], consoles
    assert second[0][:2] == [SECOND, SECOND[:-1] + "4"], consoles
    assert first[0][2] != second[0][2]


def test_one_is_the_others_server(consoles):
    assert said(consoles[1])[1:] == [f"to {SECOND} from {FIRST}"], consoles
