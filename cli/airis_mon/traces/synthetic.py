"""A trace of our own: arrivals with a daily season, token counts with a long tail, every parameter stated."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from airis_mon.traces.formats import AZURE_HEADER
from airis_mon.traces.operations import Operation

DAY = 86400.0


@dataclass(frozen=True)
class Traffic:
    """Parameters of the traffic; the defaults are a small chat service that one machine can serve.

    Arrivals are a Poisson process whose rate follows one sine per day: requests of many independent people
    are Poisson over minutes, and the season is what a forecast has to learn. Token counts are lognormal, as
    those of published traces of LLM services nearly are.
    """

    rate: float = 1.0
    """Mean requests per second over a day."""
    daily_swing: float = 0.5
    """Share of the mean by which the rate rises at the peak and falls at night, 0 to 1. Office traffic swings
    wider; half leaves enough requests at night for a 95th percentile per minute."""
    peak: float = 14 * 3600.0
    """Seconds after midnight UTC at which the rate is highest: the early afternoon."""
    input_median: float = 400.0
    """Tokens of the median prompt: a question with a short system prompt."""
    input_sigma: float = 0.9
    """Standard deviation of the prompt's logarithm."""
    input_most: int = 8192
    """Tokens at which a prompt is cut: the context that a small model is served with."""
    output_median: float = 16.0
    """Tokens of the median answer. Real answers are about eight times as long; one of this length streams in
    half a second, so that a demo shows whole requests."""
    output_sigma: float = 0.6
    """Standard deviation of the answer's logarithm."""
    output_most: int = 96
    """Tokens at which an answer is cut, as `max_tokens` does."""

    def __post_init__(self) -> None:
        if not (self.rate > 0 and math.isfinite(self.rate)):
            raise ValueError(f"rate is {self.rate}; write requests per second above 0")
        if not 0 <= self.daily_swing <= 1:
            raise ValueError(f"daily_swing is {self.daily_swing}; write a share from 0 to 1")

    def rate_at(self, moment: float) -> float:
        """Return the expected requests per second at `moment`, seconds since the epoch."""
        return self.rate * (1 + self.daily_swing * math.cos(2 * math.pi * (moment - self.peak) / DAY))


def operations(traffic: Traffic, start: float, seed: int) -> Iterator[Operation]:
    """Yield requests from `start`, seconds since the epoch, without end; equal arguments, equal requests."""
    chance = random.Random(seed)  # noqa: S311  a simulation, reproducible by its seed
    highest = traffic.rate * (1 + traffic.daily_swing)
    moment = start
    while True:
        # Thinning (Lewis and Shedler): draw at the highest rate, keep each with the share of the present one.
        moment += chance.expovariate(highest)
        if chance.random() * highest <= traffic.rate_at(moment):
            yield Operation(
                moment,
                _tokens(chance, traffic.input_median, traffic.input_sigma, traffic.input_most),
                _tokens(chance, traffic.output_median, traffic.output_sigma, traffic.output_most),
            )


def _tokens(chance: random.Random, median: float, sigma: float, most: int) -> int:
    return min(most, max(1, round(median * math.exp(chance.gauss(0, sigma)))))


def write_csv(requests: Iterable[Operation], file: TextIO) -> None:
    """Write requests in the form of the Azure LLM inference CSV; times are rounded to microseconds."""
    file.write(AZURE_HEADER + "\n")
    for request in requests:
        moment = datetime.fromtimestamp(request.at, UTC)
        # Seven digits of fraction, as the published files have them.
        file.write(f"{moment:%Y-%m-%d %H:%M:%S.%f}0,{request.input_tokens},{request.output_tokens}\n")
