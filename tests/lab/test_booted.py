"""Booted boards in the cache: the same board comes back, and damage only costs a boot."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from hw.camera.sensor import Vc0706
from lab import booted as module
from lab.booted import booted
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets.embedded import EmbeddedBoard


@pytest.fixture
def cache(tmp_path, monkeypatch, repl_image):
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))
    return tmp_path / "booted"


@pytest.fixture
def boots(monkeypatch):
    """Counts the boots."""
    made = []

    def counted(*arguments, true=module.boot):
        made.append(arguments)
        return true(*arguments)

    monkeypatch.setattr(module, "boot", counted)
    return made


def the_file(cache):
    (path,) = cache.glob("*.state")
    return path


def works(state):
    with EmbeddedBoard(state.image, snapshot=state.snapshot) as board:
        return board.console.eval("6 * 7") == "42"


def test_boots_once_then_goes_on_from_the_file(cache, boots, repl_image):
    first = booted(repl_image, "prompt")
    second = booted(repl_image, "prompt")
    assert len(boots) == 1
    assert bytes(first.snapshot.chip) == bytes(second.snapshot.chip)
    assert first.console == second.console and first.console.endswith(">>> ")
    assert works(second)
    assert not list(cache.glob("*.tmp"))


def test_another_seed_image_or_library_is_another_boot(cache, boots, repl_image, monkeypatch):
    booted(repl_image, "prompt")
    booted(repl_image, "prompt", seed=2)
    booted(repl_image[:-1] + b"\0", "prompt")
    other = cache.parent / "libother.so"
    other.write_bytes(b"another chip")
    monkeypatch.setattr(module, "LIBRARY", other)
    booted(repl_image, "prompt")
    assert len(boots) == 4
    assert len(list(cache.glob("*.state"))) == 4


def test_what_was_not_used_for_longest_is_forgotten(cache, boots, repl_image, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 2)
    for seed in (1, 2):
        booted(repl_image, "prompt", seed)
    for age, path in enumerate(sorted(cache.glob("*.state"), key=lambda p: p.stat().st_mtime)):
        os.utime(path, (1000 + age, 1000 + age))
    booted(repl_image, "prompt", 1)  # used again
    booted(repl_image, "prompt", 3)
    assert len(list(cache.glob("*.state"))) == 2
    booted(repl_image, "prompt", 1)
    assert len(boots) == 3
    booted(repl_image, "prompt", 2)
    assert len(boots) == 4


def damage_nothing_left(data):
    return b""


def damage_cut(data):
    return data[: len(data) // 2]


def damage_a_bit(data):
    return data[:1000] + bytes([data[1000] ^ 1]) + data[1001:]


def damage_format(data):
    return b"lab booted 0\n" + data[13:]


def damage_garbage(data):
    return os.urandom(1000)


@pytest.mark.parametrize(
    "damage",
    [damage_nothing_left, damage_cut, damage_a_bit, damage_format, damage_garbage],
    ids=lambda damage: damage.__name__.removeprefix("damage_"),
)
def test_a_damaged_file_is_replaced(cache, boots, repl_image, damage):
    booted(repl_image, "prompt")
    good = the_file(cache).read_bytes()
    the_file(cache).write_bytes(damage(good))
    assert works(booted(repl_image, "prompt"))
    assert len(boots) == 2
    assert the_file(cache).read_bytes() == good


def test_a_state_of_another_chip_version_is_replaced(cache, boots, repl_image):
    made = booted(repl_image, "prompt")
    chip = bytearray(bytes(made.snapshot.chip))
    chip[:16] = bytes(16)  # its header
    wrong = module.Booted(
        repl_image,
        module.BoardSnapshot(module.Snapshot.from_bytes(bytes(chip)), None),
        made.console,
    )
    the_file(cache).write_bytes(module.pack(wrong))
    assert works(booted(repl_image, "prompt"))
    assert len(boots) == 2


def test_a_serving_board_keeps_its_camera_and_its_address(cache, app_image):
    first, second = booted(app_image, "serving"), booted(app_image, "serving")
    assert first.snapshot.camera == second.snapshot.camera
    assert "lab: camera: VC0706" in second.console
    switch = Switch()
    with EmbeddedBoard(
        app_image, switch, snapshot=second.snapshot, camera=Vc0706()
    ) as board:  # fmt: skip
        router = Router(switch, board.clock)
        connection = router.connect("10.0.2.15", 80)
        assert board.step_until(lambda: connection.established, 10)


RACER = """
import sys
from lab.booted import booted
from lab.firmware import resolve
from lab.flash import build_image
state = booted(build_image(resolve(), {}), "prompt")
import hashlib
print(hashlib.sha256(bytes(state.snapshot.chip)).hexdigest())
"""


def test_processes_that_race_agree(tmp_path):
    from lab.cache import cache_dir

    (tmp_path / "firmware").symlink_to(cache_dir() / "firmware")
    environment = {**os.environ, "LAB_CACHE": str(tmp_path)}

    def race(_):
        return subprocess.run(
            [sys.executable, "-c", RACER], env=environment, capture_output=True, text=True,
            timeout=100, check=True,
        ).stdout  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(race, range(4)))
    assert len(set(digests)) == 1 and len(digests[0].strip()) == 64
    assert len(list((tmp_path / "booted").glob("*.state"))) == 1
    assert not list((tmp_path / "booted").glob("*.tmp"))
