"""Writing one response (RFC 9112, 4); imported when there is one to write."""


def complete(response):
    """Add Content-Type and, where it is known, Content-Length."""
    headers = response.headers
    if isinstance(response.body, (bytes, bytearray)) and 'Content-Length' not in headers:
        headers['Content-Length'] = str(len(response.body))
    if 'Content-Type' not in headers:
        kind = response.default_content_type
        headers['Content-Type'] = kind if 'charset=' in kind else kind + '; charset=UTF-8'


def head(response):
    """Status line and headers as bytes. Raises ValueError when one has a line end in it."""
    complete(response)
    reason = response.reason
    if reason is None:
        reason = 'OK' if response.status_code == 200 else 'N/A'
    lines = ['HTTP/1.0 %d %s' % (response.status_code, reason)]
    for name, value in response.headers.items():
        for item in value if isinstance(value, list) else (value,):
            lines.append('%s: %s' % (name, item))
    for line in lines:
        if '\r' in line or '\n' in line:
            raise ValueError('line end in a header: %r' % line)
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


async def send(stream, data, more=b''):
    """Write one or two pieces, and wait until they are on their way."""
    if hasattr(stream, 'awrite'):
        await stream.awrite(data)
        if more:
            await stream.awrite(more)
    else:
        stream.write(data)
        if more:
            stream.write(more)
        await stream.drain()


async def write(response, stream):
    """See Response.write()."""
    body = response.body
    if isinstance(body, (bytes, bytearray)):
        await send(stream, head(response), b'' if response.is_head else body)
        return
    parts = response.body_iter()
    try:
        await send(stream, head(response))
        if not response.is_head:
            async for part in parts:
                await send(stream, part.encode() if isinstance(part, str) else part)
    finally:
        await parts.aclose()
