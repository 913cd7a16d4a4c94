"""How long the LLM service takes: one model for the live service and for its past."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """How long one answer takes, seconds."""

    first_token: float
    per_token: float

    def total(self, output_tokens: int) -> float:
        """Return the time from the request to the end of an answer of that many tokens."""
        return self.first_token + self.per_token * max(0, output_tokens - 1)


@dataclass(frozen=True)
class LatencyModel:
    """Prefill, queueing and decoding of a small LLM on one accelerator; all durations in seconds.

    The base is well above what a busy machine adds by waking a sleeping process late, so that the live
    service is as slow as its past.
    """

    prefill: float = 0.2
    """Of an empty prompt."""
    prefill_per_token: float = 0.0001
    """A 7B model on one accelerator reads about 10,000 prompt tokens per second."""
    decode_per_token: float = 0.02
    """50 tokens per second for one stream."""
    slowdown: float = 0.03
    """Share by which each further stream in the batch slows decoding."""
    slots: int = 8
    """Streams that are decoded together; further requests queue."""
    queue_per_request: float = 0.05
    """Wait for each request that is ahead in the queue: the time until some stream ends."""
    jitter: float = 0.12
    """Standard deviation of the logarithm of every duration: what else happens in a machine."""

    def timing(self, input_tokens: int, running: int, chance: random.Random, factor: float = 1.0) -> Timing:
        """Return the timing of a request that finds `running` others; `factor` slows the machine down."""
        prefill = self.prefill + self.prefill_per_token * input_tokens
        queueing = self.queue_per_request * max(0, running - self.slots + 1)
        decode = self.decode_per_token * (1 + self.slowdown * min(running, self.slots - 1))
        return Timing(
            (prefill * factor + queueing) * math.exp(chance.gauss(0, self.jitter)),
            decode * factor * math.exp(chance.gauss(0, self.jitter)),
        )
