"""What a handler gets."""
from .http import RequestError

LATE = ('args', 'cookies', 'form', 'json', 'stream')  # made by _parse.py when asked for


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
    sock: the connection's (reader, writer). upgraded: the WebSocket after an upgrade, else None.

    What a client can make us hold or wait for is bounded by the class attributes; applications
    may set them:
    """

    max_content_length = 16 * 1024  # bytes of a body; a larger one is refused with 413
    max_body_length = 16 * 1024  # bytes of a body that is read ahead into `body`
    max_readline = 2 * 1024  # bytes of one line; a longer one, or four times as much: 431
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
        from .reading import read_request
        return await read_request(cls, app, client_reader, client_writer, client_addr, scheme)
