"""Runs one case against a target and says how what happened differs from what must happen."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from case import EMPTY, Case, Fin, Noted, Rst, Silence, Sync, Until
from wire import CLOSE, NONCE, TEXT, Client, WireError, accept_of, close, frame, request

CONTROL_SECONDS = 30


class Target(Protocol):
    """Where the app runs."""

    name: str
    address: tuple[str, int]

    def output(self, mark: str) -> str:
        """What the app has printed up to the line `mark`, from the mark before."""

    def was_reset(self, port: int) -> bool:
        """Has the server sent RST to a client at `port`? False where the socket shows it."""


class Control:
    """The app's control channel."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._client = Client(address, CONTROL_SECONDS)
        self._marks = 0
        self._client.send(request("/control"))
        status, _, first = self._client.head()
        if status != 101:
            raise WireError(f"no control channel: {first}")

    def ask(self, command: str) -> str:
        self._client.deadline = time.monotonic() + CONTROL_SECONDS
        self._client.send(frame(TEXT, command))
        answer = self._client.next_frame()
        if answer is None or answer[0] != TEXT:
            raise WireError(f"the control channel says {answer!r} to {command!r}")
        return answer[1].decode("utf-8", "replace")

    def mark(self) -> str:
        """Have the app print a line, which this returns."""
        self._marks += 1
        return self.ask(f"mark {self._marks}")

    def report(self) -> dict[str, Any]:
        """What was noted since the last report; waits until other connections have ended."""
        found: dict[str, Any] = json.loads(self.ask("report"))
        return found

    def close(self) -> None:
        self._client.close()


@dataclass
class Outcome:
    """What happened."""

    status: int = 0
    head: dict[str, str] = field(default_factory=dict)
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    close: int | None = None
    reason: bytes = b""
    end: str = ""
    problem: str = ""
    log: list[str] = field(default_factory=list)
    still_open: int = 0
    free: int | None = None
    left: int | None = None
    output: str = ""


def run(case: Case, target: Target, control: Control) -> Outcome:
    """Have the conversation. Raises WireError when the control channel is gone."""
    outcome = Outcome()
    client = Client(target.address, case.seconds, case.receive_buffer, case.partial)
    with contextlib.closing(client):
        try:
            _converse(case, client, control, outcome)
        except TimeoutError:
            outcome.end = "open"
            outcome.problem = f"nothing more within {case.seconds:g} s"
        except WireError as error:
            outcome.problem = str(error)
        outcome.frames = [f for f in client.frames if f[0] != CLOSE and f[1] != case.ignore]
        outcome.end = outcome.end or client.end
    report = control.report()
    outcome.log += report["seen"]
    outcome.still_open = report["open"]
    outcome.free, outcome.left = report["free"], report.get("left")
    outcome.output = target.output(control.mark())
    if outcome.end == "fin" and target.was_reset(client.port):
        outcome.end = "rst"
    return outcome


def _converse(case: Case, client: Client, control: Control, outcome: Outcome) -> None:
    opening = case.request_bytes + case.early
    if case.split_handshake:
        for at in range(0, len(opening), 7):
            client.send(opening[at : at + 7])
            control.ask("sync")
    else:
        client.send(opening)
    outcome.status, outcome.head, _ = client.head()
    if outcome.status != 101:
        client.rest()
        return
    sent_close = case.early[:1] == b"\x88"
    for step in case.send:
        if isinstance(step, bytes):
            client.send(step)
            sent_close = sent_close or step[:1] == b"\x88"
        elif isinstance(step, Sync):
            control.ask("sync")
        elif isinstance(step, Until):
            while (found := client.next_frame()) is not None and found[1] != step.payload:
                pass
        elif isinstance(step, Noted):
            control.ask(f"noted {step.text}")
        elif isinstance(step, Fin):
            client.fin()
        elif isinstance(step, Silence):
            outcome.log += control.report()["seen"]
        elif isinstance(step, Rst):
            client.rst()
            outcome.end = "reset by the client"
            return
    while (found := client.next_frame()) is not None:
        if found[0] != CLOSE:
            continue
        if outcome.close is not None:
            raise WireError("two close frames")
        if len(found[1]) == 1:
            raise WireError("a close frame with half a code")
        outcome.close = int.from_bytes(found[1][:2], "big") if found[1] else EMPTY
        outcome.reason = found[1][2:]
        if case.answer and not sent_close:
            client.send(close(None if outcome.close == EMPTY else outcome.close))


def differences(case: Case, outcome: Outcome, wire_only: bool = False) -> list[str]:
    """In words, one line each; empty when all is as it must be."""
    found = []

    def differs(what: str, wanted: object, got: object) -> None:
        if wanted != got:
            found.append(f"{what}: {_short(got)}, not {_short(wanted)}")

    if outcome.problem:
        found.append(outcome.problem)
    differs("HTTP status", case.status, outcome.status)
    if case.status == 101:
        if (
            outcome.status == 101
            and case.request is None
            and case.headers.get("Sec-WebSocket-Key", NONCE) == NONCE
        ):
            accept = outcome.head.get("sec-websocket-accept")
            differs("accept", accept_of(NONCE).lower(), accept)
        wanted, got = list(case.frames), outcome.frames
        if case.any_order:
            wanted, got = sorted(wanted), sorted(got)
        differs("frames", wanted, got)
        differs("close code", case.close, outcome.close)
        if case.reason is not None:
            differs("close reason", case.reason, outcome.reason)
    if case.wanted:
        differs(case.wanted[0], case.wanted[1], outcome.head.get(case.wanted[0]))
    if case.end != "any" and outcome.end != "reset by the client":
        differs("end of TCP", case.end, outcome.end)
    if wire_only:
        return found
    if case.log is not None:
        order = sorted if case.log_in_any_order else list
        differs("handler", order(case.log), order(outcome.log))
    differs("connections still open", 0, outcome.still_open)
    differs("traceback printed", case.traceback, "Traceback" in outcome.output)
    if not case.traceback:
        differs("output", "", outcome.output)
    return found


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= 300 else f"{said[:200]} .. ({len(said)} characters)"
