"""Proof of the guards: what cannot be true is told once it has stood, what merely rests is not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from airis_mon.exporters.contracts import matchers, spellings
from airis_mon.rules import guards
from airis_mon.rules.alerts import Alert
from airis_mon.rules.expressions import LE
from airis_mon.rules.indicators import contract_of
from airis_mon.rules.literals import number
from airis_mon.rules.measures import Measure, measures
from airis_mon.rules.proofs import histograms, readiness, strangers
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, fired
from airis_mon.rules.proofs.matchers import label_sets
from airis_mon.rules.proofs.readiness import INFINITE, Need, Watched
from airis_mon.spec import Monitor

STANDS = 1
"""Evaluations for which a guard has to stand, or a few more."""
ODD, WELL = "one:8000", "two:8000"
"""An instance that something happens to, and one that is well all along."""
LESS, MORE = 0.9, 1.1
"""Parts of a threshold on both sides of it."""
STRANGE = -1e6
"""Value of others' series: impossible, and more than ours."""

Stretch = tuple[int, float | None, float]
"""Evaluations, the value that they begin with (None where there is no series), and what each adds to it."""


def cases(monitor: Monitor) -> Iterator[Case]:
    """Yield the tests of all guards of a monitor, and of what is recorded about them."""
    watched: list[Watched] = []
    for measure in measures(monitor):
        guarded = _Guarded(monitor, measure)
        yield from guarded.cases()
        watched += guarded.watched()
    yield readiness.case("guards", watched, step(monitor))


def step(monitor: Monitor) -> float:
    """Return the seconds between two evaluations: as many as some readings take."""
    return _readings(monitor) * monitor.source.scrape_interval


def _readings(monitor: Monitor) -> int:
    return max(1, math.floor(guards.patience(monitor) / STANDS / monitor.source.scrape_interval))


