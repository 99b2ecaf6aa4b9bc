"""A small web framework for MicroPython (v1.16 and newer) and CPython.

The core is here; `microdot.websocket` adds WebSockets and is imported on its own.
"""
from .core import Microdot, Request, Response, HTTPException, abort, redirect, send_file

__all__ = ['Microdot', 'Request', 'Response', 'HTTPException', 'abort', 'redirect', 'send_file']
