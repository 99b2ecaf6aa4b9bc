"""The code in machine code on every pinned firmware: its compiler is the board's own."""

import pytest

from lab.firmware import FirmwareError, pins, resolve
from lab.flash import ROOT, build_image
from lab.targets.embedded import EmbeddedBoard

# bytes at every alignment, and lengths around the words that unmask() takes at a time
CHECK = """
from microdot._viper import check_utf8, unmask
key = b'\\x12\\x34\\x56\\xfe'
wrong = []
for start in range(4):
    for size in range(20):
        whole = bytearray((7 * i + 3) & 255 for i in range(start + size))
        data = memoryview(whole)[start:]
        expected = bytes(b ^ key[i & 3] for i, b in enumerate(data))
        unmask(data, key)
        if bytes(data) != expected:
            wrong.append((start, size))
print(wrong)
good = [b'', b'abc', 'h\\u00e9\\u20ac'.encode(), b'\\xed\\x9f\\xbf', b'\\xf4\\x8f\\xbf\\xbf']
bad = [b'\\xc0\\x80', b'\\xc1\\xbf', b'\\xe0\\x9f\\xbf', b'\\xed\\xa0\\x80',
       b'\\xf0\\x8f\\xbf\\xbf', b'\\xf4\\x90\\x80\\x80', b'\\xf5\\x80\\x80\\x80']
print([check_utf8(text) for text in good], [check_utf8(text) for text in bad])
"""


@pytest.mark.parametrize("pin", pins(), ids=lambda pin: pin.name)
def test_viper_code_is_right(pin):
    try:
        firmware = resolve(pin.name)
    except FirmwareError as error:
        pytest.skip(str(error))
    sources = {f"lib/microdot/{p.name}": p.read_bytes() for p in (ROOT / "microdot").glob("*.py")}
    with EmbeddedBoard(build_image(firmware, sources)) as board:
        board.console.wait_for_prompt(60)
        wrong, utf8 = board.console.run(CHECK).splitlines()
    assert wrong == "[]"
    assert utf8 == f"{[True] * 5} {[False] * 7}"
