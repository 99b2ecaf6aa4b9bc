"""Where MicroPython's own tests come from: the cache, a directory, or a reason why not."""

import io
import tarfile

import pytest

from lab import upstream
from lab.upstream import UpstreamError, micropython_tests


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MICROPYTHON_TESTS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def downloads(monkeypatch):
    """Count downloads; each brings a source tree with one test."""
    made = []

    def download(target):
        made.append(target)
        with tarfile.open(target, "w:xz") as tar:
            for name in (
                "tree-1/README",
                "tree-1/tests/basics/one.py",
                "tree-1/ports/tests/two.py",
            ):
                tar.addfile(tarfile.TarInfo(name), io.BytesIO())

    monkeypatch.setattr(upstream, "_download", download)
    return made


def test_fetched_once_and_only_the_tests(cache, downloads):
    first = micropython_tests()
    assert micropython_tests() == first
    assert len(downloads) == 1
    assert [p.relative_to(first).as_posix() for p in first.rglob("*.py")] == ["basics/one.py"]
    assert sorted(p.name for p in first.parent.iterdir()) == [upstream.VERSION, "lock"]


def test_damaged_archive_leaves_nothing(cache, monkeypatch):
    monkeypatch.setattr(upstream, "_download", lambda target: target.write_bytes(b"no archive"))
    with pytest.raises(UpstreamError, match="can't be unpacked"):
        micropython_tests()
    assert [p.name for p in (cache / "micropython-tests").iterdir()] == ["lock"]


def test_directory_of_one_s_own(cache, downloads, monkeypatch, tmp_path):
    (tmp_path / "basics").mkdir()
    monkeypatch.setenv("MICROPYTHON_TESTS", str(tmp_path))
    assert micropython_tests() == tmp_path
    assert not downloads
    monkeypatch.setenv("MICROPYTHON_TESTS", str(tmp_path / "basics"))
    with pytest.raises(UpstreamError, match="is no tests directory of MicroPython"):
        micropython_tests()


def test_without_debian_says_what_to_do(cache, monkeypatch):
    monkeypatch.setattr(upstream, "HELPER", "/nonexistent/apt-helper")
    with pytest.raises(UpstreamError, match="MICROPYTHON_TESTS=path"):
        micropython_tests()
