"""The checks of the fault campaign can fail: each class of outcome, brought about on purpose."""

import itertools
import random

import pytest

from lab.board import BoardError
from lab.firmware import resolve
from lab.flash import BLOCK_SIZE, build_image
from lab.inject.case import Case, CaseFailed
from lab.inject.faults import filesystem, flash, journal, power, ram, uart
from lab.inject.faults.campaign import FAILED, play, table
from lab.inject.faults.filesystem import Damaged
from lab.inject.faults.link import Lines
from lab.inject.faults.memory import MemoryMap
from lab.inject.faults.outcome import Kind
from lab.inject.faults.rig import Rig

VFS = 0x200000


@pytest.fixture
def rig():
    with Rig() as rig:
        yield rig


def tell(rig, *changes):
    return Lines(rig).ask(journal.line(changes))


# --- the filesystem ---


def test_a_half_written_state_is_no_allowed_one(rig):
    rig.start()
    tell(rig, ["write", "f0", 1, 9000])
    good = {**rig.prepared.files, "f0": journal.content("f0", 1, 9000)}
    assert rig.unlike([good]) == ""
    mix = {**good, "f0": journal.content("f0", 1, 4000) + journal.content("f0", 2, 9000)[4000:]}
    assert rig.unlike([mix]) == "no allowed state of files: f0 differs from byte 4035 of 9000"
    assert "f0 is there" in rig.unlike([rig.prepared.files])
    assert "f9 is missing" in rig.unlike([{**good, "f9": b""}])


def test_a_changed_byte_in_flash_is_seen(rig):
    board = rig.start()
    tell(rig, ["write", "f0", 1, 9000])
    wanted = journal.content("f0", 1, 9000)
    at = rig.flash().index(wanted[200:300])
    board.chip.flash_write(at, b"X")
    assert "f0 differs from byte 200" in rig.unlike([{**rig.prepared.files, "f0": wanted}])


def test_the_board_and_the_host_must_read_the_same(rig, monkeypatch):
    rig.start()
    tell(rig, ["write", "f0", 1, 300])
    monkeypatch.setattr(rig, "digest", lambda: {"f0": 1})
    why = rig.unlike([{**rig.prepared.files, "f0": journal.content("f0", 1, 300)}])
    assert why.startswith("the board reads {'f0': 1}, the host {'f0': ")


def test_a_filesystem_without_superblocks_is_damaged_and_the_board_says_so(rig):
    image = bytearray(rig.start() and rig.flash())
    image[VFS + 8 : VFS + 2 * BLOCK_SIZE] = bytes(2 * BLOCK_SIZE - 8)
    with pytest.raises(Damaged, match="littlefs"):
        filesystem.read_files(bytes(image))
    rig.start(image=bytes(image))
    assert "filesystem appears to be corrupted" in rig.refusal()
    with pytest.raises(CaseFailed, match="appears to be corrupted"):
        rig.start(image=bytes(image))
        rig.comes_up()


def test_states_know_what_was_begun_and_what_was_done():
    changes = [["write", "f0", 1, 40], ["mkdir", "d"], ["rename", "f0", "d/f"]]
    old, first = {}, {"f0": journal.content("f0", 1, 40)}
    second = {**first, "d/": b""}
    third = {"d/": b"", "d/f": first["f0"]}
    assert journal.states(old, changes) == [
        [old], [old, {"f0": b""}, first], [first, second], [second, third], [third]
    ]  # fmt: skip
    made = journal.make(random.Random(1), {}, 50)
    assert made == journal.make(random.Random(1), {}, 50)
    assert len(journal.states({}, made)) == 52


def test_a_metadata_block_is_told_by_its_commits(rig):
    rig.start()
    image = rig.flash()
    block = image[VFS + BLOCK_SIZE : VFS + 2 * BLOCK_SIZE]
    size = flash.commits_size(block)
    assert size > 32
    damaged = bytes((*block[:20], block[20] ^ 1, *block[21:]))
    assert flash.commits_size(damaged) < size
    assert flash.commits_size(b"no littlefs" * 400) == 0


# --- the app ---


def test_an_app_that_does_not_come_up_is_told(rig):
    image = build_image(resolve(), {"main.py": b"print('hello')\n1 // 0\n"})
    rig.start(image=image)
    assert rig.refusal() == "the app does not come up: ZeroDivisionError: divide by zero"
    rig.start(image=image)
    with pytest.raises(CaseFailed, match="ZeroDivisionError"):
        rig.comes_up()


def test_an_app_that_is_up_and_deaf_is_told(rig):
    rig.start(image=build_image(resolve(), {"main.py": b"print('lab: http on nothing')"}))
    assert rig.refusal().startswith("the app is up and does not echo: ")


# --- the classes ---


