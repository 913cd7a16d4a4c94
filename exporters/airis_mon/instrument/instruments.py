"""What hands instruments to models, and exposes what they record."""

from __future__ import annotations

import dataclasses
import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector

from airis_mon.instrument import families
from airis_mon.instrument.calls import Reasons
from airis_mon.instrument.families import Family, LLMBuckets, LLMServerBuckets, PredictorBuckets
from airis_mon.instrument.llm import LLM, Trace
from airis_mon.instrument.operation import Sink
from airis_mon.instrument.predictor import Predictor
from airis_mon.instrument.presence import Presence
from airis_mon.instrument.recorder import Books, LLMRecorder, PredictorRecorder, Recorder
from airis_mon.instrument.reference import Reference
from airis_mon.instrument.totals import Totals, described
from airis_mon.instrument.traces import active_trace

OTHER = "other"
"""What labels beyond the budget are folded into."""
_CLIENT, _SERVER, _PREDICTOR = "llm", "llm_server", "predictor"
B = TypeVar("B", bound=LLMBuckets | LLMServerBuckets | PredictorBuckets)
R = TypeVar("R", bound=Recorder)


@dataclass
class Instruments:
    """The factory of what an application calls; one per registry, made at start and passed along.

    All models of a registry share its metric families, hence a second Instruments on the same registry is
    refused with prometheus-client's `Duplicated timeseries` as soon as it makes a model.
    """

    registry: CollectorRegistry = REGISTRY
    clock: Callable[[], float] = time.perf_counter
    """Seconds, monotone; from any begin."""
    llm_buckets: LLMBuckets = field(default_factory=LLMBuckets)
    llm_server_buckets: LLMServerBuckets = field(default_factory=LLMServerBuckets)
    predictor_buckets: PredictorBuckets = field(default_factory=PredictorBuckets)
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Boundaries to add, by distribution: `{"request_duration": (1.0, 2.0)}`, where objectives need them."""
    reasons: int = 20
    """Distinct reasons of failure that become label values of their own; beyond, `_OTHER`."""
    label_budget: int = 200
    """Models of a kind, by operation and provider, with label values of their own; beyond, `other`."""
    trace: Trace | None = active_trace
    """Asked at a call's end for the trace that is active; its id becomes an exemplar. None asks nobody."""
    sink: Sink | None = None
    """Is told of each operation."""
    shared: Path | None = None
    """Folder in which the processes of a pre-fork server put their totals together; whichever is scraped
    exposes them all. One folder an application: two instances of it have two."""
    enabled: bool = True
    """False makes instruments that record nothing, and decorators that return the function as it is."""
    _books: Books = field(default_factory=Books, init=False, repr=False)
    _recorders: dict[str, dict[tuple[str, ...], Recorder]] = field(
        default_factory=dict, init=False, repr=False
    )
    _collector: Collector | None = field(default=None, init=False, repr=False)
    _admitted: Reasons = field(init=False, repr=False)
    _presence: Presence | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._admitted = Reasons(self.reasons)
        known = {
            item.name
            for buckets in (self.llm_buckets, self.llm_server_buckets, self.predictor_buckets)
            for item in dataclasses.fields(buckets)
        }
        for name in self.thresholds:
            if name not in known:
                raise ValueError(f"no distribution is named `{name}`; known are {', '.join(sorted(known))}")
        _begin_anew_after_fork(self)
        if self.shared is not None and self.enabled:
            self._presence = Presence(self.shared, tuple(self._families()), weakref.WeakMethod(self._totals))

    def llm(self, *, model: str, provider: str, operation: str = "chat") -> LLM:
        """Return the instrument of a language model.

        `provider` and `operation` are OpenTelemetry's words where it has one (`openai`, `anthropic`,
        `aws.bedrock`; `chat`, `text_completion`, `embeddings`). Asked twice, both share the model's series.
        """
        names = (operation, provider, model)
        made = families.client(_wider(self.llm_buckets, self.thresholds))
        recorder = self._recorder(
            _CLIENT, names, lambda *given: LLMRecorder(self._books, made, self._admitted, *given)
        )
        return LLM(recorder, self.clock, names, self.trace, self.sink)

    def llm_server(self, *, model: str, provider: str, operation: str = "chat") -> LLM:
        """Return the instrument of a server of a language model: the times of its requests and tokens."""
        names = (operation, provider, model)
        made = families.server(_wider(self.llm_server_buckets, self.thresholds))
        recorder = self._recorder(
            _SERVER, names, lambda *given: LLMRecorder(self._books, made, self._admitted, *given)
        )
        # A sink is told of operations once, and by the caller.
        return LLM(recorder, self.clock, names, self.trace, None)

    def predictor(self, *, model: str, version: str = "", reference: Reference | None = None) -> Predictor:
        """Return the instrument of a classifier or another model that is no language model.

        With a `reference`, what a prediction is told of its features is counted in the bins of that.
        """
        names = (model, version)
        made = families.predictor(_wider(self.predictor_buckets, self.thresholds))
        recorder = self._recorder(
            _PREDICTOR, names, lambda *given: PredictorRecorder(self._books, made, self._admitted, *given)
        )
        if recorder is not None and reference is not None:
            if recorder.folded:
                # Models that are counted as one have no features in common.
                reference = None
            else:
                with self._books.lock:
                    recorder.expect((one.name, bin_) for one in reference.features for bin_ in one.bins)
        return Predictor(recorder, self.clock, names, self.sink, reference)

    def flush(self) -> None:
        """Put what is recorded into the shared folder now, as before an `os._exit`; else a second does it."""
        if self._presence is not None:
            self._presence.publish()

    def _recorder(
        self, kind: str, names: tuple[str, ...], make: Callable[[tuple[str, ...], str, bool], R]
    ) -> R | None:
        if not self.enabled:
            return None
        self._expose()
        with self._books.lock:
            known = self._recorders.setdefault(kind, {})
            folded = names not in known and len(known) >= self.label_budget
            if folded:
                names = (OTHER,) * len(names)
            found: Any = known.get(names)
            if found is None:
                found = known[names] = make(names, kind, folded)
            return found  # type: ignore[no-any-return]

    def _expose(self) -> None:
        with self._books.lock:
            if self._collector is not None:
                return
            collector = _Exposed(self)
            self._collector = collector
        try:
            self.registry.register(collector)
        except ValueError:
            self._collector = None
            raise

    def _settled(self) -> Iterator[Metric]:
        totals = self._totals() if self._presence is None else self._presence.all()
        return totals.metrics()

    def _totals(self) -> Totals:
        """Return a copy, everything added up: nobody who records waits for a reader, or for a disk."""
        with self._books.lock:
            for recorders in self._recorders.values():
                for recorder in recorders.values():
                    recorder.add_up()
            return self._books.totals.copy()

    def _families(self) -> Iterator[Family]:
        """Yield every family there can be: another process may use what this one does not."""
        yield from families.client(_wider(self.llm_buckets, self.thresholds)).all
        yield from families.server(_wider(self.llm_server_buckets, self.thresholds)).all
        yield from families.predictor(_wider(self.predictor_buckets, self.thresholds)).all
        yield families.FOLDED

    def _forget(self) -> None:
        """Begin at zero: what was recorded so far is the parent's to expose."""
        fresh = Books(self._books.wall_clock)
        for recorders in self._recorders.values():
            for recorder in recorders.values():
                recorder.forget(fresh)
        self._books = fresh
        if self._presence is not None:
            self._presence.forget()


