"""libslirp behind the switch: DHCP, forwarded ports, clear errors."""

import queue
import socket
import threading

import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from lab.net.gateway import Gateway, GatewayError, HostForward
from lab.net.switch import Switch

MAC = "02:00:00:00:00:15"


class Guest:
    """A host on the switch that knows ARP and can be asked for frames."""

    def __init__(self, switch):
        self.inbox = queue.SimpleQueue()
        self.port = switch.attach("guest", self.inbox.put)

    def send(self, packet):
        self.port.send(bytes(packet).ljust(60, b"\0"))

    def expect(self, layer, timeout=10):
        while True:
            frame = Ether(self.inbox.get(timeout=timeout))
            if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == "10.0.2.15":
                arp = ARP(op=2, hwsrc=MAC, psrc="10.0.2.15", hwdst=frame.src, pdst=frame[ARP].psrc)
                self.send(Ether(src=MAC, dst=frame.src) / arp)
            if layer in frame:
                return frame


@pytest.fixture
def network():
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    yield Guest(switch), gateway
    gateway.stop()


def test_dhcp_gives_the_address_that_is_forwarded_to(network):
    guest, _ = network
    guest.send(
        Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=bytes.fromhex(MAC.replace(":", "")), xid=7)
        / DHCP(options=[("message-type", "discover"), "end"])
    )
    offer = guest.expect(DHCP)
    assert offer[BOOTP].yiaddr == "10.0.2.15"
    assert ("server_id", "10.0.2.2") in offer[DHCP].options


def test_connection_to_the_forwarded_port_reaches_the_guest(network):
    guest, gateway = network
    client = socket.socket()
    thread = threading.Thread(target=client.connect, args=(gateway.forwards[80],))
    thread.start()
    syn = guest.expect(TCP)
    assert (syn[IP].dst, syn[TCP].dport, str(syn[TCP].flags)) == ("10.0.2.15", 80, "S")
    thread.join()
    client.close()


def test_busy_port_is_named(network):
    _, gateway = network
    port = gateway.forwards[80][1]
    with pytest.raises(GatewayError, match=f"port {port} on 127.0.0.1 is taken"):
        Gateway(Switch(), [HostForward(80, port)])


def test_stop_frees_the_port_and_the_thread():
    before = threading.active_count()
    gateway = Gateway(Switch(), [HostForward(80)])
    address = gateway.forwards[80]
    gateway.stop()
    gateway.stop()
    assert threading.active_count() == before
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(address)
