"""The fixture that puts the stand-in (fake_renode.py) in Renode's place."""

import sys
from pathlib import Path

import pytest

from lab.targets import renode

FAKE = Path(__file__).with_name("fake_renode.py")


@pytest.fixture
def fake(monkeypatch, tmp_path):
    program = tmp_path / "renode"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {FAKE} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("RENODE", str(program))
    monkeypatch.setattr(renode, "_idle", [])
    yield
    renode.end_idle()
