"""The switch learns, floods and forgets; the capture can be read back."""

import struct

import pytest

from lab.net.capture import Capture
from lab.net.switch import TABLE_SIZE, Switch

A, B, C = (bytes([2, 0, 0, 0, 0, n]) for n in (1, 2, 3))
BROADCAST = b"\xff" * 6


def frame(target, source, payload=b"data"):
    return target + source + b"\x08\x00" + payload


@pytest.fixture
def net():
    switch = Switch()
    inboxes = {name: [] for name in "abc"}
    ports = {name: switch.attach(name, inboxes[name].append) for name in "abc"}
    return switch, ports, inboxes


def test_unknown_address_is_flooded_then_learnt(net):
    _, ports, inbox = net
    ports["a"].send(frame(B, A))
    assert len(inbox["b"]) == len(inbox["c"]) == 1
    ports["b"].send(frame(A, B))  # now both are known
    ports["a"].send(frame(B, A))
    assert len(inbox["a"]) == 1
    assert len(inbox["b"]) == 2
    assert len(inbox["c"]) == 1


def test_broadcast_and_multicast_go_everywhere_but_back(net):
    _, ports, inbox = net
    for target in (BROADCAST, b"\x01\x00\x5e\x00\x00\x01"):
        ports["a"].send(frame(target, A))
    assert (len(inbox["a"]), len(inbox["b"]), len(inbox["c"])) == (0, 2, 2)


def test_a_host_that_moves_is_found_again(net):
    _, ports, inbox = net
    ports["a"].send(frame(BROADCAST, A))
    ports["c"].send(frame(BROADCAST, A))
    ports["b"].send(frame(A, B))
    assert len(inbox["c"]) == 2
    assert len(inbox["a"]) == 1


def test_detached_port_gets_and_sends_nothing(net):
    _, ports, inbox = net
    ports["b"].detach()
    ports["a"].send(frame(BROADCAST, A))
    ports["b"].send(frame(BROADCAST, B))
    assert inbox["b"] == [] and inbox["a"] == [] and len(inbox["c"]) == 1


def test_pulled_cable(net):
    _, ports, inbox = net
    ports["b"].up = False
    ports["a"].send(frame(BROADCAST, A))
    ports["b"].send(frame(BROADCAST, B))
    assert inbox["b"] == [] and inbox["a"] == []


def test_flood_of_addresses_is_bounded(net):
    switch, ports, _ = net
    for n in range(3 * TABLE_SIZE):
        ports["a"].send(frame(BROADCAST, b"\x02" + n.to_bytes(5, "big")))
    assert len(switch._table) == TABLE_SIZE


@pytest.mark.parametrize("size", [0, 13, 1519])
def test_bad_length_is_refused(net, size):
    with pytest.raises(ValueError, match=f"14..1518 bytes, this one {size}"):
        net[1]["a"].send(bytes(size))


def blocks(data):
    while data:
        kind, size = struct.unpack("<II", data[:8])
        assert struct.unpack("<I", data[size - 4 : size]) == (size,)
        yield kind, data[8 : size - 4]
        data = data[size:]


def test_capture_is_pcapng_at_any_moment(tmp_path):
    switch = Switch(clock=lambda: 1_700_000_000_123_456_789)
    ports = {name: switch.attach(name, lambda f: None) for name in ("board", "gateway")}
    with Capture(tmp_path / "x.pcapng", switch) as capture:
        ports["board"].send(frame(BROADCAST, A, b"12345"))
        ports["gateway"].send(frame(A, B, b"6789"))
        found = list(blocks((tmp_path / "x.pcapng").read_bytes()))
        assert [kind for kind, _ in found] == [0x0A0D0D0A, 1, 6, 1, 6]
        assert capture.frames == 2
    body = found[2][1]
    interface, high, low, size, original = struct.unpack("<IIIII", body[:20])
    assert (interface, high << 32 | low) == (0, 1_700_000_000_123_456_789)
    assert size == original == 19
    assert body[20:39] == frame(BROADCAST, A, b"12345")
    assert b"board" in found[1][1] and b"gateway" in found[3][1]


def test_scapy_reads_the_capture(tmp_path):
    from scapy.utils import rdpcap

    switch = Switch()
    port = switch.attach("a", lambda f: None)
    with Capture(tmp_path / "x.pcapng", switch):
        port.send(frame(BROADCAST, A))
    assert [bytes(p) for p in rdpcap(str(tmp_path / "x.pcapng"))] == [frame(BROADCAST, A)]
