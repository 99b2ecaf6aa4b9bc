"""The network of the board: LAN (LAN8720), or Wi-Fi where /wifi.json names one."""

import json
import time

import machine
import network

DEADLINE_MS = 15000


def _interface():
    try:
        with open("wifi.json") as file:
            wifi = json.load(file)
    except OSError:
        lan = network.LAN(
            mdc=machine.Pin(23),
            mdio=machine.Pin(18),
            power=None,
            phy_type=network.PHY_LAN8720,
            phy_addr=0,
        )
        if not lan.active():  # after a soft reset it still is, and must not be started twice
            lan.active(True)
        return lan
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect(wifi["ssid"], wifi["password"])
    return wlan


def connect():
    """Bring the network up; returns the IPv4 address. Raises OSError after 15 s without one."""
    interface = _interface()
    start = time.ticks_ms()
    while not interface.isconnected() or interface.ifconfig()[0] == "0.0.0.0":
        if time.ticks_diff(time.ticks_ms(), start) > DEADLINE_MS:
            raise OSError("no address from DHCP: is the cable in?")
        time.sleep_ms(20)
    return interface.ifconfig()[0]
