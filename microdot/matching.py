"""Matching URL paths with the patterns of URLPattern; imported when the first is to be matched."""


def _string(text):
    return text if text and '/' not in text else None


def _int(text):
    digits = text[1:] if text[:1] == '-' else text
    # int() takes '+1', ' 1', '1_0' and digits of other scripts as well
    return int(text) if digits.encode().isdigit() else None


def _path(text):
    return text or None


TYPES = {'string': _string, 'int': _int, 'path': _path}


def convert_by(kind, types):
    """The function from text to a value, None when it does not match, for a type of a pattern.
    Returns None when there is no such type."""
    if kind[:3] == 're:':
        regex, parser = kind[3:], None
    elif kind in types:
        regex, parser = types[kind]
    else:
        return TYPES.get(kind)
    from ._regex import matcher
    return matcher(regex, parser)


def compile_pattern(pattern, types):
    """Literal text and (name, function), one after the other. Raises ValueError for no type."""
    parts = []
    text = ''
    for segment in ('/' + pattern.lstrip('/')).split('/'):
        if segment[:1] != '<':
            text += segment + '/'
            continue
        kind, found, name = segment[1:-1].rpartition(':')
        convert = convert_by(kind if found else 'string', types)
        if segment[-1] != '>' or not name or not convert:
            raise ValueError('invalid URL pattern: ' + pattern)
        parts.append(text)
        parts.append((name, convert))
        text = '/'
    parts.append(text[:-1])
    return parts


def match(pattern, path):
    """See URLPattern.match()."""
    if pattern.parts is None:
        pattern.compile()
    parts = pattern.parts
    first = parts[0]
    if len(parts) == 1:
        return {} if path == first else None
    args = {}
    if path.startswith(first) and _match(parts, 1, path[len(first):], args):
        return args
    return None


def _match(parts, i, path, args):
    """Does `path` match the parts from i on, a dynamic one? Puts the values into args."""
    name, convert = parts[i]
    literal = parts[i + 1]
    last = i + 2 == len(parts)
    end = len(path)
    # the longest first, as a regular expression does
    while end > 0:
        if path.startswith(literal, end) and (not last or len(path) == end + len(literal)):
            value = convert(path[:end])
            if value is not None and (
                    last or _match(parts, i + 2, path[end + len(literal):], args)):
                args[name] = value
                return True
        end = path.rfind('/', 0, end)
    return False
