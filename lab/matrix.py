"""The matrix of cases and targets: summary for the terminal, JSON, and one HTML page."""

from __future__ import annotations

import html
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MARKS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #222; background: #fff; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2rem; }
caption { text-align: left; font-weight: 600; font-size: 1.1rem; padding: .5rem 0; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left;
         vertical-align: top; }
th { position: sticky; top: 0; background: #f4f4f4; }
td.case { width: 60%; }
.passed { color: #14692b; } .failed { color: #fff; background: #b3261e; }
.skipped, .none { color: #767676; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; font-size: .85rem; }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd; } th { background: #2a2a2a; }
  th, td { border-color: #3a3a3a; } .passed { color: #7bd88f; }
}
"""


@dataclass(frozen=True)
class Result:
    """How one case went on one target. why: the differences, or the reason of a skip. links: text
    and target of what belongs to it, relative to the page."""

    section: str
    case: str
    target: str
    outcome: str
    why: str
    seconds: float
    links: tuple[tuple[str, str], ...] = ()


def summary(
    results: list[Result], targets: tuple[str, ...], good: str = "conform", bad: str = "do not"
) -> list[str]:
    """A line for each target, and one for each case that failed. good, bad: what cases do."""
    lines = []
    for target in targets:
        count = Counter(r.outcome for r in results if r.target == target)
        if count:
            lines.append(
                f"{target:8} {count['passed']:4} of {count.total()} cases {good}"
                + (f", {count['failed']} {bad}" if count["failed"] else "")
                + (f", {count['skipped']} skipped" if count["skipped"] else "")
            )
    for r in results:
        if r.outcome == "failed":
            lines.append(f"  {r.target}: {r.section} {r.case}: {r.why.splitlines()[0][:120]}")
    return lines


def _cell(result: Result | None) -> str:
    if result is None:
        return '<td class="none">not here</td>'
    text = f"{MARKS[result.outcome]}"
    if result.why:
        text = f"<details><summary>{text}</summary><pre>{html.escape(result.why)}</pre></details>"
    for name, target in result.links:
        text += f' <a href="{html.escape(target)}">{html.escape(name)}</a>'
    return f'<td class="{result.outcome}">{text}</td>'


def _section_key(section: str) -> tuple[list[int], str]:
    return [int(n) for n in section.split(".") if n.isdigit()], section


def page(
    results: list[Result],
    targets: tuple[str, ...],
    title: str,
    caption: str = "RFC 6455, {}",
    verbs: tuple[str, str] = ("conform", "do not"),
) -> str:
    """The matrix as a page that needs nothing else. caption: of each section. verbs: what cases
    do, and what they do when they fail."""
    sections: dict[str, dict[str, dict[str, Result]]] = {}
    for r in results:
        sections.setdefault(r.section, {}).setdefault(r.case, {})[r.target] = r
    head = "".join(f"<th>{html.escape(target)}</th>" for target in targets)
    parts = []
    for section in sorted(sections, key=_section_key):
        rows = "".join(
            f'<tr><td class="case">{html.escape(case)}</td>'
            + "".join(_cell(found.get(target)) for target in targets)
            + "</tr>"
            for case, found in sections[section].items()
        )
        parts.append(
            f"<table><caption>{html.escape(caption.format(section))}</caption>"
            f"<thead><tr><th>case</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
    lines = "\n".join(html.escape(line) for line in summary(results, targets, *verbs))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{html.escape(title)}</h1><pre>{lines}</pre>{''.join(parts)}</body></html>\n"
    )


def write(
    results: list[Result], targets: tuple[str, ...], folder: Path, title: str, **words: Any
) -> None:
    """`matrix.json` and `matrix.html` in `folder`. words: see `page`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [asdict(r) for r in results]
    (folder / "matrix.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    (folder / "matrix.html").write_text(page(results, targets, title, **words))
