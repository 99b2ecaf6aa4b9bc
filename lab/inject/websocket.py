"""WebSocket frames for scapy in which every field may be a lie (RFC 6455, section 5.2).

    WebSocketFrame(opcode="ping", MASK=1, key=b"abcd", payload_length=5) / b"hello"

What is left out is filled in truthfully: the length, its encoding, and the masked payload.
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
    ShortField,
    XStrFixedLenField,
)
from scapy.packet import Packet, Raw

OPCODES = {0: "cont", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


def xor_mask(data: bytes, key: bytes) -> bytes:
    """Mask or unmask (RFC 6455, 5.3)."""
    return bytes(byte ^ key[n % 4] for n, byte in enumerate(data))


class WebSocketFrame(Packet):
    """One frame. `length7` 126 and 127 bring in the longer fields, truthful or not."""

    name = "WebSocket"
    fields_desc = [  # noqa: RUF012 (scapy's own way)
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
        if self.length7 is None:
            size = len(payload)
            code = size if size < 126 else 126 if size < 65536 else 127
            extended = b"" if code < 126 else size.to_bytes(2 if code == 126 else 8, "big")
            key = bytes(self.key) if self.MASK else b""
            packet = bytes([packet[0], packet[1] & 0x80 | code]) + extended + key
        if self.MASK:
            payload = xor_mask(payload, bytes(self.key))
        return packet + payload

    def length(self) -> int:
        """Payload length as the header says it."""
        if self.length7 == 126:
            return int(self.length16)
        return int(self.length64 if self.length7 == 127 else self.length7)

    def extract_padding(self, s: bytes) -> tuple[bytes, bytes | None]:
        """What follows the payload is the next frame."""
        return s[: self.length()], s[self.length() :]

    def guess_payload_class(self, payload: bytes) -> Any:
        return Raw

    @property
    def data(self) -> bytes:
        """The payload of a dissected frame, unmasked."""
        raw = bytes(self[Raw].load) if Raw in self else b""
        return xor_mask(raw, bytes(self.key)) if self.MASK else raw


def parse_frames(stream: bytes) -> list[WebSocketFrame]:
    """All whole frames at the start of `stream`."""
    frames = []
    while len(stream) >= 2:
        masked, code = stream[1] & 0x80, stream[1] & 0x7F
        head = 2 + {126: 2, 127: 8}.get(code, 0) + (4 if masked else 0)
        if len(stream) < head:
            break
        frame = WebSocketFrame(stream)
        end = head + frame.length()
        if len(stream) < end:
            break
        frames.append(frame)
        stream = stream[end:]
    return frames


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
