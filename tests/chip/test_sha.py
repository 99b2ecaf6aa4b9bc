"""The SHA accelerator, driven by its registers from the board's REPL; hashlib is the oracle."""

import hashlib

import pytest

from lab.targets.embedded import EmbeddedBoard

BASE = 0x3FF03000
START, CONTINUE, LOAD = 0, 4, 8
# offset of START, bytes in a block, bytes of the length field
ENGINES = {
    "sha1": (0x80, 64, 8),
    "sha256": (0x90, 64, 8),
    "sha384": (0xA0, 128, 16),
    "sha512": (0xB0, 128, 16),
}
MESSAGE = bytes(range(256)) + b"and a rest"

DRIVER = """
from machine import mem32
def write(words):
    for i, word in enumerate(words):
        mem32[{base} + 4 * i] = word
def go(register):
    mem32[{base} + register] = 1
    while mem32[{base} + register // 16 * 16 + 12]:
        pass
def read(count):
    return [mem32[{base} + 4 * i] & 0xffffffff for i in range(count)]
""".format(base=BASE)


def padded_blocks(name):
    """The message as the engine wants it: blocks of big-endian words."""
    _, size, length = ENGINES[name]
    data = MESSAGE + b"\x80"
    data += bytes(-(len(data) + length) % size)
    data += (len(MESSAGE) * 8).to_bytes(length, "big")
    words = [int.from_bytes(data[i : i + 4], "big") for i in range(0, len(data), 4)]
    return [words[i : i + size // 4] for i in range(0, len(words), size // 4)]


def steps(name):
    """Board statements that hash the message, one a block."""
    start = ENGINES[name][0]
    for number, block in enumerate(padded_blocks(name)):
        yield f"write({block})\ngo({start + (CONTINUE if number else START)})\n"


def finish(name):
    words = hashlib.new(name).digest_size // 4
    return f"go({ENGINES[name][0] + LOAD})\nprint(*('%08x' % w for w in read({words})), sep='')\n"


@pytest.mark.parametrize("name", ENGINES)
def test_hash(repl_board, name):
    program = DRIVER + "".join(steps(name)) + finish(name)
    assert repl_board.console.run(program).strip() == hashlib.new(name, MESSAGE).hexdigest()
    assert list(repl_board.log) == []


def test_hashes_in_turns_do_not_disturb_each_other(repl_board):
    """ESP-IDF runs SHA-1, SHA-256 and one of SHA-384/512 side by side."""
    names = ["sha1", "sha256", "sha512"]
    rows = [list(steps(name)) for name in names]
    program = DRIVER
    for number in range(max(len(row) for row in rows)):
        program += "".join(row[number] for row in rows if number < len(row))
    program += "".join(finish(name) for name in names)
    expected = [hashlib.new(name, MESSAGE).hexdigest() for name in names]
    assert repl_board.console.run(program).split() == expected


def test_hash_goes_on_from_a_snapshot(booted_repl):
    first, *rest = steps("sha512")
    with EmbeddedBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        board.console.run(DRIVER + first)
        halfway = board.snapshot()
    with EmbeddedBoard(booted_repl.image, snapshot=halfway) as board:
        text = board.console.run(DRIVER + "".join(rest) + finish("sha512"))
    assert text.strip() == hashlib.sha512(MESSAGE).hexdigest()
