"""A socket that has closed answers by RST what comes late: only where frames are late at all."""

import pytest

from lab.inject.case import CaseFailed
from lab.inject.stream import Expect, StreamCase, has_close, play
from lab.inject.wire import TEXT, close, frame, text

REFUSED = b"\xc8" + close(1000)[1:]  # RSV1 is set


class Resets:
    """A server that refuses the first thing said to it, and resets when more is."""

    now = 0.0

    def __init__(self, tardiness, goodbye=True):
        self.tardiness, self.goodbye = tardiness, goodbye

    class Stream:
        def __init__(self, goodbye):
            self.received, self.finished, self.reset = bytearray(), False, False
            self.goodbye = goodbye

        def send(self, data):
            self.reset = bool(self.received) or not self.goodbye
            if self.goodbye and not self.received:
                self.received += b"\x88\x02\x03\xea"

        fin = rst = lambda self: None

    def open(self, upgraded):
        return self.Stream(self.goodbye)

    def wait(self, predicate, seconds):
        return predicate()

    def pause(self, seconds):
        pass

    def note(self, text):
        pass


def outcome(case, rig):
    try:
        play(case, rig)
    except CaseFailed as error:
        return str(error)
    return "passes"


def refused_with_1002(said, end="fin"):
    return StreamCase("late", "one", "test", (said,), Expect(close=1002, end=end))


def test_a_late_answer_to_a_refused_close_frame_may_meet_rst():
    case = refused_with_1002(REFUSED)
    assert outcome(case, Resets(0.002)) == "passes"
    assert outcome(case, Resets(0.0)) == "end of TCP: 'rst', not 'fin'"


def test_who_has_not_said_goodbye_is_owed_fin():
    """The server waits for the answer to its close frame: RST is wrong however late it comes."""
    case = refused_with_1002(text("x"))
    assert outcome(case, Resets(0.002)) == "end of TCP: 'rst', not 'fin'"


def test_without_its_close_frame_rst_is_wrong():
    case = refused_with_1002(REFUSED)
    assert "end of TCP: 'rst', not 'fin'" in outcome(case, Resets(0.002, goodbye=False))


@pytest.mark.parametrize(
    "sent, found",
    [
        (b"", False),
        (b"\x88", False),
        (text("x"), False),
        (text("x" * 300) + b"\x08\x80", True),
        (text("x") + frame(TEXT, bytes(70_000)) + close(), True),
        (text("\x08\x88"), False),
        (frame(TEXT, b"\x88\x80" * 100, key=None), False),
        (REFUSED, True),
    ],
)
def test_a_close_frame_is_found_behind_other_frames(sent, found):
    assert has_close(sent) is found
