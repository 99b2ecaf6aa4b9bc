"""The table of known differences itself, and the comparison it rests on."""

import pytest
from suite import known, pattern

from lab.upstream import UpstreamError, micropython_tests


def test_every_entry_names_a_test_and_says_why():
    try:
        suite = micropython_tests()
    except UpstreamError as error:
        pytest.skip(str(error))
    assert [name for name in known() if not (suite / name).is_file()] == []
    kinds = {"differs", "panics", "hangs", "unmodelled", "not run"}
    assert {entry.kind for entry in known().values()} <= kinds
    assert all(entry.why for entry in known().values())


@pytest.mark.parametrize(
    "text, matches",
    [
        ("at 0x3ffc12\na\nb\nend (1)\n", True),
        ("at 0x3ffc12\nend (1)\n", True),
        ("at 0xzz\nend (1)\n", False),
        ("at 0x3ffc12\nend 1\n", False),
        ("at 0x3ffc12\nend (1)\nmore\n", False),
    ],
)
def test_pattern_file(text, matches):
    expected = "at 0x\\[0-9a-f\\]\\+\n########\nend (1)\n"
    assert bool(pattern(expected).fullmatch(text)) == matches
