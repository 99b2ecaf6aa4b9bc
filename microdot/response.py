"""What goes back to the client."""
import json

from .http import NoCaseDict


class Response:
    """body: str, bytes, dict or list (as JSON), a file, a generator or another iterator, plain or
    async, of str and bytes; None is an empty body, with 204 in place of 200.

    status_code: int. headers: dict; a value that is a list makes a line of each. reason: str that
    follows the status code, 'OK' for 200 and 'N/A' for others when None.

    Class attributes for applications to set: default_content_type, for responses that name none;
    default_send_file_max_age: seconds, None for no Cache-Control; send_file_buffer_size: bytes;
    types_map: content types by file extension.
    """

    default_content_type = 'text/plain'
    default_send_file_max_age = None
    send_file_buffer_size = 1024
    types_map = {
        'html': 'text/html', 'css': 'text/css', 'js': 'application/javascript',
        'txt': 'text/plain', 'json': 'application/json', 'jpg': 'image/jpeg', 'png': 'image/png',
        'gif': 'image/gif', 'svg': 'image/svg+xml',
    }
    already_handled = None  # set below: the handler has written to the connection itself

    def __init__(self, body='', status_code=200, headers=None, reason=None):
        if body is None:
            body = b''
            if status_code == 200:
                status_code = 204
        self.status_code = status_code
        self.headers = NoCaseDict(headers)
        self.reason = reason
        self.is_head = False
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            if 'Content-Type' not in self.headers:
                self.headers['Content-Type'] = 'application/json; charset=UTF-8'
        self.body = body.encode() if isinstance(body, str) else body

    def set_cookie(self, cookie, value, path=None, domain=None, expires=None, max_age=None,
                   secure=False, http_only=False, partitioned=False):
        """Add a Set-Cookie header (RFC 6265, 4.1).

        expires: str or datetime (in UTC). max_age: seconds. Raises ValueError when a value can't
        stand in a cookie."""
        from ._cookies import format_cookie
        text = format_cookie(cookie, value, path, domain, expires, max_age, secure, http_only,
                             partitioned)
        self.headers['Set-Cookie'] = self.headers.get('Set-Cookie', []) + [text]

    def delete_cookie(self, cookie, **kwargs):
        """Make the client forget a cookie; path and domain as it was set with."""
        kwargs['expires'] = 'Thu, 01 Jan 1970 00:00:01 GMT'
        kwargs['max_age'] = 0
        self.set_cookie(cookie, '', **kwargs)

    def complete(self):
        """Add Content-Type and, where it is known, Content-Length."""
        headers = self.headers
        if isinstance(self.body, (bytes, bytearray)) and 'Content-Length' not in headers:
            headers['Content-Length'] = str(len(self.body))
        if 'Content-Type' not in headers:
            kind = self.default_content_type
            headers['Content-Type'] = kind if 'charset=' in kind else kind + '; charset=UTF-8'

    def head(self):
        """Status line and headers as bytes. Raises ValueError when one has a line end in it."""
        self.complete()
        reason = self.reason
        if reason is None:
            reason = 'OK' if self.status_code == 200 else 'N/A'
        lines = ['HTTP/1.0 %d %s' % (self.status_code, reason)]
        for name, value in self.headers.items():
            for item in value if isinstance(value, list) else (value,):
                lines.append('%s: %s' % (name, item))
        for line in lines:
            if '\r' in line or '\n' in line:
                raise ValueError('line end in a header: %r' % line)
        return ('\r\n'.join(lines) + '\r\n\r\n').encode()

    def body_iter(self):
        """The body as an async iterator of bytes and str, with `aclose`."""
        from ._stream import BodyIter
        return BodyIter(self.body, self.send_file_buffer_size)

    async def write(self, stream):
        """Send it. Raises ValueError before anything is sent, OSError when the client goes."""
        head = self.head()
        body = self.body
        if isinstance(body, (bytes, bytearray)):
            await send(stream, head, b'' if self.is_head else body)
            return
        parts = self.body_iter()
        try:
            await send(stream, head)
            if not self.is_head:
                async for part in parts:
                    await send(stream, part.encode() if isinstance(part, str) else part)
        finally:
            await parts.aclose()

    @classmethod
    def redirect(cls, location, status_code=302):
        """A response that sends the client elsewhere."""
        if '\r' in location or '\n' in location:
            raise ValueError('a location has no line ends')
        return cls('', status_code, {'Location': location})

    @classmethod
    def send_file(cls, filename, status_code=200, content_type=None, stream=None, max_age=None,
                  compressed=False, file_extension=''):
        """A file as the response. Raises OSError when there is none.

        filename: trusted; one that a client gave must be checked first. content_type: from the
        name when None. stream: a file that is open already. max_age: seconds for Cache-Control.
        compressed: True for gzip, or the Content-Encoding; the file is compressed already.
        file_extension: appended to the name that is opened, not to that of the type."""
        if content_type is None:
            parts = filename.split('.')
            if compressed and parts[-1] == 'gz':
                parts.pop()
            content_type = cls.types_map.get(parts[-1], 'application/octet-stream')
        headers = {'Content-Type': content_type}
        if max_age is None:
            max_age = cls.default_send_file_max_age
        if max_age is not None:
            headers['Cache-Control'] = 'max-age=%d' % max_age
        if compressed:
            headers['Content-Encoding'] = compressed if isinstance(compressed, str) else 'gzip'
        return cls(stream or open(filename + file_extension, 'rb'), status_code, headers)


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


Response.already_handled = Response()