@dataclass(frozen=True)
class _Guarded:
    """A measure, in a source that is read as often as the document says."""

    monitor: Monitor
    measure: Measure

    @property
    def wait(self) -> int:
        """Evaluations until a guard that holds is told."""
        return math.ceil(guards.patience(self.monitor) / step(self.monitor))

    @property
    def span(self) -> int:
        """Evaluations over which counters are compared."""
        return math.ceil(guards.reach(self.monitor) / step(self.monitor))

    def cases(self) -> Iterator[Case]:
        """Yield the tests of each guard that the measure has."""
        found = (
            (guards.impossible, self._impossible),
            (guards.unlabelled, self._unlabelled),
            (guards.unseen, self._unseen),
            (guards.frozen, self._frozen),
            (guards.cached, self._cached),
            (guards.rare, self._rare),
        )
        for guard, proof in found:
            alert = guard(self.monitor, self.measure)
            if alert is not None:
                yield from proof(alert)

    def watched(self) -> Iterator[Watched]:
        """Yield what each guard needs to be able to fire."""
        own, source = self._need(self.measure.metric), self._source()
        witnesses = [self._need(metric) for metric in guards.evidence(self.monitor, self.measure)]
        process = [self._process()] if "job" in self.monitor.source.selector else []
        found: tuple[tuple[Alert | None, list[tuple[Need, ...]]], ...] = (
            (guards.impossible(self.monitor, self.measure), [(own,)]),
            (guards.unlabelled(self.monitor, self.measure), [(own,)]),
            (guards.unseen(self.monitor, self.measure), [(need,) for need in source]),
            (guards.frozen(self.monitor, self.measure), [(own, witness) for witness in witnesses]),
            (guards.cached(self.monitor, self.measure), [(own, cpu) for cpu in process]),
            (guards.rare(self.monitor, self.measure), [(own,)]),
        )
        for alert, alternatives in found:
            if alert is not None:
                yield readiness.regarding(self.monitor, alert, tuple(alternatives))

    def _impossible(self, alert: Alert) -> Iterator[Case]:
        """Yield the tests of each value that cannot be, between some that can."""
        if self.measure.native:
            yield self._impossibly_native(alert)
            return
        metric, gauge = self.measure.metric, self.measure.gauge
        bad, good = [math.nan, -1.0, guards.LARGEST * MORE], guards.LARGEST * LESS
        if gauge is not None and gauge.unit == "ratio":
            bad, good = [math.nan, -1.0, guards.WHOLE * MORE / gauge.scale], 1 / gauge.scale
        elif gauge is not None:
            bad, good = [math.nan, -guards.LARGEST * MORE, guards.LARGEST * MORE], -guards.LARGEST * LESS
        stands = self.wait + 2
        stretches: list[Stretch] = [(stands, good, 0)]
        for value in bad:
            stretches += [(stands, value, 0), (2, good, 0)]
        checks = [(stands - 1, 0.0), *self._told(len(bad), stands)]
        yield self._case(
            "impossible values",
            alert,
            checks,
            [
                self._input(metric, self._labels(metric, ODD), stretches),
                self._input(metric, self._labels(metric, WELL), [(self._length(stretches), 0, 0)]),
                *self._strange(metric, self._length(stretches)),
            ],
        )
        if self.measure.boundary is not None:
            yield self._overfull(alert, self.measure.boundary)

    def _impossibly_native(self, alert: Alert) -> Case:
        """Return the test of each count and sum that cannot be, between some that can."""
        metric, stands, most = self.measure.metric, self.wait + 2, guards.LARGEST * LESS
        bad = ((math.nan, 0.0), (guards.LARGEST * MORE, 0.0), (most, math.nan), (most, -1.0))
        stretches = [(stands, most, 0.0)]
        for count, total in bad:
            stretches += [(stands, count, total), (2, most, 0.0)]
        whole, readings = sum(steps for steps, _, _ in stretches), _readings(self.monitor)
        odd = [histograms.steady(count, total, steps * readings) for steps, count, total in stretches]
        return self._case(
            "impossible values",
            alert,
            [(stands - 1, 0.0), *self._told(len(bad), stands)],
            [
                Input(metric + matchers(self._labels(metric, ODD)), " ".join(odd)),
                self._input(metric, self._labels(metric, WELL), [(whole, 0, 0)]),
                *self._strange(metric, whole),
            ],
        )

    def _overfull(self, alert: Alert, boundary: float) -> Case:
        """Return the test of a bucket that holds more than its histogram, however its boundary is spelled."""
        metric, stands, written = self.measure.metric, self.wait + 2, spellings(boundary)
        bucket = f"{metric.removesuffix('_count')}_bucket"
        whole = (len(written) + 1) * (stands + 2)
        inputs = [self._input(metric, self._labels(metric, ODD), [(whole, 100, 0)])]
        for place, spelling in enumerate(written):
            before: list[Stretch] = (
                [(stands, 100, 0)] if not place else [((stands + 2) * place + stands, None, 0)]
            )
            after: list[Stretch] = [(stands, 100 * MORE * guards.WHOLE, 0), (2, None, 0)]
            labels = self._labels(bucket, ODD, **{LE: spelling})
            inputs.append(self._input(bucket, labels, [*before, *after]))
        infinite = self._labels(bucket, ODD, **{LE: INFINITE})
        inputs.append(self._input(bucket, infinite, [(whole, 1e9, 0)]))
        inputs += [*self._strange(metric, whole), *self._strange(bucket, whole, 1e9, **{LE: written[0]})]
        checks = [(stands - 1, 0.0), *self._told(len(written), stands)]
        return self._case("a bucket above its count", alert, checks, inputs)

    def _told(self, times: int, begin: int) -> Iterator[tuple[int, float]]:
        """Yield what is checked of something that stands again and again, with two evaluations between."""
        for place in range(times):
            first = begin + place * (self.wait + 4)
            yield from ((first + self.wait - 1, 0.0), (first + self.wait, 1.0), (first + self.wait + 3, 0.0))

    def _unlabelled(self, alert: Alert) -> Iterator[Case]:
        """Yield the test of series that lack each of the labels in turn."""
        metric, missing = self.measure.metric, (*self.measure.told, *self.measure.by)
        stands = self.wait + 2
        whole = stands + len(missing) * (self.wait + 4)
        inputs = [self._input(metric, self._labels(metric, WELL), [(whole, 0, 0)])]
        for place, label in enumerate(missing):
            labels = {name: value for name, value in self._labels(metric, ODD).items() if name != label}
            stretches: list[Stretch] = [
                (stands + place * (self.wait + 4), None, 0),
                (stands, 0, 0),
                (2, None, 0),
            ]
            inputs.append(self._input(metric, labels, stretches))
        selector = self.monitor.source.selector
        others = strangers.neighbours(selector, selector)
        inputs += [self._input(metric, other, [(whole, 0, 0)]) for other in others]
        checks = [(stands - 1, 0.0), *self._told(len(missing), stands)]
        yield self._case("series without a label", alert, checks, inputs)

    def _unseen(self, alert: Alert) -> Iterator[Case]:
        """Yield the test of operations whose measure is not there; then it is; then all is gone."""
        wait = math.ceil(alert.duration / step(self.monitor))
        # There for so long that the alert would have come, if operations were enough for it.
        begins, there = wait + 2, 2
        own: list[Stretch] = [(begins, 0, 0), (wait + 1, None, 0), (there, 0, 0), (2, None, 0)]
        rest: list[Stretch] = [(begins + wait + 1 + there, 0, 0), (2, None, 0)]
        whole = self._length(rest)
        found = [measure.metric for measure in measures(self.monitor)]
        inputs = [
            self._input(metric, self._labels(metric, WELL), own if metric == self.measure.metric else rest)
            for metric in dict.fromkeys([*found, *(need.metric for need in self._source())])
        ]
        inputs += self._strange(self.measure.metric, whole, 0)
        for need in self._source():
            inputs += self._strange(need.metric, whole, 0)
        told = fired(self.monitor, alert, self.monitor.source.selector)
        times = step(self.monitor)
        checks = [
            AlertCheck((begins - 1) * times, alert.name),
            AlertCheck((begins + wait - 1) * times, alert.name),
            AlertCheck((begins + wait) * times, alert.name, (told,)),
            AlertCheck((begins + wait + 2) * times, alert.name),
            AlertCheck((begins + wait + 4) * times, alert.name),
        ]
        yield Case(f"{self.measure.signal}: never seen", self._interval, tuple(inputs), checks)

    def _frozen(self, alert: Alert) -> Iterator[Case]:
        """Yield the tests of a counter that stands still while another one moves; idle, it may."""
        for witness in guards.evidence(self.monitor, self.measure):
            yield self._stopped(alert, witness)

    def _stopped(self, alert: Alert, witness: str) -> Case:
        metric, span, wait = self.measure.metric, self.span, self.wait
        busy = guards.BUSY * step(self.monitor) / guards.reach(self.monitor)
        moves, frozen, idle, restarted = span + 2, span + wait + 2, span + wait + 2, wait + 2
        slow = 2 * span + wait + 2
        own: list[Stretch] = [(moves, 0, 10), (frozen + slow + idle, 10 * moves, 0), (restarted, 0, 0)]
        level = MORE * busy * (moves + frozen)
        other: list[Stretch] = [
            (moves + frozen, 0, MORE * busy),
            (slow, level, LESS * busy),
            (idle, level + LESS * busy * slow, 0),
            (restarted, 0, 0),
        ]
        whole = self._length(own)
        checks = [
            (moves - 1, 0.0),
            # Still for as long as that from here on, and told when that has stood.
            (moves + span + wait - 1, 0.0),
            (moves + span + wait, 1.0),
            (moves + frozen + slow - 1, 0.0),
            (moves + frozen + slow + idle - 1, 0.0),
            (whole - 1, 0.0),
        ]
        inputs = [
            self._input(metric, self._labels(metric, ODD), own),
            self._input(metric, self._labels(metric, WELL), [(whole, 0, 10)]),
            self._input(witness, self._labels(witness, ODD), other),
            self._input(witness, self._labels(witness, WELL), [(whole, 0, 100)]),
        ]
        # Others in the same place: one that moves, one that does all the work.
        inputs += [*self._moving(metric, whole), *self._moving(witness, whole)]
        return self._case(f"stands still while {witness} moves", alert, checks, inputs)

    def _cached(self, alert: Alert) -> Iterator[Case]:
        """Yield the test of a process whose CPU time stands still, while another one's moves."""
        metric, span, wait = self.measure.metric, self.span, self.wait
        moves, stands, after = span + 2, span + wait + 2, 2
        cpu: list[Stretch] = [(moves, 0, 1), (stands, moves, 0), (after, moves, 1)]
        whole = self._length(cpu)
        job = self.monitor.source.selector["job"]
        inputs = [
            self._input(metric, self._labels(metric, ODD), [(whole, 0, 0)]),
            self._input(metric, self._labels(metric, WELL), [(whole, 0, 0)]),
            self._input(guards.CPU_TIME, {"job": job, "instance": ODD}, cpu),
            self._input(guards.CPU_TIME, {"job": job, "instance": WELL}, [(whole, 0, 1)]),
        ]
        # Others are frozen all along, each of them in an instance of its own.
        selector = self.monitor.source.selector
        for place, other in enumerate(strangers.neighbours(selector, selector)):
            instance = f"other-{place}:8000"
            inputs.append(self._input(metric, {**other, "instance": instance}, [(whole, 0, 0)]))
            process = {"job": other["job"], "instance": instance}
            inputs.append(self._input(guards.CPU_TIME, process, [(whole, 0, 0)]))
        checks = [
            (moves - 1, 0.0),
            # Still for as long as that from here on, and told when that has stood.
            (moves + span + wait - 1, 0.0),
            (moves + span + wait, 1.0),
            (whole - 1, 0.0),
        ]
        yield self._case("an old page", alert, checks, inputs)

    def _rare(self, alert: Alert) -> Iterator[Case]:
        """Yield the test of readings: some are lost, then too many, then none, then all."""
        metric, readings = self.measure.metric, _readings(self.monitor)
        stands = self.wait + 2 + math.ceil(guards.EXPECTED / readings)
        some, many = (2 * stands - 1) * readings, (3 * stands - 1) * readings
        values, there = [], self._value(metric, 0.0)
        for slot in range(5 * stands * readings + 1):
            place = slot // (stands * readings)
            # Counted from the check, at which the last reading is lost: Prometheus 2 counts both ends.
            # The first of many is not lost yet: at that evaluation both versions still have enough.
            begun = slot > 2 * stands * readings
            lost = {1: (some - slot) % 20 % 3 == 0, 2: begun and (many - slot) % 20 in range(0, 18, 2)}.get(
                place, False
            )
            values.append("stale" if slot == 4 * stands * readings else "_" if lost or place >= 4 else there)
        checks = [
            (stands - 1, 0.0),
            (2 * stands - 1, 0.0),
            (2 * stands + self.wait, 0.0),
            (3 * stands - 1, 11.0),
            (4 * stands - 1, 0.0),
            (5 * stands - 1, 0.0),
        ]
        inputs = [Input(metric + matchers(self._labels(metric, WELL)), " ".join(values))]
        inputs += self._strange(metric, 5 * stands, 0)
        yield self._case("readings lost", alert, checks, inputs)

    @property
    def _interval(self) -> float:
        return self.monitor.source.scrape_interval

    def _case(
        self, what: str, alert: Alert, checks: Iterable[tuple[int, float]], inputs: Sequence[Input]
    ) -> Case:
        """Return a test of one guard: at each evaluation, the value that is told, or 0 where nothing is."""
        every = step(self.monitor)
        found = [
            AlertCheck(at * every, alert.name, (fired(self.monitor, alert, {}, told),) if told else ())
            for at, told in checks
        ]
        return Case(f"{self.measure.signal}: {what}", self._interval, tuple(inputs), found)

    def _labels(self, metric: str, instance: str, **more: str) -> dict[str, str]:
        """Return the labels of a series as a server would expose it, in order."""
        contract = contract_of(self.monitor)
        counted = [one for one in (contract.requests, contract.labelled) if one and one.total == metric]
        good = label_sets(counted[0].errors)[0] if counted else {}
        # Another measure may be kept apart by other labels, and its guard asks for them.
        by = (label for one in measures(self.monitor) if one.metric == metric for label in one.by)
        apart = dict.fromkeys(by, readiness.GROUP)
        found = {**apart, **good, "instance": instance, **self.monitor.source.selector, **more}
        return dict(sorted(found.items()))

    def _input(self, metric: str, labels: Mapping[str, str], stretches: Iterable[Stretch]) -> Input:
        """Return a series, read as often as it should be."""
        readings, parts, there = _readings(self.monitor), [], False
        for steps, value, growth in stretches:
            count = steps * readings
            if value is None:
                parts.append(f"stale _x{count}" if there else f"_x{count}")
                parts[-1] = parts[-1].replace(f"_x{count}", f"_x{count - 1}") if there else parts[-1]
            elif math.isnan(value):
                parts.append(" ".join(["NaN"] * count))
            else:
                begin, step = self._value(metric, value), self._value(metric, growth / readings)
                parts.append(f"{begin}+{step}x{count - 1}")
            there = value is not None
        return Input(metric + matchers(dict(sorted(labels.items()))), " ".join(parts))

    def _value(self, metric: str, value: float) -> str:
        """Return a value of a metric; no native histogram counts less than nothing."""
        own = self.measure.native and metric == self.measure.metric
        if not own and metric not in contract_of(self.monitor).native:
            return number(value)
        return histograms.text(value if value >= 0 else guards.LARGEST * MORE)

    @staticmethod
    def _length(stretches: Iterable[Stretch]) -> int:
        return sum(steps for steps, _, _ in stretches)

    def _strange(self, metric: str, steps: int, value: float = STRANGE, **more: str) -> list[Input]:
        """Return series of others that differ in one label of the selector."""
        selector = self.monitor.source.selector
        return [
            self._input(metric, {**self._labels(metric, ODD), **other, **more}, [(steps, value, 0)])
            for other in strangers.neighbours(selector, selector)
        ]

    def _moving(self, metric: str, steps: int) -> list[Input]:
        selector = self.monitor.source.selector
        return [
            self._input(metric, {**self._labels(metric, ODD), **other}, [(steps, 0, 1000)])
            for other in strangers.neighbours(selector, selector)
        ]

    def _need(self, metric: str) -> Need:
        selector, labels = self.monitor.source.selector, self._labels(metric, WELL)
        others = (tuple({**labels, **other}.items()) for other in strangers.neighbours(selector, selector))
        return Need(metric, tuple(labels.items()), tuple(others))

    def _source(self) -> list[Need]:
        requests = contract_of(self.monitor).requests
        return [] if requests is None else [self._need(requests.total)]

    def _process(self) -> Need:
        labels = {"instance": WELL, "job": self.monitor.source.selector["job"]}
        other = {**labels, "job": f"{labels['job']}-other"}
        return Need(guards.CPU_TIME, tuple(labels.items()), (tuple(other.items()),))
