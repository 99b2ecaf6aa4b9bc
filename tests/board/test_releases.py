"""The app on every pinned firmware that has a LAN: the page, and the WebSocket echo."""

import json
import urllib.request

import pytest
import websockets.sync.client

from lab.firmware import FirmwareError, pins, resolve
from lab.flash import board_files, build_image
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.targets.embedded import EmbeddedBoard

WITHOUT_LAN = {"et-board-v1.15"}


@pytest.mark.parametrize(
    "pin", [pin for pin in pins() if pin.name not in WITHOUT_LAN], ids=lambda pin: pin.name
)
def test_app_serves(pin):
    try:
        firmware = resolve(pin.name)
    except FirmwareError as error:
        pytest.skip(str(error))
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    try:
        image = build_image(firmware, board_files(firmware))
        with EmbeddedBoard(image, switch, "eager") as board:
            board.console.wait_for(b"lab: http on", 60)
            where = "{}:{}".format(*gateway.forwards[80])
            with urllib.request.urlopen(f"http://{where}/status", timeout=20) as answer:
                assert json.load(answer)["mem_free"] > 20_000
            with websockets.sync.client.connect(f"ws://{where}/echo") as ws:
                for message in ("h\u00e9llo", "", b"\0\1\2\3\4", "x" * 3000):
                    ws.send(message)
                    assert ws.recv(timeout=20) == message
            assert board.events == []
    finally:
        gateway.stop()
