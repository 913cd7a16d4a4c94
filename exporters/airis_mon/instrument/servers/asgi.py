"""The middleware for ASGI 3 applications."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from airis_mon.instrument.servers.request import CALL, Operations, Request, Routes

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class ASGIMiddleware:
    """Records the requests to the paths of `routes`, and passes everything on as it is."""

    def __init__(self, app: Application, routes: Routes, methods: Collection[str] = ("POST",)) -> None:
        self._app = app
        self._operations = Operations(routes, methods)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection."""
        instrument = None
        if scope["type"] == "http":
            instrument = self._operations.find(scope["method"], scope["path"])
        if instrument is None:
            await self._app(scope, receive, send)
            return
        request = Request(instrument)
        # Not in a copy: middleware outside of this one reads what a router leaves in the scope.
        scope[CALL] = request.call

        async def listen() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                request.left()
            return message

        async def answer(message: Message) -> None:
            more = _note(request, message)
            try:
                await send(message)
            except OSError:
                request.left()  # so servers say that nobody listens any more
                raise
            if not more:
                request.end()

        try:
            await self._app(scope, listen, answer)
        except BaseException as error:
            request.end(error)
            raise
        request.end()


def _note(request: Request, message: Message) -> bool:
    """Take note of a message to the client; False where it is the last one of the answer."""
    if message["type"] == "http.response.start":
        headers = message.get("headers", ())
        # An iterator may be read once, and that is for the server to do.
        known = headers if isinstance(headers, list | tuple) else ()
        request.start(message.get("status"), sized=any(_is_length(header) for header in known))
    elif message["type"] == "http.response.body":
        more = bool(message.get("more_body", False))
        request.part(message.get("body", b""), more)
        return more
    return True


def _is_length(header: Any) -> bool:
    return bool(header) and isinstance(header[0], bytes) and header[0].lower() == b"content-length"
