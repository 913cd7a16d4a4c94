"""Model servers as small as they can be, for gunicorn to run; `?how=` says what the model does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, make_asgi_app, make_wsgi_app

from airis_mon.instrument import Instruments
from airis_mon.instrument.servers import CALL, ASGIMiddleware, Routes, WSGIMiddleware

REGISTRY = CollectorRegistry()
INSTRUMENTS = Instruments(registry=REGISTRY)
ROUTES: Routes = {
    "/v1/chat/completions": INSTRUMENTS.llm_server(model="llama", provider="vllm"),
    "/predict": INSTRUMENTS.predictor(model="digits", version="1"),
}


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/metrics":
        answer: Iterable[bytes] = make_wsgi_app(REGISTRY)(environ, start_response)
        return answer
    how = environ["QUERY_STRING"].partition("=")[2]
    if how == "raise":
        raise KeyError(how)
    if how == "whole":
        environ[CALL].confidence(0.75)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    return _streamed(start_response, how)


def _streamed(start_response: Callable[..., Any], how: str) -> Iterator[bytes]:
    start_response("503 Overloaded" if how == "503" else "200 OK", [("Content-Type", "text/plain")])
    yield from (b"one", b"two", b"three")


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/metrics":
        await make_asgi_app(REGISTRY)(scope, receive, send)
        return
    how = scope["query_string"].decode().partition("=")[2]
    if how == "raise":
        raise KeyError(how)
    if how == "whole":
        scope[CALL].confidence(0.75)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    status = 503 if how == "503" else 200
    await send(
        {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]}
    )
    for part in (b"one", b"two", b"three"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


observed_wsgi = WSGIMiddleware(wsgi, ROUTES)
observed_asgi = ASGIMiddleware(asgi, ROUTES)
