"""Proof of the guards on counters that a document names: a part beyond its whole is told, jitter is not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from airis_mon.exporters.contracts import matchers, spellings
from airis_mon.rules import guards, tallies
from airis_mon.rules.alerts import Alert
from airis_mon.rules.burn_rate import Burn
from airis_mon.rules.expressions import LE, Term
from airis_mon.rules.indicators import Counted
from airis_mon.rules.literals import number
from airis_mon.rules.proofs import readiness
from airis_mon.rules.proofs.case import AlertCheck, Case, Input, fired
from airis_mon.rules.proofs.counters import INSTANCE, INSTANCES
from airis_mon.rules.proofs.kinds import Example, Kind, examples, exceeding, kinds, undercutting
from airis_mon.rules.proofs.readiness import Need, Watched
from airis_mon.spec import Monitor

LESS, MORE = 0.9, 1.2
"""Parts of a threshold on both sides of it: three quarters of the larger are still below it."""
USUAL = 20.0 * guards.BUSY
"""Operations between two evaluations of usual traffic."""
STRANGE = -1e6
"""Value of others' series: impossible."""
FINEST = 2.0**-20
"""What counters rise by is a multiple of it: then promtool adds it up exactly."""


def step(burn: Burn) -> float:
    """Return the seconds between two evaluations: as many as some readings take."""
    return _readings(burn) * burn.monitor.source.scrape_interval


def _readings(burn: Burn) -> int:
    patience = tallies.reach(burn) / guards.PATIENCE
    return max(1, math.floor(patience / burn.monitor.source.scrape_interval))


def cases(burn: Burn, counted: Counted) -> Iterator[Case]:
    """Yield the tests of one objective's guard, and of whether it can fire."""
    alert = tallies.alert(burn, counted)
    guarded = _Guarded(burn, counted, alert)
    yield from guarded.values()
    yield from guarded.excesses()
    yield readiness.case("own counters", [guarded.watched()], step(burn))


@dataclass(frozen=True)
class _Phase:
    """A stretch of steady traffic."""

    steps: int
    """Evaluations."""
    operations: float = 0.0
    """Usual ones for each of them."""
    excess: float = 0.0
    """What the part has beside, too much or too little of it, weighed as the guard weighs it."""
    restarted: bool = False


