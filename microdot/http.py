"""What every part shares: errors, headers without case, and how handlers are called."""
import sys


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

    async def invoke_handler(handler, *args, **kwargs):
        """Call a handler, which may be a coroutine or a plain function."""
        result = handler(*args, **kwargs)
        if iscoroutine(result):
            result = await result
        return result
