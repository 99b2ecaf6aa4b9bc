"""Every defect measured on the published microdot 2.7.0 has cases here, and they can fail.

The same cases run against that package, where each must find the defect: its sign is in the
differences that the engine reports.
"""

import contextlib
import dataclasses
import re

import pytest
import targets
import test_api
import test_s4_handshake
import test_s5_5_control
import test_s5_framing
import test_s5_segments
import test_s7_closing
import test_s8_utf8
from case import CPYTHON, UNIX
from engine import Control, differences, run

from lab.pinned import MICRODOT, PackageError

MODULES = (
    test_s4_handshake, test_s5_framing, test_s5_segments, test_s5_5_control, test_s7_closing,
    test_s8_utf8, test_api,
)  # fmt: skip
CASES = [case for module in MODULES for case in module.CASES]
SECONDS = 3  # to find out that something does not come

# defect: the target that shows it, and its sign
DEFECTS = {
    "zero limit": (CPYTHON, r"frames: \[\], not"),
    "empty messages": (CPYTHON, r"frames: "),
    "unmasked": (CPYTHON, r"close code: (1005|None), not 1002"),
    "RSV bits": (CPYTHON, r"close code: (1005|None), not 1002"),
    "reserved opcodes": (CPYTHON, r"frames: .*payload"),
    "long control frames": (CPYTHON, r"control frame over 125 bytes"),
    "close without a status": (CPYTHON, r"close code: 1005, not"),
    "close code echo": (CPYTHON, r"close code: 1005, not"),
    "close lost to a RST": (CPYTHON, r"end of TCP: 'rst'"),
    "header in two segments": (CPYTHON, r"frames: \[\], not"),
    "invalid UTF-8": (UNIX, r"frames: \[\(1, b'ok'\), \(1, "),
    "HTTP in the stream": (CPYTHON, r"no frame of a server.*HTTP/1"),
    "send() after close()": (CPYTHON, r"frames: .*too late"),
    "timed-out receive()": (CPYTHON, r"frames: \[\], not"),
}


def test_every_defect_has_a_case():
    assert {case.defect for case in CASES} - {""} == set(DEFECTS)


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def published():
    """published(name): the app under test on the published package, and its control channel."""
    with contextlib.ExitStack() as stack:
        running = {}

        def get(name):
            if name not in running:
                try:
                    path = (MICRODOT.install(),)
                    target = stack.enter_context(targets.HOST_OPENERS[name](path))
                except PackageError as error:
                    pytest.skip(str(error))
                control = Control(target.address)
                stack.callback(control.close)
                running[name] = target, control
            return running[name]

        yield get


@pytest.mark.parametrize("defect", DEFECTS)
def test_published_package_fails(defect, published):
    name, sign = DEFECTS[defect]
    target, control = published(name)
    for case in CASES:
        if case.defect == defect and name in case.on:
            short = dataclasses.replace(case, seconds=SECONDS)
            found = "\n".join(differences(case, run(short, target, control), wire_only=True))
            assert re.search(sign, found), f"{case.name}: {found or 'conforms'}"
