"""What a new user runs into: each ends in one line that says what was wrong, and leaves nothing."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lab.firmware import identify, pins, resolve

LAB = [sys.executable, "-m", "lab"]
SECONDS_MOST = 90


def lab(*arguments, env=None, **options):
    return subprocess.run(
        [*LAB, *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS_MOST,
        env=os.environ | (env or {}), **options,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def run_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path / "run/lab"
    lab("down")


def up(*more, **options):
    return lab("up", "--http-port", 0, "--console-port", 0, *more, **options)


def nothing_left(run_dir):
    return not run_dir.exists() or list(run_dir.iterdir()) == []


def refused(done, text, run_dir):
    """One line on stderr, which says `text`."""
    assert done.returncode == 1, done
    assert re.search(text, done.stderr), done.stderr
    assert done.stderr.startswith("lab: ") and done.stderr.count("\n") == 1, done.stderr
    assert nothing_left(run_dir)
    return True


@pytest.fixture(scope="module")
def firmware():
    return resolve(pins()[0].name)


def patched(data, change):
    """The image with `change(app, entry)` applied; checksum and hash of the app are right."""
    at = 0xF000  # the app, in an image that starts at 0x1000
    app = bytearray(data[at:])
    entry = int.from_bytes(app[4:8], "little")
    place, checksum = 24, 0xEF
    for _ in range(app[1]):
        load, size = (int.from_bytes(app[place + n : place + n + 4], "little") for n in (0, 4))
        if load <= entry < load + size:
            change(app, place + 8 + entry - load)
        for byte in app[place + 8 : place + 8 + size]:
            checksum ^= byte
        place += 8 + size
    end = (place | 15) + 1
    app[end - 1] = checksum
    app[end : end + 32] = hashlib.sha256(app[:end]).digest()
    return data[:at] + bytes(app)


@pytest.fixture
def panicking(tmp_path, firmware):
    """An image whose app dies on its first instructions, with valid checksum and hash."""

    def change(app, entry):
        app[entry + 3 : entry + 33] = bytes(30)  # behind ENTRY: illegal instructions

    path = tmp_path / "panics.bin"
    path.write_bytes(patched(firmware.data, change))
    identify(path)
    return path


def test_firmware_that_panics_at_boot(panicking, run_dir, tmp_path):
    done = up("--firmware", panicking)
    assert done.returncode == 1
    assert done.stderr.startswith("lab: the board did not bring its app up: it fails at boot (Fat")
    assert "the console shows:\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert nothing_left(run_dir)
    program = tmp_path / "program.py"
    program.write_text("print(1)")
    done = lab("run", "--firmware", panicking, program)
    assert done.returncode == 1
    assert done.stderr.startswith("lab: this firmware shows no MicroPython prompt")


def test_chip_thread_that_dies(run_dir):
    """The board of a running lab ends with an exception: told, and taken down."""
    code = """
import sys, threading
from lab.interrupt import signals
signals.install()
from lab import cli
from lab.targets import embedded
real = cli._keep_up
def keep_up(session):
    session.board.call(lambda: None)
    def die(*_):
        raise ValueError("a cosmic ray")
    session.board._advance = die
    return real(session)
cli._keep_up = keep_up
sys.exit(cli.main(["up", "--http-port", "0", "--console-port", "0"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          timeout=SECONDS_MOST)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("lab: the chip's thread ended: ValueError: a cosmic ray\n"
                                  "The board is dead; start it again")  # fmt: skip
    assert "Traceback" not in done.stderr
    assert nothing_left(run_dir)


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda i: b"hello\n" * 1000, "is no firmware for the ESP32: it is a text file"),
        (lambda i: b"\x89PNG\r\n\x1a\n" + bytes(5000), "it is a PNG picture"),
        (lambda i: b"", "it is an empty file"),
        (lambda i: i[:12] + b"\x09\x00" + i[14:], "is firmware for ESP32-S3; the lab's board is"),
        (lambda i: i[:700_000], "is truncated"),
        (lambda i: i[:0xF100] + b"\0\1" + i[0xF102:], "is damaged: the checksum of the app"),
        (lambda i: i[:-1] + bytes([i[-1] ^ 1]), "is damaged: the hash of the app"),
    ],
)
@pytest.mark.parametrize("how", ["up", "run", "up --detach"])
def test_wrong_firmware(how, make, text, run_dir, tmp_path, firmware):
    path = tmp_path / "image.bin"
    path.write_bytes(make(firmware.data))
    program = tmp_path / "program.py"
    program.write_text("print(1)")
    more = [program] if how == "run" else []
    done = lab(*how.split(), *more, env={"FIRMWARE": str(path)})
    done.stderr = done.stdout + done.stderr
    assert refused(done, text, run_dir)


