"""Calls of a classifier or any other model that is no language model."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, overload

from airis_mon.instrument.calls import OTHER, Call
from airis_mon.instrument.observation import observed
from airis_mon.instrument.operation import Operation, Sink
from airis_mon.instrument.recorder import BATCH, PredictorRecorder
from airis_mon.instrument.reference import Reference

_LOG = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
Confidence = Callable[[Any], float | Iterable[float] | None]
PREDICT = "predict"
"""The operation's name of a model that is no language model."""


class Predictor:
    """One model in one version. Safe to share between threads and tasks."""

    def __init__(
        self,
        recorder: PredictorRecorder | None,
        clock: Callable[[], float],
        names: tuple[str, str],
        sink: Sink | None,
        reference: Reference | None = None,
    ) -> None:
        self.clock = clock
        """Seconds, monotone."""
        self.enabled = recorder is not None
        self._recorder = recorder
        self._names = names
        self._sink = sink
        self._reference = reference

    def call(self) -> PredictorCall:
        """Return a call to be entered with `with` or `async with`."""
        return PredictorCall(self, None)

    @overload
    def observe(self, function: F, *, confidence: Confidence | None = None) -> F: ...
    @overload
    def observe(self, function: None = None, *, confidence: Confidence | None = None) -> Callable[[F], F]: ...

    def observe(
        self, function: F | None = None, *, confidence: Confidence | None = None
    ) -> F | Callable[[F], F]:
        """Decorate a function, coroutine, generator or async generator; each run is one prediction.

        `confidence` is given the result, or each item of a stream, and returns the model's confidence in it
        from 0 to 1, one number or one per row, None where it does not tell. What it raises is logged, not
        raised. A disabled instrument returns the function as it is.
        """

        def decorate(target: F) -> F:
            return observed(target, lambda: PredictorCall(self, confidence)) if self.enabled else target

        return decorate if function is None else decorate(function)

    def record(self, duration: float, error: str | None = None, confidence: Iterable[float] = ()) -> None:
        """Record one ended prediction whole; never blocks, never raises.

        `duration` in seconds; `error` a short word out of a small set, None for success. Of `confidence`, one
        number or one per row, rounding may have brought one just outside of 0 to 1; NaN is ignored.
        """
        recorder = self._recorder
        if recorder is None:
            return
        stated = tuple(min(max(value, 0.0), 1.0) for value in confidence if not math.isnan(value))
        recorder.pending.append((duration, error, stated))
        if len(recorder.pending) >= BATCH:
            recorder.settle()
        if self._sink is not None:
            self._sink.offer(
                Operation(
                    timestamp=time.time(),
                    operation=PREDICT,
                    provider="",
                    model=self._names[0],
                    version=self._names[1],
                    response_model="",
                    duration=duration,
                    time_to_first_chunk=None,
                    time_per_output_chunk=None,
                    input_tokens=None,
                    output_tokens=None,
                    cache_read_tokens=None,
                    cache_write_tokens=None,
                    reasoning_tokens=None,
                    error_type=(error or OTHER) if error is not None else "",
                    confidence=stated,
                    trace_id="",
                )
            )

    def features(self, given: Mapping[str, object]) -> None:
        """Count what one prediction was given, feature by feature, in the bins of the reference.

        A feature of the reference that is not given counts as `missing`; of one that the reference does not
        have, the value is counted in `airis_feature_unknown_total`. Values are not kept. Without a reference
        this does nothing; it never blocks, and never raises.
        """
        recorder = self._recorder
        if recorder is None or self._reference is None:
            return
        try:
            binned = self._reference.binned(given)
        except Exception:
            _LOG.warning("the features of a prediction could not be read", exc_info=True)
            return
        recorder.features.append(binned)
        if len(recorder.features) >= BATCH:
            recorder.settle()

    def labelled(self, right: int = 0, wrong: int = 0) -> None:
        """Record that true answers have become known: so many predictions were right, so many wrong.

        Counted when told, however long ago the predictions were made. Called without numbers, at start, it
        makes the series at zero, so that a rate sees the first labels. Never blocks; less than 0 is 0.
        """
        recorder = self._recorder
        if recorder is None:
            return
        recorder.labelled.append((max(right, 0), max(wrong, 0)))
        if len(recorder.labelled) >= BATCH:
            recorder.settle()


class PredictorCall(Call):
    """One prediction. Not to be shared between threads."""

    def __init__(self, predictor: Predictor, confidence: Confidence | None) -> None:
        super().__init__()
        self._predictor = predictor
        self._extract = confidence
        self._start = 0.0
        self._stated: list[float] = []

    def confidence(self, value: float) -> None:
        """State the model's confidence in its answer, 0 to 1; once for each row of a batch."""
        self._stated.append(value)

    def features(self, given: Mapping[str, object]) -> None:
        """Count what the model is given, as `Predictor.features` does; once for each row of a batch."""
        self._predictor.features(given)

    def item(self, item: object) -> None:
        """Ask `confidence` what an item of an observed stream says."""
        self.result(item)

    def result(self, result: object) -> None:
        """Ask `confidence` what an observed function's result says."""
        if self._extract is None:
            return
        try:
            values = self._extract(result)
            for value in values if isinstance(values, Iterable) else () if values is None else (values,):
                self.confidence(float(value))
        except Exception:
            _LOG.warning("the confidence of a prediction could not be read", exc_info=True)

    def _begin(self) -> None:
        self._start = self._predictor.clock()

    def _end(self, reason: str | None) -> None:
        self._predictor.record(self._predictor.clock() - self._start, reason, self._stated)
