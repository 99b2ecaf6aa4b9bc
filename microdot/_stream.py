"""Bodies in pieces, in and out; imported when there is one."""
import io

from .core import iscoroutine


class AsyncBytesIO:
    """Bytes as an async stream."""

    def __init__(self, data):
        self.stream = io.BytesIO(data)

    async def read(self, n=-1):
        return self.stream.read(n)

    async def readline(self):
        return self.stream.readline()

    async def readexactly(self, n):
        """Raises EOFError when there is less."""
        data = self.stream.read(n)
        if len(data) < n:
            raise EOFError
        return data

    async def readuntil(self, separator=b'\n'):
        """Up to and with the separator, one byte."""
        return self.stream.readline() if separator == b'\n' else await read_until(self, separator)

    async def awrite(self, data):
        return self.stream.write(data)

    async def aclose(self):
        pass


async def read_until(stream, separator):
    """Up to and with `separator`, or to the end."""
    data = b''
    while not data.endswith(separator):
        byte = await stream.read(1)
        if not byte:
            break
        data += byte
    return data


class BodyStream:
    """The body of a request, straight from the connection and not a byte further."""

    def __init__(self, reader, left):
        self._reader = reader
        self._left = left  # bytes that are still to come

    async def read(self, n=-1):
        """At most n bytes, all of them for -1; b'' at the end."""
        if n < 0:
            return await self.readexactly(self._left)
        data = await self._reader.read(min(n, self._left)) if self._left else b''
        self._left -= len(data)
        return data

    async def readexactly(self, n):
        """Raises EOFError when there is less."""
        if n > self._left:
            raise EOFError
        data = await self._reader.readexactly(n)
        self._left -= n
        return data

    async def readline(self):
        return await read_until(self, b'\n')

    async def readuntil(self, separator=b'\n'):
        """Up to and with the separator, or to the end of the body."""
        return await read_until(self, separator)


class Ahead:
    """The reader of a request, of which `data` has been read already; it steps aside when that
    is used up."""

    def __init__(self, request, data):
        self._request = request
        self._reader = request.sock[0]
        self._data = data

    def __getattr__(self, name):
        return getattr(self._reader, name)

    def _take(self, n):
        data = self._data if n < 0 else self._data[:n]
        self._data = self._data[len(data):]
        if not self._data and self._request.sock[0] is self:
            self._request.sock = self._reader, self._request.sock[1]
        return data

    async def read(self, n=-1):
        data = self._take(n)
        return data + await self._reader.read(n) if n < 0 or not data else data

    async def readexactly(self, n):
        """Raises EOFError when there is less."""
        data = self._take(n)
        return data + await self._reader.readexactly(n - len(data)) if len(data) < n else data

    async def readline(self):
        return await read_until(self, b'\n')


class BodyIter:
    """The body of a response as an async iterator: a file, or an iterator, plain or async.
    Raises TypeError when it is none."""

    def __init__(self, body, block):
        self._body = body
        self._block = block  # bytes to read from a file at a time
        if hasattr(body, '__aiter__'):
            self._parts = body.__aiter__()
        elif isinstance(body, (bytes, bytearray)):
            self._parts = iter((body,) if body else ())
        elif hasattr(body, 'read'):
            self._parts = None
        else:
            self._parts = iter(body)

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._parts is None:
            part = self._body.read(self._block)
            if iscoroutine(part):
                part = await part
            if part:
                return part
        elif hasattr(self._parts, '__anext__'):
            return await self._parts.__anext__()
        else:
            try:
                return next(self._parts)
            except StopIteration:
                pass
        raise StopAsyncIteration

    async def aclose(self):
        """Close the file or the generator."""
        for name in ('aclose', 'close'):
            if hasattr(self._body, name):
                result = getattr(self._body, name)()
                if iscoroutine(result):
                    await result
                break
