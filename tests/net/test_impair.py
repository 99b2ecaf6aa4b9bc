"""The bad cable: each kind of damage, by seed and direction, on a clock that the test moves."""

import threading

import pytest

from lab.net.clock import VirtualClock, WallClock
from lab.net.impair import QUEUE_SECONDS, BadCable, Impairment
from lab.net.switch import Switch

A, B = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
MILLISECOND = 1000  # the test's clock counts in microseconds


class Net:
    """Hosts a and b on a switch; what arrives, with its time in microseconds."""

    def __init__(self):
        self.now = 0
        self.clock = VirtualClock(lambda: self.now, 1_000_000)
        switch = Switch()
        self.inbox = {"a": [], "b": []}
        self.a = switch.attach("a", lambda f: self.inbox["a"].append((self.now, f[14:])))
        self.b = switch.attach("b", lambda f: self.inbox["b"].append((self.now, f[14:])))
        self.a.send(B + A + b"\x08\x00")  # the switch learns both
        self.b.send(A + B + b"\x08\x00")
        self.inbox["a"].clear(), self.inbox["b"].clear()

    def send(self, port, number, size=0):
        """A frame from a to b or the other way, with a number for its payload."""
        target, source = (B, A) if port is self.a else (A, B)
        port.send(target + source + b"\x08\x00" + str(number).encode().ljust(size))

    def run(self, until):
        """Let time pass, call by call."""
        while self.clock.due() <= until:
            self.now = max(self.now, self.clock.due())
            self.clock.run_due()
        self.now = until

    def numbers(self, name):
        return [int(payload) for _, payload in self.inbox[name]]


@pytest.fixture
def net():
    return Net()


def flood(net, count=1000, port=None):
    for number in range(count):
        net.send(port or net.a, number)
    net.run(net.now + 10_000 * MILLISECOND)


def test_a_perfect_cable_delivers_at_once(net):
    BadCable(net.a, net.clock)
    net.send(net.a, 1)
    assert net.inbox["b"] == [(0, b"1")]


def test_loss_is_as_frequent_as_said_and_keeps_the_order(net):
    cable = BadCable(net.a, net.clock, to_switch=Impairment(loss=0.2))
    flood(net)
    got = net.numbers("b")
    assert got == sorted(got)
    assert 750 < len(got) < 850
    sent, received = cable.counters
    assert (sent.sent, sent.lost, received.sent) == (1000, 1000 - len(got), 0)


def test_all_is_lost_and_none(net):
    BadCable(net.a, net.clock, Impairment(loss=1), Impairment(loss=0))
    flood(net, 100)
    flood(net, 100, net.b)
    assert net.inbox["b"] == []
    assert net.numbers("a") == list(range(100))


def test_same_seed_same_fate_other_seed_another():
    def fate(seed):
        net = Net()
        BadCable(net.a, net.clock, Impairment(loss=0.5, duplicate=0.1, reorder=0.1), seed=seed)
        flood(net)
        return net.inbox["b"]

    assert fate(1) == fate(1)
    assert fate(1) != fate(2)


def test_directions_do_not_disturb_each_other():
    def fate(backwards):
        net = Net()
        BadCable(net.a, net.clock, Impairment(loss=0.5), Impairment(loss=0.5))
        for number in range(200):
            net.send(net.a, number)
            if backwards:
                net.send(net.b, number)
        return net.numbers("b")

    assert fate(False) == fate(True)


def test_one_setting_does_not_change_the_luck_of_another():
    def lost(**settings):
        net = Net()
        BadCable(net.a, net.clock, Impairment(loss=0.3, **settings))
        flood(net)
        return set(range(1000)) - set(net.numbers("b"))

    assert lost() == lost(delay=0.1, reorder=0.3, duplicate=0.3)


def test_delay(net):
    BadCable(net.a, net.clock, Impairment(delay=0.02), Impairment(delay=0.005))
    net.send(net.a, 1)
    net.send(net.b, 2)
    net.run(1000 * MILLISECOND)
    assert net.inbox == {"b": [(20 * MILLISECOND, b"1")], "a": [(5 * MILLISECOND, b"2")]}


