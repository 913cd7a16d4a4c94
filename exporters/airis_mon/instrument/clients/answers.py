"""Answers that are still on their way when a client returns them, watched until they end.

A stream, or a raw response that is still open, becomes an instance of a subclass of its own class:
`isinstance`, every attribute and every method go on as they were, and what reads it on is seen.
"""

from __future__ import annotations

import inspect
import json
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

from airis_mon.instrument.clients.exchange import Doubts, Exchange

_EXCHANGE = "_airis_mon_exchange"


class Watch:
    """Watches the answers of one client."""

    def __init__(self, doubts: Doubts) -> None:
        self._doubts = doubts
        self._kinds: dict[tuple[type, str], type] = {}
        self._shapes: dict[type, str] = {}

    def attend(self, exchange: Exchange, answer: Any) -> None:
        """See `exchange` to the end of `answer`: at once where it is whole, else when it has been read."""
        try:
            self._attend(exchange, answer)
        except Exception:
            exchange.end()
            self._doubts.say(f"an answer of type {type(answer).__name__} could not be watched")

    def _attend(self, exchange: Exchange, answer: Any) -> None:
        kind = type(answer)
        shape = self._shapes.get(kind)
        if shape is None:
            shape = self._shapes[kind] = _shape(answer)
        if shape == "whole":
            exchange.answer(answer)
            exchange.end()
        elif shape != "raw":
            self._become(answer, self._async_stream if shape == "async stream" else self._stream, exchange)
            self._hear_of_close(answer.response, exchange)
        elif answer.http_response.is_closed:
            exchange.answer(json.loads(answer.http_response.content))
            exchange.end()
        else:
            asynchronous = inspect.iscoroutinefunction(kind.parse)
            self._become(answer, self._async_raw if asynchronous else self._raw, exchange)
            self._hear_of_close(answer.http_response, exchange)

    def _hear_of_close(self, response: Any, exchange: Exchange) -> None:
        """End `exchange` when the HTTP response is closed: the clients' helpers close it, not the stream."""
        # Weak: the exchange of a stream that is dropped ends, though the response may live on.
        self._become(response, self._response, weakref.ref(exchange))

    def _become(self, answer: Any, make: Any, exchange: Exchange | weakref.ref[Exchange]) -> None:
        kind = type(answer)
        if hasattr(
            answer, _EXCHANGE
        ):  # the response of a raw response, and then of the stream parsed from it
            setattr(answer, _EXCHANGE, exchange)
            return
        key = (kind, make.__name__)
        known = self._kinds.get(key)
        if known is None:
            body = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
            known = self._kinds[key] = type(kind.__name__, (kind,), body | make(kind))
        setattr(answer, _EXCHANGE, exchange)
        answer.__class__ = known

    def _response(self, kind: Any) -> dict[str, Any]:
        def tell(response: Any) -> None:
            exchange = getattr(response, _EXCHANGE)()
            if exchange is not None:
                exchange.closed()

        def close(response: Any) -> None:
            try:
                kind.close(response)
            finally:
                tell(response)

        async def aclose(response: Any) -> None:
            try:
                await kind.aclose(response)
            finally:
                tell(response)

        return {"close": close, "aclose": aclose}

    def _stream(self, kind: Any) -> dict[str, Any]:
        def step(stream: Any) -> Any:
            exchange: Exchange = getattr(stream, _EXCHANGE)
            exchange.busy = True
            try:
                item = kind.__next__(stream)
            except StopIteration:
                exchange.end()
                raise
            except BaseException as error:
                exchange.end(error)
                raise
            finally:
                exchange.busy = False
            exchange.event(item)
            return item

        def iterate(stream: Any) -> Iterator[Any]:
            while True:
                try:
                    item = step(stream)
                except StopIteration:
                    return
                yield item

        return {"__next__": step, "__iter__": iterate}

    def _async_stream(self, kind: Any) -> dict[str, Any]:
        async def step(stream: Any) -> Any:
            exchange: Exchange = getattr(stream, _EXCHANGE)
            exchange.busy = True
            try:
                item = await kind.__anext__(stream)
            except StopAsyncIteration:
                exchange.end()
                raise
            except BaseException as error:
                exchange.end(error)
                raise
            finally:
                exchange.busy = False
            exchange.event(item)
            return item

        async def iterate(stream: Any) -> AsyncIterator[Any]:
            while True:
                try:
                    item = await step(stream)
                except StopAsyncIteration:
                    return
                yield item

        return {"__anext__": step, "__aiter__": iterate}

    def _raw(self, kind: Any) -> dict[str, Any]:
        def parse(response: Any, *args: Any, **kwargs: Any) -> Any:
            exchange: Exchange = getattr(response, _EXCHANGE)
            exchange.busy = True
            try:
                parsed = kind.parse(response, *args, **kwargs)
            except BaseException as error:
                exchange.end(error)
                raise
            finally:
                exchange.busy = False
            self._parsed(exchange, parsed)
            return parsed

        return {"parse": parse}

    def _async_raw(self, kind: Any) -> dict[str, Any]:
        async def parse(response: Any, *args: Any, **kwargs: Any) -> Any:
            exchange: Exchange = getattr(response, _EXCHANGE)
            exchange.busy = True
            try:
                parsed = await kind.parse(response, *args, **kwargs)
            except BaseException as error:
                exchange.end(error)
                raise
            finally:
                exchange.busy = False
            self._parsed(exchange, parsed)
            return parsed

        return {"parse": parse}

    def _parsed(self, exchange: Exchange, parsed: Any) -> None:
        # Parsed twice, a raw response gives the stream that it gave before.
        if not hasattr(parsed, _EXCHANGE):
            self.attend(exchange, parsed)


def _shape(answer: Any) -> str:
    """Tell what is still to come of an answer; asked once for each type, because a model answers slowly."""
    if hasattr(answer, "http_response") and hasattr(answer, "parse"):
        return "raw"
    if hasattr(answer, "__anext__"):
        return "async stream"
    return "stream" if hasattr(answer, "__next__") else "whole"
