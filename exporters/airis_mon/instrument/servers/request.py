"""One request to a model server, whichever protocol brings it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from airis_mon.instrument.llm import LLM
from airis_mon.instrument.predictor import Predictor

CALL = "airis_mon.call"
"""Under this key a handler finds its call."""

Routes = Mapping[str, LLM | Predictor]
"""Path to the instrument of the model that serves it."""


class Operations:
    """The paths that are operations of a model."""

    def __init__(self, routes: Routes, methods: Collection[str]) -> None:
        for path in routes:
            if not path.startswith("/"):
                raise ValueError(f"path `{path}` of the routes: write it whole, from its first slash on")
        self._routes = {path: instrument for path, instrument in routes.items() if instrument.enabled}
        self._methods = frozenset(method.upper() for method in methods)

    def find(self, method: str, path: str) -> LLM | Predictor | None:
        """Return the instrument of a request; None where it is not an operation of a model."""
        return self._routes.get(path) if method in self._methods else None


class Request:
    """Records once, when the answer has ended, however it ends."""

    def __init__(self, instrument: LLM | Predictor) -> None:
        self.call = instrument.call()
        self.call.__enter__()
        self.answered = False
        """True once a status is known."""
        self._sized = False
        self._streamed = False
        self._left = False
        self._ended = False
        self._failure: str | None = None

    def start(self, status: Any, sized: bool) -> None:
        """Take the status of the answer, and whether its headers state its length."""
        self.answered = True
        self._sized = sized
        # A second start replaces the first: WSGI allows it as long as nothing was sent.
        self._failure = str(status) if isinstance(status, int) and status >= 500 else None

    def part(self, body: Any, more: bool) -> None:
        """Take note of a part of the answer's body; `more` where it is not known to be the last."""
        if body and not self._sized and (self._streamed or more):
            self._streamed = True
            self.call.item(body)

    def left(self) -> None:
        """Take note that the client has gone: what follows from it is no failure."""
        self._left = True

    def end(self, error: BaseException | None = None) -> None:
        """End the request; `error` is what the application raised."""
        if self._ended:
            return
        self._ended = True
        if error is not None and (self._left or isinstance(error, asyncio.CancelledError)):
            error = None
        elif error is None and not self.answered and not self._left:
            self._failure = "500"  # what a server answers for an application that does not
        if self._failure is not None:
            self.call.fail(self._failure)
        self.call.__exit__(None if error is None else type(error), error, None)
