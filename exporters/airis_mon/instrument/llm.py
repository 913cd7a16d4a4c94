"""Calls of a language model, by the OpenTelemetry GenAI conventions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from prometheus_client import Counter, Histogram

from airis_mon.instrument.calls import Call, Reasons
from airis_mon.instrument.observation import observed

_LOG = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
Usage = Callable[[Any], tuple[int | None, int | None] | None]

TEXT = "text"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class LLMFamilies:
    """The metric families that all models of a registry share."""

    duration: Histogram
    first_chunk: Histogram
    output_chunk: Histogram
    input_tokens: Counter
    output_tokens: Counter
    operation_input_tokens: Histogram
    operation_output_tokens: Histogram


class LLM:
    """One model as one operation calls it. Safe to share between threads and tasks."""

    def __init__(
        self,
        families: LLMFamilies,
        reasons: Reasons,
        clock: Callable[[], float],
        labels: tuple[str, str, str],
    ) -> None:
        self.clock = clock
        self._families = families
        self._reasons = reasons
        self._labels = labels
        # Looked up once: a label lookup costs as much as all the rest of a call.
        self._success = families.duration.labels(*labels, "")
        self._input = {kind: families.input_tokens.labels(*labels, kind) for kind in (TEXT, UNKNOWN)}
        self._output = {kind: families.output_tokens.labels(*labels, kind) for kind in (TEXT, UNKNOWN)}
        self._operation_input = families.operation_input_tokens.labels(*labels)
        self._operation_output = families.operation_output_tokens.labels(*labels)

    def call(self) -> LLMCall:
        """Return a call to be entered with `with` or `async with`."""
        return LLMCall(self, None)

    @overload
    def observe(self, function: F, *, usage: Usage | None = None) -> F: ...
    @overload
    def observe(self, function: None = None, *, usage: Usage | None = None) -> Callable[[F], F]: ...

    def observe(self, function: F | None = None, *, usage: Usage | None = None) -> F | Callable[[F], F]:
        """Decorate a function, coroutine, generator or async generator; a stream's items are its chunks.

        `usage` is given the result, or each item of a stream, and returns (input, output) tokens of the call
        so far, None where it does not tell. What it raises is logged, not raised.
        """

        def decorate(target: F) -> F:
            return observed(target, lambda: LLMCall(self, usage))

        return decorate if function is None else decorate(function)

    def record(
        self,
        duration: float,
        reason: str | None,
        tokens: tuple[int | None, int | None],
        to_first_chunk: float | None,
        per_token: float | None,
    ) -> None:
        """Record one ended call; durations in seconds, None where not known."""
        if reason is None:
            self._success.observe(duration)
        else:
            self._families.duration.labels(*self._labels, self._reasons.admit(reason)).observe(duration)
        if to_first_chunk is not None:
            self._families.first_chunk.labels(*self._labels).observe(to_first_chunk)
        if per_token is not None:
            self.record_chunk(per_token)
        for count, usage, distribution in (
            (tokens[0], self._input, self._operation_input),
            (tokens[1], self._output, self._operation_output),
        ):
            usage[UNKNOWN if count is None else TEXT].inc(count or 0)
            if count is not None and reason is None:
                distribution.observe(count)

    def record_chunk(self, seconds: float) -> None:
        """Record the time from one output chunk to the next."""
        self._families.output_chunk.labels(*self._labels).observe(seconds)


class LLMCall(Call):
    """One call of a language model. Not to be shared between threads."""

    def __init__(self, llm: LLM, usage: Usage | None) -> None:
        super().__init__()
        self._llm = llm
        self._usage = usage
        self._start = 0.0
        self._first: float | None = None
        self._latest: float | None = None
        self._chunks = 0
        self._input: int | None = None
        self._output: int | None = None

    def first_token(self) -> None:
        """Mark that the first output has arrived; marks after the first are ignored."""
        if self._first is None:
            self._first = self._latest = self._llm.clock()

    def chunk(self) -> None:
        """Mark that a chunk of output has arrived; the first one is the first token."""
        if self._first is None or self._latest is None:
            self.first_token()
            return
        now = self._llm.clock()
        self._llm.record_chunk(now - self._latest)
        self._latest = now
        self._chunks += 1

    def tokens(self, *, input: int | None = None, output: int | None = None) -> None:  # noqa: A002
        """State the tokens of this call so far; None, or a negative number, leaves what was stated before."""
        if input is not None and input >= 0:
            self._input = input
        if output is not None and output >= 0:
            self._output = output

    def item(self, item: object) -> None:
        """Take an item of an observed stream for a chunk."""
        self.chunk()
        self._read_usage(item)

    def result(self, result: object) -> None:
        """Ask `usage` what an observed function's result says of tokens."""
        self._read_usage(result)

    def _read_usage(self, source: object) -> None:
        if self._usage is None:
            return
        try:
            counts = self._usage(source)
            if counts is not None:
                self.tokens(input=counts[0], output=counts[1])
        except Exception:
            _LOG.warning("the tokens of a model call could not be read", exc_info=True)

    def _begin(self) -> None:
        self._start = self._llm.clock()

    def _end(self, reason: str | None) -> None:
        end = self._llm.clock()
        per_token = None
        if self._first is not None and not self._chunks and self._output is not None and self._output > 1:
            per_token = (end - self._first) / (self._output - 1)
        self._llm.record(
            duration=end - self._start,
            reason=reason,
            tokens=(self._input, self._output),
            to_first_chunk=None if self._first is None else self._first - self._start,
            per_token=per_token,
        )
