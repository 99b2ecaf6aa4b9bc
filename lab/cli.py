"""The commands of `lab`, and their arguments."""

from __future__ import annotations

import argparse
import errno
import json
import os
import queue
import signal
import subprocess
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hw.esp32.chip import ChipError
from lab import LabError, __version__, control
from lab.firmware import fetch, identify, pins
from lab.interrupt import Interrupted, signals
from lab.session import Session
from lab.statefile import State, StateFile, run_dir

DOWN_SECONDS = 10
ADVICE = {
    errno.ENOSPC: " (make room, or point LAB_CACHE and XDG_RUNTIME_DIR at another disk)",
    errno.EACCES: " (LAB_CACHE and XDG_RUNTIME_DIR choose other places)",
    errno.EROFS: " (LAB_CACHE and XDG_RUNTIME_DIR choose other places)",
}
INJECT_ACTIONS = ("run", "list", "replay", "shrink")
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
    session.board.observers.append(happened.put)
    if session.board.failure:
        happened.put(session.board.failure)
    with signals.calling(happened.put):
        while True:
            what = happened.get()
            if isinstance(what, int):
                try:
                    say("\nstopped")
                except OSError:
                    _forget_output()  # the terminal is gone, or `| tee` was stopped too
                return 0
            if isinstance(what, Exception):
                raise LabError(
                    f"{what}\nThe board is dead; start it again with `make lab`. Its console "
                    f"ended with:\n{session.board.console.tail}"
                )
            say(f"board     {what.kind}: {what.text}")


def cmd_up(args: argparse.Namespace) -> int:
    if args.detach:
        return _detach(args)
    detached = args.ready_fd is not None
    if detached:
        os.dup2(args.ready_fd, 1)
    state_file = StateFile()
    session: Session | None = None
    try:
        state_file.acquire()
        session = Session(
            args.firmware, args.http_port, args.console_port, args.capture,
            say=say, progress=show_progress,
        )  # fmt: skip
        state_file.write(session.state)
        say(where_to_go(session.state, detached))
        if detached:
            print(READY, end="", flush=True)
            state_file.log_output()
            os.close(args.ready_fd)
        return _keep_up(session)
    except Exception:
        state_file.keep_log()
        raise
    finally:
        if session:
            session.close()
        state_file.release()


def _detach(args: argparse.Namespace) -> int:
    """Start a lab in a session of its own, relay what it says until it is up.

    A signal before that ends it too.
    """
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "lab", "up", "--ready-fd", str(writing)]
    for name in ("firmware", "http_port", "console_port", "capture"):
        if getattr(args, name) is not None:
            command += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=writing, stderr=writing, pass_fds=[writing],
        start_new_session=True,
    )  # fmt: skip
    os.close(writing)
    with os.fdopen(reading, "r", buffering=1) as pipe, signals.calling(lambda n: child.terminate()):
        ready = ""
        while not ready and (text := os.read(pipe.fileno(), 4096).decode("utf-8", "replace")):
            said, ready, _ = text.partition(READY)
            print(said, end="", flush=True)
    if signals.number is not None:
        child.wait()
        signals.check()
    return 0 if ready else child.wait() or 1


def _tell_of_the_last(state_file: StateFile, text: str) -> None:
    """`text`, and how the last detached lab ended when that was not as it should."""
    print(text)
    if reason := state_file.sweep():
        print(f"the last one ended: {reason}")


def cmd_status(args: argparse.Namespace) -> int:
    state_file = StateFile()
    state = state_file.read()
    if state is None:
        if args.json:
            print("null")
        elif pid := state_file.owner():
            print(f"a lab is starting up (process {pid}); `lab down` ends it")
        else:
            _tell_of_the_last(state_file, "no lab is running; `make lab` or `lab up` starts one")
        return 1
    board = control.ask_status(run_dir())
    if args.json:
        print(json.dumps(asdict(state) | {"board": board}, indent=2))
    else:
        print(f"firmware  {state.firmware}\npid       {state.pid}\n{control.describe(board)}")
        print(where_to_go(state, True).lstrip("\n"))
    return 0


def cmd_camera(args: argparse.Namespace) -> int:
    print(f"the camera sees {control.ask_camera(run_dir(), args.scene)}")
    return 0


def cmd_down(args: argparse.Namespace) -> int:
    state_file = StateFile()
    pid = state_file.owner()
    if pid is None:
        _tell_of_the_last(state_file, "no lab is running")
        return 0
    try:
        process = os.pidfd_open(pid)
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except ProcessLookupError:
        return 0
    if not signals.select([process], DOWN_SECONDS):
        raise LabError(f"process {pid} does not end; `kill -9 {pid}` would")
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


def cmd_inject(args: argparse.Namespace) -> int:
    from lab.inject.command import main as run

    return run(args)


def cmd_firmware(args: argparse.Namespace) -> int:
    if args.action == "identify":
        found = identify(Path(args.name or ""))
        what = f"MicroPython {found.micropython}" if found.micropython else "not MicroPython"
        print(f"{found.path}: firmware for the ESP32, {len(found.data)} bytes, {what}")
        return 0
    wanted = [pin for pin in pins() if args.name in (None, pin.name)]
    if not wanted:
        raise LabError(f"no pinned firmware {args.name!r}; `lab firmware list` shows them")
    for pin in wanted:
        if args.action == "list":
            here = pin.cached if pin.cached.exists() else "not fetched"
            print(f"{pin.name:24} MicroPython {pin.micropython}, IDF {pin.idf}  {here}")
        else:
            print(signals.aside(partial(fetch, pin, show_progress)))
    return 0


