"""Dropped connections, many clients and too little memory: the server goes on as it was.

Clients live in the board's virtual time (lab.inject.station), so the long proof is affordable:
LAB_CONNECTIONS=1000 drops as many, LAB_MINUTES=10 keeps eight clients busy for so long.
"""

import itertools
import os
from pathlib import Path

import pytest

from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.inject.station import Station
from lab.net.switch import Switch
from lab.peers.client import HEAD_END, frame, framed, handshake, payload
from lab.targets.embedded import EmbeddedBoard

APP = Path(__file__).with_name("robust_app.py")
CONNECTIONS = int(os.environ.get("LAB_CONNECTIONS", "56"))
MINUTES = float(os.environ.get("LAB_MINUTES", "0.1"))
CLOSE = 8
SLACK = 256  # bytes of heap that may be gone: what is interned or grows once
SETTLE_SECONDS = 30  # virtual, for what waits for a peer that is gone


@pytest.fixture(scope="module")
def image():
    firmware = resolve()
    files = board_files(firmware) | {"main.py": APP.read_bytes()}
    return build_image(resolve(), files)


@pytest.fixture
def station(image):
    switch = Switch()
    with EmbeddedBoard(image, switch) as board, Station(switch, board) as station:
        board.console.wait_for("serving", 60)
        yield station
        assert board.events == []
        assert "Traceback" not in board.console.text


def connect(station, path="/echo"):
    """A client behind its handshake."""
    client = station.connect()
    client.send(handshake(path))
    station.run_until(lambda: HEAD_END in client.received, what="the handshake's answer")
    assert client.received.startswith(b"HTTP/1.1 101 ")
    client.received.clear()
    return client


def take(station, client, size):
    """One message of `size` bytes, out of what has been received."""
    station.run_until(lambda: len(client.received) >= framed(size), what=f"{size} bytes")
    data = bytes(client.received[framed(size) - size : framed(size)])
    del client.received[: framed(size)]
    return data


def state(station):
    """(free heap after a collection, tasks, sockets waited for) of the app."""
    client = station.connect()
    client.send(b"GET /state HTTP/1.1\r\nHost: board\r\n\r\n")
    station.run_until(lambda: client.received.endswith(b"."), what="the app's state")
    client.fin()
    station.run_until(lambda: client.finished or client.reset, what="the end of a response")
    client.drop()
    return tuple(map(int, client.received.partition(HEAD_END)[2][:-1].split()))


def settled(station, tasks):
    """The app's state once no more tasks are left than `tasks`."""
    end = station.now + SETTLE_SECONDS
    while True:
        found = state(station)
        if found[1] <= tasks or station.now > end:
            return found
        station.run_for(0.5)


# --- dropped connections -------------------------------------------------------------------------

MESSAGE = frame(payload(300))


def at_once(station):
    return station.connect()


def half_handshake(station):
    client = station.connect()
    client.send(handshake("/echo")[:60])
    station.run_for(0.02)
    return client


def after_handshake(station):
    return connect(station)


def half_header(station):
    client = connect(station)
    client.send(MESSAGE[:1])
    station.run_for(0.02)
    return client


def half_payload(station):
    client = connect(station)
    client.send(MESSAGE[:150])
    station.run_for(0.02)
    return client


def unread_echo(station):
    client = connect(station)
    client.send(MESSAGE)
    return client


def after_close(station):
    client = connect(station)
    client.send(frame(b"\x03\xe8", CLOSE))
    take(station, client, 2)
    return client


STAGES = (
    at_once, half_handshake, after_handshake, half_header, half_payload, unread_echo, after_close
)  # fmt: skip


