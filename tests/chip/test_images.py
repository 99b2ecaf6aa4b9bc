"""Every pinned image boots and runs: other MicroPython releases on other ESP-IDF, one chip."""

import contextlib
import io
import re

import pytest

from lab.firmware import FirmwareError, Pin, identify, pins, resolve
from lab.flash import build_image
from lab.targets.embedded import EmbeddedBoard

BOOT_SECONDS = 60
# means the same to every release and to CPython
PROGRAM = """
import sys
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(15), 3 ** 200 % 1000007, -7 // 2, '%.3f' % (2 / 3), sum(x * x for x in range(1000)))
try:
    {}['missing']
except KeyError as error:
    print('KeyError', error.args[0])
print(sorted('microdot'), bytes(range(5)), {n: n * n for n in range(3)})
try:
    import hashlib
except ImportError:
    import uhashlib as hashlib
print(hashlib.sha256(b'esp32').digest())
"""


@pytest.fixture(scope="module", params=pins(), ids=lambda pin: pin.name)
def pin(request) -> Pin:
    try:
        resolve(request.param.name)
    except FirmwareError as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture
def at_prompt(pin):
    with EmbeddedBoard(build_image(resolve(pin.name), {})) as board:
        board.console.wait_for_prompt(BOOT_SECONDS)
        yield board


def test_is_identified(pin):
    found = identify(pin.cached)
    assert found.data == resolve(pin.name).data
    assert found.release == tuple(int(n) for n in pin.micropython.split("."))[:2]


def test_is_what_the_pin_says(pin, at_prompt):
    console = at_prompt.console
    release = console.eval("__import__('os').uname().release")
    assert release == repr(pin.micropython)
    mpy = int(console.run(
        "import sys\ns = sys.implementation\nprint(getattr(s, '_mpy', None) or s.mpy)"
    ))  # fmt: skip
    version, _, minor = pin.mpy.partition(".")
    assert mpy & 0xFF == int(version)
    if minor:
        assert mpy >> 8 & 3 == int(minor)


def test_boots_without_anything_unknown(at_prompt):
    assert list(at_prompt.log) == []


def test_formats_an_erased_filesystem(pin):
    with EmbeddedBoard(build_image(resolve(pin.name))) as board:
        board.console.wait_for_prompt(BOOT_SECONDS)
        assert "boot.py" in board.console.eval("__import__('os').listdir()")
        board.console.run("with open('kept', 'w') as f:\n    f.write('yes')")
        board.power_cycle()
        board.console.wait_for_prompt(BOOT_SECONDS)
        assert board.console.eval("open('kept').read()") == "'yes'"


def test_runs_a_program_as_cpython_does(at_prompt):
    expected = io.StringIO()
    with contextlib.redirect_stdout(expected):
        exec(PROGRAM, {})
    assert at_prompt.console.run(PROGRAM) == expected.getvalue()


def test_sleeps_its_time(at_prompt):
    slept = at_prompt.console.run(
        "import time\nstart = time.ticks_us()\ntime.sleep_ms(250)\n"
        "print(time.ticks_diff(time.ticks_us(), start))"
    )
    assert 249_000 <= int(slept) <= 262_000  # a FreeRTOS tick is 10 ms


def test_bad_pointer_panics_and_reboots(at_prompt):
    at_prompt.console.write(b"import machine; machine.mem32[0]\r")
    text = at_prompt.console.wait_for(re.compile(rb"Rebooting\.\.\."), 30)
    assert "LoadProhibited" in text
    at_prompt.console.wait_for_prompt(30)
    assert [event.kind for event in at_prompt.events] == ["panic", "reset"]


def test_timer_interrupts_arrive(at_prompt):
    count = at_prompt.console.run(
        "import machine, time\nn = [0]\ndef tick(t):\n    n[0] += 1\n"
        "timer = machine.Timer(0)\ntimer.init(period=20, callback=tick)\n"
        "time.sleep_ms(1010)\ntimer.deinit()\nprint(n[0])"
    )
    assert 49 <= int(count) <= 51


def test_idles_for_minutes(at_prompt):
    """ESP-IDF's task watchdog is fed by its own interrupt; older releases enable that with
    LEVEL_INT_EN of WDTCONFIG0 alone."""
    at_prompt.run_for(120)
    assert at_prompt.events == []
    assert at_prompt.console.eval("1+1") == "2"
