"""The two hot loops of `frames` in machine code, where MicroPython can emit it."""
import micropython


@micropython.viper
def unmask(data, key):
    """XOR the bytearray `data` in place with the 4-byte `key` (RFC 6455, 5.3)."""
    size = int(len(data))
    bytes_ = ptr8(data)
    k = ptr8(key)
    i = 0
    if int(uint(bytes_)) & 3 == 0:
        words = ptr32(data)
        # one load a statement: before v1.20 a load within an expression spoils its left side
        key0 = k[0]
        key1 = k[1]
        key2 = k[2]
        key3 = k[3]
        word = key0 | key1 << 8 | key2 << 16 | key3 << 24
        count = size >> 2
        while i < count:
            words[i] ^= word
            i += 1
        i <<= 2
    while i < size:
        bytes_[i] ^= k[i & 3]
        i += 1
    return data


@micropython.viper
def check_utf8(data) -> bool:
    """See `frames.strict_utf8`."""
    size = int(len(data))
    p = ptr8(data)
    i = 0
    while i < size:
        byte = p[i]
        i += 1
        if byte < 0xC0:
            continue
        if byte < 0xC2 or byte > 0xF4:
            return False
        if byte >= 0xE0 and i < size:
            second = p[i]
            if byte == 0xE0 and second < 0xA0:
                return False
            if byte == 0xED and second > 0x9F:
                return False
            if byte == 0xF0 and second < 0x90:
                return False
            if byte == 0xF4 and second > 0x8F:
                return False
    return True
