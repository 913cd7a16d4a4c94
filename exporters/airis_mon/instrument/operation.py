"""One recorded operation as a value, and whoever wants to be told of each."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Operation(NamedTuple):
    """One ended operation of a model. None, or an empty text, is what is not known."""

    timestamp: float
    """Of its end; seconds since 1970."""
    operation: str
    """OpenTelemetry's word, such as `chat`; `predict` for a model that is no language model."""
    provider: str
    """OpenTelemetry's word, such as `openai`; empty for a model that is no language model."""
    model: str
    version: str
    """Of a model that is no language model."""
    response_model: str
    """The model that answered, where the answer names it."""
    duration: float
    """Seconds."""
    time_to_first_chunk: float | None
    """Seconds."""
    time_per_output_chunk: float | None
    """Seconds, the mean of this operation."""
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    """Of the input tokens."""
    cache_write_tokens: int | None
    """Of the input tokens."""
    reasoning_tokens: int | None
    """Of the output tokens."""
    error_type: str
    """Empty for one that went well."""
    confidence: tuple[float, ...]
    """0 to 1, one or one per row; of a model that is no language model."""
    trace_id: str
    """32 hexadecimal digits."""


class Sink(Protocol):
    """Is told of each operation, in the thread that it ended in, and may not keep that waiting."""

    def offer(self, operation: Operation) -> None:
        """Take an operation; must neither block nor raise."""
