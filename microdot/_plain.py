"""The two hot loops of `frames` where there is no machine code for them."""
BLOCK = 512  # bytes unmasked at a time


def unmask(data, key):
    """XOR the bytearray `data` in place with the 4-byte `key` (RFC 6455, 5.3): as one big number,
    a block at a time, so that memory stays near the size of a block."""
    size = len(data)
    if size <= BLOCK:
        mask = int.from_bytes((key * (size // 4 + 1))[:size], 'little')
        data[:] = (int.from_bytes(data, 'little') ^ mask).to_bytes(size, 'little')
        return
    whole = int.from_bytes(key * (BLOCK // 4), 'little')
    view = memoryview(data)
    for at in range(0, len(data), BLOCK):
        part = view[at:at + BLOCK]
        size = len(part)
        mask = whole if size == BLOCK else int.from_bytes((key * (size // 4 + 1))[:size], 'little')
        part[:] = (int.from_bytes(part, 'little') ^ mask).to_bytes(size, 'little')


# first byte of a sequence: what its second must lie in (RFC 3629, section 4); None: never valid
SECONDS = (
    (b'\xc0', None), (b'\xc1', None), (b'\xe0', (0xA0, 0xBF)), (b'\xed', (0x80, 0x9F)),
    (b'\xf0', (0x90, 0xBF)), (b'\xf4', (0x80, 0x8F)), (b'\xf5', None), (b'\xf6', None),
    (b'\xf7', None),
)


def not_strict(data):
    """For bytes of the right structure: is there an overlong form, a surrogate, or something
    above U+10FFFF (RFC 3629)? MicroPython's decode() looks at the structure only."""
    for first, second in SECONDS:
        at = data.find(first)
        while at >= 0:
            if not second or not second[0] <= data[at + 1] <= second[1]:
                return True
            at = data.find(first, at + 2)
    return False
