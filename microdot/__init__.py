"""A small web framework for MicroPython (v1.16 and newer) and CPython.

The core is here; `microdot.websocket` adds WebSockets and is imported on its own, as is
`microdot.test_client`.
"""
from .http import iscoroutine  # noqa: F401
from .microdot import (
    HTTPException,
    Microdot,
    Request,
    Response,
    URLPattern,
    abort,
    redirect,
    send_file,
)

__all__ = ['HTTPException', 'Microdot', 'Request', 'Response', 'URLPattern', 'abort', 'redirect',
           'send_file']


def __getattr__(name):
    # AsyncBytesIO is rarely needed; MicroPython looks here for `from . import <module>`, too
    try:
        module = __import__('microdot.' + ('_stream' if name == 'AsyncBytesIO' else name),
                            None, None, (name,))
    except ImportError:
        raise AttributeError(name)
    return getattr(module, name, module)
