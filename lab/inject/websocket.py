"""WebSocket for scapy: frames in which every field may be a lie, and whole sessions (RFC 6455).

    WebSocketFrame(opcode="ping", MASK=1, key=b"abcd") / b"hello"
    WebSocketFrame(length7=127, length64=2**63) / b"hello"     # claims to be huge

What is left out is filled in truthfully: the length, its encoding, the mask over the payload. The
payload of a frame is always what it means, never its masked bytes, when building and dissecting.

To see frames in a capture, tell scapy which ports speak WebSocket and let it reassemble TCP:

    bind_websocket(80)
    for packet in sniff(offline="lab.pcapng", session=WebSocketSession):
        for frame in frames_of(packet):
            print(packet.time, packet[IP].src, frame.mysummary())
"""

from __future__ import annotations

import base64
import os
from typing import Any

from scapy.fields import (
    BitEnumField,
    BitField,
    ConditionalField,
    LongField,
    ShortEnumField,
    ShortField,
    StrField,
    XStrFixedLenField,
)
from scapy.layers.http import HTTP, HTTPRequest, HTTPResponse
from scapy.layers.inet import TCP
from scapy.packet import Packet, Padding, Raw, bind_layers, split_layers
from scapy.sessions import TCPSession

OPCODES = {0: "cont", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
CLOSE = 8
CLOSE_CODES = {
    1000: "normal", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
    1005: "no status", 1006: "abnormal", 1007: "invalid payload", 1008: "policy violation",
    1009: "message too big", 1010: "mandatory extension", 1011: "internal error",
    1012: "service restart", 1013: "try again later", 1014: "bad gateway", 1015: "TLS handshake",
}  # fmt: skip
HEAD_END = b"\r\n\r\n"


def xor_mask(data: bytes, key: bytes) -> bytes:
    """Mask or unmask (RFC 6455, 5.3)."""
    size = len(data)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


class WebSocketClose(Packet):
    """Payload of a close frame (RFC 6455, 5.5.1)."""

    name = "WebSocket close"
    fields_desc = [  # noqa: RUF012 (scapy's own way)
        ShortEnumField("code", 1000, CLOSE_CODES),
        StrField("reason", b""),
    ]


class WebSocketFrame(Packet):
    """One frame (RFC 6455, 5.2). `length7` 126 and 127 bring in the longer fields, truthful or
    not; with `length7` given nothing is filled in."""

    name = "WebSocket"
    fields_desc = [  # noqa: RUF012
        BitField("FIN", 1, 1),
        BitField("RSV1", 0, 1),
        BitField("RSV2", 0, 1),
        BitField("RSV3", 0, 1),
        BitEnumField("opcode", 1, 4, OPCODES),
        BitField("MASK", 1, 1),
        BitField("length7", None, 7),
        ConditionalField(ShortField("length16", 0), lambda p: p.length7 == 126),
        ConditionalField(LongField("length64", 0), lambda p: p.length7 == 127),
        ConditionalField(XStrFixedLenField("key", b"\x12\x34\x56\x78", 4), lambda p: p.MASK),
    ]

    def post_build(self, packet: bytes, payload: bytes) -> bytes:
        """Fill in what was left out: length encoding and mask."""
        key = bytes(self.key) if self.MASK else b""
        if self.length7 is None:
            size = len(payload)
            code = size if size < 126 else 126 if size < 65536 else 127
            extended = b"" if code < 126 else size.to_bytes(2 if code == 126 else 8, "big")
            packet = bytes([packet[0], packet[1] & 0x80 | code]) + extended + key
        return packet + (xor_mask(payload, key) if key else payload)

    def length(self) -> int:
        """Payload length as the header says it."""
        if self.length7 == 126:
            return int(self.length16)
        return int(self.length64 if self.length7 == 127 else self.length7)

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes]:
        """The payload unmasked, and what follows it: the next frame."""
        payload, rest = s[: self.length()], s[self.length() :]
        return xor_mask(payload, bytes(self.key)) if self.MASK else payload, rest

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return WebSocketClose if self.opcode == CLOSE and len(payload) >= 2 else Raw

    @property
    def data(self) -> bytes:
        """The payload's bytes, without frames that a session has stacked behind it."""
        inside = isinstance(self.payload, Raw | WebSocketClose)
        return bytes(self.payload.self_build()) if inside else b""

    def mysummary(self) -> str:
        kind = OPCODES.get(self.opcode, f"opcode {self.opcode}")
        return f"WebSocket {kind}, {len(self.data)} bytes" + ("" if self.FIN else ", not final")


