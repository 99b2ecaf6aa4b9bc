"""A small web framework for MicroPython (v1.16 and newer) and CPython.

The core is here; `microdot.websocket` adds WebSockets and is imported on its own, as is
`microdot.test_client`.
"""
import sys

from .core import iscoroutine  # noqa: F401
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

if sys.implementation.name == 'cpython':  # else it costs memory, and is in microdot.microdot
    from ._stream import AsyncBytesIO  # noqa: F401
