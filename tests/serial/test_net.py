"""The app's own words for what keeps a board off its network, on a fake of `network`."""

import importlib.util
import json
import sys
import types

import pytest

from lab.flash import APP


class Interface:
    """Never gets an address."""

    def __init__(self, status=None, **wires):
        self.wires = wires
        if status is not None:
            self.scan = list
            self.status = lambda: status

    def active(self, on=None):
        return True

    def connect(self, ssid, password):
        self.joined = ssid, password

    def isconnected(self):
        return False

    def ifconfig(self):
        return ("0.0.0.0",)


@pytest.fixture
def net(monkeypatch, tmp_path):
    """net(status of the Wi-Fi): the module, beside a wifi.json or lan.json of the test."""
    monkeypatch.chdir(tmp_path)

    def make(status):
        class Pin(int):
            IN, OUT = "in", "out"

        machine = types.SimpleNamespace(Pin=Pin)
        network = types.SimpleNamespace(
            STA_IF=0, STAT_WRONG_PASSWORD=202, STAT_NO_AP_FOUND=201, PHY_LAN8720=1,
            WLAN=lambda which: Interface(status), LAN=lambda **wires: Interface(**wires),
        )  # fmt: skip
        now = iter(range(0, 10**9, 6000))
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.setitem(sys.modules, "network", network)
        spec = importlib.util.spec_from_file_location("board_net", APP / "net.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.time = types.SimpleNamespace(
            ticks_ms=lambda: next(now), ticks_diff=lambda a, b: a - b, sleep_ms=lambda ms: None
        )
        return module

    return make


@pytest.mark.parametrize(
    "status, said",
    [
        (202, "is the password right"),
        (204, "is the password right"),
        (201, "is the SSID right"),
        (1001, "no address from the Wi-Fi"),
    ],
)
def test_wifi_says_what_is_wrong(net, tmp_path, status, said):
    (tmp_path / "wifi.json").write_text(json.dumps({"ssid": "net", "password": "verysecret"}))
    with pytest.raises(OSError, match=said) as caught:
        net(status).connect()
    assert "verysecret" not in str(caught.value)


def test_without_wifi_it_is_the_cable(net):
    with pytest.raises(OSError, match="is the cable in"):
        net(None).connect()


def test_the_lab_s_own_wiring_is_the_default(net):
    wires = net(None)._interface().wires
    assert wires == {"mdc": 23, "mdio": 18, "power": None, "phy_type": 1, "phy_addr": 0}


def test_lan_json_tells_another_wiring(net, tmp_path):
    (tmp_path / "lan.json").write_text('{"power": 16, "phy_addr": 1, "ref_clk": 0}')
    wires = net(None)._interface().wires
    assert (wires["power"], wires["phy_addr"]) == (16, 1)
    assert (wires["ref_clk"], wires["ref_clk_mode"]) == (0, "in")
