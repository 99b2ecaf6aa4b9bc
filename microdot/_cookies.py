"""Set-Cookie; imported when a cookie is set."""


def format_cookie(cookie, value, path=None, domain=None, expires=None, max_age=None,
                  secure=False, http_only=False, partitioned=False):
    """The text of one Set-Cookie header (RFC 6265, 4.1). Raises ValueError when a part can't
    stand in it.

    expires: str or datetime (in UTC). max_age: seconds."""
    text = '%s=%s' % (cookie, value)
    if ';' in text or not cookie or '=' in cookie:
        raise ValueError('not a cookie: %r' % text)
    if path:
        text += '; Path=' + path
    if domain:
        text += '; Domain=' + domain
    if expires:
        if not isinstance(expires, str):  # a datetime
            import time
            expires = time.strftime('%a, %d %b %Y %H:%M:%S GMT', expires.timetuple())
        text += '; Expires=' + expires
    if max_age is not None:
        text += '; Max-Age=%d' % max_age
    if secure:
        text += '; Secure'
    if http_only:
        text += '; HttpOnly'
    if partitioned:
        text += '; Partitioned'
    if '\r' in text or '\n' in text:
        raise ValueError('line end in a cookie: %r' % text)
    return text