def frame_size(stream: bytes) -> int | None:
    """Bytes of the frame at the start of `stream`, header included; None when its header is not
    whole yet."""
    if len(stream) < 2:
        return None
    code = stream[1] & 0x7F
    extended = {126: 2, 127: 8}.get(code, 0)
    head = 2 + extended + (4 if stream[1] & 0x80 else 0)
    if len(stream) < head:
        return None
    return head + (int.from_bytes(stream[2 : 2 + extended], "big") if extended else code)


def parse_frames(stream: bytes) -> list[WebSocketFrame]:
    """All whole frames at the start of `stream`."""
    frames = []
    while (size := frame_size(stream)) is not None and size <= len(stream):
        frames.append(WebSocketFrame(stream[:size]))
        stream = stream[size:]
    return frames


# --- sessions ------------------------------------------------------------------------------------


class WebSocket(Packet):
    """What a TCP connection carries: HTTP up to the upgrade (RFC 6455, 4), frames afterwards.

    Its packets are `HTTP` and `WebSocketFrame`."""

    name = "WebSocket stream"

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        return Raw

    @classmethod
    def tcp_reassemble(
        cls, data: bytes, metadata: dict[str, Any], session: dict[str, Any]
    ) -> Packet | None:
        """The next request, response or frame of one direction, None while it is not whole."""
        request = data.startswith(b"GET ") and not session.get("asked")
        response = data.startswith(b"HTTP/") and not session.get("open")
        if request or response:
            head, found, rest = data.partition(HEAD_END)
            if not found:
                return None
            packet = HTTP(head + HEAD_END)
            if request:
                session["asked"] = _wants_websocket(packet)
            else:
                session["open"] = session["asked"] and packet[HTTPResponse].Status_Code == b"101"
            return packet / Padding(rest) if rest else packet
        if not session.get("asked"):
            reassemble: Any = HTTP.tcp_reassemble
            other: Packet | None = reassemble(data, metadata, session)
            return other
        size = frame_size(data)
        if size is None or size > len(data):
            return None
        frame = WebSocketFrame(data[:size])
        return frame / Padding(data[size:]) if data[size:] else frame


def _wants_websocket(packet: Packet) -> bool:
    upgrade = packet[HTTPRequest].Upgrade if HTTPRequest in packet else None
    return b"websocket" in (upgrade or b"").lower()


class WebSocketSession(TCPSession):
    """scapy's `TCPSession`, which takes the padding of short Ethernet frames for data."""

    def process(self, pkt: Packet, cls: type[Packet] | None = None) -> Packet | None:
        if TCP in pkt and isinstance(pkt[TCP].payload, Padding):
            pkt[TCP].remove_payload()
        packet: Packet | None = super().process(pkt, cls)
        return packet


def frames_of(packet: Packet) -> list[WebSocketFrame]:
    """The frames that have become whole with this packet."""
    return [layer for layer in packet.iterpayloads() if isinstance(layer, WebSocketFrame)]


def bind_websocket(port: int) -> None:
    """Dissect TCP connections to `port` as `WebSocket`, in place of scapy's HTTP."""
    split_layers(TCP, HTTP, dport=port)
    split_layers(TCP, HTTP, sport=port)
    bind_layers(TCP, WebSocket, dport=port)
    bind_layers(TCP, WebSocket, sport=port)


# --- handshake -----------------------------------------------------------------------------------


def handshake_request(path: str = "/echo", host: str = "board", **headers: str | None) -> bytes:
    """An upgrade request (RFC 6455, 4.1); `headers` (with _ for -) replace or, None, leave out."""
    fields: dict[str, str | None] = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join([f"GET {path} HTTP/1.1", *lines]) + "\r\n\r\n").encode()
