"""Model servers, observed: a middleware for ASGI 3 applications, and one for WSGI (PEP 3333).

    from airis_mon.instrument import Instruments
    from airis_mon.instrument.servers import ASGIMiddleware

    instruments = Instruments()
    app = ASGIMiddleware(app, {
        "/v1/chat/completions": instruments.llm_server(model="llama-3-70b", provider="vllm"),
        "/predict": instruments.predictor(model="digits", version="1.2.0"),
    })  # WSGIMiddleware alike

Only the paths that are named are observed, whole paths as the client wrote them, and only POST unless
`methods` says otherwise: a label never grows with what clients ask for. Everything else, lifespan and
websockets too, passes untouched. `/metrics` is not served here: `prometheus_client.make_asgi_app()` and
`make_wsgi_app()` do.

A request lasts until the last part of its answer has been sent. A body that is streamed (no Content-Length,
more than one part) marks its first part as the first token, and each later one as a chunk. A status of 500
and more is a failure under its number, an exception one under its class name; 4xx is none, as with
OpenTelemetry, and neither is a client that goes away. What a handler knows besides it states on the call,
which stands in the scope or environ under `airis_mon.call`: `scope["airis_mon.call"].tokens(input=20,
output=9)`, `.confidence(0.9)`, `.fail("overloaded")`.

Belongs here: what the two protocols say of a request. Must not be here: an import of a framework or a server,
any change to messages, and reading the bodies of requests.
"""

from airis_mon.instrument.servers.asgi import ASGIMiddleware
from airis_mon.instrument.servers.request import CALL, Routes
from airis_mon.instrument.servers.wsgi import WSGIMiddleware

__all__ = ["CALL", "ASGIMiddleware", "Routes", "WSGIMiddleware"]
