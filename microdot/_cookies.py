"""Set-Cookie; imported when a cookie is set."""


def format_cookie(name, value, path, domain, expires, max_age, secure, http_only, partitioned):
    """The text of one Set-Cookie header (RFC 6265, 4.1). Raises ValueError."""
    text = '%s=%s' % (name, value)
    if ';' in text or not name or '=' in name:
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
