"""A client whose calls are observed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from airis_mon.instrument.clients.answers import Watch
from airis_mon.instrument.clients.exchange import Doubts, Exchange
from airis_mon.instrument.instruments import Instruments
from airis_mon.instrument.llm import LLM

C = TypeVar("C")

_OPERATIONS = (
    ("/chat/completions", "chat"),
    ("/responses", "chat"),
    ("/v1/messages", "chat"),
    ("/completions", "text_completion"),
    ("/v1/complete", "text_completion"),
    ("/embeddings", "embeddings"),
)
"""End of a path to OpenTelemetry's word for it; the first that fits."""
_PROVIDERS = {
    "AzureOpenAI": "azure.ai.openai",
    "OpenAI": "openai",
    "AnthropicBedrock": "aws.bedrock",
    "AnthropicBedrockMantle": "aws.bedrock",
    "AnthropicVertex": "gcp.vertex_ai",
    "Anthropic": "anthropic",
}
"""Class of a client, without `Async`, to OpenTelemetry's word for who answers."""
_UNNAMED = "unknown"
_KNOWN = 1000
"""Instruments kept at hand: one per model and operation that was called, few in any application."""


def observe_client(client: C, instruments: Instruments, *, provider: str | None = None) -> C:
    """Return a client like `client` whose calls are recorded; `client` itself is left as it is.

    Both share the pool of connections: closing one closes the other's. What `with_options` and `copy` make of
    an observed client is observed too. `provider` is OpenTelemetry's word for who answers; None tells it by
    the client's class. Where the instruments are disabled, `client` itself comes back. A client of another
    make is refused with a TypeError.
    """
    if not instruments.enabled:
        return client
    made: Any = client
    if not callable(getattr(made, "post", None)) or not callable(getattr(made, "copy", None)):
        raise TypeError(
            f"a client of type {type(client).__name__} has no `post` and `copy` as those of openai and "
            "anthropic have: decorate the function that calls it, with `instruments.llm(...).observe`"
        )
    observer = _Observer(instruments, _provider(type(client)) if provider is None else provider)
    copied: C = observer.observe(made.copy())
    return copied


def _provider(kind: type) -> str:
    for ancestor in kind.__mro__:
        known = _PROVIDERS.get(ancestor.__name__.removeprefix("Async"))
        if known is not None:
            return known
    return kind.__module__.partition(".")[0]


class _Observer:
    """Sees the calls of one client, and of its copies."""

    def __init__(self, instruments: Instruments, provider: str) -> None:
        self._instruments = instruments
        self._provider = provider
        self._doubts = Doubts()
        self._watch = Watch(self._doubts)
        self._llms: dict[tuple[str, str], LLM] = {}

    def observe(self, client: Any) -> Any:
        """Put this observer into `client`, a copy of which nothing has been asked for yet."""
        post = client.post
        asynchronous = inspect.iscoroutinefunction(post)
        observed = self._async_post(post) if asynchronous else self._post(post)
        client.post = observed
        # A resource keeps the `post` that it found. Clients of today make theirs when asked for, older ones
        # (openai 1.60) at once.
        for resource in list(vars(client).values()):
            kept: dict[str, Any] = getattr(resource, "__dict__", {})
            if kept.get("_client") is client and "_post" in kept:
                kept["_post"] = observed
        for name in ("copy", "with_options"):
            if hasattr(client, name):
                setattr(client, name, self._copy(getattr(client, name)))
        return client

    def _copy(self, copy: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(copy)
        def observed(*args: Any, **kwargs: Any) -> Any:
            return self.observe(copy(*args, **kwargs))

        return observed

    def _post(self, post: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(post)
        def observed(*args: Any, **kwargs: Any) -> Any:
            exchange = self._begin(args, kwargs)
            if exchange is None:
                return post(*args, **kwargs)
            try:
                answer = post(*args, **kwargs)
            except BaseException as error:
                exchange.end(error)
                raise
            self._watch.attend(exchange, answer)
            return answer

        return observed

    def _async_post(self, post: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(post)
        async def observed(*args: Any, **kwargs: Any) -> Any:
            exchange = self._begin(args, kwargs)
            if exchange is None:
                return await post(*args, **kwargs)
            try:
                answer = await post(*args, **kwargs)
            except BaseException as error:
                exchange.end(error)
                raise
            self._watch.attend(exchange, answer)
            return answer

        return observed

    def _begin(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Exchange | None:
        """Return the exchange that a request begins; None where it is not one with a model."""
        try:
            path = str(args[0] if args else kwargs["path"]).partition("?")[0]
            operation = next((word for end, word in _OPERATIONS if path.endswith(end)), None)
            if operation is None:
                return None
            body = kwargs.get("body")
            model = body.get("model") if isinstance(body, Mapping) else None
            return Exchange(
                self._llm(model if isinstance(model, str) and model else _UNNAMED, operation), self._doubts
            )
        except Exception:
            self._doubts.say("a call could not be observed")
            return None

    def _llm(self, model: str, operation: str) -> LLM:
        known = self._llms.get((model, operation))
        if known is None:
            known = self._instruments.llm(model=model, provider=self._provider, operation=operation)
            if len(self._llms) < _KNOWN:
                self._llms[model, operation] = known
        return known
