"""Which Renode is taken, and what a person is told when there is none that fits."""

import os
import stat
import subprocess
import sys

import pytest

from lab import renode
from lab.renode import RenodeError
from lab.targets import emulated_board
from lab.targets.embedded import EmbeddedBoard


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A program that answers --version so, as $RENODE."""

    def program(says, status=0):
        path = tmp_path / "renode"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{says}\nEND\nexit {status}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("RENODE", str(path))
        return path

    return program


@pytest.fixture
def nowhere(monkeypatch):
    monkeypatch.delenv("RENODE", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(renode, "USUAL_PLACES", ())


STOCK = "Renode v1.16.1.21503\n  build: ca3eef5c-202602170124\n  build type: Release\n  runtime: "


@pytest.mark.parametrize("runtime", [".NET 8.0.24", "Mono 4.0.30319.42000"])
def test_a_stock_one_fits(make, runtime):
    path = make(STOCK + runtime)
    assert renode.find() == renode.Renode(str(path), (1, 16, 1))
    assert str(renode.find()) == f"1.16.1 ({path})"


@pytest.mark.parametrize("version", ["1.17.0.1", "1.16.10.2", "2.0.0.0"])
def test_a_newer_one_fits(make, version):
    make(f"Renode v{version}")
    assert renode.find().version > renode.LEAST


def test_an_old_one_is_told_as_such(make):
    path = make("Renode v1.15.3.1\n  build: x")
    with pytest.raises(
        RenodeError, match=r"1\.15\.3, and 1\.16\.1 is the oldest that fits"
    ) as error:
        renode.find()
    assert str(path) in str(error.value)
    assert "renode.io" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("says, status", [("", 0), ("mono: not found", 127)])
def test_one_that_tells_no_version_is_of_no_use(make, says, status):
    make(says, status)
    with pytest.raises(RenodeError, match="tells no version") as error:
        renode.find()
    assert says in str(error.value)


def test_a_path_that_leads_nowhere_is_told(monkeypatch):
    monkeypatch.setenv("RENODE", "/nonexistent/renode")
    with pytest.raises(RenodeError, match="/nonexistent/renode --version: No such file"):
        renode.find()


def test_none_is_one_line_that_says_what_to_do(nowhere):
    with pytest.raises(RenodeError) as error:
        renode.find()
    assert str(error.value) == (
        "there is no Renode: install Renode 1.16.1 or newer from renode.io, or set RENODE to its "
        "program"
    )


def test_path_is_looked_through_before_the_usual_places(make, monkeypatch, tmp_path):
    path = make(STOCK)
    usual = tmp_path / "usual"
    usual.write_text("#!/bin/sh\n")
    usual.chmod(0o755)
    monkeypatch.delenv("RENODE")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(renode, "USUAL_PLACES", (str(usual),))
    assert renode.candidates() == [str(path), str(usual)]
    monkeypatch.setenv("PATH", "/nonexistent")
    assert renode.candidates() == [str(usual)]


def test_doctor_tells_an_old_one_from_none(make):
    from lab.doctor import examine

    make("Renode v1.15.3.1")
    finding = next(f for f in examine() if f.name == "renode")
    assert finding.found is None
    assert not finding.required
    assert "1.15.3" in finding.remedy
    make(STOCK)
    finding = next(f for f in examine() if f.name == "renode")
    assert finding.found.startswith("1.16.1 (")


def test_target_chooses_the_board(monkeypatch, nowhere):
    monkeypatch.delenv("TARGET", raising=False)
    assert emulated_board() is EmbeddedBoard
    with pytest.raises(RenodeError, match="there is no Renode"):
        emulated_board("renode")
    monkeypatch.setenv("TARGET", "renode")
    with pytest.raises(RenodeError, match="there is no Renode"):
        emulated_board()


def test_a_target_that_is_none(monkeypatch):
    from lab import LabError

    with pytest.raises(LabError, match="TARGET=qemu is no emulated board: embedded or renode"):
        emulated_board("qemu")


def test_lab_up_without_renode_is_one_line(nowhere, monkeypatch, capsys, tmp_path):
    from lab.cli import main

    monkeypatch.setenv("TARGET", "renode")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert main(["up"]) == 1
    assert capsys.readouterr().err.startswith("lab: there is no Renode: install")


def test_pytest_skips_with_the_reason(tmp_path):
    (tmp_path / "test_one.py").write_text("def test_one(repl_board):\n    assert False\n")
    env = {**os.environ, "RENODE": "/nonexistent/renode"}
    command = [sys.executable, "-P", "-m", "pytest", "-rs", "--target", "renode", "-p", "no:xdist"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert "1 skipped" in done.stdout, done.stdout + done.stderr
    assert "/nonexistent/renode --version: No such file" in done.stdout
    assert done.returncode == 0