class _Exposed(Collector):
    """All families of an Instruments, as prometheus-client asks for them."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def collect(self) -> Iterator[Metric]:
        return self._instruments._settled()

    def describe(self) -> Iterator[Metric]:
        """Claim every name at once, so that a second one on the same registry is refused."""
        return map(described, self._instruments._families())


def _wider(buckets: B, thresholds: Mapping[str, tuple[float, ...]]) -> B:
    """Return the boundaries with the thresholds among them."""
    more: dict[str, Any] = {}
    for name, bounds in thresholds.items():
        if hasattr(buckets, name):
            more[name] = tuple(sorted({*getattr(buckets, name), *bounds}))
    return dataclasses.replace(buckets, **more)


def _begin_anew_after_fork(instruments: Instruments) -> None:
    """Let each child have its own calls alone: else the parent's would count once in each of them."""
    held = weakref.ref(instruments)
    frozen: list[Presence] = []

    def freeze() -> None:
        found = held()
        if found is not None and found._presence is not None:
            found._presence.freeze()
            frozen.append(found._presence)

    def thaw() -> None:
        while frozen:
            frozen.pop().thaw()

    def begin() -> None:
        frozen.clear()
        found = held()
        if found is not None:
            found._forget()

    os.register_at_fork(before=freeze, after_in_parent=thaw, after_in_child=begin)
