"""The board's way out, and the host's way in: DHCP and forwarded ports by libslirp, no root.

The network is 10.0.2.0/24: the gateway 10.0.2.2, DNS 10.0.2.3, the first DHCP lease 10.0.2.15.
Restricted (the default), the guest reaches nothing but the gateway itself; forwarded ports
work all the same, so no traffic leaves this machine.
"""

from __future__ import annotations

import ipaddress
import os
import re
import select
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab import LabError
from lab.interrupt import start_thread
from lab.net import slirp
from lab.net.switch import Switch

GUEST_ADDRESS = "10.0.2.15"
QUEUE_MOST = 4096  # frames from the board not yet taken; more are dropped, as on any full link


class GatewayError(LabError):
    """The gateway can't do what was asked; the text says what to do."""


@dataclass(frozen=True)
class HostForward:
    """Connections to `host_addr`:`host_port` (0: any free port) go to the guest's port."""

    guest_port: int
    host_port: int = 0
    host_addr: str = "127.0.0.1"
    guest_addr: str = GUEST_ADDRESS


def _in_addr(text: str) -> Any:
    address = slirp.ffi.new("struct in_addr *")
    address.s_addr = int.from_bytes(ipaddress.IPv4Address(text).packed, "little")
    return address[0]


SYN_RETRY_NS = 250_000_000
SYN_TRIES = 8