def cmd_doctor(args: argparse.Namespace) -> int:
    from lab.doctor import report

    return report(args.json)


def cmd_renode(args: argparse.Namespace) -> int:
    from lab import renode, renode_net

    if args.action == "image":
        path = signals.aside(lambda: renode.make_image(args.firmware))
        print(f"{path}: 4 MB of flash; `renode {renode.SCRIPT}` starts a board with it")
    else:
        renode_net.serve(say, args.port or 0, args.http_port or 0, args.capture)
    return 0


def cmd_boards(args: argparse.Namespace) -> int:
    from lab.boards import report

    return report(not args.list)


def cmd_board(args: argparse.Namespace) -> int:
    from lab.boardrun import run

    return run()


def cmd_standin(args: argparse.Namespace) -> int:
    from lab.standin import run

    return run(args.firmware, args.blank)


def _port(text: str) -> int:
    """A TCP port, 0 for any free one."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 (any free one) to 65535")
    return int(text)


def _seconds(text: str) -> float:
    """A time above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds")
    return seconds


def _count(text: str) -> int:
    """A number above 0."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="lab",
        description="An emulated ESP32 board that runs real MicroPython firmware.",
        epilog="Exit status: 0 done; 1 failed, with one line that says why; 2 wrong arguments; "
        "130, 143 or 129 when Ctrl-C, SIGTERM or SIGHUP came before the work was done. A lab "
        "that was up and is ended by one of them exits with 0.",
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
    up.add_argument("--http-port", type=_port, help="on loopback (default: 8080, or any free one)")
    up.add_argument("--console-port", type=_port, help="(default: 2323, or any free one)")
    up.add_argument("--capture", type=Path, help="keep the pcapng there (default: a temporary)")
    up.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    status = command("status", cmd_status, "where the running lab is, and what its board does")
    status.add_argument("--json", action="store_true")
    camera = command("camera", cmd_camera, "choose what the running board's camera sees")
    camera.add_argument("scene", nargs="?", help="card, or an image or a folder of images")
    command("down", cmd_down, "end the running lab")
    repl = command("repl", cmd_repl, "a terminal on the running board, or on a fresh one")
    repl.add_argument("--firmware", help=firmware_help)
    run = command("run", cmd_run, "run a program on a fresh board; exits with its status")
    run.add_argument("program", type=Path)
    run.add_argument("--firmware", help=firmware_help)
    run.add_argument("--timeout", type=_seconds, help="virtual seconds (default: none)")
    inject = command("inject", cmd_inject, "malformed traffic against a board that must survive it")
    inject.add_argument("action", nargs="?", default="run", choices=INJECT_ACTIONS)
    inject.add_argument("file", nargs="?", type=Path, help="for replay and shrink: a saved failure")
    inject.add_argument("--cases", help="globs of names or groups (`lab inject list` shows them)")
    inject.add_argument("--seed", type=int, default=1, help="of the board's chance (default: 1)")
    inject.add_argument("--budget", type=_seconds, help="seconds; no case is begun after them")
    inject.add_argument(
        "--target", help="embedded (default), renode, unix, cpython, board, HOST:PORT; or several"
    )
    inject.add_argument("--jobs", type=_count, help="processes (default: one a core)")
    inject.add_argument(
        "--report", type=Path, default=Path("results", "inject"), help="folder (%(default)s)"
    )
    images = command("firmware", cmd_firmware, "firmware images")
    images.add_argument("action", nargs="?", default="list", choices=["list", "fetch", "identify"])
    images.add_argument("name", nargs="?", help="pinned name; a file for identify")
    renode = command("renode", cmd_renode, "for hw/renode: a flash image, or the lab's network")
    renode.add_argument("action", choices=["image", "net"])
    renode.add_argument("--firmware", help=firmware_help)
    renode.add_argument("--port", type=_port, help="where Renode connects (default: any free one)")
    renode.add_argument("--http-port", type=_port, help="of the page (default: any free one)")
    renode.add_argument("--capture", type=Path, help="net: write a pcapng there")
    doctor = command("doctor", cmd_doctor, "what is there, what is missing")
    doctor.add_argument("--json", action="store_true")
    boards = command("boards", cmd_boards, "serial ports with boards, and what answers there")
    boards.add_argument("--list", action="store_true", help="ask none of them")
    command("board", cmd_board, "put the app on a physical board (board.toml), run the suites")
    standin = command("standin", cmd_standin, "an emulated board on a serial port, to try that")
    standin.add_argument("--firmware", help=firmware_help)
    standin.add_argument("--blank", action="store_true", help="with an erased flash")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status. `lab.__main__` is the entry point."""
    args = parser().parse_args(argv)
    try:
        status = int(args.function(args))
        sys.stdout.flush()
        return status
    except Interrupted as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        _forget_output()
        return 141
    except (LabError, ChipError, OSError, MemoryError) as error:
        if signals.number is not None:  # what a signal breaks (a compiler it ends) is no news
            print(f"lab: {Interrupted(signals.number)}", file=sys.stderr)
            return Interrupted(signals.number).status
        print(f"lab: {_one_error(error)}", file=sys.stderr)
        return 1


def _forget_output() -> None:
    """Nobody reads it: keep the interpreter's own flush at its end from complaining."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _one_error(error: Exception) -> str:
    """What went wrong and, where the system said so, with which file."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}" + ADVICE.get(error.errno or 0, "")
    return str(error) or type(error).__name__


if __name__ == "__main__":  # `python -m lab.cli` is `python -m lab`
    from lab.__main__ import main as entry

    sys.exit(entry())
