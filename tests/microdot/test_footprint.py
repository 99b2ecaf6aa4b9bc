"""What the framework costs the board in heap, beside the published one."""

import pytest

from lab.flash import ROOT, compile_mpy
from lab.footprint import IMPORT, SERVING, footprint, package_files
from lab.pinned import MICRODOT, PackageError

RUN = "import documented\nmark('imported', start)\n"


def compiled(source):
    return {"documented.mpy": compile_mpy(source.encode(), "documented.py")}


@pytest.fixture(scope="module")
def published():
    """The published package's core and WebSockets, compiled as ours are."""
    try:
        folder = MICRODOT.install()
    except PackageError as error:
        pytest.skip(str(error))
    return package_files(folder / "microdot", ["__init__", "helpers", "microdot", "websocket"])


def test_import_takes_no_more_than_the_published_package(published):
    ours, theirs = footprint(package_files(ROOT / "microdot"), IMPORT), footprint(published, IMPORT)
    assert ours["core"] <= theirs["core"]
    assert ours["imported"] <= theirs["imported"]


def test_a_serving_app_leaves_the_board_half_of_its_heap():
    """Of the 100 KB that an ESP32 without PSRAM has for MicroPython."""
    assert footprint(package_files(ROOT / "microdot"), SERVING)["serving"] <= 50 * 1024


def test_docstrings_cost_nothing():
    plain = footprint(compiled("def f(x):\n    return x\n"), RUN)
    text = compiled('"""%s"""\ndef f(x):\n    """%s"""\n    return x\n' % ("x" * 5000, "y" * 5000))
    assert footprint(text, RUN) == plain
