"""Under renode-test our keywords go before Renode's, whose names some of them have."""

import re

from lab.flash import ROOT
from lab.keywords.BoardKeywords import OURS


def test_every_library_of_the_suites_goes_before_renodes():
    resource = (ROOT / "robot" / "board.resource").read_text()
    imported = re.findall(r"^Library\s+(lab\.keywords\.\w+Keywords)$", resource, re.M)
    assert imported
    assert set(imported) == set(OURS)


def test_every_suite_says_how_its_tests_begin():
    """renode-test would put Renode's `Reset Emulation` before each test of the others, which takes
    a board off the desk that the suite has put there."""
    for path in (ROOT / "robot").glob("*.robot"):
        text = path.read_text()
        own_board = re.search(r"^Suite Setup\s+(Requires|Create Machine|A Board)", text, re.M)
        assert not own_board or re.search(r"^Test Setup", text, re.M), path.name
