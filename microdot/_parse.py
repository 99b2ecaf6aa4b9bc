"""What a handler may ask a Request for; imported when it does."""
import json as json_

from ._multidict import MultiDict, urldecode
from .core import RequestError


def _pairs(text):
    """'a=1&b=2' as a MultiDict."""
    result = MultiDict()
    for pair in text.split('&'):
        if pair:
            name, _, value = pair.partition('=')
            result[urldecode(name)] = urldecode(value)
    return result


def _text(request, content_type):
    """The body as str, None when it is of another type."""
    if (request.content_type or '').split(';')[0].strip().lower() != content_type:
        return None
    try:
        return request.body.decode()
    except ValueError:  # UnicodeError
        raise RequestError(400, 'The body is not UTF-8')


def args(request):
    return _pairs(request.query_string or '')


# an extension for multipart forms leaves what it finds in _form and _files


def files(request):
    return getattr(request, '_files', None)


def form(request):
    found = getattr(request, '_form', None)
    if found is not None:
        return found
    text = _text(request, 'application/x-www-form-urlencoded')
    return None if text is None else _pairs(text)


def json(request):
    text = _text(request, 'application/json')
    if text is None:
        return None
    try:
        return json_.loads(text)
    except ValueError:
        raise RequestError(400, 'The body is not JSON')


def cookies(request):
    found = {}
    header = request.headers.get('Cookie')
    for pair in header.split(';') if header else ():
        name, _, value = pair.strip().partition('=')
        found[name] = value
    return found


def stream(request):
    from ._stream import AsyncBytesIO, BodyStream
    if request.body or not request.content_length:
        return AsyncBytesIO(request.body)
    return BodyStream(request.sock[0], request.content_length)
