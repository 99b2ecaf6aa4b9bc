"""Orders to a running lab: `lab camera`, `lab status`, and the socket behind them."""

import io
import json
import os
import socket
import stat
import subprocess
import sys
import time

import pytest
import websockets.sync.client
from PIL import Image

from lab import LabError
from lab.control import LINE_MOST, ControlServer, ask, ask_status, describe
from lab.targets.embedded import EmbeddedBoard

LAB = [sys.executable, "-m", "lab"]
TIMEOUT = 30


def lab(*arguments, **options):
    return subprocess.run(
        [*LAB, *map(str, arguments)], capture_output=True, text=True, timeout=60, **options
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A detached lab for all tests here; returns its run directory."""
    base = tmp_path_factory.mktemp("run")
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(base)
    done = lab("up", "--detach", "--http-port", 0, "--console-port", 0)
    assert done.returncode == 0, done.stdout + done.stderr
    yield base / "lab"
    assert lab("down").stdout == "stopped\n"
    assert list((base / "lab").iterdir()) == []
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before


@pytest.fixture
def camera(running):
    """A WebSocket to the camera of the running lab, which sees the test card."""
    lab("camera", "card")
    url = json.loads(lab("status", "--json").stdout)["http_url"]
    with websockets.sync.client.connect(url.replace("http", "ws") + "camera") as ws:
        yield ws


@pytest.fixture
def red(tmp_path):
    Image.new("RGB", (32, 24), "red").save(tmp_path / "red.png")
    return tmp_path / "red.png"


def wait_for_picture(ws, wanted):
    """The first picture whose middle is as `wanted(red, green, blue)` says."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        message = ws.recv(timeout=TIMEOUT)
        if isinstance(message, bytes):
            image = Image.open(io.BytesIO(message))
            if wanted(*image.getpixel((image.width // 2, image.height // 4))):
                return
    raise AssertionError("no such picture came")


def is_red(red, green, blue):
    return red > 220 and green < 30 and blue < 30


def test_socket_is_for_its_owner_only(running):
    mode = (running / "control.sock").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_camera_swaps_live(camera, red):
    wait_for_picture(camera, lambda *rgb: not is_red(*rgb))
    done = lab("camera", red.name, cwd=red.parent)  # as the caller's directory has it
    assert (done.returncode, done.stdout) == (0, f"the camera sees {red}\n")
    wait_for_picture(camera, is_red)
    assert lab("camera", red.parent).stdout == f"the camera sees {red.parent}\n"
    assert lab("camera").stdout == f"the camera sees {red.parent}\n"
    assert lab("camera", "card").stdout == "the camera sees test card\n"
    wait_for_picture(camera, lambda *rgb: not is_red(*rgb))


@pytest.mark.parametrize(
    "name, why",
    [
        ("none.png", "no such file or folder (`card` is the test card)"),
        ("text.txt", "is no image that can be read (JPEG, PNG, ...)"),
        ("empty", "has no images (.bmp, .gif, .jpeg, .jpg, .png, .webp)"),
    ],
)
def test_what_is_no_picture_changes_nothing(camera, tmp_path, name, why):
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    done = lab("camera", tmp_path / name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"lab: {tmp_path / name}")
    assert why in done.stderr and len(done.stderr.splitlines()) == 1
    assert lab("camera").stdout == "the camera sees test card\n"


def test_status_shows_led_and_gpio(camera):
    for on, led, level in ((True, "on", "high"), (False, "off", "low")):
        camera.send(json.dumps({"led": on}))
        while isinstance(message := camera.recv(timeout=TIMEOUT), bytes):
            pass
        assert json.loads(message) == {"led": on}
        board = json.loads(lab("status", "--json").stdout)["board"]
        assert board["led"] is on and board["gpio"]["2"] is on
        assert board["camera"] == "test card"
        lines = lab("status").stdout.splitlines()
        assert f"led       {led}" in lines
        assert any(line.startswith("gpio") and f" 2 {level}" in line for line in lines)


def test_clock_goes_on_and_resets_are_counted(running):
    first = ask(running, {"status": True})
    assert first["resets"] == 0 and first["events"] == []
    assert first["virtual_seconds"] > 1
    deadline = time.monotonic() + TIMEOUT
    while ask(running, {"status": True})["virtual_seconds"] <= first["virtual_seconds"]:
        assert time.monotonic() < deadline, "the clock stands"  # two may be answered in one slice


@pytest.mark.parametrize(
    "line, why",
    [
        (b"no json\n", "a request is a JSON object in one line"),
        (b"\xff\xfe\n", "a request is a JSON object in one line"),
        (b"[]\n", "no such request: []"),
        (b'{"status": false}\n', 'no such request: {"status": false}'),
        (b'{"camera": 1}\n', 'no such request: {"camera": 1}'),
        (b'{"dance": true}\n', 'no such request: {"dance": true}'),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
def test_other_requests_are_refused_and_the_next_is_taken(running, line, why):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(str(running / "control.sock"))
        with connection.makefile("rwb") as file:
            file.write(line)
            file.flush()
            assert json.loads(file.readline()) == {"error": why}
            file.write(b'{"status": true}\n')
            file.flush()
            assert "led" in json.loads(file.readline())


def test_endless_request_is_cut_off(running):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(str(running / "control.sock"))
        with connection.makefile("rwb") as file:
            file.write(b"x" * LINE_MOST)
            file.flush()
            assert file.read() == b'{"error": "too long"}\n'


def test_no_lab(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    done = lab("camera", "card")
    assert done.returncode == 1
    assert done.stderr == "lab: no lab is running; `make lab` or `lab up` starts one\n"


def test_name_too_long_for_a_socket(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 100)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    done = lab("camera", "card")
    assert done.returncode == 1
    assert "too long for a socket (107 bytes at most); set XDG_RUNTIME_DIR" in done.stderr


def test_killed_lab_leaves_a_socket_that_is_in_nobodys_way(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    lab("up", "--detach", "--http-port", 0, "--console-port", 0)
    os.kill(json.loads(lab("status", "--json").stdout)["pid"], 9)
    done = lab("camera", "card")
    assert done.returncode == 1
    assert done.stderr.startswith("lab: no lab is running")
    assert lab("up", "--detach", "--http-port", 0, "--console-port", 0).returncode == 0
    assert lab("camera", "card").returncode == 0
    lab("down")
    assert list((tmp_path / "lab").iterdir()) == []


def test_board_that_is_off_says_so(booted_repl, tmp_path):
    board = EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot, pace="eager")
    server = ControlServer(board, tmp_path)
    try:
        assert ask(tmp_path, {"status": True})["camera"] is None
        for request, why in (
            ({"camera": "card"}, "this board has no camera"),
            ({"status": True}, "the board is switched off"),
        ):
            if "status" in request:
                board.close()
            with pytest.raises(LabError, match=why):
                ask(tmp_path, request)
        assert describe(ask_status(tmp_path)) == "board     the board is switched off"
    finally:
        server.close()
        board.close()
    assert list(tmp_path.iterdir()) == []
