"""The fuzzer's generator, its model of RFC 6455, and the frame layer held against it."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import microdot.frames
from lab import LabError
from lab.inject.fuzz import findings, replay
from lab.inject.fuzz.campaign import Budget
from lab.inject.fuzz.findings import Finding, Findings
from lab.inject.fuzz.framelayer import FrameLayer
from lab.inject.fuzz.grammar import Grammar, Input, Weights
from lab.inject.fuzz.model import answer, talks_on, wrong
from lab.inject.fuzz.work import FrameWorker, Worker


def test_the_same_seed_and_index_give_the_same_input():
    first, second = Grammar(7, Weights(fresh=0.2)), Grammar(7, Weights(fresh=0.2))
    made = [first.make(n) for n in range(300)]
    corpus = made[:20]
    again = [second.make(n) for n in reversed(range(300))]
    assert again[::-1] == made
    assert [first.make(n, corpus) for n in range(300)] == [
        second.make(n, corpus) for n in range(300)
    ]
    assert [Grammar(8).make(n) for n in range(20)] != [Grammar(7).make(n) for n in range(20)]
    assert {case.base for case in made} == {"open", "fresh"}


def test_an_input_is_cut_into_what_it_is_made_of_and_survives_its_file():
    for n in range(500):
        case = Grammar(3, Weights(fresh=0.3)).make(n)
        assert b"".join(case.pieces()) == case.data
        assert all(0 < len(piece) <= 1400 for piece in case.pieces())
        assert Input.from_json(case.to_json()) == case


@pytest.mark.parametrize(
    ("data", "frames", "codes", "echo"),
    [
        ("818300000000616263", [(1, b"abc")], set(), None),
        ("81830102030460606018", [(1, b"abc")], set(), None),  # one byte more: a frame begins
        ("8180000000008980000000008a8000000000", [(1, b""), (9, b""), (10, b"")], set(), None),
        ("c18000000000", [], {1002}, None),
        ("8300", [], {1002}, None),
        ("8100", [], {1002}, None),
        ("0180", [], {1003}, None),
        ("0000", [], {1002, 1003}, None),
        ("89fe", [], {1002}, None),
        ("81fe007d", [], {1002}, None),
        ("82fe0801", [], {1009}, None),
        ("82ff8000000000000000", [], {1002, 1009}, None),
        ("8181000000ff7f", [(1, b"\x7f")], set(), None),
        ("818100000000ff", [], {1007}, None),
        ("88820000000003e8", [], set(), b"\x03\xe8"),
        ("888000000000", [], set(), b""),
        ("88810000000003", [], {1002}, None),
        ("88820000000003ed", [], {1002}, None),
        ("88830000000003e8ff", [], {1007}, None),
    ],
)
def test_the_model_says_what_the_rfc_says(data, frames, codes, echo):
    expected = answer(bytes.fromhex(data), 2048)
    assert (expected.frames, set(expected.codes), expected.echo) == (frames, codes, echo)


def test_a_close_frame_that_is_refused_has_said_goodbye_all_the_same():
    """What follows it may be answered by RST: found in a campaign (board, seed 3, input 32282)."""
    close = bytes.fromhex("88ff0000000000000006280980ae2809622c0009")
    for rest, expected in ((b"", False), (bytes.fromhex("8180000000000000"), True)):
        seen = answer(close + rest, 2048)
        assert set(seen.codes) == {1002}
        assert talks_on(close + rest, seen) is expected


def test_an_answer_is_held_against_the_model():
    expected = answer(bytes.fromhex("818100000000618980000000008382"), 2048)
    right = bytes.fromhex("8101618a00880203ea")
    assert wrong(right, expected) is None
    assert wrong(right[:-4], expected) == "no close frame"
    assert wrong(right[:4], expected) == "part of the echo is missing"
    assert wrong(b"\x82" + right[1:], expected) == "another echo"
    assert wrong(right[:-1] + b"\xeb", expected) == "close code 1003"
    assert wrong(right + b"!", expected) == "a close frame of the wrong form"
    assert all(wrong(right[:n], expected, cut=True) is None for n in range(len(right) + 1))


def test_the_frame_layer_agrees_with_the_model():
    worker: Worker = FrameWorker(seed=11, job=0, jobs=1)
    found = [finding for _ in range(8) for finding in worker.step()[1]]
    assert [finding.cause for finding in found] == []


def broken(**changes):
    """The frame layer with something else in place of some names."""
    layer = SimpleNamespace(**vars(microdot.frames))
    vars(layer).update(changes)
    return layer


def deaf_to_lengths():
    """A reader that takes a length in a longer form than needed."""
    source = open(microdot.frames.__file__).read()
    planted = source.replace("if length < (126 if code == 126 else 65536) or ", "if ")
    assert planted != source
    scope = {"__name__": "microdot.frames", "__package__": "microdot"}
    exec(compile(planted, "planted", "exec"), scope)
    return SimpleNamespace(**scope)


def test_a_planted_bug_is_found_once_and_seen_again(tmp_path):
    layer = deaf_to_lengths()
    worker = FrameWorker(seed=1, job=0, jobs=1, frames=layer)
    campaign = Findings()
    seen = [finding for _ in range(4) for finding in worker.step()[1]]
    new = [finding for finding in seen if campaign.add(finding)]
    assert len(seen) > 10
    assert len(new) == len(campaign.by_cause) < 5
    path = campaign.save(tmp_path)[0]
    finding = findings.load(path)
    assert finding.count >= 1
    assert finding.inputs == next(iter(campaign.by_cause.values())).inputs
    assert replay.play(finding, frames=layer).same
    assert not replay.play(finding).same


def test_an_exception_of_the_layer_is_a_finding_of_the_line_it_came_from():
    def decode_text(data):
        raise ZeroDivisionError

    layer = FrameLayer(broken(decode_text=decode_text))
    case = Input(bytes.fromhex("818300000000616263"), (9,))
    fault, _ = layer.check(case, None)
    assert fault == "ZeroDivisionError in decode_text: raise ZeroDivisionError"


def test_inputs_of_a_new_sort_are_kept_and_others_are_not():
    worker = FrameWorker(seed=5, job=0, jobs=1)
    worker.step()
    first = worker.corpus.count
    for _ in range(5):
        worker.step()
    assert 0 < first < 500
    assert worker.corpus.count - first < 5 * first  # fewer and fewer are new
    assert worker.corpus.count == worker.reached


def test_findings_of_one_cause_are_one_with_the_shortest_input():
    campaign = Findings()
    long, short = Input(b"abcdef", (6,)), Input(b"a", (1,))
    assert campaign.add(Finding("answer", "k", "", 1, 2, [long]))
    assert not campaign.add(Finding("answer", "k", "", 1, 9, [short]))
    (one,) = campaign.by_cause.values()
    assert (one.count, one.inputs) == (2, [short])


def test_a_budget_is_inputs_or_seconds():
    assert Budget.parse("1_000_000") == Budget(1000000, None)
    assert Budget.parse("100s") == Budget(None, 100)
    for text in ("", "0", "soon", "10m"):
        with pytest.raises(LabError, match="a budget is"):
            Budget.parse(text)


def test_the_command_runs_two_workers_and_says_what_came_of_it(tmp_path):
    command = [sys.executable, "-m", "lab.inject.fuzz", "frames", "--seed", "2", "--jobs", "2"]
    command += ["--budget", "2000", "--out", str(tmp_path / "out")]
    environment = {"LAB_CACHE": str(tmp_path / "cache"), "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith("2000 inputs, ")
    assert last.endswith(" kept, 0 findings")
    assert (tmp_path / "out" / "campaign.json").exists()
    assert sorted(p.name for p in (tmp_path / "cache" / "fuzz").iterdir()) == [
        "frames-2-0.jsonl", "frames-2-1.jsonl",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_campaign_with_its_counts(tmp_path, number):
    command = [sys.executable, "-m", "lab.inject.fuzz", "frames", "--budget", "1000000000"]
    command += ["--out", str(tmp_path / "out")]
    environment = {"LAB_CACHE": str(tmp_path / "cache"), "PATH": "", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and process.stderr
        first = process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        handles = [os.pidfd_open(int(child)) for child in children]
        process.send_signal(number)
        output = process.stdout.read()
        assert process.stderr.read() == ""
    assert "inputs/s" in first
    assert process.returncode == 128 + number
    assert re.fullmatch(r"\d+ inputs, \d+ kept, 0 findings", output.splitlines()[-1])
    assert (tmp_path / "out" / "campaign.json").exists()
    assert handles  # the worker, and multiprocessing's own helper
    for handle in handles:
        assert select.select([handle], [], [], 30)[0]  # has ended
        os.close(handle)


def test_a_worker_that_dies_is_told_of(tmp_path):
    command = [sys.executable, "-m", "lab.inject.fuzz", "frames", "--budget", "1000000000"]
    command += ["--seed", "5", "--out", str(tmp_path / "out")]
    environment = {"LAB_CACHE": str(tmp_path / "cache"), "PATH": "", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)  # started last
        last = process.stdout.read().splitlines()[-1]
        problem = process.stderr.read()
    assert process.returncode == 1
    assert re.fullmatch(r"[1-9]\d* inputs, \d+ kept, 0 findings", last)
    assert re.match(r"worker 0 of 1 died \(-9\) after \d+ inputs or a few more; seed 5", problem)


def test_a_wrong_budget_is_one_line():
    command = [sys.executable, "-m", "lab.inject.fuzz", "frames", "--budget", "soon"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("lab.inject.fuzz: a budget is ")
    assert done.stderr.count("\n") == 1
