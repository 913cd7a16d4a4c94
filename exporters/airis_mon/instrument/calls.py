"""One call of a model, from its begin to its end, whatever the model is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

OTHER = "_OTHER"
"""OpenTelemetry's fallback for an error type beyond the known ones."""


class Reasons:
    """The distinct reasons of failure seen so far, bounded: no label may grow with what servers answer.

    Asked by one thread at a time, the one that adds calls up.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def admit(self, reason: str) -> str:
        """Return the reason itself while there is room for it, `_OTHER` beyond."""
        if reason in self._known:
            return reason
        if reason and len(self._known) < self._limit:
            self._known.add(reason)
            return reason
        return OTHER


class Call(ABC):
    """A context manager, for `with` and `async with` alike, that records when it ends."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._entered = False

    def fail(self, reason: str) -> None:
        """Count this call as failed for an error that is no exception, such as `rate_limited`.

        The reason becomes a label: a short word out of a small set, never a message. It goes before the class
        name of an exception that follows.
        """
        self._reason = reason or OTHER

    def __enter__(self) -> Self:
        self._entered = True
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._entered:
            return
        self._entered = False
        # GeneratorExit: the consumer of a stream has had enough, which is no failure of the model.
        if kind is not None and self._reason is None and not issubclass(kind, GeneratorExit):
            self._reason = kind.__name__
        self._end(self._reason)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)

    @abstractmethod
    def item(self, item: object) -> None:
        """Take note of one item of an observed stream."""

    @abstractmethod
    def result(self, result: object) -> None:
        """Take note of what an observed function returned."""

    @abstractmethod
    def _begin(self) -> None: ...

    @abstractmethod
    def _end(self, reason: str | None) -> None:
        """Record; `reason` is None where the call went well."""
