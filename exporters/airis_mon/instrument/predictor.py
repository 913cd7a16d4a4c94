"""Calls of a classifier or any other model that is no language model."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from prometheus_client import Counter, Histogram

from airis_mon.instrument.calls import Call, Reasons
from airis_mon.instrument.observation import observed

_LOG = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., Any])
Confidence = Callable[[Any], float | Iterable[float] | None]

OK = "ok"


@dataclass(frozen=True)
class PredictorFamilies:
    """The metric families that all models of a registry share."""

    predictions: Counter
    duration: Histogram
    confidence: Histogram


class Predictor:
    """One model in one version. Safe to share between threads and tasks."""

    def __init__(
        self,
        families: PredictorFamilies,
        reasons: Reasons,
        clock: Callable[[], float],
        labels: tuple[str, str],
    ) -> None:
        self.clock = clock
        self._predictions = families.predictions
        self._reasons = reasons
        self._labels = labels
        self._success = families.predictions.labels(*labels, OK)
        self._duration = families.duration.labels(*labels)
        self._confidence = families.confidence.labels(*labels)

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
        raised.
        """

        def decorate(target: F) -> F:
            return observed(target, lambda: PredictorCall(self, confidence))

        return decorate if function is None else decorate(function)

    def record(self, duration: float, reason: str | None) -> None:
        """Record one ended call, failed or not; seconds."""
        if reason is None:
            self._success.inc()
        else:
            self._predictions.labels(*self._labels, self._reasons.admit(reason)).inc()
        self._duration.observe(duration)

    def record_confidence(self, value: float) -> None:
        """Record a confidence; rounding may have brought it just outside of 0 to 1, NaN is ignored."""
        if not math.isnan(value):
            self._confidence.observe(min(max(value, 0.0), 1.0))


class PredictorCall(Call):
    """One prediction. Not to be shared between threads."""

    def __init__(self, predictor: Predictor, confidence: Confidence | None) -> None:
        super().__init__()
        self._predictor = predictor
        self._extract = confidence
        self._start = 0.0

    def confidence(self, value: float) -> None:
        """State the model's confidence in its answer, 0 to 1; once for each row of a batch."""
        self._predictor.record_confidence(value)

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
        self._predictor.record(self._predictor.clock() - self._start, reason)
