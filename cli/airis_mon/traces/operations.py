"""One request of a trace, and the sums over many."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to a model."""

    at: float
    """Seconds since the Unix epoch, or since the trace's own zero: only differences matter."""
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Totals:
    """What a number of operations add up to."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, operations: Iterable[Operation]) -> Totals:
        """Return the totals with `operations` added."""
        requests, input_tokens, output_tokens = self.requests, self.input_tokens, self.output_tokens
        for operation in operations:
            requests += 1
            input_tokens += operation.input_tokens
            output_tokens += operation.output_tokens
        return Totals(requests, input_tokens, output_tokens)
