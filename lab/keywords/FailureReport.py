"""For each failed test, in Robot's log: the UART's log, the frames exchanged, the capture's end."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from typing import Any

from robot.api import logger
from robot.api.deco import library
from robot.libraries.BuiltIn import BuiltIn

from lab.keywords.bench import Evidence, bench

UART_LINES = 60
FRAMES = 80
PACKETS = 40
PABOT = "pabot_results"  # pabot runs a suite in OUTPUT/pabot_results/N and mends links that go up


@library(scope="GLOBAL", auto_keywords=False)
class FailureReport:
    """No keywords: a listener. Import it, and failed tests explain themselves.

    The whole capture is saved beside ``log.html``, in ``failures``, and linked.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self

    def end_test(self, data: Any, result: Any) -> None:
        """Robot's listener call, after the test's teardown."""
        if result.failed:
            for number, evidence in enumerate(bench.evidence):
                name = f"{result.parent.name} {result.name} {number or ''}"
                for part in report(evidence, name):
                    logger.info(part, html=True)
        bench.forget()


def report(evidence: Evidence, name: str) -> list[str]:
    """HTML texts: UART, frames, capture."""
    parts = [_section("UART", evidence.uart.splitlines(), UART_LINES)]
    if evidence.frames:
        parts.append(_section("WebSocket and HTTP", evidence.frames, FRAMES))
    if evidence.capture and evidence.capture.exists():
        saved, link = _save(evidence.capture, name)
        title = f'Capture (<a href="{html.escape(link)}">{html.escape(saved.name)}</a>)'
        parts.append(_section(title, decoded(saved), PACKETS))
    return parts


def _section(title: str, lines: list[str], most: int) -> str:
    """title: HTML; lines: text, of which the last are shown."""
    note = f", the last {most} of {len(lines)} lines" if len(lines) > most else ""
    body = html.escape("\n".join(lines[-most:]) or "(nothing)")
    return f"<b>{title}</b>{note}<pre>{body}</pre>"


def _save(capture: Path, name: str) -> tuple[Path, str]:
    """A copy of the capture beside log.html, and the link to it from there."""
    output = Path(str(BuiltIn().get_variable_value("${OUTPUT DIR}")))
    up = ""
    if output.parent.name == PABOT:
        output, up = output.parents[1], "../../"
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    saved = output / "failures" / f"{slug}.pcapng"
    saved.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(capture, saved)
    return saved, f"{up}failures/{saved.name}"


def decoded(capture: Path) -> list[str]:
    """A line for each frame of a pcapng file."""
    from scapy.layers import dhcp, inet, l2  # noqa: F401 (scapy knows what is imported)
    from scapy.utils import PcapNgReader

    lines = []
    with PcapNgReader(str(capture)) as reader:
        for packet in reader:
            lines.append(f"{float(packet.time):10.4f} s  {packet.summary()}")
    return lines
