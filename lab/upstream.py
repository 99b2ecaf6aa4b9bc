"""MicroPython's own test suite, from Debian's source package `micropython`.

Pinned by version and sha256; it lands in the lab's cache (`lab.firmware.cache_dir`), fetched by
apt's own downloader from the mirror that apt is configured for. `$MICROPYTHON_TESTS` names a
directory to take instead: the `tests` of a MicroPython source tree.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lab import LabError
from lab.firmware import cache_dir, locked

VERSION = "1.25.0"
ARCHIVE = f"pool/main/m/micropython/micropython_{VERSION}+ds.orig.tar.xz"
SHA256 = "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"
HELPER = "/usr/lib/apt/apt-helper"
FETCH_SECONDS = 300


class UpstreamError(LabError):
    """The tests can't be had; the text says why and what to do."""


def _mirrors() -> list[str]:
    """Base URLs of the Debian archives in apt's configuration, each ending in a slash."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "COMPONENT: main"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except OSError:
        return []
    found = dict.fromkeys(done.stdout.split())
    return [uri for uri in found if re.search(r"/debian/?$", uri)]


def _download(target: Path) -> None:
    """Fetch the archive and check its hash, both by apt-helper. Raises UpstreamError."""
    advice = "MICROPYTHON_TESTS=path names the tests directory of a MicroPython source tree"
    mirrors = _mirrors() if Path(HELPER).exists() else []
    if not mirrors:
        raise UpstreamError(f"no Debian mirror to fetch MicroPython's tests from; {advice}")
    trouble = ""
    for mirror in mirrors:
        url = mirror.rstrip("/") + "/" + ARCHIVE
        # root's cache is closed to the user as whom root's apt would download
        command = [HELPER, "-o", "APT::Sandbox::User=root", "download-file", url]
        command += [str(target), f"SHA256:{SHA256}"]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_SECONDS, cwd=target.parent
        )
        if done.returncode == 0:
            return
        trouble = done.stderr.strip().rpartition("\n")[2]
    raise UpstreamError(f"fetching MicroPython's tests failed ({trouble}); {advice}")


def _extract(archive: Path, target: Path) -> None:
    """Unpack the archive's `tests` as `target`."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        with tarfile.open(archive) as tar:
            members = [m for m in tar if m.name.split("/")[1:2] == ["tests"]]
            tar.extractall(scratch, members, filter="data")
        made = next(Path(scratch).glob("*/tests"), None)
        if made is None:
            raise UpstreamError(f"{ARCHIVE} has no tests in it")
        made.replace(target)


def micropython_tests() -> Path:
    """The suite's directory, fetched when it isn't there. Raises UpstreamError."""
    if given := os.environ.get("MICROPYTHON_TESTS"):
        if not Path(given, "basics").is_dir():
            raise UpstreamError(f"MICROPYTHON_TESTS={given} is no tests directory of MicroPython")
        return Path(given)
    home = cache_dir() / "micropython-tests"
    tests = home / VERSION
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / "lock"):
        if tests.is_dir():
            return tests
        scratch = Path(tempfile.mkdtemp(dir=home))
        try:
            _download(scratch / "source.tar.xz")
            _extract(scratch / "source.tar.xz", tests)
        except (OSError, tarfile.TarError, subprocess.TimeoutExpired) as error:
            raise UpstreamError(f"MicroPython's tests can't be unpacked: {error}") from None
        finally:
            shutil.rmtree(scratch)
    return tests
