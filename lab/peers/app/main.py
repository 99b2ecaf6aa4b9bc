"""On the board: a fixed address, so that a run needs no DHCP server and repeats exactly."""

import time

import machine
import network

lan = network.LAN(
    mdc=machine.Pin(23),
    mdio=machine.Pin(18),
    power=None,
    phy_type=network.PHY_LAN8720,
    phy_addr=0,
)
lan.active(True)
lan.ifconfig(("10.0.2.15", "255.255.255.0", "10.0.2.2", "10.0.2.3"))
while not lan.isconnected():
    time.sleep_ms(10)

import served

served.serve("0.0.0.0", 80)
