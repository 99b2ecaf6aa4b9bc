"""The gateway's face inside the simulation: 10.0.2.2 that leases 10.0.2.15 by DHCP (RFC 2131).

It is what libslirp is outside (same addresses), in the board's own time and without any way out,
so a board that was booted with one goes on with the other.
"""

from __future__ import annotations

from lab.net.clock import Clock
from lab.net.gateway import GUEST_ADDRESS
from lab.net.host import Host, address
from lab.net.switch import Switch

ADDRESS, DNS, NETMASK = "10.0.2.2", "10.0.2.3", "255.255.255.0"
MAC = "52:55:0a:00:02:02"  # as libslirp makes it of the address
LEASE_SECONDS = 86400
DISCOVER, REQUEST = 1, 3
BROADCAST = b"\xff\xff\xff\xff"
SERVER_PORT, CLIENT_PORT = 67, 68


class Router(Host):
    """Leases one address; counts them in `leases`. enabled: answers at all."""

    def __init__(self, switch: Switch, clock: Clock, lease: str = GUEST_ADDRESS) -> None:
        super().__init__(switch, clock, ADDRESS, MAC)
        self.aliases.add(address(DNS))
        self.lease = lease
        self.enabled = True
        self.leases = 0
        self.udp[SERVER_PORT] = self._on_dhcp

    def _on_dhcp(self, source: bytes, port: int, payload: bytes) -> None:
        from scapy.layers.dhcp import BOOTP, DHCP

        if not self.enabled:
            return
        asked = BOOTP(payload)
        options = dict(o for o in asked[DHCP].options if isinstance(o, tuple) and len(o) == 2)
        answer = {DISCOVER: "offer", REQUEST: "ack"}.get(options.get("message-type", 0))
        if answer is None:
            return
        if answer == "ack" and options.get("requested_addr", self.lease) != self.lease:
            answer = "nak"
        self.leases += answer == "ack"
        reply = BOOTP(
            op=2, xid=asked.xid, flags=asked.flags, chaddr=asked.chaddr,
            yiaddr=self.lease, siaddr=ADDRESS,
        ) / DHCP(options=[
            ("message-type", answer), ("server_id", ADDRESS), ("lease_time", LEASE_SECONDS),
            ("subnet_mask", NETMASK), ("router", ADDRESS), ("name_server", DNS), "end",
        ])  # fmt: skip
        self.send_udp(BROADCAST, CLIENT_PORT, SERVER_PORT, bytes(reply))
