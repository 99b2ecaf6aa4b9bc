"""The documents: every message is explained, every link and every name leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "lab/docs").glob("*.md"))
TROUBLESHOOTING = (ROOT / "lab/docs/troubleshooting.md").read_text()
SHOWN = re.compile(
    r"(Lab|Board|Console|Gateway|Firmware|Scene|Browser|Upstream|Build|Peer|Renode|Bridge)Error$"
)
# what only tests and benchmarks call: their messages are for who works on the lab itself
INTERNAL = {"keywords", "app", "peers", "autobahn.py", "footprint.py"}
SOURCES = [
    path
    for folder in ("lab", "hw/camera", "hw/esp32")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not INTERNAL & set(path.parts)
]


def messages(path):
    """Of each error that a person may see: its texts between the values that are put in."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call):
            continue
        name = getattr(node.exc.func, "id", "")
        if not SHOWN.search(name) or not node.exc.args:
            continue
        text = [
            part.value
            for part in ast.walk(node.exc.args[0])
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        longest = max(text, key=len, default="").strip(" :;,()\n")
        if len(longest) > 8:
            yield longest.splitlines()[0]


ALL = sorted({(str(p.relative_to(ROOT)), text) for p in SOURCES for text in messages(p)})


@pytest.mark.parametrize("source, text", ALL, ids=[text[:40] for _, text in ALL])
def test_message_is_explained(source, text):
    plain = TROUBLESHOOTING.replace("`", "")
    known = " ".join(plain.split())
    assert " ".join(text.replace("`", "").split()) in known, (
        f"{source} may say this: explain it in lab/docs/troubleshooting.md"
    )


@pytest.mark.parametrize("path", [*DOCS, ROOT / "README.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\(([^)#]+)", path.read_text())
    assert links
    for link in links:
        assert (path.parent / link).exists(), f"{path.name} links to {link}"


@pytest.mark.parametrize("path", [*DOCS, ROOT / "README.md"], ids=lambda p: p.name)
def test_named_files_exist(path):
    for name in re.findall(r"`((?:lab|hw|robot|tests|microdot)/[\w./-]+)`", path.read_text()):
        assert (ROOT / name).exists(), f"{path.name} names {name}"
