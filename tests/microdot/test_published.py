"""The tests of the published microdot, of the parts that we have too, on our package.

They come in its source distribution, fetched by version and sha256, and run in a process of their
own in which `microdot` is ours. Extensions that we don't have are taken from there as well: they
are code written for its core that has to run on ours unchanged.
"""

import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import microdot
from lab.distribution import Distribution, DistributionError

PUBLISHED = Distribution(
    "microdot", "2.7.0", "e11f39f0f5564bb5db69f728902740ed592d632ae7a03e24ca3a88cd59ad2f53"
)
MODULES = [
    "test_auth", "test_cors", "test_csrf", "test_end2end", "test_microdot", "test_multidict",
    "test_multipart", "test_request", "test_response", "test_sse", "test_url_pattern",
    "test_urlencode", "test_websocket",
]  # fmt: skip
EXTENSIONS = ["auth", "cors", "csrf", "multipart", "sse"]  # the others want packages of their own
# what does not apply, and why; it must fail, else it is to be taken out of here
EXCEPTIONS = {
    "test_websocket::TestWebSocket::test_process_websocket_frame": (
        "calls a private method of its WebSocket"
    ),
}
SKIPPED = {
    "test_end2end::TestEnd2End::test_start_serving_false_not_supported": "is for MicroPython",
}
PORT = b"5678"  # where its tests listen; replaced by a free one
CONFTEST = """
import sys
sys.path.insert(0, {root!r})
import microdot
assert microdot.__file__.startswith({root!r})
microdot.__path__.append({extensions!r})
"""
SECONDS = 100


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Outcome by test: "passed", "skipped", or how it failed."""
    try:
        files = PUBLISHED.members(PUBLISHED.fetch())
    except DistributionError as error:
        pytest.skip(f"the published microdot is not to be had: {error}")
    home = tmp_path_factory.mktemp("published")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1]).encode()
    for name, data in files.items():
        path = Path(name)
        wanted = path.parts[:2] == ("tests", "files") or name == "tests/mock_socket.py"
        if path.parent == Path("tests") and path.stem in MODULES:
            wanted, data = True, data.replace(PORT, port)
        if path.parent == Path("src/microdot") and path.suffix == ".py":
            wanted, name = path.stem in EXTENSIONS, f"extensions/{path.name}"
        if wanted:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(data)
    root = str(Path(microdot.__file__).parents[1])
    (home / "pytest.ini").write_text("[pytest]\n")
    (home / "conftest.py").write_text(
        CONFTEST.format(root=root, extensions=str(home / "extensions"))
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-o", "junit_family=xunit1", "--junitxml=results.xml", "tests"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=SECONDS)
    report = home / "results.xml"
    assert report.exists(), done.stdout + done.stderr
    return {
        "::".join([*case.get("classname").split(".")[1:], case.get("name")]): outcome(case)
        for case in ET.parse(report).iter("testcase")
    }


def outcome(case):
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return (found.text or found.get("message"))[-3000:]
    return "passed" if case.find("skipped") is None else "skipped"


@pytest.mark.parametrize("module", MODULES)
def test_published(results, module):
    found = {name: how for name, how in results.items() if name.startswith(module + "::")}
    assert found
    for name, how in found.items():
        if name in EXCEPTIONS:
            assert how != "passed", f"{name} passes: take it out of the table"
        elif name in SKIPPED:
            assert how == "skipped"
        else:
            assert how == "passed", f"{name}:\n{how}"


def test_tables_name_tests_that_exist(results):
    assert {*EXCEPTIONS, *SKIPPED} <= set(results)
