"""The lab command as a user runs it."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

LAB = [sys.executable, "-m", "lab"]


def lab(*arguments, timeout=60, **options):
    return subprocess.run(
        [*LAB, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, **options
    )


@pytest.fixture
def program(tmp_path):
    def write(text):
        path = tmp_path / "program.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    "source, status, output",
    [
        ("print('hello')", 0, "hello\n"),
        ("import sys\nprint(__name__)\nsys.exit()", 0, "__main__\n"),
        ("import sys\nsys.exit(7)", 7, ""),
        ("for i in range(1000): print(i)", 0, "".join(f"{i}\n" for i in range(1000))),
    ],
)
def test_run_prints_and_exits_as_the_program_does(program, source, status, output):
    done = lab("run", program(source))
    assert (done.returncode, done.stdout, done.stderr) == (status, output, "")


def test_run_shows_the_traceback(program):
    done = lab("run", program("def f():\n    return 1 / 0\n\nprint('start')\nf()\n"))
    assert done.returncode == 1
    assert done.stdout == "start\n"
    assert done.stderr.splitlines() == [
        "Traceback (most recent call last):",
        '  File "program.py", line 5, in <module>',
        '  File "program.py", line 2, in f',
        "ZeroDivisionError: divide by zero",
    ]


def test_run_has_a_deadline_in_virtual_time(program):
    done = lab("run", "--timeout", 5, program("while True: pass"))
    assert done.returncode == 1
    assert "lab: the program did not end within 5 s" in done.stderr


def test_run_tells_of_a_reset(program):
    done = lab("run", program("import machine\nmachine.reset()"))
    assert done.returncode == 1
    assert done.stderr.startswith("lab: the program reset the board: software, CPU")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "/nonexistent.py"], "lab: /nonexistent.py: No such file or directory"),
        (["run", "--firmware", "/etc/passwd", "x"], "lab: x: No such file or directory"),
        (["firmware", "identify", "/etc/passwd"], "lab: /etc/passwd is no firmware"),
        (["firmware", "fetch", "nonsense"], "lab: no pinned firmware 'nonsense'"),
    ],
)
def test_mistakes_get_one_line(arguments, message):
    done = lab(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


def test_doctor():
    done = lab("doctor", "--json")
    found = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert done.returncode == 0
    assert found["libslirp"]["found"].startswith("4.")
    assert re.fullmatch(r"API version \d+", found["chip library"]["found"])


@pytest.fixture
def own_run_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield tmp_path / "lab"
    lab("down")


def up(*more):
    return lab("up", "--detach", "--http-port", 0, "--console-port", 0, *more)


def test_up_status_down(own_run_dir):
    done = up()
    assert done.returncode == 0, done.stderr + done.stdout
    state = json.loads(lab("status", "--json").stdout)
    assert state["http_url"] in done.stdout
    assert state["websocket_url"] in done.stdout
    with urllib.request.urlopen(state["http_url"], timeout=20) as page:
        assert b"ESP32 camera" in page.read()
    for place in (state["console_tcp"], state["console_pty"]):
        command = [sys.executable, "-m", "mpremote", "connect", place, "exec", "print(6*7)"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert answer.stdout.strip() == "42", answer.stderr
    assert Path(state["capture"]).stat().st_size > 1000
    again = up()
    assert again.returncode == 1
    assert "lab: a lab is running already" in again.stdout + again.stderr
    assert lab("down").stdout == "stopped\n"
    assert lab("status").returncode == 1
    stat = Path(f"/proc/{state['pid']}/stat")  # a machine without init may keep it as a zombie
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
    assert list(own_run_dir.iterdir()) == []


def test_up_where_a_directory_has_the_name_of_the_package(own_run_dir, tmp_path):
    (tmp_path / "lab").mkdir(exist_ok=True)
    command = [Path(sys.executable).with_name("lab"), "up", "--detach", "--http-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout


def test_ctrl_c_leaves_nothing(own_run_dir):
    command = [*LAB, "up", "--http-port", "0", "--console-port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("stop"):
                break
        state = json.loads((own_run_dir / "lab.json").read_text())
        process.send_signal(2)
        assert process.wait(20) == 0
    assert list(own_run_dir.iterdir()) == []
    port = int(state["http_url"].rstrip("/").rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_busy_port_is_named(own_run_dir):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = lab("up", "--http-port", port)
    assert done.returncode == 1
    assert f"lab: port {port} on 127.0.0.1 is taken" in done.stderr
    assert list(own_run_dir.iterdir()) == []


def test_crashed_lab_is_not_taken_for_a_running_one(own_run_dir):
    up()
    state = json.loads(lab("status", "--json").stdout)
    os.kill(state["pid"], 9)
    assert lab("status").stdout.startswith("no lab is running")
    assert up().returncode == 0
