"""The network of the board: LAN (LAN8720), or Wi-Fi where /wifi.json names one.

/lan.json tells how a LAN8720 is wired when not as on the lab's board: GPIO numbers mdc, mdio, power
(of its oscillator or reset) and ref_clk, phy_addr, and ref_clk_mode (1: the ESP32 makes the clock).
"""

import json
import time

import machine
import network

DEADLINE_MS = 15000
HEAP_BYTES = 64 * 1024  # of the 110 KB that v1.23 has left at boot; lwIP gets the rest
_heap = None


def _settings(name):
    try:
        with open(name) as file:
            return json.load(file)
    except OSError:
        return None


def _interface():
    wifi = _settings("wifi.json")
    if wifi is None:
        return _lan(_settings("lan.json") or {})
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect(wifi["ssid"], wifi["password"])
    return wlan


def _lan(wires):
    more = {}
    if "ref_clk" in wires:
        more["ref_clk"] = machine.Pin(wires["ref_clk"])
        more["ref_clk_mode"] = machine.Pin.OUT if wires.get("ref_clk_mode") else machine.Pin.IN
    lan = network.LAN(
        mdc=machine.Pin(wires.get("mdc", 23)),
        mdio=machine.Pin(wires.get("mdio", 18)),
        power=machine.Pin(wires["power"]) if "power" in wires else None,
        phy_type=network.PHY_LAN8720,
        phy_addr=wires.get("phy_addr", 0),
        **more,
    )
    if not lan.active():  # after a soft reset it still is, and must not be started twice
        lan.active(True)
    return lan


def _why_not(interface):
    """What keeps the network away, in words."""
    if not hasattr(interface, "scan"):  # no radio
        return "no address from DHCP: is the cable in?"
    status = interface.status()
    if status in (network.STAT_WRONG_PASSWORD, getattr(network, "STAT_HANDSHAKE_TIMEOUT", 204)):
        return "the Wi-Fi refuses: is the password right?"
    if status == network.STAT_NO_AP_FOUND:
        return "no such Wi-Fi here: is the SSID right, and on 2.4 GHz?"
    return "no address from the Wi-Fi (status %d)" % status


def _size_heap():
    """Let Python's heap grow once, by a piece that leaves the network its part.

    MicroPython since v1.21 takes more memory from ESP-IDF when its heap is full: as much again, and
    the next time all there is in one piece. lwIP, which lives on the same memory, can then send
    nothing any more. Older firmware has a heap of fixed size and says MemoryError.
    """
    global _heap
    try:
        _heap = [None] * (HEAP_BYTES // 4)
    except MemoryError:
        return
    # What stays of the list keeps the new piece. (pop() gives back half of a list, in place; of one
    # block alone gc.collect() of v1.23 would think that nothing is there.)
    while len(_heap) > 32:
        del _heap[len(_heap) // 3 :]
        _heap.pop()


def connect():
    """Bring the network up; returns the IPv4 address. Raises OSError after 15 s without one."""
    _size_heap()
    interface = _interface()
    start = time.ticks_ms()
    while not interface.isconnected() or interface.ifconfig()[0] == "0.0.0.0":
        if time.ticks_diff(time.ticks_ms(), start) > DEADLINE_MS:
            raise OSError(_why_not(interface))
        time.sleep_ms(20)
    return interface.ifconfig()[0]
