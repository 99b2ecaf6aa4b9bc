"""From a request to its response: hooks, the handler, and what happens when they fail."""
from .core import HTTPException, Response, invoke_handler, mro, print_exception
from .matching import match


async def dispatch(app, req, error):
    """See Microdot.dispatch_request()."""
    try:
        if not req:
            raise HTTPException(error.status_code if error else 400,
                                error.reason if error else 'Bad request')
        response = prepare(app, req)
        if not response:
            for before in hooks(app, req, 'before_request_handlers', False):
                response = await invoke_handler(before, req)
                if response is not None:
                    break
            else:
                response = await invoke_handler(req.route, req, **req.url_args)
            if req.upgraded:
                await req.upgraded.close()
                response = Response.already_handled
            handlers = hooks(app, req, 'after_request_handlers') + req.after_request_handlers
            response = await run_hooks(handlers, req, make_response(response))
    except Exception as exc:
        try:
            response = await exception_response(app, req, exc)
            handlers = hooks(app, req, 'after_error_request_handlers')
            response = await run_hooks(handlers, req, response)
        except Exception as exc:
            print_exception(exc)
            response = (Response.already_handled if req and req.upgraded else
                        Response('Internal server error', 500))
    if response is Response.already_handled:
        response.headers.clear()  # it is everyone's: what a hook has added stays here
    elif req:
        response.is_head = req.method == 'HEAD'
        if hasattr(req.g, '_vary'):  # of extensions: a set of header names
            from ._late import add_vary
            add_vary(response, req.g._vary)
    return response


async def error_response(app, req, status_code, reason=None, headers=None):
    """The response to an error: its handler's, or `reason` as text."""
    handler = find_error_handler(app, req, status_code)
    if handler:
        return make_response(await invoke_handler(handler, req))
    return Response(reason or 'N/A', status_code, headers)


async def exception_response(app, req, exc):
    """After a handler has raised; an upgraded connection gets a close frame instead."""
    if req and req.upgraded:
        await req.upgraded.handler_failed(exc)
        return Response.already_handled
    if not isinstance(exc, HTTPException):
        for kind in mro(exc.__class__):
            handler = find_error_handler(app, req, kind)
            if handler:
                return make_response(await invoke_handler(handler, req, exc))
    if hasattr(exc, 'status_code'):  # HTTPException, RequestError
        return await error_response(app, req, exc.status_code, exc.reason, exc.headers)
    print_exception(exc)
    return await error_response(app, req, 500, 'Internal server error')


async def run_hooks(handlers, req, response):
    """The response after all hooks have seen it. What the handler has written itself stays so,
    whatever a hook does: no response goes into a WebSocket."""
    handled = response is Response.already_handled
    for handler in handlers:
        try:
            response = await invoke_handler(handler, req, response) or response
        except Exception as exc:
            if not handled:
                raise
            print_exception(exc)
    return Response.already_handled if handled else response


def prepare(app, req):
    """Find the request's handler; a Response when it needs none. What fails raises."""
    if req.content_length > req.max_content_length:
        raise HTTPException(413, 'Payload too large')
    handler, req.url_prefix, req.subapp = find_route(app, req)
    if isinstance(handler, dict):
        return Response(headers=handler)
    if isinstance(handler, int):
        # RFC 9110, 15.5.6: 405 comes with the methods that are allowed
        raise HTTPException(handler, 'Not found',
                            allowed(app, req) if handler == 405 else None)
    req.route = handler


def make_response(result):
    """What a handler may return, as a Response."""
    if isinstance(result, int):
        result = '', result
    if not isinstance(result, tuple):
        return result if isinstance(result, Response) else Response(result)
    body, status, headers = result[0], 200, None
    if isinstance(body, int):
        body, status = '', body
    for item in result[1:]:
        if isinstance(item, int):
            status = item
        else:
            headers = item
    if not isinstance(body, Response):
        return Response(body, status, headers)
    if len(result) > 1 and isinstance(result[1], int):
        body.status_code = status
    body.headers.update(headers or {})
    return body


def find_route(app, req):
    """(handler, url_prefix, sub-application). In place of the handler a status code, 404 or
    405, when there is none; a dict of headers for OPTIONS."""
    if req.method == 'OPTIONS' and app.options_handler:
        return app.options_handler(req), '', None
    found = 404, '', None
    for methods, pattern, handler, prefix, subapp in app.url_map:
        args = match(pattern, req.path)
        if args is None:
            continue
        if req.method in methods or (req.method == 'HEAD' and 'GET' in methods):
            req.url_args = args
            return handler, prefix, subapp
        found = 405, prefix, subapp
    return found


def allowed(app, req):
    """The methods of a URL, as an Allow header."""
    allow = []
    for methods, pattern, _, _, _ in app.url_map:
        if match(pattern, req.path) is not None:
            allow.extend(methods)
    if 'GET' in allow:
        allow.append('HEAD')
    return {'Allow': ', '.join(allow + ['OPTIONS'])}


def hooks(app, req, name, local_first=True):
    """The hooks of that name: the app's, and those of the application mounted local."""
    handlers = getattr(app, name)
    local = getattr(req.subapp, name) if req and req.subapp else []
    return local + handlers if local_first else handlers + local


def find_error_handler(app, req, key):
    """The sub-application's, or the app's, or None. key: status code or exception class."""
    for owner in (req and req.subapp, app):
        if owner and key in owner.error_handlers:
            return owner.error_handlers[key]
