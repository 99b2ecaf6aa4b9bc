"""Reading one request (RFC 9112); imported when there is one to read."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

from .http import NoCaseDict, RequestError


async def read_request(cls, app, reader, writer, client_addr, scheme):
    """See Request.create(). The limits are those of the class `cls`."""
    seconds = cls.max_read_time
    try:
        head = await asyncio.wait_for(read_head(reader, cls.max_readline), seconds)
        if not head:
            return None
        request = cls(app, client_addr, head[0], head[1], head[2], head[3],
                      sock=(reader, writer), scheme=scheme)
        size = request.content_length
        if size and size <= min(cls.max_body_length, cls.max_content_length):
            request.body = await asyncio.wait_for(reader.readexactly(size), seconds + size // 1024)
    except asyncio.TimeoutError:
        raise RequestError(408, 'Request timeout')
    except EOFError:
        raise RequestError(400, 'Request cut short')
    return request


async def read_line(reader, most):
    """One line without its end, None at the end of the stream. Raises RequestError for one of
    more than `most` bytes, EOFError for one without an end."""
    try:
        if hasattr(reader, 'read_line'):  # _listen.py: bounded
            line = await reader.read_line(most + 1)
        else:
            line = await reader.readline()
    except ValueError:  # CPython: more than 64 KB
        raise RequestError(431, 'Line too long')
    if not line:
        return None
    if len(line) > most:
        raise RequestError(431, 'Line too long')
    if line[-1] != 10:
        raise EOFError
    line = line[:-2] if line[-2:] == b'\r\n' else line[:-1]
    if b'\r' in line or b'\0' in line:
        raise RequestError(400, 'Bad character')
    try:
        return line.decode()
    except ValueError:  # UnicodeError
        raise RequestError(400, 'Not UTF-8')


async def read_head(reader, most):
    """(method, url, version, headers), None at the end of the stream. Raises RequestError and
    EOFError. most: bytes of a line, and a quarter of what all headers may have."""
    # an empty line before the request is to be skipped (RFC 9112, 2.2)
    line = await read_line(reader, most) or await read_line(reader, most)
    if line is None:
        return None
    parts = line.split(' ')
    if len(parts) != 3 or line.split() != parts or not parts[2].startswith('HTTP/'):
        raise RequestError(400, 'Bad request line')
    version = parts[2][5:]
    if version not in ('1.0', '1.1'):
        raise RequestError(505, 'HTTP version not supported')
    headers = NoCaseDict()
    left = 4 * most
    while True:
        line = await read_line(reader, most)
        if not line:
            break
        left -= len(line)
        if left < 0:
            raise RequestError(431, 'Too many headers')
        name, found, value = line.partition(':')
        # no space in or around a name (5.1), so no folded line either (5.2)
        if not found or name.split() != [name]:
            raise RequestError(400, 'Bad header line')
        value = value.strip(' \t')
        if name in headers:
            value = headers[name] + ('; ' if name.lower() == 'cookie' else ', ') + value
        headers[name] = value
    if line is None:
        raise EOFError
    # two messages where the other side sees one, or the other way round (11.2)
    if 'Transfer-Encoding' in headers:
        raise RequestError(501, 'Transfer-Encoding is not supported')
    if ',' in headers.get('Host', ',' if version == '1.1' else ''):
        raise RequestError(400, 'One Host header is needed')
    return parts[0], parts[1], version, headers
