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
    types_map: content types by file extension; those known
    come in with the first `send_file`, and leave alone what is there.
    """

    default_content_type = 'text/plain'
    default_send_file_max_age = None
    send_file_buffer_size = 1024
    types_map = {}
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

    def set_cookie(self, cookie, value, *args, **kwargs):
        """Add a cookie; what follows is (path=None, domain=None, expires=None, max_age=None,
        secure=False, http_only=False, partitioned=False): see _cookies.format_cookie()."""
        from ._cookies import format_cookie
        self.headers['Set-Cookie'] = self.headers.get('Set-Cookie', []) + [
            format_cookie(cookie, value, *args, **kwargs)]

    def delete_cookie(self, cookie, **kwargs):
        """Make the client forget a cookie; path and domain as it was set with."""
        kwargs['expires'] = 'Thu, 01 Jan 1970 00:00:01 GMT'
        kwargs['max_age'] = 0
        self.set_cookie(cookie, '', **kwargs)

    def complete(self):
        """Add Content-Type and, where it is known, Content-Length."""
        from .writing import complete
        complete(self)

    def body_iter(self):
        """The body as an async iterator of bytes and str, with `aclose`."""
        from ._stream import BodyIter
        return BodyIter(self.body, self.send_file_buffer_size)

    async def write(self, stream):
        """Send it. Raises ValueError or TypeError before anything is sent, for what can't be;
        OSError when the client goes."""
        from .writing import write
        await write(self, stream)

    @classmethod
    def redirect(cls, location, status_code=302):
        """A response that sends the client elsewhere. Raises ValueError for a bad location."""
        if '\r' in location or '\n' in location:
            raise ValueError('a location has no line ends')
        return cls('', status_code, {'Location': location})

    @classmethod
    def send_file(cls, filename, *args, **kwargs):
        """A file as the response; what follows is (status_code=200, content_type=None,
        stream=None, max_age=None, compressed=False, file_extension=''): see _files.send_file()."""
        from ._files import send_file
        return send_file(cls, filename, *args, **kwargs)


Response.already_handled = Response()
