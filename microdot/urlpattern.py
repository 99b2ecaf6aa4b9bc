"""URL patterns: '/user/<id>', '/user/<int:id>', '/files/<path:name>', '/<re:[a-z]+:word>'."""


def _string(text):
    return text if text and '/' not in text else None


def _int(text):
    digits = text[1:] if text[:1] == '-' else text
    # int() takes '+1', ' 1', '1_0' and digits of other scripts as well
    return int(text) if digits.encode().isdigit() else None


def _path(text):
    return text or None


class URLPattern:
    """A pattern of URL paths; what is in <> is handed to the handler by name.

    Types: string (the default): one segment; int: with or without a minus; path: what is left,
    or up to the segment that follows; re:<regular expression>; and those of `register_type`.
    """

    # type name -> function from text to a value, or None when it does not match
    _types = {'string': _string, 'int': _int, 'path': _path}

    @classmethod
    def register_type(cls, type_name, pattern='[^/]+', parser=None):
        """A type of one's own. pattern: regular expression. parser: from str to a value, None when
        it does not match; without it the value is the str."""
        from ._regex import matcher
        cls._types[type_name] = matcher(pattern, parser)

    def __init__(self, url_pattern):
        self.url_pattern = url_pattern
        self._parts = None  # literal text, or (name, function), one after the other

    def compile(self):
        """Get ready to match; done at the first match. Raises ValueError for no such type."""
        parts = []
        text = ''
        for segment in ('/' + self.url_pattern.lstrip('/')).split('/'):
            if segment[:1] != '<':
                text += segment + '/'
                continue
            if segment[-1] != '>':
                raise ValueError('invalid URL pattern: ' + self.url_pattern)
            kind, found, name = segment[1:-1].rpartition(':')
            kind = kind if found else 'string'
            if kind[:3] == 're:':
                from ._regex import matcher
                convert = matcher(kind[3:], None)
            elif kind in self._types:
                convert = self._types[kind]
            else:
                raise ValueError('unknown type in URL pattern: ' + self.url_pattern)
            parts.append(text)
            parts.append((name, convert))
            text = '/'
        parts.append(text[:-1])
        self._parts = parts

    def match(self, path):
        """The values by name when `path` matches, else None."""
        if self._parts is None:
            self.compile()
        first = self._parts[0]
        if len(self._parts) == 1:
            return {} if path == first else None
        if not path.startswith(first):
            return None
        args = {}
        return args if self._match(1, path[len(first):], args) else None

    def _match(self, i, path, args):
        """Does `path` match the parts from i on, a dynamic one? Puts the values into args."""
        name, convert = self._parts[i]
        literal = self._parts[i + 1]
        last = i + 2 == len(self._parts)
        end = len(path)
        # the longest first, as a regular expression does
        while end > 0:
            if path.startswith(literal, end) and (not last or len(path) == end + len(literal)):
                value = convert(path[:end])
                if value is not None and (
                        last or self._match(i + 2, path[end + len(literal):], args)):
                    args[name] = value
                    return True
            end = path.rfind('/', 0, end)
        return False

    def __repr__(self):
        return 'URLPattern: ' + self.url_pattern
