"""What both services would have exposed, had they run for days: their own instruments under a virtual clock.

Nothing is drawn that the live services would not do: the same requests, the same latency model, the same
classifier on the same images, recorded by the same calls.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry

from airis_mon.demo import classifier_service, llm_service
from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.digits import Classifier
from airis_mon.demo.latency import LatencyModel, Timing
from airis_mon.instrument import Instruments
from airis_mon.traces import Operation

CALIBRATION = 200
"""Predictions that are timed to know how long they take on this machine."""


class Past(Protocol):
    """A service whose past is being made."""

    registry: CollectorRegistry

    def run_until(self, moment: float) -> None:
        """Record every request that has ended by `moment`, seconds since the epoch."""


class LLMPast:
    """The past of the LLM service."""

    def __init__(self, arrivals: Arrivals, model: LatencyModel, seed: int) -> None:
        self.registry = CollectorRegistry()
        self._time = 0.0
        instruments = Instruments(self.registry, clock=lambda: self._time)
        self._llm = instruments.llm(model=llm_service.MODEL, provider=llm_service.PROVIDER)
        self._arrivals = arrivals
        self._model = model
        self._chance = random.Random(seed)  # noqa: S311  a simulation
        # When it ends, a number that keeps equal ends apart, the request, its timing (None: it fails).
        self._running: list[tuple[float, int, Operation, Timing | None]] = []
        self._numbers = itertools.count()

    def run_until(self, moment: float) -> None:
        """Record every request that has ended by `moment`."""
        for request in self._arrivals.until(moment):
            self._end_until(request.at)
            self._begin(request)
        self._end_until(moment)

    def _begin(self, request: Operation) -> None:
        timing, took = None, llm_service.REFUSAL
        if self._chance.random() >= llm_service.ERROR_SHARE:
            timing = self._model.timing(request.input_tokens, len(self._running), self._chance)
            took = timing.total(request.output_tokens)
        heapq.heappush(self._running, (request.at + took, next(self._numbers), request, timing))

    def _end_until(self, moment: float) -> None:
        while self._running and self._running[0][0] <= moment:
            end, _, request, timing = heapq.heappop(self._running)
            self._record(end, request, timing)

    def _record(self, end: float, request: Operation, timing: Timing | None) -> None:
        self._time = request.at
        with self._llm.call() as call:
            if timing is None:
                call.fail(llm_service.OVERLOADED)
            else:
                self._time = request.at + timing.first_token
                call.first_token()
                call.tokens(input=request.input_tokens, output=request.output_tokens)
            self._time = end


class ClassifierPast:
    """The past of the classifier, which takes so little time that its requests never overlap."""

    def __init__(
        self, arrivals: Arrivals, classifier: Classifier, durations: Sequence[float], seed: int
    ) -> None:
        """`durations` are seconds that predictions really took; the past draws from them."""
        self.registry = CollectorRegistry()
        self._time = 0.0
        instruments = Instruments(self.registry, clock=lambda: self._time)
        self._predictor = instruments.predictor(
            model=classifier_service.MODEL, version=classifier_service.VERSION
        )
        self._arrivals = arrivals
        self._confidences = classifier.confidences(classifier.held_out).tolist()
        self._durations = tuple(durations)
        self._chance = random.Random(seed)  # noqa: S311  a simulation

    def run_until(self, moment: float) -> None:
        """Record every request that has ended by `moment`."""
        for request in self._arrivals.until(moment):
            self._time = request.at
            with self._predictor.call() as call:
                self._time = request.at + self._chance.choice(self._durations)
                call.confidence(self._chance.choice(self._confidences))
