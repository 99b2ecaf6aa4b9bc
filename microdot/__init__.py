"""A small web framework for MicroPython (v1.16 and newer) and CPython.

The core is here; `microdot.websocket` adds WebSockets and is imported on its own.
"""
from .core import HTTPException, Microdot, Request, Response, abort, redirect, send_file

__all__ = ['HTTPException', 'Microdot', 'Request', 'Response', 'abort', 'redirect', 'send_file']