def judged(rig, fault):
    def exercise():
        fault()
        ram.exercise(rig, False)

    return rig.judge(exercise)


def test_nothing_is_no_effect(rig):
    rig.start()
    assert judged(rig, lambda: None).kind is Kind.NO_EFFECT


def test_a_traceback_is_an_error_of_the_app(rig):
    rig.start()
    outcome = judged(rig, lambda: tell(rig, ["nonsense"]))
    assert (outcome.kind, outcome.evidence) == (Kind.ERROR, "KeyError: nonsense")


def test_a_jump_to_nowhere_is_a_panic(rig):
    board = rig.start()

    def fault():
        for core in (0, 1):
            board.chip.set_register("pc", 0x20000000, core)

    outcome = judged(rig, fault)
    assert outcome.kind is Kind.PANIC
    assert "Guru Meditation Error" in outcome.evidence and "Backtrace:" in outcome.evidence


@pytest.mark.parametrize("watchdog, kind", [(True, Kind.WATCHDOG), (False, Kind.HANG)])
def test_an_event_loop_that_stands_still(rig, watchdog, kind):
    rig.start("small", watchdog)
    outcome = judged(rig, lambda: tell(rig, ["sleep", 1000]))
    assert outcome.kind is kind


def test_a_wrong_echo_is_corruption(rig, monkeypatch):
    rig.start()
    answers = iter((b"not that\n",))
    ask = Lines.ask
    monkeypatch.setattr(Lines, "ask", lambda self, line: next(answers, None) or ask(self, line))
    outcome = judged(rig, lambda: None)
    assert outcome.kind is Kind.CORRUPTION and "not that" in outcome.evidence


def test_what_neither_reset_nor_power_helps_is_lost(rig):
    board = rig.start()

    def fault():  # as a board in disorder may do
        board.chip.flash_write(VFS, bytes(2 * BLOCK_SIZE))
        for core in (0, 1):
            board.chip.set_register("pc", 0x20000000, core)

    outcome = judged(rig, fault)
    assert outcome.kind is Kind.LOST
    assert "filesystem appears to be corrupted" in outcome.evidence


def test_damaged_firmware_that_runs_fails_its_case(rig, monkeypatch):
    monkeypatch.setattr(flash.Layout, "pick", lambda *_: 0x2F8000)  # a file's data in its stead
    monkeypatch.setattr(Rig, "refusal", lambda self: "the app does not come up: silence")
    with pytest.raises(CaseFailed, match="damaged and not refused, firmware, bit 0"):
        flash.rot(rig, "small", "firmware", 1, 0)


def test_a_camera_that_stays_noisy_fails_its_case(rig, monkeypatch):
    class Spoilt(uart.NoisyCamera):
        def _spoil(self, data):
            self.noisy = self.noisy or len(self.card.given) > 3
            return super()._spoil(data)

    monkeypatch.setattr(uart, "NoisyCamera", Spoilt)
    with pytest.raises(CaseFailed, match=r"does not come back|though the noise is over"):
        uart.camera(rig, "other", 0.01, 1)


# --- the campaign ---


def test_a_campaign_counts_and_names(rig):
    def fails(rig):
        raise CaseFailed("what was seen")

    def breaks(rig):
        raise BoardError("the model's own words")

    cases = [
        Case("a", "fails", "", fails), Case("a", "breaks", "", breaks),
        Case("a", "is mute", "", lambda rig: None),
        Case("b", "is well", "", lambda rig: rig.note(Kind.RECOVERED)),
    ]  # fmt: skip
    results = [play(rig, case) for case in cases]
    assert [r.kind for r in results] == [FAILED, FAILED, FAILED, "came up again"]
    assert [r.evidence for r in results[:2]] == ["what was seen", "the model's own words"]
    assert table(results).splitlines() == [
        "   came up again  failed", "a                      3", "b              1        "
    ]  # fmt: skip


# --- parts ---


def test_the_map_of_memory_is_whole(rig):
    board = rig.start("camera")
    ranges = MemoryMap(rig.prepared.image, rig.prepared.state.console, board.chip).classes
    assert {name: bool(parts) for name, parts in ranges.items()} == dict.fromkeys(ranges, True)
    assert len(ranges["python heap"]) == 2  # net._size_heap
    spans = sorted((r for parts in ranges.values() for r in parts), key=lambda r: r.start)
    assert all(a.stop <= b.start for a, b in itertools.pairwise(spans))


def test_power_that_fails_too_late_fails_its_case(rig, monkeypatch):
    monkeypatch.setattr(power, "measure", lambda *_: power.Span(10**9, 0, 0))
    with pytest.raises(CaseFailed, match="did not fail"):
        power.cut(rig, "small", 1, "byte", 0.9, 0, 0)
