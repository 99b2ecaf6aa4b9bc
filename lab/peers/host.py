"""The comparison on this machine: CPython, and MicroPython's unix port, over loopback.

Wall-clock figures, of which only the ratios of one run mean something, and the server's CPU time
for each message, which depends less on what else the machine does.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lab import LabError
from lab.peers.client import HEAD_END, TEXT, frame, framed, handshake, payload
from lab.peers.packages import APP, Framework
from lab.pinned import MICROPYTHON

SIZES: tuple[int, ...] = (64, 1024, 4096, 16384, 65536, 1 << 20)
GOES = 3  # of which the median counts
ECHO_SECONDS = 0.3  # for each size and go
STREAM_BYTES = 4 << 20
START_SECONDS = 20

IMPORT = re.compile(r"import: core (\d+) us (-?\d+) bytes, with websocket (\d+) us (-?\d+) bytes")

Figures = dict[str, float]


def cpython(framework: Framework) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the app on this Python."""
    return [sys.executable], {"PYTHONPATH": str(framework.root)}


def unix_port(framework: Framework) -> tuple[list[str], dict[str, str]]:
    """Command and environment of the app on MicroPython's unix port. Raises PackageError."""
    home = MICROPYTHON.install()
    path = f".frozen:{framework.root}:{APP}"
    return [sys.executable, str(home / "micropython.py")], {"MICROPYPATH": path}


TARGETS = {"CPython": cpython, "MicroPython unix": unix_port}


class Client:
    """A blocking WebSocket client on a raw socket, bound to one connection."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(handshake(path))
        head = b""
        while HEAD_END not in head:
            part = self.socket.recv(4096)
            if not part:
                raise LabError("the server closed instead of answering the handshake")
            head += part
        self._buffer = bytearray(1 << 16)

    def receive(self, size: int) -> None:
        """So many bytes. Raises LabError when the server closes."""
        while size:
            got = self.socket.recv_into(self._buffer, min(size, len(self._buffer)))
            if not got:
                raise LabError("the server closed the connection")
            size -= got

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


@contextmanager
def serving(target: str, framework: Framework) -> Iterator[tuple[int, int, Figures]]:
    """The app: its port, its process, and what it said of its import. Raises LabError."""
    command, environment = TARGETS[target](framework)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, str(APP / "served.py"), str(port)],
        env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, cwd=Path("/"),
    )  # fmt: skip
    try:
        assert process.stdout
        said = ""
        for line in process.stdout:
            said += line
            if line == "serving\n":
                break
        else:
            raise LabError(f"{framework.name} does not start on {target}:\n{said}")
        match = IMPORT.search(said)
        figures: Figures = {}
        if match:
            core_us, core, all_us, everything = map(int, match.groups())
            figures |= {"import core ms": core_us / 1000, "import all ms": all_us / 1000}
            if everything:
                figures |= {"import core RAM": core, "import all RAM": everything}
        yield port, process.pid, figures
    finally:
        process.kill()
        process.wait(START_SECONDS)
        process.stdout and process.stdout.close()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far (proc(5), /proc/pid/schedstat); 0 where there is none."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0


def measure_echo(port: int, size: int) -> tuple[float, int]:
    """Round trips a second, and how many there were."""
    message, back = frame(payload(size)), framed(size)
    with Client(port, "/echo") as client:
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < ECHO_SECONDS:
            client.socket.sendall(message)
            client.receive(back)
            count += 1
        return count / spent, count


def measure_receive(port: int, size: int) -> tuple[float, int]:
    """MB/s into the server, and how many messages. Each has a send() of its own, since 2.7.0 ends
    when a header comes in two pieces."""
    count = max(2, min(2000, STREAM_BYTES // size // (1 if size > 16384 else 4)))
    message = frame(payload(size))
    with Client(port, "/sink") as client:
        start = time.perf_counter()
        client.socket.sendall(frame(b"%d" % count, TEXT))
        for _ in range(count):
            client.socket.sendall(message)
        client.receive(framed(len("done")))
        return size * count / (time.perf_counter() - start) / 1e6, count


def measure_send(port: int, size: int) -> tuple[float, int]:
    """MB/s out of the server, and how many messages."""
    count = max(2, min(2000, STREAM_BYTES // size))
    with Client(port, "/source") as client:
        start = time.perf_counter()
        client.socket.sendall(frame(b"%d %d" % (count, size), TEXT))
        client.receive(count * framed(size))
        return size * count / (time.perf_counter() - start) / 1e6, count


# way -> unit, and what measures it
KINDS = {
    "echo": ("round trips/s", measure_echo),
    "receive": ("MB/s", measure_receive),
    "send": ("MB/s", measure_send),
}


def measure(target: str, frameworks: Sequence[Framework]) -> dict[str, Figures]:
    """All figures by framework, each the median of goes that take turns, so that a busy machine
    is as busy for all. What one fails at is left out. Raises LabError."""
    found: dict[str, Figures] = {}
    servers: dict[str, tuple[int, int]] = {}
    with ExitStack() as stack:
        for framework in frameworks:
            port, pid, found[framework.name] = stack.enter_context(serving(target, framework))
            servers[framework.name] = port, pid
        for way, (unit, function) in KINDS.items():
            for size in SIZES:
                rates: dict[str, list[float]] = {name: [] for name in servers}
                costs: dict[str, list[float]] = {name: [] for name in servers}
                for name, (port, pid) in list(servers.items()) * GOES:
                    before = cpu_seconds(pid)
                    try:
                        rate, count = function(port, size)
                    except (LabError, OSError):
                        continue  # shown as a gap
                    rates[name].append(rate)
                    costs[name].append((cpu_seconds(pid) - before) / count * 1e6)
                for name, figures in found.items():
                    if len(rates[name]) == GOES:
                        figures[f"{way} {size} {unit}"] = statistics.median(rates[name])
                        if cpu := statistics.median(costs[name]):
                            figures[f"{way} {size} CPU us"] = cpu
    return found
