"""alertmanager.yaml as what it means: route tree, integrations, inhibitions, time intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airis_mon.alertmanager.replay.inhibitions import Inhibition, inhibition
from airis_mon.alertmanager.replay.intervals import TimeInterval, interval
from airis_mon.alertmanager.replay.routes import Route, route

_TELLS_NO_RESOLUTION = frozenset(("email", "slack", "wechat", "rocketchat"))
"""Integrations whose `send_resolved` is false where it is not written."""


class ConfigurationError(ValueError):
    """A configuration that is none, or that says what is not modelled."""


@dataclass(frozen=True)
class Integration:
    """One way in which a receiver is told."""

    kind: str
    """`webhook`, `email`, `slack` ..."""
    index: int
    """Which of its kind within the receiver, from 0."""
    send_resolved: bool


@dataclass(frozen=True)
class Configuration:
    """What Alertmanager would do by an alertmanager.yaml."""

    root: Route
    receivers: Mapping[str, tuple[Integration, ...]]
    """Name of a receiver to the ways in which it is told; none: nobody hears."""
    inhibitions: tuple[Inhibition, ...] = ()
    intervals: Mapping[str, tuple[TimeInterval, ...]] = ()  # type: ignore[assignment]
    """Name to the intervals of which one has to hold."""

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Configuration:
        """Return the meaning of a decoded alertmanager.yaml. ConfigurationError where it has none."""
        try:
            found = cls(
                root=route(config["route"]),
                receivers={each["name"]: _integrations(each) for each in config["receivers"]},
                inhibitions=tuple(map(inhibition, config.get("inhibit_rules", ()))),
                intervals={
                    each["name"]: tuple(map(interval, each["time_intervals"]))
                    for key in ("time_intervals", "mute_time_intervals")
                    for each in config.get(key, ())
                },
            )
        except (KeyError, TypeError, ValueError) as error:
            what = f"`{error.args[0]}` is missing" if isinstance(error, KeyError) else str(error)
            raise ConfigurationError(f"alertmanager.yaml: {what}") from error
        found._check()
        return found

    def _check(self) -> None:
        for each in self.root.walk():
            if each.receiver not in self.receivers:
                raise ConfigurationError(f"alertmanager.yaml: there is no receiver `{each.receiver}`")
            for name in (*each.mute, *each.active):
                if name not in self.intervals:
                    raise ConfigurationError(f"alertmanager.yaml: there is no time interval `{name}`")

    def within(self, names: tuple[str, ...], now: float) -> bool:
        """Say whether `now` lies in one of the named intervals."""
        return any(each.contains(now) for name in names for each in self.intervals[name])


def _integrations(receiver: Mapping[str, Any]) -> tuple[Integration, ...]:
    found = []
    for key, configs in receiver.items():
        kind, suffix, _ = key.partition("_configs")
        if suffix:
            default = kind not in _TELLS_NO_RESOLUTION
            found += [
                Integration(kind, index, bool(config.get("send_resolved", default)))
                for index, config in enumerate(configs)
            ]
    return tuple(found)
