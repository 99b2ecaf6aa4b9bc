"""Fuzzing a board: from a snapshot, bit for bit the same, and what is planted is found."""

from collections.abc import Iterator

import pytest

from lab.flash import ROOT
from lab.inject.backtrace import backtrace
from lab.inject.fuzz import replay
from lab.inject.fuzz.boards import APP, FuzzBoard, client_text, image, upgrade
from lab.inject.fuzz.findings import Finding, Findings
from lab.inject.fuzz.grammar import Input
from lab.inject.fuzz.host import HostServer, differs
from lab.inject.fuzz.model import LIMIT
from lab.inject.fuzz.rounds import Round
from lab.inject.fuzz.work import BoardWorker

# What an app may do wrong: by the text that makes it
PLANTED = b"""
import machine, time
def plant(text):
    if text == "raise":
        raise KeyError(text)
    if text == "reset":
        machine.reset()
    if text == "panic":
        machine.mem32[0x10] = 1
    if text == "hang":
        while True: time.sleep(1)
    if text == "print":
        print("what is this?")
    if text == "leak":
        kept.append(bytearray(5000))
    return "another" if text == "change" else text
kept = []
"""


def whole(data: bytes, **more: object) -> Input:
    """`data` in as few segments as can be."""
    sizes = tuple(len(data[at : at + 1400]) for at in range(0, len(data), 1400))
    return Input(data, sizes, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def board() -> Iterator[FuzzBoard]:
    board = FuzzBoard()
    yield board
    board.close()


@pytest.fixture(scope="module")
def planted_image() -> bytes:
    main = APP.read_bytes().replace(b"await ws.send(await ws.receive())",
                                    b"await ws.send(plant(await ws.receive()))")  # fmt: skip
    return image({"main.py": main.replace(b"app = Microdot()", PLANTED + b"app = Microdot()")})


@pytest.fixture(scope="module")
def planted(planted_image: bytes) -> Iterator[FuzzBoard]:
    board = FuzzBoard(planted_image)
    yield board
    board.close()


@pytest.mark.parametrize("end", ["fin", "wait", "rst"])
@pytest.mark.parametrize(
    "data",
    [b"", client_text(b"abc"), b"\xff", b"\xff\xff", b"\x88\x80\0\0\0\0", client_text(b"x" * 2000)],
)
def test_a_right_answer_is_no_finding(board: FuzzBoard, data: bytes, end: str) -> None:
    assert board.play(Round((whole(data, end=end),)), heap=True) is None


def test_segments_one_by_one_and_many_at_once(board: FuzzBoard) -> None:
    data = client_text(b"hello") * 4
    assert board.play(Round((Input(data, (1,) * len(data)),))) is None
    assert board.play(Round((Input(data, (7, 3, len(data) - 10), paced=True),))) is None


def test_a_round_repeats_bit_for_bit(board: FuzzBoard) -> None:
    round_ = Round((whole(client_text(b"one")), whole(b"\x83\x80\0\0\0\0", end="wait")))
    ends = []
    for _ in range(3):
        assert board.play(round_) is None
        ends.append((board.chip.now, bytes(board.subject.received), bytes(board.chip.snapshot())))
        board.play(Round((whole(client_text(b"something else")),)))
    assert ends[0] == ends[1] == ends[2]


def test_a_handshake_is_answered_as_on_cpython(board: FuzzBoard) -> None:
    host = HostServer()
    for data in (
        upgrade(b"/echo") + client_text(b"abc"),
        upgrade(b"/echo").replace(b"13\r\n", b"8\r\n"),
        upgrade(b"/none"),
        b"GET /echo\r\n\r\n",
        b"GET",
    ):
        case = whole(data, base="fresh")
        assert board.play(Round((case,)), host.answer(data)) is None, data
    host.close()
    assert differs(b"HTTP/1.0 400 N/A\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\n", False) == (
        "status 400 for 200"
    )


@pytest.mark.parametrize(
    ("word", "kind", "key"),
    [
        ("raise", "traceback", "KeyError: raise"),
        ("reset", "reset", "reset by SW_CPU"),
        ("panic", "reset", "0x4"),
        ("hang", "hang", "open"),
        ("print", "console", "what is this?"),
        ("change", "answer", "another echo"),
        ("leak", "heap", "heap"),
    ],
)
def test_what_is_planted_is_named(planted: FuzzBoard, word: str, kind: str, key: str) -> None:
    round_ = Round((whole(client_text(b"abc")), whole(client_text(word.encode()))))
    fault = planted.play(round_, heap=True)
    assert fault is not None
    assert fault.kind == kind
    assert key in fault.key
    again = planted.play(round_, heap=True)
    assert again == fault
    assert planted.play(Round((whole(client_text(b"abc")),)), heap=True) is None
    if word == "panic":
        assert len(fault.backtrace.split()) > 3


def test_connections_give_their_sockets_back(board: FuzzBoard, planted: FuzzBoard) -> None:
    endings = [b"", client_text(b"abc"), b"\xff\xff", b"\x88\x80\0\0\0\0", b"\x81\xfe"]
    assert board.soak([whole(endings[n % 5]) for n in range(15)]) is None
    # behind a close frame nothing may come, and TCP says so with a RST
    assert board.soak([whole(b"\x88\x81\0\0\0\0a" + client_text(b"x" * 600))] * 3) is None
    fault = planted.soak([whole(client_text(b"hang"))] * 9)
    assert fault is not None
    assert (fault.kind, fault.key) == (
        "soak",
        "the board that is to be fuzzed does not end a connection",
    )


def test_a_campaign_finds_a_bug_planted_in_microdot() -> None:
    source = (ROOT / "microdot" / "frames.py").read_text()
    right = "return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999"
    assert right in source
    planted = image({"lib/microdot/frames.py": source.replace(right, "return True").encode()})
    worker = BoardWorker(1, 0, 1, planted)
    found: list[Finding] = []
    while not found and worker.rounds < 150:
        found = worker.step()[1]
    worker.close()
    assert [finding.kind for finding in found] == ["answer"]
    (case,) = found[0].inputs
    assert len(case.data) <= 12  # a close frame and little else
    assert replay.play(found[0], planted).same


def test_a_finding_is_made_smaller_found_once_and_played_again(planted_image: bytes) -> None:
    worker = BoardWorker(1, 0, 1, planted_image)
    good, bad = whole(client_text(b"abc")), whole(client_text(b"change"))
    round_ = Round((good, good, bad))
    campaign = Findings()
    for index in (1, 2):
        fault = worker._play(round_)
        assert fault is not None
        campaign.add(worker._finding(round_, fault, index))
    (finding,) = campaign.by_cause.values()
    key = worker.board.key
    worker.close()
    assert finding.count == 2
    assert finding.inputs == [bad]
    assert finding.snapshot == key
    again = Finding.from_json(finding.to_json())
    assert replay.play(again, planted_image).same
    assert not replay.play(again).same


def test_a_short_campaign_keeps_what_reaches_new_code_and_finds_nothing() -> None:
    worker = BoardWorker(seed=4, job=0, jobs=1)
    inputs, found = 0, []
    before = worker.reached
    while inputs < 40:
        count, more = worker.step()
        inputs += count
        found += more
    assert [finding.cause for finding in found] == []
    assert 0 < worker.corpus.count <= worker.rounds
    assert worker.reached > before
    assert worker.kept[0].data
    assert all(len(case.data) < 5 * LIMIT for case in worker.kept)
    worker.close()


def test_two_workers_with_one_seed_do_the_same() -> None:
    traces = []
    for _ in range(2):
        worker = BoardWorker(seed=6, job=1, jobs=2)
        trace = []
        for _ in range(12):
            assert worker.step()[1] == []
            chip = worker.board.chip
            trace.append((chip.now, chip.coverage, bytes(worker.board.subject.received)))
        traces.append((trace, worker.kept))
        worker.close()
    assert traces[0] == traces[1]


def test_the_call_stack_of_a_core_leads_out_of_the_task(board: FuzzBoard) -> None:
    board.restore("open")
    frames = backtrace(board.chip)
    assert len(frames) > 2
    assert all(0x40000000 <= pc < 0x40400000 for pc in frames)
