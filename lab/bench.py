"""`make bench`: figures of this machine. Medians, and how each was measured."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import websockets.sync.client

from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.inject.fuzz.bench import bench_fuzz
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.targets.embedded import EmbeddedBoard

LOOP = "def f(n):\n for i in range(n): pass\n"
RSS = """
import resource
from lab.firmware import resolve
from lab.flash import build_image
from lab.targets.embedded import EmbeddedBoard
with EmbeddedBoard(build_image(resolve(), {})) as board:
    board.console.wait_for_prompt(60)
    board.console.run("for i in range(100000): pass")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def timed(function: Callable[[], object]) -> float:
    """Seconds of wall time."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def show(name: str, values: list[float], unit: str, how: str) -> None:
    """One line: median, and the spread in brackets."""
    median, low, high = statistics.median(values), min(values), max(values)
    print(f"{name:22} {median:9.2f} {unit:6} ({low:.2f} .. {high:.2f}, n={len(values)})  {how}")


def bench_boot(image: bytes) -> None:
    def boot() -> None:
        with EmbeddedBoard(image) as board:
            board.console.wait_for_prompt(60)

    show("reset to prompt", [1000 * timed(boot) for _ in range(9)], "ms", "formatted filesystem")


def bench_speed(image: bytes) -> None:
    with EmbeddedBoard(image) as board:
        board.console.wait_for_prompt(60)
        board.console.run(LOOP)
        speeds = []
        for _ in range(9):
            before = board.chip.instructions()
            seconds = timed(lambda: board.console.run("f(500000)"))
            speeds.append((board.chip.instructions() - before) / seconds / 1e6)
        show(
            "interpreter", speeds, "MIPS", "for i in range(500000): pass, both cores' instructions"
        )
        board.snapshot()
        saves, loads = [], []
        for _ in range(21):
            start = time.perf_counter()
            snapshot = board.snapshot()
            middle = time.perf_counter()
            board.restore(snapshot)
            saves.append(1000 * (middle - start))
            loads.append(1000 * (time.perf_counter() - middle))
            board.console.mark()
            board.console.run("f(100)")
        show("snapshot", saves, "ms", f"{snapshot.size} bytes, board at its prompt")
        show("restore", loads, "ms", "of the same")


def bench_memory() -> None:
    done = subprocess.run([sys.executable, "-c", RSS], capture_output=True, text=True, check=True)
    show("resident memory", [int(done.stdout) / 1024], "MB", "Python and one board, after a loop")


def bench_echo() -> None:
    switch = Switch()
    gateway = Gateway(switch, [HostForward(80)])
    firmware = resolve()
    image = build_image(firmware, board_files(firmware))
    try:
        with EmbeddedBoard(image, switch, "eager") as board:
            board.console.wait_for("lab: http on", 60)
            url = "ws://{}:{}/echo".format(*gateway.forwards[80])
            with websockets.sync.client.connect(url) as ws:

                def echo() -> None:
                    ws.send("x" * 64)
                    ws.recv()

                trips = [1000 * timed(echo) for _ in range(101)]
            show("WebSocket echo", trips, "ms", "64 bytes, through gateway, eager pace")
    finally:
        gateway.stop()


def bench_inject() -> None:
    """Every fourth case of the frame tables in one process, by the processor time it takes: from
    the snapshot to the verdict on the conversation, then with all looks at the board as well; and
    the wall time of all stream cases. Instructions do not depend on what else runs here."""
    from lab.inject import catalog
    from lab.inject.board_rig import open_rig

    streams = ",".join(dict.fromkeys(case.group for case in catalog.stream_cases()))
    frames = "header,mask,length,control,utf8,close"
    cases = catalog.choose(catalog.all_cases(), frames)[::4]
    with open_rig() as rig:
        talks, rates = [], []
        for _ in range(3):
            start = time.process_time()
            for case in cases:
                rig.converse(case)
            middle = time.process_time()
            done = [rig.run(case) for case in cases]
            talks.append(len(cases) / (middle - start))
            rates.append(len(cases) / (time.process_time() - middle))
        if problems := [outcome.why for outcome in done if outcome.why]:
            sys.exit(problems[0])
    show("injected", talks, "1/s", "cases in a second of one core: restore, inject, verdict")
    show("injected, all looks", rates, "1/s", f"the same {len(cases)} frame cases, and the board")
    costs = [outcome.instructions / 1e6 for outcome in done]
    show("an injected case", costs, "Minstr", "with all looks at the board after it")
    with tempfile.TemporaryDirectory() as scratch:
        lab = [sys.executable, "-m", "lab", "inject", "--cases", streams, "--report", scratch]
        seconds = [timed(lambda: quietly(lab, {**os.environ}))]
    show("all stream cases", seconds, "s", "lab inject, all looks, a process for each core")


def bench_up() -> None:
    """From the command to a page that has been served; downloads and compiling are done."""
    lab = [sys.executable, "-m", "lab"]
    seconds = []
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "XDG_RUNTIME_DIR": scratch}
        up = [*lab, "up", "--detach", "--http-port", "0", "--console-port", "0"]
        for _ in range(5):
            seconds.append(timed(lambda: quietly(up, environment)))
            quietly([*lab, "down"], environment)
    show("lab up", seconds, "s", "until its page has been fetched, --detach")


def quietly(command: list[str], environment: dict[str, str]) -> None:
    """Run it; what it prints is shown when it fails. Raises SystemExit."""
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(done.stdout)


def main() -> None:
    """All of them."""
    image = build_image(resolve(), {})
    bench_boot(image)
    bench_speed(image)
    bench_memory()
    bench_echo()
    bench_inject()
    bench_fuzz(show)
    bench_up()


if __name__ == "__main__":
    main()
