"""The network of the board: LAN (LAN8720), or Wi-Fi where /wifi.json names one."""

import json
import time

import machine
import network

DEADLINE_MS = 15000
HEAP_BYTES = 64 * 1024  # of the 110 KB that v1.23 has left at boot; lwIP gets the rest
_heap = None


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
            raise OSError("no address from DHCP: is the cable in?")
        time.sleep_ms(20)
    return interface.ifconfig()[0]
