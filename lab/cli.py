"""The `lab` command."""

from __future__ import annotations

import argparse
import json
import os
import queue
import select
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from lab import LabError, __version__
from lab.firmware import fetch, identify, pins
from lab.session import Session, State, StateFile, run_dir

DOWN_SECONDS = 10
READY = "\x06"  # a detached lab's last word on its progress pipe


def say(text: str) -> None:
    """One line to the user, at once."""
    print(text, flush=True)


def show_progress(done: int, total: int | None) -> None:
    """A progress bar on a terminal."""
    if not sys.stdout.isatty():
        return
    if total:
        bar = "#" * (30 * done // total)
        text = f"\rfetching  [{bar:30}] {done / 1e6:.1f} of {total / 1e6:.1f} MB"
    else:
        text = f"\rfetching  {done / 1e6:.1f} MB"
    print(text, end="\n" if done == total else "", flush=True)


# --- up, status, down ------------------------------------------------------------------------


def where_to_go(state: State, detached: bool) -> str:
    """The block of text at the end of `lab up`."""
    stop = "lab down" if detached else "Ctrl-C"
    return f"""
page      {state.http_url}
websocket {state.websocket_url}
console   mpremote connect {state.console_tcp}
          mpremote connect {state.console_pty}
capture   {state.capture}
stop      {stop}"""


def _keep_up(session: Session) -> int:
    """Until a signal comes or the board fails; panics and resets are told."""
    happened: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def on_signal(number: int, frame: FrameType | None) -> None:
        happened.put(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    session.board.observers.append(happened.put)
    if session.board.failure:
        happened.put(session.board.failure)
    while True:
        what = happened.get()
        if isinstance(what, int):
            say("\nstopped")
            return 0
        if isinstance(what, Exception):
            raise LabError(
                f"{what}\nThe board is dead; start it again with `make lab`. Its console ended "
                f"with:\n{session.board.console.tail}"
            )
        say(f"board     {what.kind}: {what.text}")


def cmd_up(args: argparse.Namespace) -> int:
    if args.detach:
        return _detach(args)
    if args.ready_fd is not None:
        os.dup2(args.ready_fd, 1)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    state_file = StateFile()
    state_file.acquire()
    session: Session | None = None
    try:
        session = Session(
            args.firmware, args.http_port, args.console_port, args.capture,
            say=say, progress=show_progress,
        )  # fmt: skip
        state_file.write(session.state)
        say(where_to_go(session.state, args.ready_fd is not None))
        if args.ready_fd is not None:
            print(READY, end="", flush=True)
            log = os.open(run_dir() / "lab.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(args.ready_fd)
        return _keep_up(session)
    finally:
        if session:
            session.close()
        if args.ready_fd is not None:
            (run_dir() / "lab.log").unlink(missing_ok=True)
        state_file.release()


def _detach(args: argparse.Namespace) -> int:
    """Start a lab in a session of its own, relay what it says until it is up."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "lab.cli", "up", "--ready-fd", str(writing)]
    for name in ("firmware", "http_port", "console_port", "capture"):
        if getattr(args, name) is not None:
            command += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing, pass_fds=[writing],
        start_new_session=True,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading, "r", buffering=1) as pipe:
        while text := os.read(pipe.fileno(), 4096).decode("utf-8", "replace"):
            said, ready, _ = text.partition(READY)
            print(said, end="", flush=True)
            if ready:
                return 0
    return child.wait() or 1


def cmd_status(args: argparse.Namespace) -> int:
    state = StateFile().read()
    if state is None:
        if args.json:
            print("null")
        else:
            print("no lab is running; `make lab` or `lab up` starts one")
        return 1
    if args.json:
        print(json.dumps(asdict(state), indent=2))
    else:
        print(f"firmware  {state.firmware}\npid       {state.pid}" + where_to_go(state, True))
    return 0


def cmd_down(args: argparse.Namespace) -> int:
    state = StateFile().read()
    if state is None:
        print("no lab is running")
        return 0
    try:
        process = os.pidfd_open(state.pid)
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except ProcessLookupError:
        return 0
    if not select.select([process], [], [], DOWN_SECONDS)[0]:
        raise LabError(f"process {state.pid} does not end; `kill -9 {state.pid}` would")
    print("stopped")
    return 0


# --- console, programs, firmware, doctor ---------------------------------------------------------


def cmd_repl(args: argparse.Namespace) -> int:
    from lab.terminal import attach, fresh_board

    state = StateFile().read()
    return attach(state.console_tcp) if state else fresh_board(args.firmware)


def cmd_run(args: argparse.Namespace) -> int:
    from lab.program import run_program

    return run_program(args.program, args.firmware, args.timeout)


def cmd_firmware(args: argparse.Namespace) -> int:
    if args.action == "identify":
        found = identify(Path(args.name or ""))
        print(f"{found.path}: firmware for the ESP32, {len(found.data)} bytes")
        return 0
    wanted = [pin for pin in pins() if args.name in (None, pin.name)]
    if not wanted:
        raise LabError(f"no pinned firmware {args.name!r}; `lab firmware list` shows them")
    for pin in wanted:
        if args.action == "list":
            here = pin.cached if pin.cached.exists() else "not fetched"
            print(f"{pin.name:24} MicroPython {pin.micropython}, IDF {pin.idf}  {here}")
        else:
            print(fetch(pin, show_progress))
    return 0


def cmd_doctor(args: argparse.Namespace) -> int:
    from lab.doctor import report

    return report(args.json)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="lab", description="An emulated ESP32 board that runs real MicroPython firmware."
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def command(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(function=function)
        return sub

    firmware_help = "pinned name or path of a .bin (default: $FIRMWARE, else v1.23.0)"
    up = command("up", cmd_up, "boot the board, bring its app up and keep it up")
    up.add_argument("--firmware", help=firmware_help)
    up.add_argument("--detach", action="store_true", help="return when it is up; `lab down` ends")
    up.add_argument("--http-port", type=int, help="on loopback (default: 8080, or any free one)")
    up.add_argument("--console-port", type=int, help="(default: 2323, or any free one)")
    up.add_argument("--capture", type=Path, help="keep the pcapng there (default: a temporary)")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    status = command("status", cmd_status, "where the running lab is to be found")
    status.add_argument("--json", action="store_true")
    command("down", cmd_down, "end the running lab")
    repl = command("repl", cmd_repl, "a terminal on the running board, or on a fresh one")
    repl.add_argument("--firmware", help=firmware_help)
    run = command("run", cmd_run, "run a program on a fresh board; exits with its status")
    run.add_argument("program", type=Path)
    run.add_argument("--firmware", help=firmware_help)
    run.add_argument("--timeout", type=float, help="virtual seconds (default: none)")
    images = command("firmware", cmd_firmware, "firmware images")
    images.add_argument("action", nargs="?", default="list", choices=["list", "fetch", "identify"])
    images.add_argument("name", nargs="?", help="pinned name; a file for identify")
    doctor = command("doctor", cmd_doctor, "what is there, what is missing")
    doctor.add_argument("--json", action="store_true")
    return top


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        return int(args.function(args))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


if __name__ == "__main__":
    sys.exit(main())
