"""Runs under MicroPython: the code of frames that CPython never takes, on vectors from a file.

argv: a JSON file with {"texts": [hex, ..], "masks": [[hex, key, offset], ..]}. Prints JSON.
"""

import binascii
import json
import sys

from microdot import _plain, frames

machine_code = frames.not_strict, frames.unmask
plain = _plain.not_strict, _plain.unmask


def is_text(data):
    try:
        return frames.decode_text(bytearray(data)).encode() == data
    except frames.FrameError as error:
        assert error.code == 1007
        return False


def unmasked(data, key, offset):
    """In place, `offset` bytes behind the start of a buffer, whose other bytes stay."""
    buffer = bytearray(b"\xa5" * offset + data + b"\x5a" * 5)
    frames.unmask(memoryview(buffer)[offset : offset + len(data)], key)
    assert buffer[:offset] == b"\xa5" * offset and buffer[-5:] == b"\x5a" * 5
    return binascii.hexlify(buffer[offset:-5]).decode()


with open(sys.argv[1]) as file:
    vectors = json.load(file)
texts = [binascii.unhexlify(text) for text in vectors["texts"]]
masks = [
    (binascii.unhexlify(data), binascii.unhexlify(key), offset)
    for data, key, offset in vectors["masks"]
]
answer = {"machine code": machine_code[0] is not plain[0] and machine_code[1] is not plain[1]}
for name, functions in (("viper", machine_code), ("plain", plain)):
    frames.not_strict, frames.unmask = functions
    answer[name] = {
        "texts": [is_text(data) for data in texts],
        "masks": [unmasked(*mask) for mask in masks],
    }
print(json.dumps(answer))
