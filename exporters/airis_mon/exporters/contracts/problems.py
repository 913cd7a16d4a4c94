"""What only a contract can tell of a monitor: whether its signals exist and its latencies can be counted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airis_mon.exporters.contracts.catalogue import CONTRACTS
from airis_mon.exporters.contracts.contract import QUANTILES, Contract, Distribution
from airis_mon.exporters.contracts.spelling import spelled
from airis_mon.spec import (
    READINGS,
    Anomaly,
    Errors,
    Forecast,
    Fresh,
    Latency,
    Monitor,
    Problem,
    Quality,
    Threshold,
    did_you_mean,
    format_duration,
    nearest,
)


def problems(monitor: Monitor) -> list[Problem]:
    """Return what is wrong with the monitor under its contract, located through its origin.

    The contract is known; every signal, distribution and bucket of the monitor is the contract's; every
    latency is a boundary of its histogram; every window holds enough readings; no selector takes a label that
    the contract's own expressions compare. Windows of objectives are not looked at: their ranges are derived.
    """
    contract = CONTRACTS.get(monitor.source.contract)
    if contract is None:
        path = "spec.source.contract"
        return [
            Problem(
                f"unknown contract `{monitor.source.contract}`",
                path,
                monitor.origin.locate(path),
                did_you_mean(monitor.source.contract, CONTRACTS),
            )
        ]
    check = _Check(monitor, contract)
    return [*check.selector(), *check.buckets(), *check.indicators(), *check.signals(), *check.windows()]


@dataclass(frozen=True)
class _Check:
    monitor: Monitor
    contract: Contract

    def selector(self) -> Iterator[Problem]:
        """Check that series are selected, and by no label by which they are told apart."""
        if self.contract.requests is None:
            if self.monitor.source.selector:
                yield self._problem(
                    f"the contract `{self.contract.name}` has no series that a selector could choose from",
                    "spec.source.selector",
                    "leave it out, and write its labels into the expressions of the objectives",
                )
            return
        if not self.monitor.source.selector:
            yield self._problem(
                "`selector` is missing",
                "spec.source.selector",
                "selector: Labels that select this model's series, such as {job: vllm}",
            )
        reasons = dict.fromkeys(
            self.contract.requests.telling,
            "tells failed operations from good ones; a selector on it leaves nothing to compare",
        )
        reasons["le"] = "tells the buckets of a histogram apart; a selector on it leaves nothing to count"
        reasons["quantile"] = (
            "is a label of summaries, which no contract reads; a selector on it finds nothing"
        )
        for label in self.monitor.source.selector:
            if label in reasons:
                yield self._problem(
                    f"`{label}` {reasons[label]}",
                    f"spec.source.selector.{label}",
                    "leave it out; select by what all series of the model carry, such as `job`",
                )

    def windows(self) -> Iterator[Problem]:
        """Check that the rates of what is watched can be taken; a gauge needs no range."""
        rates = set(self.contract.signals()) - set(self.contract.gauges)
        shortest = self.monitor.source.shortest_range
        interval = format_duration(self.monitor.source.scrape_interval)
        for key, items in self._watched():
            for index, item in enumerate(items):
                if item.of not in rates or item.window >= shortest:
                    continue
                # The widest interval, in whole seconds, at which the window would do.
                often = max(1, int(item.window / READINGS))
                yield self._problem(
                    f"a range of {format_duration(item.window)} has to hold {READINGS} readings, and"
                    f" Prometheus reads this source every {interval}:"
                    f" `{item.of}` would have gaps, or no value at all{self._inherited(key)}",
                    f"spec.{key}[{index}].window",
                    f"write `window: {format_duration(shortest)}` or longer"
                    + "\nor, where Prometheus reads it more often,"
                    f" `source.scrape_interval: {format_duration(often)}`"
                    * (item.window >= READINGS * often),
                )

    def _watched(self) -> tuple[tuple[str, Sequence[Anomaly | Forecast | Threshold]], ...]:
        return (
            ("anomalies", self.monitor.anomalies),
            ("forecasts", self.monitor.forecasts),
            ("thresholds", self.monitor.thresholds),
        )

    def buckets(self) -> Iterator[Problem]:
        """Check that declared boundaries belong to a distribution, and rise; a native histogram has none."""
        if self.monitor.source.native_histograms:
            yield from self._native()
            return
        for name, declared in self.monitor.source.buckets.items():
            path = f"spec.source.buckets.{name}"
            if name not in self.contract.distributions:
                yield self._unknown_distribution(name, path)
            for index, (lower, upper) in enumerate(itertools.pairwise(declared)):
                if not lower < upper:
                    yield self._problem(
                        f"the boundary {upper:g} does not lie above {lower:g}",
                        f"{path}[{index + 1}]",
                        "write the boundaries in rising order, each once",
                    )

    def _native(self) -> Iterator[Problem]:
        if not self.contract.distributions:
            yield self._problem(
                f"the contract `{self.contract.name}` reads no histogram of its own",
                "spec.source.native_histograms",
                "leave it out; expressions of the objectives say themselves what they read",
            )
        if self.monitor.source.buckets:
            yield self._problem(
                "native histograms have no boundaries that could be listed",
                "spec.source.buckets",
                "leave `buckets` out, or `native_histograms`",
            )

    def indicators(self) -> Iterator[Problem]:
        """Check that what objectives count is counted by the contract, and latencies at their boundaries."""
        for index, objective in enumerate(self.monitor.objectives):
            if isinstance(objective.indicator, Latency):
                yield from self._latency(objective.indicator, f"spec.objectives[{index}].latency")
            if isinstance(objective.indicator, Errors) and self.contract.requests is None:
                yield self._problem(
                    f"the contract `{self.contract.name}` does not say which operations failed",
                    f"spec.objectives[{index}].errors",
                    "write `events` with `total` and `bad` or `good`, or name the contract of the server",
                )
            if isinstance(objective.indicator, Quality) and self.contract.labelled is None:
                yield self._quality(f"spec.objectives[{index}].quality")
            if isinstance(objective.indicator, Fresh):
                yield from self._fresh(objective.indicator, f"spec.objectives[{index}].freshness")

    def signals(self) -> Iterator[Problem]:
        """Check that what is watched are signals of the contract."""
        known = self.contract.signals()
        for key, items in self._watched():
            for index, item in enumerate(items):
                if item.of in known:
                    continue
                path = f"spec.{key}[{index}].of"
                yield self._problem(
                    f"the contract `{self.contract.name}` has no signal `{item.of}`{self._inherited(key)}",
                    path,
                    self._signal_hint(item.of, known),
                )

    def _quality(self, path: str) -> Problem:
        able = [name for name, contract in CONTRACTS.items() if contract.labelled is not None]
        return self._problem(
            f"the contract `{self.contract.name}` does not count which predictions were right",
            path,
            f"contracts that do are {', '.join(able)}; or count them by `events`, with PromQL of your own",
        )

    def _fresh(self, fresh: Fresh, path: str) -> Iterator[Problem]:
        if self.contract.requests is None:
            yield self._problem(
                f"the contract `{self.contract.name}` has no selector, which would choose the timestamps",
                path,
                "name the contract of the model's server, and select by `source.selector`",
            )
        elif fresh.of in self.contract.signals():
            yield self._problem(
                f"the signal `{fresh.of}` of the contract `{self.contract.name}` is no Unix timestamp",
                f"{path}.of",
                "write the name of a gauge, such as features_updated_timestamp_seconds",
            )

    def _latency(self, latency: Latency, path: str) -> Iterator[Problem]:
        distribution = self.contract.distributions.get(latency.of)
        if distribution is None:
            yield self._unknown_distribution(latency.of, f"{path}.of")
            return
        if distribution.unit != "seconds":
            durations = [name for name, it in self.contract.distributions.items() if it.unit == "seconds"]
            yield self._problem(
                f"`{latency.of}` counts {distribution.unit}, which is no latency",
                f"{path}.of",
                "durations are " + ", ".join(durations),
            )
            return
        if latency.native or self.monitor.source.native_histograms:
            if latency.snap is not None:
                key = "native" if latency.native else "source.native_histograms"
                yield self._problem(
                    "`snap` has no boundary to choose: a native histogram is counted at any duration",
                    f"{path}.snap",
                    f"leave `snap` out, or `{key}`",
                )
            return
        boundaries = self.monitor.source.buckets.get(latency.of, distribution.buckets)
        if not any(math.isclose(latency.below, boundary, rel_tol=1e-9) for boundary in boundaries):
            yield self._between(latency, boundaries, distribution, f"{path}.below")

    def _between(
        self, latency: Latency, boundaries: Sequence[float], distribution: Distribution, path: str
    ) -> Problem:
        lower = max((it for it in boundaries if it < latency.below), default=None)
        upper = min((it for it in boundaries if it > latency.below), default=None)
        near = " or ".join(f"`below: {spelled(it)}`" for it in (lower, upper) if it is not None)
        ways = " or ".join(f"`snap: {way}`" for way, it in (("down", lower), ("up", upper)) if it is not None)
        lines = [f"write {near}", f"or {ways}, to have it moved there"]
        if latency.of not in self.monitor.source.buckets:
            lines.append(
                f"or, where the application sets its own boundaries of {distribution.metric},"
                f" list them (in seconds) in `source.buckets.{latency.of}`"
            )
        lines.append("or, where Prometheus keeps it as a native histogram, `native: true`")
        message = (
            f"no bucket of `{latency.of}` ends at {spelled(latency.below)}; no rule could count below it"
        )
        return self._problem(message, path, "\n".join(lines))

    def _unknown_distribution(self, name: str, path: str) -> Problem:
        # A signal is often written where its distribution is meant.
        plain = name.rpartition("_")[0]
        known = self.contract.distributions
        hint = f"did you mean `{plain}`?" if plain in known else did_you_mean(name, known)
        if not known:
            hint = "write `events` with `total` and `good`: the count of the bucket"
        return self._problem(f"the contract `{self.contract.name}` has no distribution `{name}`", path, hint)

    def _signal_hint(self, name: str, known: Sequence[str]) -> str:
        if not known:
            return "write objectives with `events`, or name the contract of the model's server"
        if name in self.contract.distributions:
            return f"`{name}` is a distribution; did you mean `{name}_p95`?"
        ends = [f"_{suffix}" for suffix in (*QUANTILES, "mean")]
        parts = {f"{distribution}{end}" for distribution in self.contract.distributions for end in ends}
        lines = [
            "known are " + ", ".join(signal for signal in known if signal not in parts),
            f"and, with one of {', '.join(ends)}: " + ", ".join(self.contract.distributions),
        ]
        match = nearest(name, known)
        return "\n".join([f"did you mean `{match}`?", *lines] if match else lines)

    def _inherited(self, key: str) -> str:
        places = self.monitor.origin.places
        profile = places.get("spec.profile")
        if profile is None or places.get(f"spec.{key}") != profile:
            return ""
        return f", which the profile `{self.monitor.profile}` watches"

    def _problem(self, message: str, path: str, hint: str) -> Problem:
        return Problem(message, path, self.monitor.origin.locate(path), hint)