@pytest.mark.timeout(max(120, CONNECTIONS))
def test_dropped_connections_leave_nothing_behind(station):
    ways = itertools.cycle(itertools.product(STAGES, ("fin", "rst")))
    for stage in STAGES:  # what is allocated once is there
        stage(station).rst()
    tasks = settled(station, 0)[1]
    before = settled(station, tasks)
    for stage, end in itertools.islice(ways, CONNECTIONS):
        client = stage(station)
        if end == "rst":
            client.rst()
            continue
        client.fin()
        station.run_until(lambda c=client: c.finished or c.reset, what=f"FIN after {stage}")
        client.drop()
    after = settled(station, before[1])
    assert after[1:] == before[1:], "tasks are left"
    assert after[0] >= before[0] - SLACK, f"{before[0] - after[0]} bytes of heap are gone"
    client = connect(station)
    client.send(MESSAGE)
    assert take(station, client, 300) == payload(300)


# --- many clients --------------------------------------------------------------------------------


@pytest.mark.timeout(max(120, 60 * MINUTES))
def test_eight_clients_at_once(station):
    sizes = (1, 64, 125, 126, 700, 1500, 2000, 3000)
    tasks = state(station)[1]
    clients = [connect(station) for _ in sizes]
    rounds = 0
    end = station.now + 60 * MINUTES
    while station.now < end:
        for client, size in zip(clients, sizes, strict=True):
            client.send(frame(payload(size)))
        for client, size in zip(clients, sizes, strict=True):
            assert take(station, client, size) == payload(size)
            assert client.alive
        rounds += 1
        station.run_for(0.2)
    assert rounds >= 2
    for client in clients:
        client.send(frame(b"", CLOSE))
        station.run_until(lambda c=client: c.finished, what="the end")
        client.fin()
        client.drop()
    assert settled(station, tasks)[1] == tasks


# --- too little memory ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1 << 20, 1 << 40, 60_000], ids=["1 MB", "1 TB", "no copy"])
def test_out_of_memory_ends_one_connection(station, size):
    other = connect(station, "/unlimited")
    client = connect(station, "/unlimited")
    head = bytes((0x82, 0xFE)) + size.to_bytes(2, "big") if size < 65536 else (
        bytes((0x82, 0xFF)) + size.to_bytes(8, "big")
    )  # fmt: skip
    client.send(head + b"\x12\x34\x56\x78")
    if size < 1 << 20:  # there is memory for it, but not for what receive() returns as well
        client.send(payload(size))
    station.run_until(lambda: len(client.received) >= 4, 30, "a close frame")
    assert client.received[0] == 0x80 | CLOSE
    assert client.received[2:4] == (1009).to_bytes(2, "big")
    client.rst()
    other.send(MESSAGE)
    assert take(station, other, 300) == payload(300)


# --- tasks that cross ----------------------------------------------------------------------------


def test_receive_that_times_out_loses_nothing(station):
    """Named defect of 2.7.0: a timed-out receive() desynchronises."""
    client = connect(station, "/patient")
    for cut in (1, 3, 6, 8, 150):
        client.send(MESSAGE[:cut])
        station.run_for(0.1)
        client.send(MESSAGE[cut:])
        assert take(station, client, 300) == payload(300)


def test_message_that_comes_as_the_time_is_up_is_not_lost(station):
    """MicroPython's wait_for() drops what is returned to it then: here every 20 ms."""
    for n in range(42):
        client = connect(station, "/patient")
        client.send(MESSAGE[:150])
        station.run_for(0.06 + n * 0.0005)
        client.send(MESSAGE[150:])
        assert take(station, client, 300) == payload(300)
        client.rst()
        station.run_for(0.1)


def test_send_that_times_out_leaves_whole_frames(station):
    client = connect(station, "/hasty")
    client.deaf = True  # so that the board's buffer fills
    client.send(frame(b"go"))
    station.run_for(1)
    client.deaf = False
    assert take(station, client, 20000) == b"x" * 20000
    assert take(station, client, 4) == b"late"


def test_two_tasks_send_at_once(station):
    client = connect(station, "/both")
    client.deaf = True  # so that the first must wait in the middle of a frame
    station.run_for(1)
    client.deaf = False
    found = [take(station, client, 16000) for _ in range(8)]
    assert all(message == message[:1] * 16000 for message in found)
    assert found[0] != found[1], "the one that has waited comes next"
    assert sorted(message[:1] for message in found) == [b"a"] * 4 + [b"b"] * 4
