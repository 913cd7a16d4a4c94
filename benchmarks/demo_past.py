"""Three days of the demo's models and the day after, as text that Prometheus' tools and VictoriaMetrics read.

Made by the demo's own services under a virtual clock. On the last day something happens: the LLM is slow for
a while, and the classifier is rolled out anew, so that what was scraped of its first instance ends.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from airis_mon.analyzer.compile import PATH, artefacts
from airis_mon.analyzer.config import Query, decode
from airis_mon.cli.documents import load
from airis_mon.demo import documents, scene
from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.digits import Classifier
from airis_mon.demo.history import History
from airis_mon.demo.latency import LatencyModel, Timing
from airis_mon.demo.past import ClassifierPast, LLMPast, Past
from airis_mon.traces import operations

DAY, HOUR = 86_400, 3600
BEFORE = 3 * DAY
"""Seconds of past before the day: what the demo has."""
SCRAPE = 20
"""Seconds between two scrapes, as in the demo's past."""
OFF = 7
"""Seconds by which scrapes are off the minute, as those of any real server are: what lies exactly on the
border of a range belongs to it in Prometheus 2 and not in 3."""
SLOW, SLOW_FOR = 15 * HOUR, 20 * 60
"""When on the day the LLM is slow, and for how long."""
ROLLED_OUT = 12 * HOUR
"""When on the day the classifier's second instance takes over."""
INSTANCES = ("10.0.0.1:8000", "10.0.0.2:8000", "10.0.0.3:8000")
"""Of the LLM, and of the classifier before and after."""
_PREDICTION = 0.001
"""Seconds of one prediction; what it takes on this machine would make each run another one."""


@dataclass(frozen=True)
class DemoPast:
    """What was scraped, and when the day is."""

    files: tuple[Path, ...]
    """OpenMetrics text of each target."""
    samples: int
    begin: int
    """Seconds since the epoch: first time that is judged."""
    end: int
    """Last time that is judged."""


class _Faulty(LatencyModel):
    """The demo's latency model, with a fault that can be switched on."""

    fault = [1.0]  # noqa: RUF012  the model is frozen

    def timing(self, input_tokens: int, running: int, chance: random.Random, factor: float = 1.0) -> Timing:
        return super().timing(input_tokens, running, chance, factor * self.fault[0])


def make(folder: Path, end: int, seed: int = 1) -> DemoPast:
    """Live through four days up to `end`, and write what was scraped below `folder`."""
    begin = end - DAY
    start = begin - BEFORE
    first, last = start + OFF, end + OFF
    classifier = Classifier(seed)
    model = _Faulty()
    chat = LLMPast(Arrivals(operations(scene.CHAT_TRAFFIC, start, seed)), model, seed)
    rollout = begin + ROLLED_OUT
    digits = [
        ClassifierPast(
            Arrivals(operations(scene.DIGITS_TRAFFIC, since, seed)), classifier, [_PREDICTION], seed
        )
        for since in (start, rollout)
    ]
    lives: Sequence[tuple[Past, str, int, int]] = (
        (chat, documents.LLM_JOB, first, last),
        (digits[0], documents.CLASSIFIER_JOB, first, rollout),
        (digits[1], documents.CLASSIFIER_JOB, rollout + OFF, last),
    )
    samples, files = 0, []
    for number, (past, job, since, until) in enumerate(lives):
        history = History()
        for moment in range(since, until, SCRAPE):
            model.fault[0] = 6.0 if begin + SLOW <= moment < begin + SLOW + SLOW_FOR else 1.0
            past.run_until(moment)
            history.scrape(moment, {past: {"job": job, "instance": INSTANCES[number]}})
        samples += history.samples
        files.append(folder / f"{number}.om")
        with files[-1].open("w", encoding="utf-8") as text:
            history.write(text)
    return DemoPast(tuple(files), samples, begin, end)


def queries(folder: Path) -> tuple[Query, ...]:
    """Return what `airis-mon build` makes of the demo's documents for the analyzer.

    Beside what the demo watches: forecasts that come due within the day, and each instance of the classifier.
    """
    text = documents.text(documents.Addresses("http://127.0.0.1:9/", "127.0.0.1:9"))
    written = list(yaml.safe_load_all(text))
    by_name = {document["metadata"]["name"]: document["spec"] for document in written}
    rate = {"of": "request_rate", "window": "5m", "history": "2d"}
    by_name[documents.CHAT]["forecasts"] += [{**rate, "horizon": horizon} for horizon in ("1h", "6h")]
    each = {**rate, "by": ["instance"]}
    by_name[documents.DIGITS]["anomalies"].append(each)
    file = folder / "monitors.yaml"
    file.write_text(yaml.safe_dump_all(written), encoding="utf-8")
    (analyzer,) = artefacts(load([file]))
    return decode(analyzer.text, PATH).queries
