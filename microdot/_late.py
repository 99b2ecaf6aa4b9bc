"""Rarely needed names of the core; imported when one is."""
from ._multidict import MultiDict, urldecode, urlencode  # noqa: F401
from ._stream import AsyncBytesIO  # noqa: F401


def add_vary(response, names):
    """Add header names (set of str) to the Vary header of a response."""
    have = response.headers.get('Vary')
    have = [name.strip() for name in have.split(',')] if have else []
    response.headers['Vary'] = ', '.join(names.union(have))
