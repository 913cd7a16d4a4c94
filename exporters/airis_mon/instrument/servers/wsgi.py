"""The middleware for WSGI applications (PEP 3333)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from airis_mon.instrument.servers.request import CALL, Operations, Request, Routes

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WSGIMiddleware:
    """Records the requests to the paths of `routes`, and passes everything on as it is."""

    def __init__(self, app: Application, routes: Routes, methods: Collection[str] = ("POST",)) -> None:
        self._app = app
        self._operations = Operations(routes, methods)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        instrument = self._operations.find(environ.get("REQUEST_METHOD", ""), path)
        if instrument is None:
            return self._app(environ, start_response)
        request = Request(instrument)
        environ[CALL] = request.call

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            code = int(status[:3]) if status[:3].isdecimal() else None
            request.start(code, sized=any(name.lower() == "content-length" for name, _ in headers))
            return start_response(status, headers, *error)

        try:
            body = self._app(environ, start)
        except BaseException as error:
            request.end(error)
            raise
        # A server takes the length of a list, and sends a file its own way: these it gets as they are.
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(body, list | tuple) or (isinstance(wrapper, type) and isinstance(body, wrapper)):
            request.end()
            return body
        return _Body(body, request)


class _Body:
    """An answer's body that is seen while the server reads it."""

    def __init__(self, body: Iterable[bytes], request: Request) -> None:
        self._body = body
        self._request = request
        self._parts: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._parts is None:
                self._parts = iter(self._body)
            part = next(self._parts)
        except StopIteration:
            self._request.end()
            raise
        except BaseException as error:
            self._request.end(error)
            raise
        self._request.part(part, more=True)
        return part

    def close(self) -> None:
        # Before the end of the body it is the client that has had enough.
        self._request.left()
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.end()