@pytest.mark.parametrize(
    "arguments, env, text",
    [
        (["up"], {"LAB_LIBSLIRP": "libnothing.so"}, "libslirp is missing .*apt-get install"),
        (["up"], {"LAB_CACHE": "/etc/passwd"}, "cache /etc/passwd can't be used: Not a dir.*LAB_C"),
        (["up"], {"XDG_RUNTIME_DIR": "/proc/none"}, "state can't be kept in /proc/none/lab"),
        (["up", "--capture", "/nonexistent/x"], {}, "capture file /nonexistent/x: No such file"),
        (["up", "--capture", "/dev/full"], {}, "capture file /dev/full: No space left"),
        (["run", "/nonexistent.py"], {}, "/nonexistent.py: No such file"),
        (["run", "/tmp"], {}, "/tmp: Is a directory"),
        (["up", "--firmware", "nothing"], {}, "no firmware 'nothing': neither a file nor one of"),
    ],
)
def test_one_line(arguments, env, text, run_dir):
    done = lab(*arguments, env=env)
    done.stderr = done.stderr.splitlines(keepends=True)[-1] if done.stderr else ""
    assert refused(done, text, run_dir)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (["up", "--http-port", "99999"], "'99999' is no port: 0 (any free one) to 65535"),
        (["up", "--console-port", "-1"], "'-1' is no port"),
        (["up", "--http-port", "x"], "'x' is no port"),
        (["run", "--timeout", "0", "x"], "'0' is no time in seconds"),
    ],
)
def test_wrong_arguments(arguments, text, run_dir):
    done = lab(*arguments)
    assert done.returncode == 2
    assert text in done.stderr.splitlines()[-1]


def test_no_home(tmp_path, run_dir):
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "LAB_CACHE", "XDG_CACHE_HOME")}
    done = subprocess.run([*LAB, "status"], capture_output=True, text=True,
                          env=env | {"HOME": "/proc/none"}, timeout=60)  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    done = subprocess.run([*LAB, "up"], capture_output=True, text=True,
                          env=env | {"HOME": "/proc/none"}, timeout=60)  # fmt: skip
    assert refused(done, "cache /proc/none/.cache/lab can't be used: No such file", run_dir)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    where = tmp_path / "disk"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", where],
                          capture_output=True)  # fmt: skip
    if done.returncode:
        pytest.skip("may not mount a tmpfs here: " + done.stderr.decode().strip())
    yield where
    subprocess.run(["umount", "-l", where], check=True)


def fill(disk, leave=0):
    with open(disk / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))


@pytest.mark.parametrize("own_run_dir", [True, False])
def test_full_disk(own_run_dir, small_disk, run_dir, firmware, tmp_path):
    cache = small_disk / "cache/firmware"
    cache.mkdir(parents=True)
    shutil.copy(firmware.path, cache)
    before = sorted(small_disk.rglob("*"))
    fill(small_disk)
    env = {"LAB_CACHE": str(small_disk / "cache")}
    if own_run_dir:
        env["XDG_RUNTIME_DIR"] = str(small_disk)
    assert refused(up(env=env), r"No space left on device \(.*(LAB_CACHE|XDG_RUNTIME_DIR)", run_dir)
    (small_disk / "ballast").unlink()
    made = [p for p in small_disk.rglob("*") if p not in before and p.is_file()]
    assert [p for p in made if p.suffix not in (".lock",)] == []


def test_disk_that_fills_while_the_lab_runs(small_disk, run_dir):
    capture = small_disk / "capture.pcapng"
    fill(small_disk, leave=8192)
    done = up("--detach", "--capture", capture)
    assert done.returncode == 0, done.stderr
    state = json.loads(lab("status", "--json").stdout)
    for _ in range(3):  # the page still comes
        page = subprocess.run([sys.executable, "-c", "import urllib.request, sys;"
                               "print(urllib.request.urlopen(sys.argv[1], timeout=20).status)",
                               state["http_url"]], capture_output=True, text=True)  # fmt: skip
        assert page.stdout == "200\n", page.stderr
    assert lab("down").stdout == "stopped\n"
    assert nothing_left(run_dir)


