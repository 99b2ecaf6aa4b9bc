"""The cable to another program's switch: QEMU's framing on a loopback stream."""

import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.net.bridge import Bridge, BridgeError, MessageServer, Unpacker, pack
from lab.net.capture import Capture
from lab.net.clock import VirtualClock
from lab.net.impair import BadCable, Impairment
from lab.net.switch import Switch

HOST, GUEST = b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02"
DEADLINE = 10


def frame(target, source, size=60):
    return (target + source + b"\x08\x00").ljust(size, b"\x5a")


class Peer:
    """The program at the other end."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        self._unpacker, self._ready = Unpacker(), []

    def send(self, message):
        self.socket.sendall(pack(message))

    def receive(self):
        while not self._ready:
            data = self.socket.recv(4096)
            assert data, "the bridge hung up"
            self._ready += self._unpacker.feed(data)
        return self._ready.pop(0)

    def close(self):
        self.socket.close()


class Inbox:
    def __init__(self):
        self.frames, self._changed = [], threading.Condition()

    def __call__(self, frame):
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()

    def wait_for(self, count):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.frames) >= count, DEADLINE)
        return self.frames


@pytest.fixture
def net():
    switch, inbox = Switch(), Inbox()
    port = switch.attach("host", inbox)
    bridge = Bridge(switch)
    peer = Peer(bridge.port)
    assert bridge.connected.wait(DEADLINE)
    yield switch, port, inbox, bridge, peer
    peer.close()
    bridge.close()


# --- framing ---


def test_the_length_is_32_bits_big_endian():
    assert pack(b"abc") == b"\0\0\0\3abc"
    assert pack(b"") == b"\0\0\0\0"


@given(st.lists(st.binary(max_size=80), max_size=8), st.lists(st.integers(1, 40), min_size=1))
def test_messages_come_whole_whatever_the_pieces(messages, sizes):
    stream = b"".join(map(pack, messages))
    unpacker, got, turn = Unpacker(), [], 0
    while stream:
        size = sizes[turn % len(sizes)]
        got += unpacker.feed(stream[:size])
        stream, turn = stream[size:], turn + 1
    assert got == messages
    assert unpacker.partial == 0


def test_an_absurd_length_is_refused_before_it_is_waited_for():
    with pytest.raises(BridgeError, match="another protocol"):
        list(Unpacker().feed(b"GET / HTTP/1.1\r\n"))


# --- bridge ---


def test_frames_pass_both_ways_unchanged(net):
    _, port, inbox, bridge, peer = net
    there = [frame(HOST, GUEST, size) for size in (14, 60, 1518)]
    for one in there:
        peer.send(one)
    assert inbox.wait_for(3) == there
    back = [frame(GUEST, HOST, size) for size in (60, 1514)]
    for one in back:
        port.send(one)
    assert [peer.receive(), peer.receive()] == back
    assert (bridge.received, bridge.sent) == (3, 2)


def test_the_switch_learns_who_is_behind_the_bridge(net):
    switch, port, inbox, _, peer = net
    other = Inbox()
    switch.attach("other", other)
    peer.send(frame(HOST, GUEST))
    inbox.wait_for(1)
    other.frames.clear()
    port.send(frame(GUEST, HOST))
    assert peer.receive() == frame(GUEST, HOST)
    assert other.frames == []


def test_what_is_no_frame_is_counted_and_dropped(net):
    _, _, inbox, bridge, peer = net
    for bad in (b"", b"x" * 13, b"x" * 1519):
        peer.send(bad)
    peer.send(frame(HOST, GUEST))
    assert inbox.wait_for(1) == [frame(HOST, GUEST)]
    assert bridge.refused == 3


def test_the_capture_sees_the_bridge_by_name(net, tmp_path):
    switch, _, inbox, _, peer = net
    capture = Capture(tmp_path / "bridge.pcapng", switch)
    peer.send(frame(HOST, GUEST))
    inbox.wait_for(1)
    capture.close()
    assert frame(HOST, GUEST) in (tmp_path / "bridge.pcapng").read_bytes()


def test_one_peer_and_nobody_after_it(net):
    _, _, _, bridge, _ = net
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", bridge.port), DEADLINE)


def test_a_peer_that_hangs_up_leaves_the_switch(net):
    switch, port, _, bridge, peer = net
    peer.close()
    assert bridge.ended.wait(DEADLINE)
    assert bridge.error is None
    assert [p.name for p in switch.ports] == ["host"]
    port.send(frame(GUEST, HOST))  # goes nowhere, harms nobody
    assert bridge.sent == 0


def test_a_peer_that_dies_in_mid_frame_is_told_of(net):
    _, _, inbox, bridge, peer = net
    peer.socket.sendall(pack(frame(HOST, GUEST))[:20])
    peer.close()
    assert bridge.ended.wait(DEADLINE)
    assert "in the middle of a message" in str(bridge.error)
    assert inbox.frames == []


def test_close_wakes_who_waits_for_a_peer_and_is_harmless_twice():
    bridge = Bridge(Switch())
    bridge.close()
    bridge.close()
    assert bridge.ended.is_set()
    assert not bridge.connected.is_set()


def test_a_port_that_is_taken_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BridgeError, match="for the bridge: Address already in use"):
            MessageServer(lambda message: None, port=taken.getsockname()[1])


def test_it_listens_on_loopback_alone():
    server = MessageServer(lambda message: None)
    try:
        assert server._listener.getsockname()[0] == "127.0.0.1"
    finally:
        server.close()


def test_a_bad_cable_treats_the_bridge_as_it_treats_a_board(net):
    _, port, _, bridge, peer = net
    clock = VirtualClock(lambda: 0, 1)
    cable = BadCable(bridge.cable, clock, to_host=Impairment(cut=True))
    port.send(frame(GUEST, HOST))
    clock.run_due()
    assert bridge.sent == 0
    cable.remove()
    port.send(frame(GUEST, HOST, 61))
    assert peer.receive() == frame(GUEST, HOST, 61)
