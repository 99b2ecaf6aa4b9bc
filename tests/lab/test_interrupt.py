"""Ctrl-C, SIGTERM and SIGHUP at every moment of `lab`: a clean end, nothing left behind."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.firmware import pins, resolve

LAB = [sys.executable, "-m", "lab"]
LINES = ["firmware", "flash", "board", "page", "websocket", "capture", "stop"]
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
SECONDS_MOST = 30


@pytest.fixture
def place(monkeypatch, tmp_path):
    """Cache, run directory and temporary files of this test alone; nothing is compiled yet."""
    (tmp_path / "cache/firmware").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    shutil.copy(resolve(pins()[0].name).path, tmp_path / "cache/firmware")
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


def start(*arguments, **options):
    """`lab` as the leader of a process group and session of its own."""
    return subprocess.Popen(
        [*LAB, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, **options,
    )  # fmt: skip


def up(*more):
    return start("up", "--http-port", 0, "--console-port", 0, *more)


def wait_until_signals_are_caught(process):
    """Before that, the interpreter itself is starting and a signal is the interpreter's."""
    for _ in range(3000):
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        if caught >> (TERM - 1) & 1:
            return
        assert process.poll() is None
        time.sleep(0.001)
    raise AssertionError("lab never took its signals")


def left_running(session):
    """Processes of that session that still run."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            yield stat.parent.name


def said(process):
    """All output that was not read yet (communicate() would lose what is buffered)."""
    with process:
        rest, errors = process.stdout.read(), process.stderr.read()
        process.wait(SECONDS_MOST)
    return rest, errors


def end(process, place, output=""):
    """Wait; everything that must be gone is gone. Returns (status, output, errors)."""
    rest, errors = said(process)
    output += rest
    assert "Traceback" not in output + errors
    assert list(left_running(process.pid)) == []
    run = place / "run/lab"
    assert not run.exists() or list(run.iterdir()) == []
    assert list((place / "tmp").iterdir()) == []
    files = [path for path in (place / "cache").rglob("*") if path.is_file()]
    assert all(path.suffix in (".mpy", ".bin", ".lock") for path in files), files
    mpy = place / "cache/mpy"
    assert not mpy.exists() or all(path.is_file() for path in mpy.iterdir())
    for line in output.splitlines():
        for url in (word for word in line.split() if word.startswith(("http://", "socket://"))):
            with pytest.raises(OSError):
                socket.create_connection(("127.0.0.1", int(url.strip("/").rpartition(":")[2])), 5)
    return process.returncode, output, errors


def expected(number, output):
    """0 when the lab was up: when it has said how to stop it."""
    return 0 if "\nstop " in output else 128 + number


@pytest.mark.parametrize(
    "line, number",
    [(line, INT) for line in LINES]
    + [(line, number) for line in ("flash", "stop") for number in (TERM, HUP)],
)
def test_after_each_line(place, line, number):
    process, output = up(), ""
    for text in process.stdout:
        output += text
        if text.startswith(line):
            break
    os.killpg(process.pid, number)  # as a terminal does: to all of them
    status, output, errors = end(process, place, output)
    assert status == expected(number, output)
    assert errors == ("" if status == 0 else "lab: interrupted\n" if number == INT else
                      "lab: terminated\n")  # fmt: skip
    if line == "stop":
        assert (status, output.endswith("\nstopped\n")) == (0, True)


@pytest.mark.parametrize("seed", range(8))
def test_at_any_instant(place, seed):
    """Up to three signals of a kind, the first somewhere in the start, compiling included."""
    r = random.Random(seed)
    process = up()
    wait_until_signals_are_caught(process)
    number = r.choice([INT, INT, TERM])
    try:
        process.wait(r.uniform(0, 3))
        raise AssertionError("ended by itself")
    except subprocess.TimeoutExpired:
        pass
    for _ in range(r.randrange(1, 4)):
        if process.poll() is None:
            (os.killpg if r.random() < 0.5 else os.kill)(process.pid, number)
    status, output, _ = end(process, place)
    assert status == expected(number, output)


@pytest.mark.parametrize("line", ["firmware", "board", "stop"])
def test_ctrl_c_again_and_again(place, line):
    process, output = up(), ""
    for text in process.stdout:
        output += text
        if text.startswith(line):
            break
    while process.poll() is None:  # through the whole shutdown
        os.kill(process.pid, INT)
    status, output, _ = end(process, place, output)
    assert status == expected(INT, output)


def test_nobody_reads_what_lab_says(place):
    """A pipe that is full must not keep a lab from ending."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, bytes(4096))
    except BlockingIOError:
        pass
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        [*LAB, "up", "--http-port", "0"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    wait_until_signals_are_caught(process)
    os.kill(process.pid, TERM)
    try:
        assert process.wait(SECONDS_MOST) == 143
        assert process.stderr.read() == "lab: terminated\n"
    finally:
        os.close(reading)
        process.stderr.close()


@pytest.mark.parametrize("number", [INT, TERM])
@pytest.mark.parametrize("line", ["firmware", "flash"])
def test_detached_start_is_ended_as_a_whole(place, line, number):
    process, output = up("--detach"), ""
    for text in process.stdout:
        output += text
        if text.startswith(line):
            break
    os.kill(process.pid, number)
    rest, errors = said(process)
    assert (process.returncode, "stop " in rest) == (128 + number, False)
    assert "Traceback" not in output + rest + errors
    assert list((place / "run/lab").iterdir()) == []
    assert subprocess.run([*LAB, "status"], capture_output=True).returncode == 1


def test_down_ends_a_lab_that_starts_up(place):
    process, output = up(), ""
    for text in process.stdout:
        output += text
        if text.startswith("firmware"):
            break
    told = subprocess.run([*LAB, "status"], capture_output=True, text=True)
    assert told.stdout.startswith(f"a lab is starting up (process {process.pid})")
    assert subprocess.run([*LAB, "down"], capture_output=True, text=True).stdout == "stopped\n"
    assert end(process, place, output)[0] == 143


def test_down_of_a_lab_that_does_not_end(place):
    """Ctrl-C ends the waiting; the lab has its signal."""
    process, output = up(), ""
    for text in process.stdout:
        output += text
        if text.startswith("stop"):
            break
    os.kill(process.pid, signal.SIGSTOP)
    try:
        down = start("down")
        wait_until_signals_are_caught(down)
        os.kill(down.pid, INT)
        assert said(down) == ("", "lab: interrupted\n")
        assert down.returncode == 130
        os.kill(process.pid, TERM)  # `down` may have been stopped before it sent its own
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert end(process, place, output)[0] == 0


@pytest.mark.parametrize("number", [INT, TERM])
@pytest.mark.parametrize(
    "source",
    ["print('here')\nwhile True: pass", "print('here')\nimport time\ntime.sleep(10**8)",
     "while True: print('here')"],
)  # fmt: skip
def test_run_a_program_that_never_ends(place, source, number):
    program = place / "program.py"
    program.write_text(source)
    process = start("run", program)
    assert process.stdout.readline() == "here\n"
    os.killpg(process.pid, number)
    status, _, errors = end(process, place)
    assert status == 128 + number
    assert errors == ("lab: interrupted\n" if number == INT else "lab: terminated\n")


@pytest.mark.parametrize("seed", range(4))
def test_run_at_any_instant(place, seed):
    program = place / "program.py"
    program.write_text("while True: pass")
    process = start("run", program)
    wait_until_signals_are_caught(process)
    try:
        process.wait(random.Random(seed).uniform(0, 1.5))
    except subprocess.TimeoutExpired:
        pass
    os.killpg(process.pid, INT)
    assert end(process, place)[0] == 130


@pytest.mark.parametrize("number", [INT, TERM])
def test_repl_on_a_fresh_board(place, number):
    process = start("repl", stdin=subprocess.PIPE)
    shown = ""
    while not shown.endswith(">>> "):
        shown += process.stdout.read(1)
    os.killpg(process.pid, number)
    assert end(process, place)[0] == 128 + number


def test_repl_while_it_boots(place):
    process = start("repl", stdin=subprocess.PIPE)
    wait_until_signals_are_caught(process)
    os.killpg(process.pid, INT)
    assert end(process, place)[0] == 130


def test_a_download_that_stalls(place, monkeypatch):
    """The package index takes the connection and says nothing."""
    (next((place / "cache/firmware").iterdir())).unlink()
    with socket.socket() as index:
        index.bind(("127.0.0.1", 0))
        index.listen()
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:%d/simple" % index.getsockname()[1])
        process = up()
        connection, _ = index.accept()
        with connection:
            os.kill(process.pid, INT)
            assert end(process, place)[0] == 130
