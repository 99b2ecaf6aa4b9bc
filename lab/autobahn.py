"""The cases of Autobahn|Testsuite against a server, in a process of their own.

Autobahn|Testsuite 25.10.1 is for Python 2.7 (Twisted 19.10, autobahn 0.10.9). Its case files run
here all the same, in kosoku, which brings them along and drives them from Rust.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lab import LabError
from lab.pinned import KOSOKU

PROGRAM = """
import asyncio, json, os, sys
from kosoku import FailureError, run_fuzzingclient

async def main(url, concurrency, cases):
    try:
        results = await run_fuzzingclient(url, cases, concurrency=int(concurrency))
    except FailureError as failure:
        results = failure.results
    for r in results:
        print(json.dumps([r.case_id, r.behavior.value, r.behavior_close.value,
                          r.remote_close_code, r.remote_close_reason, r.duration,
                          r.result + " / " + r.result_close]))

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
sys.stdout.flush()
os._exit(0)  # its threads may crash the end of the interpreter
"""


@dataclass(frozen=True)
class Verdict:
    """How one case went. behavior, closing: "OK", "NON-STRICT", "FAILED", .. as the suite has them.

    code, reason: of the server's close frame. duration: in ms.
    """

    case: str
    behavior: str
    closing: str
    code: int | None
    reason: str | None
    duration: int
    why: str

    @property
    def ok(self) -> bool:
        """Without any reservation?"""
        return self.behavior in ("OK", "INFORMATIONAL") and self.closing in ("OK", "INFORMATIONAL")


def run_cases(
    url: str, cases: Sequence[str], concurrency: int = 1, seconds: float = 60
) -> list[Verdict]:
    """Run `cases` (ids, or globs such as "6.*") against the echo server at `url`.

    Raises PackageError when kosoku can't be had, LabError when the run fails or takes too long.
    """
    folder = KOSOKU.install()
    command = [sys.executable, "-c", PROGRAM, url, str(concurrency), *cases]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"the Autobahn cases took more than {seconds:g} s") from None
    if done.returncode:
        raise LabError(
            f"the Autobahn cases could not be run (exit {done.returncode}):\n{done.stderr[-2000:]}"
        )
    return [Verdict(*json.loads(line)) for line in done.stdout.splitlines()]
