"""TCP inside the simulation: two state machines against each other, over every kind of bad line."""

import random

import pytest

from lab.net.clock import VirtualClock
from lab.net.tcp import Connection, Segment, distance

MOST_SECONDS = 600


class Line:
    """Connection `a` and a listener `b` on it; segments pass through `damage`."""

    def __init__(self, damage=lambda segment: [0.001], window=65535):
        self.now = 0
        self.clock = VirtualClock(lambda: self.now, 1_000_000)
        self.damage = damage
        self.log = []
        self.a = Connection(self.clock, lambda s: self.carry("b", s), 2**32 - 2000, window)
        self.b = Connection(self.clock, lambda s: self.carry("a", s), 5, window)
        self.a.open()

    def carry(self, name, segment):
        self.log.append((name, segment))
        for delay in self.damage(segment):
            self.clock.call_later(delay, lambda: self.arrive(name, segment))

    def arrive(self, name, segment):
        parsed = Segment.parse(segment.pack(1000, 80))
        assert parsed == segment
        if name == "b" and segment.syn:
            self.listen(segment)
        else:
            getattr(self, name).receive(segment)

    def listen(self, syn):
        """What a listener does, which `Connection` has no need of: take a SYN."""
        b = self.b
        if not b.established:
            b.established = True
            b._expected = (syn.seq + 1) % 2**32
            b._first = b._next = (b._first + 1) % 2**32
            b._peer_window = syn.window
        answer = Segment((b._first - 1) % 2**32, b._expected, b._room(), syn=True, ack_flag=True)
        self.carry("a", answer)

    def run(self, until):
        while not until():
            assert self.now < MOST_SECONDS * 1_000_000, "it takes too long"
            assert self.clock.due() < 2**63, "nothing will ever happen"
            self.now = max(self.now, self.clock.due())
            self.clock.run_due()


def lossy(seed, loss=0.0, reorder=0.0, duplicate=0.0):
    chance = random.Random(seed)

    def damage(segment):
        if chance.random() < loss:
            return []
        delays = [0.001 + (0.02 if chance.random() < reorder else 0)]
        return delays * (2 if chance.random() < duplicate else 1)

    return damage


DATA = bytes(n * 7 & 255 for n in range(20_000))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "line",
    [{}, {"loss": 0.1}, {"loss": 0.4}, {"reorder": 0.5}, {"duplicate": 0.5},
     {"loss": 0.2, "reorder": 0.3, "duplicate": 0.3}],
    ids=str,
)  # fmt: skip
def test_data_arrives_whole_both_ways_then_the_end(line, seed):
    net = Line(lossy(seed, **line), window=4000)
    net.a.send(DATA)
    got = {"a": b"", "b": b""}
    net.run(lambda: net.a.established)
    net.b.send(DATA[::-1])

    def done():
        got["a"] += net.a.take()
        got["b"] += net.b.take()
        return len(got["a"]) == len(got["b"]) == len(DATA)

    net.run(done)
    assert got == {"a": DATA[::-1], "b": DATA}
    net.a.close()
    net.run(lambda: net.b.ended)
    net.b.close()
    net.run(lambda: net.a.ended)
    assert net.a.failure is net.b.failure is None


def test_a_reader_that_reads_nothing_stops_the_writer_at_its_window():
    net = Line(window=3000)
    net.b.send(DATA)
    net.run(lambda: len(net.a.received) == 3000)
    net.run(lambda: net.now > 20_000_000)
    assert len(net.a.received) == 3000
    got = b""

    def done():
        nonlocal got
        got += net.a.take(500)
        return len(got) == len(DATA)

    net.run(done)
    assert got == DATA


def test_a_window_that_opens_unheard_is_found():
    deaf = False
    net = Line(lambda segment: [] if deaf and not segment.data else [0.001], window=2000)
    net.b.send(DATA[:4000])
    net.run(lambda: len(net.a.received) == 2000)
    deaf = True  # the news of the room gets lost
    assert net.a.take() == DATA[:2000]
    net.run(lambda: net.now > 2_000_000)
    deaf = False
    net.run(lambda: len(net.a.received) == 2000)
    assert net.a.take() == DATA[2000:4000]


def test_reset_ends_both():
    net = Line()
    net.run(lambda: net.a.established)
    net.a.abort()
    net.run(lambda: net.b.failure)
    assert (net.a.failure, net.b.failure) == ("aborted", "reset")


def test_a_reset_that_misses_the_window_is_ignored():
    net = Line()
    net.run(lambda: net.a.established)
    net.a.receive(Segment(seq=(net.a._expected - 1) % 2**32, rst=True))
    assert net.a.failure is None


def test_refused():
    net = Line(damage=lambda segment: [])
    net.a.receive(Segment(seq=0, ack=net.a._next, rst=True, ack_flag=True))
    assert net.a.failure == "refused"


def test_who_vanishes_says_nothing():
    net = Line()
    net.run(lambda: net.a.established)
    net.a.vanish()
    before = len(net.log)
    net.a.send(b"never")
    net.b.send(b"heard")
    net.run(lambda: net.now > 5_000_000)
    assert [name for name, _ in net.log[before:] if name == "b"] == []
    assert net.a.received == b""


def test_sequence_numbers_wrap():
    assert distance(2**32 - 1, 1) == 2
    assert distance(1, 2**32 - 1) == -2
