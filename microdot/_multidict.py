"""Query strings and forms (application/x-www-form-urlencoded)."""
HEX = b'0123456789abcdef'


def urldecode(s):
    """Percent-decoding with + for a space; bytes that are no UTF-8 count as Latin-1.

    s: str or bytes. A % without two hex digits stays as it is."""
    if isinstance(s, str):
        if '%' not in s:
            return s.replace('+', ' ')
        s = s.encode()
    parts = s.replace(b'+', b' ').split(b'%')
    data = bytearray(parts[0])
    for part in parts[1:]:
        high, low = HEX.find(part[:1].lower()), HEX.find(part[1:2].lower())
        if len(part) < 2 or high < 0 or low < 0:
            data.extend(b'%' + part)
        else:
            data.append(high << 4 | low)
            data.extend(part[2:])
    try:
        return bytes(data).decode()
    except ValueError:  # UnicodeError
        return ''.join([chr(byte) for byte in data])


def urlencode(s):
    """Percent-encoding with + for a space, of what has a meaning in a query."""
    s = s.replace('%', '%25').replace('+', '%2B').replace(' ', '+')
    for char in '?#&=':
        s = s.replace(char, '%%%02X' % ord(char))
    return s


class MultiDict(dict):
    """A dict with many values for a key: [] gives the first, `getlist` all of them."""

    def __init__(self, initial_dict=None):
        super().__init__()
        for key in initial_dict or {}:
            self[key] = initial_dict[key]

    def __setitem__(self, key, value):
        """Add a value."""
        super().__setitem__(key, super().get(key, []) + [value])

    def __getitem__(self, key):
        return super().__getitem__(key)[0]

    def get(self, key, default=None, type=None):
        """The first value, through `type` when it is given; default when there is none."""
        if key not in self:
            return default
        value = self[key]
        return type(value) if type else value

    def getlist(self, key, type=None):
        """All values, each through `type` when it is given."""
        values = super().get(key, [])
        return [type(value) for value in values] if type else values
