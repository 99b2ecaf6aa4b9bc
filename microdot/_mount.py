"""Applications in applications; imported when there is one."""
from .microdot import URLPattern


def mount(app, subapp, url_prefix, local):
    """See Microdot.mount()."""
    for methods, pattern, handler, prefix, owner in subapp.url_map:
        app.url_map.append((methods, URLPattern(url_prefix + pattern.url_pattern), handler,
                             url_prefix + prefix, owner or subapp))
    if not local:
        for name in ('before_request_handlers', 'after_request_handlers',
                     'after_error_request_handlers'):
            getattr(app, name).extend(getattr(subapp, name))
            setattr(subapp, name, [])
        app.error_handlers.update(subapp.error_handlers)
        subapp.error_handlers = {}
