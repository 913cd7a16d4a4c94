"""Silences: what a person has asked to hear nothing of, for a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airis_mon.alertmanager.replay.matchers import Matcher, all_match


@dataclass(frozen=True)
class Silence:
    """One silence as Alertmanager's API has it."""

    matchers: tuple[Matcher, ...]
    starts_at: float
    """Unix seconds."""
    ends_at: float
    """Unix seconds; from here on it silences nothing."""

    def silences(self, labels: Mapping[str, str], now: float) -> bool:
        """Say whether an alert with these labels is silenced at `now`."""
        return self.starts_at <= now < self.ends_at and all_match(self.matchers, labels)
