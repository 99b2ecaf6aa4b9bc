"""Frames of a `Switch` into a pcapng file (draft-ietf-opsawg-pcapng), one interface per port.

Every block is flushed as it is written, so the file is whole at any moment: open it in
Wireshark or ``tshark -r`` while the board runs.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from lab.net.switch import Switch

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
LINKTYPE_ETHERNET = 1
OPTION_IF_NAME, OPTION_IF_TSRESOL, OPTION_EPB_FLAGS = 2, 9, 2
NANOSECONDS = 9


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


class Capture:
    """Writes what the ports of `switch` send (each frame once) until `close`.

    A disk that fills up later ends the capture, not the traffic: `failed` is called once.
    Raises OSError when the file can't be made.
    """

    def __init__(
        self,
        path: Path | str,
        switch: Switch,
        failed: Callable[[OSError], None] = lambda error: None,
    ) -> None:
        self.path = Path(path)
        self._failed = failed
        self.frames = 0
        self._switch = switch
        self._interfaces: dict[str, int] = {}
        self._lock = threading.Lock()
        self._file = open(self.path, "wb", buffering=0)
        try:
            self._write(_block(SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        except OSError:
            self._file.close()
            raise
        switch.taps.append(self._tap)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) :]

    def _interface(self, name: str) -> int:
        if name not in self._interfaces:
            options = _option(OPTION_IF_NAME, name.encode())
            options += _option(OPTION_IF_TSRESOL, bytes([NANOSECONDS])) + _option(0, b"")
            head = struct.pack("<HHI", LINKTYPE_ETHERNET, 0, 0)
            self._write(_block(INTERFACE, head + options))
            self._interfaces[name] = len(self._interfaces)
        return self._interfaces[name]

    def _tap(self, now: int, port: str, direction: str, frame: bytes) -> None:
        if direction != "in":
            return
        with self._lock:
            if self._file.closed:
                return
            try:
                self._packet(now, port, frame)
            except OSError as error:
                self._file.close()
                self._failed(error)

    def _packet(self, now: int, port: str, frame: bytes) -> None:
        head = struct.pack(
            "<IIIII", self._interface(port), now >> 32, now & 0xFFFFFFFF, len(frame), len(frame)
        )
        flags = _option(OPTION_EPB_FLAGS, struct.pack("<I", 1)) + _option(0, b"")
        self._write(_block(PACKET, head + _padded(frame) + flags))
        self.frames += 1

    def close(self) -> None:
        """End the capture; the file stays."""
        if self._tap in self._switch.taps:
            self._switch.taps.remove(self._tap)
        with self._lock:
            self._file.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