def test_status_and_down_of_nothing(run_dir):
    assert (lab("status", "--json").stdout, lab("status", "--json").returncode) == ("null\n", 1)
    done = lab("down")
    assert (done.returncode, done.stdout) == (0, "no lab is running\n")
    assert nothing_left(run_dir)


@pytest.mark.parametrize("then", ["up", "status", "down"])
def test_killed_lab(then, run_dir):
    assert up("--detach").returncode == 0
    state = json.loads(lab("status", "--json").stdout)
    os.kill(state["pid"], 9)
    assert lab("status", "--json").stdout == "null\n"
    if then == "up":
        assert up("--detach").returncode == 0
        again = json.loads(lab("status", "--json").stdout)
        assert again["pid"] != state["pid"]
        assert lab("down").stdout == "stopped\n"
    else:
        told = lab(then).stdout
        assert told.startswith("no lab is running")
        assert told.endswith("the last one ended: it was killed\n")
    assert nothing_left(run_dir)


def test_two_labs(run_dir, tmp_path):
    """One a run directory; with another, both run, on ports of their own."""
    assert up("--detach").returncode == 0
    done = up()
    assert (
        done.stderr == "lab: a lab is running already: `lab status` shows it, `lab down` ends it\n"
    )
    assert done.returncode == 1
    other = {"XDG_RUNTIME_DIR": str(tmp_path / "other")}
    assert up("--detach", env=other).returncode == 0
    here = json.loads(lab("status", "--json").stdout)
    here.pop("board")  # its time goes on
    there = json.loads(lab("status", "--json", env=other).stdout)
    assert here["http_url"] != there["http_url"] and here["console_tcp"] != there["console_tcp"]
    assert lab("down", env=other).stdout == "stopped\n"
    again = json.loads(lab("status", "--json").stdout)
    assert again | {"board": None} == here | {"board": None}
    assert lab("down").stdout == "stopped\n"
    assert nothing_left(run_dir) and nothing_left(tmp_path / "other/lab")


def test_programs_that_fail(tmp_path, run_dir):
    program = tmp_path / "program.py"
    for source, status, errors in (
        ("raise ValueError('x')", 1, "ValueError: x\n"),
        ("def", 1, "SyntaxError: invalid syntax\n"),
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit('no luck')", 1, "no luck\n"),
        ("1/0", 1, "ZeroDivisionError: divide by zero\n"),
    ):
        program.write_text(source)
        done = lab("run", program)
        assert done.returncode == status
        assert done.stderr.endswith(errors)
        assert "console.py" not in done.stderr


@pytest.fixture
def running(run_dir):
    assert up("--detach").returncode == 0
    yield json.loads(lab("status", "--json").stdout)


def mpremote(place, *arguments):
    command = [sys.executable, "-m", "mpremote", "connect", place, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MOST)


@pytest.mark.parametrize("place", ["console_tcp", "console_pty"])
def test_mpremote(running, place, tmp_path):
    where = running[place]
    assert mpremote(where, "exec", "print(6 * 7)").stdout == "42\n"
    assert mpremote(where, "eval", "2 ** 70").stdout == f"{2**70}\n"
    assert "main.py" in mpremote(where, "ls").stdout
    data = bytes(range(256)) * 40
    (tmp_path / "data.bin").write_bytes(data)
    done = mpremote(where, "cp", str(tmp_path / "data.bin"), ":data.bin")
    assert done.returncode == 0, done.stdout + done.stderr
    done = mpremote(where, "cp", ":data.bin", str(tmp_path / "back.bin"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "back.bin").read_bytes() == data
    assert mpremote(where, "rm", ":data.bin").returncode == 0
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "hello.py").write_text("print('from the host')\n")
    done = mpremote(where, "mount", str(folder), "exec", "import hello")
    assert "from the host" in done.stdout, done.stdout + done.stderr
    done = mpremote(where, "soft-reset", "exec", "print('again')")
    assert "again" in done.stdout, done.stdout + done.stderr
    done = mpremote(where, "exec", "raise ValueError('x')")
    assert done.returncode == 1
    assert Path(running["capture"]).exists()
