"""Files as responses; imported when there is one."""
TYPES = {
    'html': 'text/html', 'css': 'text/css', 'js': 'application/javascript', 'txt': 'text/plain',
    'json': 'application/json', 'jpg': 'image/jpeg', 'png': 'image/png', 'gif': 'image/gif',
    'svg': 'image/svg+xml',
}


def send_file(cls, filename, status_code=200, content_type=None, stream=None, max_age=None,
              compressed=False, file_extension=''):
    """A file as a response of the class `cls`. Raises OSError when there is none.

    filename: trusted; one that a client gave must be checked first. content_type: from the
    name when None. stream: a file that is open already. max_age: seconds for Cache-Control.
    compressed: True for gzip, or the Content-Encoding; the file is compressed already.
    file_extension: appended to the name that is opened, not to that of the type."""
    for name in TYPES:
        cls.types_map.setdefault(name, TYPES[name])
    if content_type is None:
        parts = filename.split('.')
        if compressed and parts[-1] == 'gz':
            parts.pop()
        content_type = cls.types_map.get(parts[-1], 'application/octet-stream')
    headers = {'Content-Type': content_type}
    if max_age is None:
        max_age = cls.default_send_file_max_age
    if max_age is not None:
        headers['Cache-Control'] = 'max-age=%d' % max_age
    if compressed:
        headers['Content-Encoding'] = compressed if isinstance(compressed, str) else 'gzip'
    return cls(stream or open(filename + file_extension, 'rb'), status_code, headers)
