"""One request of a client, and what is known of its answer."""

from __future__ import annotations

import logging

from airis_mon.instrument.clients.usage import Tokens, field, text
from airis_mon.instrument.llm import LLM

_LOG = logging.getLogger(__name__)


class Doubts:
    """Says once of each kind what could not be read: a service that answers oddly does so in every call."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def say(self, what: str) -> None:
        """Log `what`, with the exception that is being handled, unless it was said before."""
        if what not in self._said:
            self._said.add(what)
            _LOG.warning("%s; the call is not disturbed, and this is not said again", what, exc_info=True)


class Exchange:
    """Records once, when the answer has ended, however it ends. No method raises."""

    def __init__(self, llm: LLM, doubts: Doubts) -> None:
        self._llm = llm
        self._doubts = doubts
        self._tokens = Tokens()
        self._response_model = ""
        self._failure: str | None = None
        self._gaps: list[float] = []
        self._ended = False
        self.busy = False
        """True while the client itself reads on: a response that closes then says nothing of how it went."""
        self._start = llm.clock()
        self._first: float | None = None
        self._latest: float | None = None

    def answer(self, answer: object) -> None:
        """Take what an answer, or an event that holds one, tells of tokens, model and failure."""
        try:
            self._read(answer)
        except Exception:
            self._doubts.say(f"an answer of type {type(answer).__name__} could not be read")

    def event(self, event: object) -> None:
        """Take note of one event of a stream."""
        try:
            kind = field(event, "type")
            if not isinstance(kind, str):
                # A chat's chunk: output, or at the end the usage, or with some servers both.
                if field(event, "choices"):
                    self._chunk()
                self._tokens.read(field(event, "usage"))
                self._response_model = self._response_model or text(event, "model") or ""
            elif kind.endswith(("_delta", ".delta")) and kind != "message_delta":
                self._chunk()  # and nothing else: thousands of these come, and none tells of tokens
            else:
                self._read(event)
        except Exception:
            self._doubts.say(f"an event of type {type(event).__name__} could not be read")

    def closed(self) -> None:
        """End the call unless the client reads on: whoever asked has had enough."""
        if not self.busy:
            self.end()

    def end(self, error: BaseException | None = None) -> None:
        """End the call now; `error` is what it raised."""
        self._end(self._llm.clock(), None if error is None else type(error).__name__)

    def __del__(self) -> None:
        # Dropped without an end. When Python comes by is no measure; the last chunk is.
        if not self._ended:
            self._end(self._llm.clock() if self._latest is None else self._latest, None)

    def _end(self, now: float, error: str | None) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            tokens = self._tokens
            self._llm.record(
                now - self._start,
                tokens.input,
                tokens.output,
                tokens.cached,
                tokens.cache_write,
                tokens.reasoning,
                None if self._first is None else self._first - self._start,
                self._gaps or None,
                self._failure or error,
                self._response_model,
            )
        except Exception:
            self._doubts.say("a call could not be recorded")

    def _chunk(self) -> None:
        now = self._llm.clock()
        if self._latest is None:
            self._first = now
        else:
            self._gaps.append(now - self._latest)
        self._latest = now

    def _read(self, source: object) -> None:
        # Anthropic's `message_start` and the events of OpenAI's Responses hold the answer itself.
        for holder in (source, field(source, "message"), field(source, "response")):
            if holder is None or isinstance(holder, str):
                continue
            self._tokens.read(field(holder, "usage"))
            self._response_model = text(holder, "model") or self._response_model
            if field(holder, "status") == "failed":
                self._failure = text(holder, "error", "code") or "failed"
        if field(source, "type") == "error":
            self._failure = text(source, "code") or text(source, "error", "type") or "error"
