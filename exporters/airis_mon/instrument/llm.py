"""Calls of a language model, by the OpenTelemetry GenAI conventions."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar, overload

from airis_mon.instrument.calls import OTHER, Call
from airis_mon.instrument.observation import observed
from airis_mon.instrument.operation import Operation, Sink
from airis_mon.instrument.recorder import BATCH, LLMRecorder

_LOG = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
Usage = Callable[[Any], tuple[int | None, int | None] | None]
Trace = Callable[[], str | None]


class LLM:
    """One model as one operation calls it. Safe to share between threads and tasks."""

    def __init__(
        self,
        recorder: LLMRecorder | None,
        clock: Callable[[], float],
        names: tuple[str, str, str],
        trace: Trace | None,
        sink: Sink | None,
    ) -> None:
        self.clock = clock
        """Seconds, monotone."""
        self.enabled = recorder is not None
        self._recorder = recorder
        self._names = names
        self._trace = trace
        self._sink = sink

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
        so far, None where it does not tell. What it raises is logged, not raised. A disabled instrument
        returns the function as it is.
        """

        def decorate(target: F) -> F:
            return observed(target, lambda: LLMCall(self, usage)) if self.enabled else target

        return decorate if function is None else decorate(function)

    def record(
        self,
        duration: float,
        input: int | None = None,  # noqa: A002 - the word that everybody looks for
        output: int | None = None,
        cached: int | None = None,
        cache_write: int | None = None,
        reasoning: int | None = None,
        time_to_first_chunk: float | None = None,
        time_per_output_chunk: float | list[float] | None = None,
        error: str | None = None,
        response_model: str = "",
        trace_id: str | None = None,
    ) -> None:
        """Record one ended operation whole; never blocks, never raises.

        Durations are in seconds: `duration` from the request to the end of the answer, the time to the first
        chunk of a streamed one, and between chunks the mean, or each. Tokens are `input` and `output` in all,
        and the parts of them that were read from a cache, written to one, or used for reasoning. `error` is a
        short word out of a small set, such as an exception's class name; None for success. `trace_id` as 32
        hexadecimal digits becomes an exemplar; None asks the trace that is active, where there is one.
        """
        recorder = self._recorder
        if recorder is None:
            return
        if trace_id is None and self._trace is not None:
            trace_id = self._trace()
        pending = recorder.pending
        pending.append(
            (
                duration,
                input,
                output,
                cached,
                cache_write,
                reasoning,
                time_to_first_chunk,
                time_per_output_chunk,
                error,
                response_model,
                trace_id,
            )
        )
        if len(pending) >= BATCH:
            recorder.settle()
        if self._sink is not None:
            gaps = time_per_output_chunk
            self._sink.offer(
                Operation(
                    timestamp=time.time(),
                    operation=self._names[0],
                    provider=self._names[1],
                    model=self._names[2],
                    version="",
                    response_model=response_model,
                    duration=duration,
                    time_to_first_chunk=time_to_first_chunk,
                    time_per_output_chunk=(sum(gaps) / len(gaps) if isinstance(gaps, list) else gaps),
                    input_tokens=input,
                    output_tokens=output,
                    cache_read_tokens=cached,
                    cache_write_tokens=cache_write,
                    reasoning_tokens=reasoning,
                    error_type=(error or OTHER) if error is not None else "",
                    confidence=(),
                    trace_id=trace_id or "",
                )
            )

    def spent(self, amount: float, currency: str = "USD", unpriced_tokens: int = 0) -> None:
        """Record what calls have cost, and how many of their tokens nobody knows a price of.

        Told whenever it is known: call by call, or from a bill. `spent(0)` at start makes both series at
        zero, so that a rate sees the first of them. A currency that is not three letters is counted as `XXX`.
        Never blocks, never raises; what is no number from 0 up is ignored.
        """
        recorder = self._recorder
        if recorder is None:
            return
        recorder.money.append((amount, currency, unpriced_tokens))
        if len(recorder.money) >= BATCH:
            recorder.settle()


class LLMCall(Call):
    """One call of a language model. Not to be shared between threads."""

    def __init__(self, llm: LLM, usage: Usage | None) -> None:
        super().__init__()
        self._llm = llm
        self._usage = usage
        self._start = 0.0
        self._first: float | None = None
        self._latest: float | None = None
        self._gaps: list[float] = []
        self._input: int | None = None
        self._output: int | None = None
        self._parts: tuple[int | None, int | None, int | None] = (None, None, None)
        self._response_model = ""

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
        self._gaps.append(now - self._latest)
        self._latest = now

    def tokens(
        self,
        *,
        input: int | None = None,  # noqa: A002
        output: int | None = None,
        cached: int | None = None,
        cache_write: int | None = None,
        reasoning: int | None = None,
    ) -> None:
        """State the tokens of this call so far; None, or a negative number, leaves what was stated before.

        `cached` and `cache_write` are parts of `input`, `reasoning` is a part of `output`.
        """
        if input is not None and input >= 0:
            self._input = input
        if output is not None and output >= 0:
            self._output = output
        if cached is not None or cache_write is not None or reasoning is not None:
            before = self._parts
            self._parts = (
                before[0] if cached is None or cached < 0 else cached,
                before[1] if cache_write is None or cache_write < 0 else cache_write,
                before[2] if reasoning is None or reasoning < 0 else reasoning,
            )

    def answered_by(self, model: str) -> None:
        """State the model that answered, where the answer names one."""
        self._response_model = model

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
        gaps: float | list[float] | None = self._gaps or None
        first = self._first
        if first is not None and gaps is None and self._output is not None and self._output > 1:
            gaps = (end - first) / (self._output - 1)
        cached, written, reasoning = self._parts
        self._llm.record(
            end - self._start,
            self._input,
            self._output,
            cached,
            written,
            reasoning,
            None if first is None else first - self._start,
            gaps,
            reason,
            self._response_model,
        )
