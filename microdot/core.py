"""What handlers get and give: Request, Response, errors, headers; and how handlers are called.

What only a server needs is in server.py; what a request or a response rarely needs is in modules
with an underscore, which are imported when it does.
"""
import json
import sys

LATE = ('args', 'cookies', 'files', 'form', 'json', 'stream')  # made by _parse.py when asked for


class HTTPException(Exception):
    """Ends a request with `status_code` (int).

    reason: the body of the response, '<status> error' when None. headers: dict of more headers.
    """

    def __init__(self, status_code, reason=None, headers=None):
        super().__init__(status_code, reason)
        self.status_code = status_code
        self.reason = reason or str(status_code) + ' error'
        self.headers = headers


class RequestError(ValueError):
    """The client sent what is no request; answered with `status_code`, without a traceback."""

    def __init__(self, status_code, reason, headers=None):
        super().__init__(reason)
        self.status_code = status_code
        self.reason = reason
        self.headers = headers


def abort(status_code, reason=None):
    """End the request with this status. Raises HTTPException."""
    raise HTTPException(status_code, reason)


class NoCaseDict(dict):
    """A dict whose string keys compare without case; the first spelling is kept.

    MicroPython's dict passes only these methods on to a subclass; the others (`pop`,
    `setdefault`) are the dict's own and want the spelling that is kept."""

    def __init__(self, initial_dict=None):
        super().__init__()
        self._spelling = {}  # key in lower case -> key
        self.update(initial_dict or {})

    def __setitem__(self, key, value):
        super().__setitem__(self._spelling.setdefault(key.lower(), key), value)

    def __getitem__(self, key):
        return super().__getitem__(self._spelling.get(key.lower(), key))

    def __delitem__(self, key):
        super().__delitem__(self._spelling.pop(key.lower(), key))

    def __contains__(self, key):
        return key.lower() in self._spelling

    def get(self, key, default=None):
        return super().get(self._spelling.get(key.lower(), key), default)

    def update(self, other_dict):
        for key in other_dict:
            self[key] = other_dict[key]


def mro(cls):
    """The class and its bases, most specific first."""
    if hasattr(cls, '__mro__'):
        return cls.__mro__
    found = [cls]
    for base in cls.__bases__:
        found += mro(base)
    return found


if sys.implementation.name == 'cpython':
    from ._cpython import invoke_handler, iscoroutine, print_exception
else:
    print_exception = sys.print_exception

    def iscoroutine(coro):
        """Also true of a generator: MicroPython has one type for both."""
        return hasattr(coro, 'send') and hasattr(coro, 'throw')

    async def _done(result):
        return result

    def invoke_handler(handler, *args, **kwargs):
        """Call a handler, which may be a coroutine or a plain function; to be awaited."""
        result = handler(*args, **kwargs)
        return result if iscoroutine(result) else _done(result)


class Request:
    """
    app: the Microdot that serves it; subapp: the mounted one its route is of, else None.
    client_addr: (host, port). method, url, path, query_string (None without one): str as sent,
    percent-encoded. http_version: '1.0' or '1.1'. scheme: 'http' or 'https'.
    url_prefix: where the sub-application is mounted, else ''. route: the handler.
    headers: NoCaseDict; a header that came twice is joined with ', ' (cookies with '; ').
    content_length: bytes, 0 without a body. content_type: str or None.
    body: bytes, b'' when it is longer than max_body_length. stream: the body as an async stream.
    args: MultiDict of the query. cookies: dict. g: holds what handlers want to share.
    json: the body as JSON, None when it is of another type; raises RequestError (ValueError).
    form: MultiDict of an urlencoded form, None when it is none; raises RequestError.
    files: dict of what an extension for multipart forms has found, else None.
    sock: the connection's (reader, writer). upgraded: the WebSocket after an upgrade, else None.

    What a client can make us hold or wait for is bounded by the class attributes; applications
    may set them:
    """

    max_content_length = 16 * 1024  # bytes of a body; a larger one is refused with 413
    max_body_length = 16 * 1024  # bytes of a body that is read ahead into `body`
    # bytes of one line, and a quarter of those of all headers, each counted with 32 more; else 431
    max_readline = 2 * 1024
    max_read_time = 10  # seconds for the head, and for a body with 1 more per KB; then 408

    class G:
        """Attributes as a handler likes them."""

    def __init__(self, app, client_addr, method, url, http_version, headers, body=b'',
                 stream=None, sock=None, url_prefix='', subapp=None, scheme=None, route=None):
        self.app = app
        self.client_addr = client_addr
        self.method = method
        self.url = url
        self.http_version = http_version
        self.headers = headers
        self.body = body or b''
        self.sock = sock
        self.url_prefix = url_prefix
        self.subapp = subapp
        self.scheme = scheme or 'http'
        self.route = route
        self.url_args = {}
        self.path, found, query = url.partition('?')
        self.query_string = query if found else None
        self.content_type = headers.get('Content-Type')
        length = headers.get('Content-Length', '0')
        # digits alone (RFC 9112, 6.2): int() takes '+1', ' 1' and '1_0' as well
        if not length.encode().isdigit():
            raise RequestError(400, 'Bad Content-Length')
        self.content_length = int(length)
        if stream:
            self.stream = stream
        self.g = Request.G()
        self.upgraded = None
        self.after_request_handlers = []

    def __getattr__(self, name):
        if name not in LATE:
            raise AttributeError(name)
        from . import _parse
        value = getattr(_parse, name)(self)
        setattr(self, name, value)
        return value

    def after_request(self, f):
        """Decorator: f(request, response) runs after this request, when all others have; it may
        return another response. Not when the request fails."""
        self.after_request_handlers.append(f)
        return f

    @classmethod
    async def create(cls, app, client_reader, client_writer, client_addr, scheme=None):
        """Read a request; None when the connection ends before there is one.

        Raises RequestError when it is none, breaks a limit, or needs what we don't do; OSError
        when the connection is lost."""
        from .server import read_request
        return await read_request(cls, app, client_reader, client_writer, client_addr, scheme)


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
        from .server import complete
        complete(self)

    def body_iter(self):
        """The body as an async iterator of bytes and str, with `aclose`."""
        from ._stream import BodyIter
        return BodyIter(self.body, self.send_file_buffer_size)

    async def write(self, stream):
        """Send it. Raises ValueError or TypeError before anything is sent, for what can't be;
        OSError when the client goes."""
        from .server import write
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
