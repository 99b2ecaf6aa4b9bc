"""The application: routes, hooks and error handlers; and all names of the core."""
try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

from .core import (  # noqa: F401
    HTTPException,
    NoCaseDict,
    Request,
    Response,
    abort,
    invoke_handler,
    iscoroutine,
    mro,
    print_exception,
)

redirect = Response.redirect
send_file = Response.send_file


def __getattr__(name):
    from . import _late
    return getattr(_late, name)


class URLPattern:
    """A pattern of URL paths; what is in <> is handed to the handler by name.

    '/user/<id>', '/user/<int:id>', '/files/<path:name>', '/<re:[a-z]+:word>'. Types: string (the
    default): one segment; int: with or without a minus; path: what is left, or up to the segment
    that follows; re:<regular expression>; and those of `register_type`.
    """

    _types = {}  # name -> (pattern, parser)

    @classmethod
    def register_type(cls, type_name, pattern='[^/]+', parser=None):
        """A type of one's own. pattern: regular expression. parser: from str to a value, None when
        it does not match; without it the value is the str."""
        cls._types[type_name] = pattern, parser

    def __init__(self, url_pattern):
        self.url_pattern = url_pattern
        self.parts = None

    def compile(self):
        """Get ready to match; done at the first match. Raises ValueError for a bad pattern."""
        from .matching import compile_pattern
        self.parts = compile_pattern(self.url_pattern, self._types)

    def match(self, path):
        """The values by name when `path` matches, else None."""
        from .matching import match
        return match(self, path)

    def __repr__(self):
        return 'URLPattern: ' + self.url_pattern


def _method(name):
    """A method of Microdot: `route` for one HTTP method."""
    def decorator(self, url_pattern):
        """Decorator: this handler serves `url_pattern` for the method of that name."""
        return self.route(url_pattern, [name])
    return decorator


class Microdot:
    """An application.

    options_handler: function from an OPTIONS request to a dict of headers; None: OPTIONS is a
    method like others. debug: does the server log requests? server: what `start_server` runs, None
    when nothing does.
    """

    abort = staticmethod(abort)

    def __init__(self):
        self.url_map = []  # (methods, URLPattern, handler, url_prefix, sub-application or None)
        self.before_request_handlers = []
        self.after_request_handlers = []
        self.after_error_request_handlers = []
        self.error_handlers = {}  # status code or exception class -> handler
        self.options_handler = self.default_options_handler
        self.ssl = None
        self.debug = False
        self.server = None

    # --- decorators ---

    def route(self, url_pattern, methods=None):
        """Decorator: this handler serves `url_pattern` for `methods` (list of str; GET).

        It gets the request, and what the pattern captures by name. It returns what Response takes,
        alone, or in a tuple followed by a status code, a dict of headers or both; or a status
        code, alone or with headers; or a Response."""
        def decorated(f):
            self.url_map.append(([method.upper() for method in methods or ['GET']],
                                 URLPattern(url_pattern), f, '', None))
            return f
        return decorated

    get = _method('GET')
    post = _method('POST')
    put = _method('PUT')
    patch = _method('PATCH')
    delete = _method('DELETE')
    query = _method('QUERY')

    def before_request(self, f):
        """Decorator: f(request) runs before every handler; what it returns ends the request."""
        self.before_request_handlers.append(f)
        return f

    def after_request(self, f):
        """Decorator: f(request, response) runs after every handler that did not fail; it may
        return another response."""
        self.after_request_handlers.append(f)
        return f

    def after_error_request(self, f):
        """Decorator: f(request, response) runs after an error, with the response to it; it may
        return another. request is None when it could not be read."""
        self.after_error_request_handlers.append(f)
        return f

    def errorhandler(self, status_code_or_exception_class):
        """Decorator: serves a status code, f(request), or an exception class and those derived
        from it, f(request, exception). request is None when it could not be read."""
        def decorated(f):
            self.error_handlers[status_code_or_exception_class] = f
            return f
        return decorated

    def mount(self, subapp, url_prefix='', local=False):
        """Serve another application's routes under `url_prefix`.

        Its hooks and error handlers become ours; or, when local, work for its routes alone."""
        from ._mount import mount
        mount(self, subapp, url_prefix, local)

    # --- one request ---

    def default_options_handler(self, req):
        """The methods of a URL, as an Allow header."""
        from .dispatch import allowed
        return allowed(self, req)

    # these two return a coroutine instead of being one that waits for it: each costs 100 bytes of
    # heap as long as the handler runs

    def dispatch_request(self, req, error=None):
        """From a request to its Response; to be awaited. Raises nothing but for cancellation.

        req: None when it could not be read, because of `error` (RequestError)."""
        from .dispatch import dispatch
        return dispatch(self, req, error)

    def handle_request(self, reader, writer):
        """Serve one connection; to be awaited."""
        from .server import handle_connection
        return handle_connection(self, reader, writer)

    # --- server ---

    async def start_server(self, host='0.0.0.0', port=5000, debug=False, ssl=None,
                           start_serving=True):
        """Serve until `shutdown`. Raises OSError when the port is taken, ValueError for a URL
        pattern that is none.

        ssl: an SSLContext. start_serving: False returns the server, whose `serve_forever()` is to
        be awaited (CPython; ValueError elsewhere)."""
        from .server import start
        return await start(self, host, port, debug, ssl, start_serving)

    def run(self, host='0.0.0.0', port=5000, debug=False, ssl=None):
        """`start_server` in an event loop of its own."""
        asyncio.run(self.start_server(host, port, debug, ssl))

    def shutdown(self):
        """Make `start_server` return once requests under way are done."""
        server, self.server = self.server, None
        if server:
            server.close()
