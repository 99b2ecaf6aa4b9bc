"""The comparison with the published microdot: it runs, and on the board it repeats exactly."""

import json
import subprocess
import sys

import pytest

from lab.peers import board, host
from lab.peers.__main__ import better, number
from lab.peers.client import KEY, frame, framed, handshake
from lab.peers.packages import ours, peer
from lab.pinned import PackageError


@pytest.fixture(scope="module")
def published():
    try:
        return peer()
    except PackageError as error:
        pytest.skip(str(error))


def test_board_figures_repeat_exactly():
    def figures():
        with board.serving(ours()) as run:
            run.imports()
            run.echo(64)
            run.send_stream(1024)
            return run.figures

    first = figures()
    assert first["echo 64 instructions"] > 1000
    assert first["send 1024 MB/s"] > 0
    assert first["import all RAM"] > first["import core RAM"] > 0
    assert figures() == first


def test_published_one_serves_the_same_app_on_the_board(published):
    with board.serving(published) as run:
        run.echo(1024)
        run.receive_stream(64)
    assert run.figures["echo 1024 round trips/s"] > 0
    assert run.figures["receive 64 MB/s"] > 0


def test_ours_takes_no_more_of_the_board_than_the_published_one(published):
    found = []
    for framework in (published, ours()):
        with board.serving(framework) as run:
            run.imports()
            run.memory()
        with board.serving(framework) as other:
            other.send_stream(1024)
        found.append(run.figures | other.figures)
    theirs, mine = found
    for name in ("import core RAM", "import all RAM", "RAM idle connection", "RAM busy connection"):
        assert mine[name] <= theirs[name], name
    assert mine["send 1024 MB/s"] >= theirs["send 1024 MB/s"]


@pytest.mark.parametrize("target", host.TARGETS)
def test_both_serve_the_same_app_on_this_machine(published, target, monkeypatch):
    monkeypatch.setattr(host, "SIZES", (64, 4096))
    monkeypatch.setattr(host, "GOES", 1)
    monkeypatch.setattr(host, "ECHO_SECONDS", 0.01)
    monkeypatch.setattr(host, "STREAM_BYTES", 1 << 16)
    try:
        found = host.measure(target, (published, ours()))
    except PackageError as error:
        pytest.skip(str(error))
    assert list(found) == ["microdot 2.7.0", "ours"]
    for figures in found.values():
        for way, (unit, _) in host.KINDS.items():
            assert figures[f"{way} 64 {unit}"] > 0
            assert figures[f"{way} 4096 {unit}"] > 0


def test_client_frames_are_true():
    for size in (0, 5, 125, 126, 65535, 65536):
        data = bytes(n & 255 for n in range(size))
        made = frame(data)
        head = len(made) - size
        assert made[head - 4 : head] == KEY
        assert bytes(b ^ KEY[n % 4] for n, b in enumerate(made[head:])) == data
        assert framed(size) == len(made) - 4
    assert handshake("/echo") == handshake("/echo")


def test_how_figures_are_shown():
    assert better("echo 64 instructions", 100, 300) == "3.00x"
    assert better("send 64 MB/s", 300, 100) == "3.00x"
    assert better("send 64 MB/s", 1, None) == ""
    assert (number(None), number(1234.5), number(0.01234)) == ("fails", "1234", "0.0123")


def test_command_writes_json(tmp_path, published):
    out = tmp_path / "peers.json"
    command = [sys.executable, "-m", "lab.peers", "--target", "CPython", "--json", str(out)]
    command += ["--size", "64"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["CPython"]["ours"]["echo 64 round trips/s"] > 0
    assert "better by" in done.stdout