class _SynRetry:
    """Sends a SYN again that the board has not answered.

    lwIP drops a SYN when too many connections wait; a client's own system tries again soon
    (RFC 6298, 2.1: after 1 s), libslirp only after 6 s, which would look like a stalled board.
    """

    def __init__(self) -> None:
        self._open: dict[bytes, tuple[bytes, int, int]] = {}  # ports: frame, due, tries left
        self._lock = threading.Lock()

    @staticmethod
    def _tcp(frame: bytes) -> tuple[bytes, int] | None:
        """Ports and flags of a TCP segment; None for any other frame."""
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return None
        at = 14 + (frame[14] & 15) * 4
        return (frame[at : at + 4], frame[at + 13]) if len(frame) >= at + 14 else None

    def to_board(self, frame: bytes) -> None:
        """Remember a SYN."""
        found = self._tcp(frame)
        if found and found[1] & 0x12 == 0x02:
            with self._lock:
                self._open[found[0]] = (frame, time.monotonic_ns() + SYN_RETRY_NS, SYN_TRIES)

    def from_board(self, frame: bytes) -> None:
        """Forget one that was answered, by SYN ACK or RST."""
        found = self._tcp(frame)
        if found and self._open:
            with self._lock:
                self._open.pop(found[0][2:] + found[0][:2], None)

    def due(self) -> tuple[list[bytes], int]:
        """What to send again now, and how many ms the next may wait."""
        now, frames, wait = time.monotonic_ns(), [], 1000
        with self._lock:
            for ports, (frame, when, left) in list(self._open.items()):
                if when <= now:
                    frames.append(frame)
                    when = now + SYN_RETRY_NS
                    if left == 0:
                        del self._open[ports]
                        continue
                    self._open[ports] = (frame, when, left - 1)
                wait = min(wait, (when - now) // 1_000_000 + 1)
        return frames, wait


_POLL_BITS = (
    (slirp.POLL_IN, select.POLLIN),
    (slirp.POLL_OUT, select.POLLOUT),
    (slirp.POLL_PRI, select.POLLPRI),
    (slirp.POLL_ERR, select.POLLERR),
    (slirp.POLL_HUP, select.POLLHUP),
)


class Gateway:
    """A port of `switch` with libslirp behind it, in a thread of its own until `stop`.

    Raises GatewayError when a host port is taken, LabError when libslirp is missing.
    """

    def __init__(
        self, switch: Switch, forwards: Sequence[HostForward] = (), restricted: bool = True
    ) -> None:
        self._lib = slirp.load()
        self._inbox: deque[bytes] = deque(maxlen=QUEUE_MOST)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self._retry = _SynRetry()
        self._timers: dict[int, list[Any]] = {}  # handle: [callback, opaque, due in ms or None]
        self._port = switch.attach("gateway", self._receive)
        self._callbacks = self._make_callbacks()
        config = slirp.ffi.new("SlirpConfig *")
        config.version = slirp.CONFIG_VERSION
        config.restricted = int(restricted)
        config.in_enabled = True
        for field, address in (
            ("vnetwork", "10.0.2.0"), ("vnetmask", "255.255.255.0"), ("vhost", "10.0.2.2"),
            ("vdhcp_start", GUEST_ADDRESS), ("vnameserver", "10.0.2.3"),
        ):  # fmt: skip
            setattr(config, field, _in_addr(address))
        self._slirp = self._lib.slirp_new(config, self._callbacks, slirp.ffi.NULL)
        if self._slirp == slirp.ffi.NULL:
            raise GatewayError("libslirp refused its configuration")
        try:
            self.forwards = {f.guest_port: (f.host_addr, self._forward(f)) for f in forwards}
        except BaseException:
            self._free()
            raise
        self._thread = start_thread(self._loop, "gateway")

    # --- forwarded ports ---

    def _forward(self, f: HostForward) -> int:
        """Listen for `f`; returns the port, which the kernel chose when it was 0."""
        failed = self._lib.slirp_add_hostfwd(
            self._slirp, 0, _in_addr(f.host_addr), f.host_port, _in_addr(f.guest_addr), f.guest_port
        )
        if failed:
            raise GatewayError(
                f"port {f.host_port} on {f.host_addr} is taken: stop what listens there, or "
                "choose another (0 takes any free one)"
            )
        if f.host_port:
            return f.host_port
        text = self._lib.slirp_connection_info(self._slirp)
        info = slirp.ffi.string(text).decode()
        self._lib.free(text)
        taken = re.findall(r"HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)", info)
        ports = [int(host) for host, guest in taken if int(guest) == f.guest_port]
        if not ports:
            raise GatewayError(f"libslirp does not say which port it took:\n{info}")
        return ports[0]

    # --- what libslirp calls, in the gateway's thread ---

    def _make_callbacks(self) -> Any:
        callback = slirp.ffi.callback
        c = slirp.ffi.new("SlirpCb *")
        self._keep = [
            callback("SlirpWriteCb", self._send_packet),
            callback("void(const char *, void *)", lambda message, opaque: None),
            callback("int64_t(void *)", lambda opaque: time.monotonic_ns()),
            callback("void *(SlirpTimerCb, void *, void *)", self._timer_new),
            callback("void(void *, void *)", self._timer_free),
            callback("void(void *, int64_t, void *)", self._timer_mod),
            callback("void(int, void *)", lambda fd, opaque: None),
            callback("void(void *)", lambda opaque: self._kick()),
        ]
        (c.send_packet, c.guest_error, c.clock_get_ns, c.timer_new, c.timer_free, c.timer_mod,
         c.register_poll_fd, c.notify) = self._keep  # fmt: skip
        c.unregister_poll_fd = c.register_poll_fd
        self._add_poll = callback("SlirpAddPollCb", self._add_fd)
        self._get_revents = callback("SlirpGetREventsCb", lambda index, opaque: self._ready[index])
        return c

    def _send_packet(self, data: Any, size: int, opaque: Any) -> int:
        frame = bytes(slirp.ffi.buffer(data, size))
        self._retry.to_board(frame)
        self._port.send(frame.ljust(60, b"\0"))
        return size

    def _timer_new(self, callback: Any, cb_opaque: Any, opaque: Any) -> Any:
        handle = len(self._timers) + 1
        self._timers[handle] = [callback, cb_opaque, None]
        return slirp.ffi.cast("void *", handle)

    def _timer_free(self, timer: Any, opaque: Any) -> None:
        self._timers.pop(int(slirp.ffi.cast("intptr_t", timer)), None)

    def _timer_mod(self, timer: Any, due: int, opaque: Any) -> None:
        self._timers[int(slirp.ffi.cast("intptr_t", timer))][2] = due

    def _add_fd(self, fd: int, events: int, opaque: Any) -> int:
        mask = sum(host for ours, host in _POLL_BITS if events & ours)
        self._fds.append((fd, mask))
        return len(self._fds) - 1

    # --- the loop ---

    def _receive(self, frame: bytes) -> None:
        self._retry.from_board(frame)
        self._inbox.append(frame)
        self._kick()

    def _kick(self) -> None:
        try:
            os.eventfd_write(self._wake, 1)
        except OSError:
            pass  # closed while we stop

    def _loop(self) -> None:
        timeout = slirp.ffi.new("uint32_t *")
        while not self._stopping:
            while self._inbox:
                frame = self._inbox.popleft()
                self._lib.slirp_input(self._slirp, frame, len(frame))
            self._fds: list[tuple[int, int]] = []
            again, timeout[0] = self._retry.due()
            for frame in again:
                self._port.send(frame.ljust(60, b"\0"))
            self._lib.slirp_pollfds_fill(self._slirp, timeout, self._add_poll, slirp.ffi.NULL)
            self._poll(self._run_timers(timeout[0]))
            self._lib.slirp_pollfds_poll(self._slirp, 0, self._get_revents, slirp.ffi.NULL)

    def _poll(self, timeout: int) -> None:
        poller = select.poll()
        poller.register(self._wake, select.POLLIN)
        wanted: dict[int, int] = {}
        for fd, mask in self._fds:
            wanted[fd] = wanted.get(fd, 0) | mask
        for fd, mask in wanted.items():
            poller.register(fd, mask)
        happened = dict(poller.poll(0 if self._inbox else timeout))
        if self._wake in happened:
            os.eventfd_read(self._wake)
        self._ready = [
            sum(ours for ours, host in _POLL_BITS if happened.get(fd, 0) & host)
            for fd, _ in self._fds
        ]

    def _run_timers(self, timeout: int) -> int:
        """Fire what is due; returns how many ms may pass until the next."""
        now = time.monotonic_ns() // 1_000_000
        for entry in list(self._timers.values()):
            callback, opaque, due = entry
            if due is None:
                continue
            if due <= now:
                entry[2] = None
                callback(opaque)
            else:
                timeout = min(timeout, due - now)
        return timeout

    def stop(self) -> None:
        """Close the forwarded ports and leave the switch; harmless twice."""
        if self._stopping:
            return
        self._stopping = True
        self._kick()
        self._thread.join()
        self._free()

    def _free(self) -> None:
        self._stopping = True
        self._port.detach()
        self._lib.slirp_cleanup(self._slirp)
        os.close(self._wake)
