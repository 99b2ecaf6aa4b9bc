"""A rogue DHCP server: while the board has its lease, and while it boots.

With a lease the board must go on with it. At boot it cannot know who is right; it must survive
what it is told, and come up once the true server is heard.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.packet import Packet

from lab.inject.case import Case, CaseFailed
from lab.inject.packets.expect import silence
from lab.inject.packets.rig import BOARD_IP, BOARD_MAC, Rig
from lab.inject.packets.table import dialogue, known, line, raw, udp, with_ip
from lab.inject.tcp import TcpPeer

BOUND, BOOT, FORCE = "RFC 2131, 4.4.1", "RFC 2131, 4.3; RFC 2132", "RFC 3203"
CONNECT = "import net\nprint(net.connect())"
MAGIC = b"\x63\x82\x53\x63"
DISCOVER = 1
NO_MAGIC = "lwIP never looks at the magic number in front of the options (dhcp_parse_reply)"
ALL, ALL_MAC = "255.255.255.255", "ff:ff:ff:ff:ff:ff"
ROGUE_LEASE = "10.0.2.66"
Fields = dict[str, object]


def reply(xid: int, kind: str, server: str, lease: str = ROGUE_LEASE, **options: object) -> bytes:
    """A server's message; options by scapy's names, None leaves one out."""
    fields: Fields = {
        "message-type": kind, "server_id": server, "lease_time": 3600,
        "subnet_mask": "255.255.255.0", "router": server, "name_server": server, **options,
    }  # fmt: skip
    chosen = [(name, value) for name, value in fields.items() if value is not None]
    head = BOOTP(op=2, xid=xid, yiaddr=lease, siaddr=server, chaddr=bytes.fromhex(
        BOARD_MAC.replace(":", "")))  # fmt: skip
    return raw(head / DHCP(options=[*chosen, "end"]))


def to_client(peer: TcpPeer, message: bytes, dst: str = ALL) -> Packet:
    """A frame from the server's port to the client's."""
    packet = udp(peer, 68, message, sport=67, dst=dst)
    return with_ip(packet, eth_dst=ALL_MAC) if dst == ALL else packet


def _bound(name: str, kind: str, source: str = BOUND, dst: str = ALL, **options: int) -> Case:
    """To a board that has its lease and asked for nothing."""
    return line("dhcp", f"unasked {name}", source,
                lambda p: [to_client(p, reply(1, kind, p.ip, ROGUE_LEASE, **options), dst)] * 3,
                kept)  # fmt: skip


def kept(rig: Rig) -> None:
    """The board keeps its address, and asks for no other."""
    if any(data[12:14] == b"\x08\0" and data[23] == 17 for data in rig.sent):
        raise CaseFailed("the board sends a datagram")
    silence(rig)


UNASKED = [
    _bound("OFFER", "offer"),
    _bound("ACK", "ack"),
    _bound("NAK", "nak"),
    _bound("ACK to its address", "ack", dst=BOARD_IP),
    _bound("NAK to its address", "nak", dst=BOARD_IP),
    _bound("FORCERENEW", "force_renew", FORCE, BOARD_IP),
    _bound("ACK with a lease of no time", "ack", lease_time=0),
    _bound("INFORM", "inform"),
]


def _at_boot(name: str, lie: Callable[[bytes, int, str], list[bytes]], taken: bool = False) -> Case:
    """While the board boots, each of its messages gets `lie(its bytes, xid, our address)`; the
    true server answers from its second DISCOVER on. taken: the lie is a lease as good as any."""

    def play(rig: Rig) -> None:
        asked: list[int] = []
        rig.router.enabled = False

        def listen(now: int, port: str, direction: str, data: bytes) -> None:
            if port != "board" or direction != "in" or data[12:14] != b"\x08\0" or data[23] != 17:
                return
            message = data[42:]
            if data[36:38] != b"\0\x43" or len(message) < 244:
                return
            asked.append(message[242])
            if asked.count(DISCOVER) > 1 and not taken:
                rig.router.enabled = True
            elif not rig.router.enabled:
                for one in lie(message, int.from_bytes(message[4:8], "big"), rig.peer.ip):
                    rig.send([to_client(rig.peer, one)])

        rig.boot()
        rig.switch.taps.append(listen)
        rig.wait_for_app()
        if DISCOVER not in asked:
            raise CaseFailed("the board did not ask for an address")
        if taken:
            _believed(rig)

    return dialogue("dhcp", f"at boot: {name}", BOOT, play)


def _led_on(name: str, offer: Callable[[int, str], bytes]) -> Case:
    """An offer, and no answer to the requests that follow: the app gives up after its 15 s. With
    the true server the board has its address when it is asked for one again."""

    def play(rig: Rig) -> None:
        rig.router.enabled = False

        def listen(now: int, port: str, direction: str, data: bytes) -> None:
            if port == "board" and direction == "in" and data[36:38] == b"\0\x43":
                xid = int.from_bytes(data[46:50], "big")
                rig.send([to_client(rig.peer, offer(xid, rig.peer.ip))])

        rig.boot()
        rig.switch.taps.append(listen)
        rig.board.console.wait_for(b"lab: error: no address from DHCP", 30)
        rig.board.console.wait_for_prompt()
        rig.forgiven = len(rig.board.console.text)  # the app shows why it gives up
        rig.switch.taps.remove(listen)
        rig.router.enabled = True
        rig.app_runs = False
        if (address := rig.board.console.run(CONNECT, 30).strip()) != BOARD_IP:
            raise CaseFailed(f"with the true server the board's address is {address}")

    return dialogue("dhcp", f"at boot: {name}", BOOT, play)


def _believed(rig: Rig) -> None:
    """The rogue's address is the board's; there it serves as well as anywhere."""
    if f"lab: http on {ROGUE_LEASE}" not in rig.board.console.text:
        raise CaseFailed(f"the board came up elsewhere: {rig.board.console.tail}")
    rig.station.board_ip = bytes(map(int, ROGUE_LEASE.split(".")))
    rig.station.board_mac = b""


def _kind(message: bytes) -> str:
    return "offer" if message[242] == DISCOVER else "ack"


def _raw_options(xid: int, server: str, options: bytes) -> bytes:
    """An offer with any bytes as options."""
    return reply(xid, "offer", server).partition(MAGIC)[0] + MAGIC + options


LIES: list[tuple[str, Callable[[bytes, int, str], list[bytes]], bool]] = [
    ("a rogue lease", lambda m, x, s: [reply(x, _kind(m), s)], True),
    ("NAK to each request", lambda m, x, s: [reply(x, "offer", s), reply(x, "nak", s)], False),
    ("answers that don't fit", lambda m, x, s: [
        *[reply(x ^ 1, "offer", s)] * 20, reply(x, "ack", s), reply(x, "nak", s)], False),
    ("broken messages", lambda m, x, s: [
        *(reply(x, "offer", s)[:n] for n in range(0, 280, 7)),
        *(_raw_options(x, s, options) for options in (
            b"", b"\x35", b"\x35\xff", b"\x35\1", b"\x35\0", b"\0" * 300, b"\x34\1\3\x35\1\2",
            b"\x36\1\1\x35\1\2\xff"))], False),
    ("huge options", lambda m, x, s: [
        _raw_options(x, s, b"\x06\xff" + b"\x0a" * 255 + b"\x0c\xff" + b"A" * 255
                     + b"\x03\xff" + b"\x0a" * 255 + b"\x35\1\2\xff")], False),
]  # fmt: skip

LED_ON = [
    known(_led_on("an offer without the magic number, and then silence",
                  lambda x, s: reply(x, "offer", s).replace(MAGIC, b"cook")), NO_MAGIC),
]  # fmt: skip

CASES = [*UNASKED, *(_at_boot(*row) for row in LIES), *LED_ON]