def test_jitter_stays_in_its_bounds_and_never_overtakes(net):
    BadCable(net.a, net.clock, Impairment(delay=0.01, jitter=0.02))
    for number in range(200):
        net.send(net.a, number)
        net.run(net.now + MILLISECOND)
    net.run(net.now + 100 * MILLISECOND)
    assert net.numbers("b") == list(range(200))
    waits = [when - number * MILLISECOND for number, (when, _) in enumerate(net.inbox["b"])]
    assert min(waits) >= 10 * MILLISECOND and max(waits) <= 30 * MILLISECOND
    assert len(set(waits)) > 50


def test_reordered_frames_come_later_and_all_come(net):
    cable = BadCable(net.a, net.clock, Impairment(reorder=0.2, reorder_delay=0.0035))
    for number in range(200):
        net.send(net.a, number)
        net.run(net.now + MILLISECOND)
    net.run(net.now + 100 * MILLISECOND)
    got = net.numbers("b")
    assert got != sorted(got) and sorted(got) == list(range(200))
    assert cable.counters[0].reordered > 20
    late = [n for n, (when, _) in zip(got, net.inbox["b"], strict=True) if when > n * MILLISECOND]
    assert len(late) == cable.counters[0].reordered


def test_duplicates(net):
    cable = BadCable(net.a, net.clock, Impairment(duplicate=1))
    flood(net, 10)
    assert net.numbers("b") == [n for n in range(10) for _ in range(2)]
    assert cable.counters[0].duplicated == 10


def test_bandwidth_is_kept_and_its_queue_has_an_end(net):
    cable = BadCable(net.a, net.clock, Impairment(bandwidth=800_000))
    size = 986  # 1000 bytes with the header: 10 ms each
    for number in range(200):
        net.send(net.a, number, size)
    net.run(5000 * MILLISECOND)
    times = [when for when, _ in net.inbox["b"]]
    assert times[:3] == [10 * MILLISECOND, 20 * MILLISECOND, 30 * MILLISECOND]
    assert len(times) == pytest.approx(QUEUE_SECONDS * 100, abs=1)
    assert cable.counters[0].lost == 200 - len(times)


def test_cut_takes_what_is_on_its_way_and_mend_undoes_it(net):
    cable = BadCable(net.a, net.clock, Impairment(delay=0.01), Impairment(delay=0.01))
    net.send(net.a, 1)
    cable.cut()
    net.send(net.b, 2)
    net.run(100 * MILLISECOND)
    assert net.inbox == {"a": [], "b": []}
    cable.mend()
    net.send(net.a, 3)
    net.run(200 * MILLISECOND)
    assert net.numbers("b") == [3]


def test_remove_makes_the_cable_perfect(net):
    cable = BadCable(net.a, net.clock, Impairment(loss=1))
    cable.remove()
    net.send(net.a, 1)
    assert net.numbers("b") == [1]


def test_what_is_on_its_way_to_a_pulled_cable_is_lost(net):
    BadCable(net.a, net.clock, Impairment(delay=0.01), Impairment(delay=0.01))
    net.send(net.a, 1)
    net.send(net.b, 2)
    net.a.up = False
    net.run(100 * MILLISECOND)
    assert net.inbox == {"a": [], "b": []}


@pytest.mark.parametrize(
    "settings", [{"loss": 1.1}, {"duplicate": -1}, {"delay": -0.1}, {"bandwidth": 0}]
)
def test_nonsense_is_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        Impairment(**settings)


def test_on_the_wall_clock_frames_arrive_in_order():
    clock, switch = WallClock(), Switch()
    got, arrived = [], threading.Event()

    def receive(frame):
        got.append(frame[14:])
        if len(got) == 3:
            arrived.set()

    port = switch.attach("a", lambda f: None)
    switch.attach("b", receive)
    BadCable(port, clock, Impairment(delay=0.01))
    for payload in (b"1", b"2", b"3"):
        port.send(B + A + b"\x08\x00" + payload)
    assert arrived.wait(20)
    clock.close()
    clock.close()
    assert got == [b"1", b"2", b"3"]