@dataclass(frozen=True)
class _Guarded:
    burn: Burn
    counted: Counted
    alert: Alert

    @property
    def monitor(self) -> Monitor:
        return self.burn.monitor

    @property
    def wait(self) -> int:
        """Evaluations until a guard that holds is told."""
        return math.ceil(self.alert.duration / step(self.burn))

    @property
    def span(self) -> int:
        """Evaluations after which a window holds nothing of what was before."""
        return math.ceil(tallies.reach(self.burn) / step(self.burn)) + 1

    def values(self) -> Iterator[Case]:
        """Yield the test of values that no counter has, in all series at once, and of some that it may."""
        odd = {
            "no number": (math.nan, True),
            "negative": (-1.0, True),
            "beyond 2^63": (guards.LARGEST * MORE, True),
            "large": (guards.LARGEST * LESS, False),
            "at rest": (0.0, False),
        }
        steps, strange = self.wait + 2, kinds(self.counted).strangers
        count = steps * _readings(self.burn)
        series = self._series()
        inputs = [
            Input(one.metric + matchers(dict(one.labels)), f"{number(STRANGE)}+0x{count}") for one in strange
        ]
        # Series with the same labels are one to `or`.
        told = float(len({one.labels for one in series}))
        for what, (value, impossible) in odd.items():
            there = " ".join([number(value) if value == value else "NaN"] * count)
            found = [Input(one.metric + matchers(dict(one.labels)), f"{there} stale") for one in series]
            checks = [
                self._check(self.wait - 1),
                self._check(self.wait, told if impossible else 0.0),
                self._check(steps),
            ]
            yield self._case(f"counters that are {what}", [*found, *inputs], checks)

    def excesses(self) -> Iterator[Case]:
        """Yield the tests of a part that is more than the whole, and of one that is less than nothing."""
        found, good = kinds(self.counted), self.counted.part_is_good
        whole, none = (found.good, found.failing) if good else (found.failing, found.good)
        for what, near, far, extra in (
            ("more than all", whole, none, exceeding(self.counted, 1 + tallies.TOLERANCE)),
            ("less than none", none, whole, undercutting(self.counted, tallies.TOLERANCE)),
        ):
            # How far each kind of operation is from what is told.
            base = {**dict.fromkeys(far, 1 + tallies.TOLERANCE), **dict.fromkeys(near, tallies.TOLERANCE)}
            plainest = min(base, key=len)
            if not extra:
                continue
            for place in range(self._written()):
                yield self._excess(f"{what}, spelling {place + 1}", base, extra, place)
            for term in self.counted.part if len(self.counted.part) > 1 else ():
                own = {one: excess for one, excess in extra.items() if _counts(term, one)}
                if own:
                    yield self._excess(
                        f"{what}, of {term.selector} alone", {plainest: base[plainest]}, own, 0
                    )

    def watched(self) -> Watched:
        """Return what the guard needs to be able to fire: any series that it looks at."""
        strange = kinds(self.counted).strangers
        needs = []
        for term in tallies.guarded(self.counted):
            others = tuple(one.labels for one in strange if one.metric == term.metric)
            found = self._examples(term)
            needs += [(Need(one.metric, one.labels, others, term.counts),) for one in found]
        return readiness.regarding(self.monitor, self.alert, tuple(needs))

    def _excess(
        self, what: str, base: Mapping[Kind, float], extra: Mapping[Example, float], spelling: int
    ) -> Case:
        every, whole = step(self.burn), tallies.reach(self.burn)
        # How far usual traffic is from what is told, and what of it is the tolerance.
        slack, jitter = (USUAL * part for part in (sum(base.values()) / len(base), tallies.TOLERANCE))
        # So much in each evaluation that a window full of it is on that side of what is told.
        few, many = (part * guards.BUSY * every / whole for part in (LESS, MORE))
        full = math.ceil(whole / every / MORE)
        phases = (
            _Phase(2),
            _Phase(self.span, USUAL),
            _Phase(self.span + self.wait + 1, USUAL, slack - (1 - LESS) * jitter),
            _Phase(self.span + self.wait + 1, USUAL, restarted=True),
            _Phase(self.span),
            _Phase(self.span + self.wait + 1, 0.0, few),
            _Phase(self.span),
            _Phase(full + self.wait + 1, USUAL, slack + many),
            _Phase(self.span),
        )
        ends = [sum(phase.steps for phase in phases[: place + 1]) for place in range(len(phases))]
        begins = ends[-3]
        # Between two checks at ends, one when a window is half full, and that has stood.
        quiet = [*ends[:-2], *(end + 2 + self.wait for end in (ends[0], ends[3], ends[-2])), ends[-1]]
        quiet.append(begins + full + self.wait - 1)
        checks = [*map(self._check, quiet), self._check(begins + full + self.wait, 1.0)]
        moved = dict.fromkeys([*(one for kind in base for one in kind), *extra])
        inputs = []
        for one in moved:
            usual = sum(one in kind for kind in base) / len(base)
            beside = 1 / extra[one] / len(extra) if one in extra else 0.0
            instances = INSTANCES if self._free(one.metric) else ("",)
            for instance in instances:
                own = {INSTANCE: instance} if instance else {}
                labels = self._spelled({**dict(one.labels), **own}, spelling)
                growths = [
                    (phase.operations * usual + phase.excess * beside) / len(instances) for phase in phases
                ]
                inputs.append(self._rising(one.metric, labels, phases, growths))
        for place, other in enumerate(kinds(self.counted).strangers):
            growths = [USUAL * (1 + place / 2)] * len(phases)
            inputs.append(self._rising(other.metric, dict(other.labels), phases, growths))
        return self._case(what, inputs, checks)

    def _rising(
        self, metric: str, labels: Mapping[str, str], phases: Sequence[_Phase], growths: Sequence[float]
    ) -> Input:
        """Return a counter that rises by so much for each evaluation of each phase."""
        readings, value, parts = _readings(self.burn), 0.0, ["0"]
        for phase, growth in zip(phases, growths, strict=True):
            value = 0.0 if phase.restarted else value
            more, count = round(growth / readings / FINEST) * FINEST, phase.steps * readings
            parts.append(f"{number(value + more)}+{number(more)}x{count - 1}")
            value += more * count
        return Input(metric + matchers(dict(sorted(labels.items()))), " ".join(parts))

    def _series(self) -> list[Example]:
        """Return every series that is looked at, each in an instance of its own."""
        found = dict.fromkeys(one for term in tallies.guarded(self.counted) for one in self._examples(term))
        return [
            replace(one, labels=tuple(sorted((*one.labels, (INSTANCE, f"{place}:8000")))))
            if self._free(one.metric)
            else one
            for place, one in enumerate(found)
        ]

    def _examples(self, term: Term) -> Iterator[Example]:
        """Yield series that a term counts, a boundary in every spelling."""
        for one in examples(self.counted):
            if _counts(term, one):
                labels = (self._spelled(dict(one.labels), place) for place in range(self._written()))
                for written in {tuple(sorted(found.items())): None for found in labels}:
                    yield replace(one, labels=written)

    def _free(self, metric: str) -> bool:
        """Tell whether nothing compares the instance of a metric."""
        terms = (*self.counted.total, *self.counted.part)
        return not any(
            matcher.label == INSTANCE for term in terms if term.metric == metric for matcher in term.matchers
        )

    def _written(self) -> int:
        """Return how many spellings a boundary has at most."""
        terms = (*self.counted.total, *self.counted.part)
        found = (one.value for term in terms for one in term.matchers if one.label == LE)
        return max((len(spellings(float(value))) for value in found if value != "+Inf"), default=1)

    @staticmethod
    def _spelled(labels: dict[str, str], place: int) -> dict[str, str]:
        if labels.get(LE, "+Inf") == "+Inf":
            return labels
        written = spellings(float(labels[LE]))
        return {**labels, LE: written[place % len(written)]}

    def _check(self, at: int, told: float = 0.0) -> AlertCheck:
        """Return what is told at an evaluation: a value, or nothing where it is 0."""
        expected = (fired(self.monitor, self.alert, {}, told),) if told else ()
        return AlertCheck(at * step(self.burn), self.alert.name, expected)

    def _case(self, what: str, inputs: Sequence[Input], checks: Sequence[AlertCheck]) -> Case:
        title = f"{self.burn.objective.name}: {what}"
        return Case(title, self.monitor.source.scrape_interval, tuple(inputs), checks)


def _counts(term: Term, one: Example) -> bool:
    return term.counts(one.metric, dict(one.labels))
