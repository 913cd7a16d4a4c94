"""The tokens of an answer, out of the shapes in which services tell them."""

from __future__ import annotations

from collections.abc import Mapping


def field(source: object, *names: str) -> object:
    """Return what is found along `names`, as attributes or keys; None where one is missing."""
    for name in names:
        source = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if source is None:
            return None
    return source


def text(source: object, *names: str) -> str | None:
    """Return the text found along `names`; None where there is none."""
    found = field(source, *names)
    return found if isinstance(found, str) and found else None


def _count(source: object, *paths: tuple[str, ...]) -> int | None:
    for path in paths:
        found = field(source, *path)
        if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
            return found
    return None


class Tokens:
    """The tokens of one call, as far as its answer has told; what is told later goes before."""

    def __init__(self) -> None:
        self.output: int | None = None
        self.cached: int | None = None
        self.cache_write: int | None = None
        self.reasoning: int | None = None
        self._prompt: int | None = None
        self._apart = False

    @property
    def input(self) -> int | None:
        """All tokens of the input, those out of a cache and into one included."""
        if self._prompt is None or not self._apart:
            return self._prompt
        return self._prompt + (self.cached or 0) + (self.cache_write or 0)

    def read(self, usage: object) -> None:
        """Take what a `usage` tells; fields that it leaves out keep what was told before."""
        if usage is None:
            return
        whole = _count(usage, ("prompt_tokens",))
        prompt = _count(usage, ("input_tokens",)) if whole is None else whole
        cached = _count(usage, ("cache_read_input_tokens",))
        written = _count(usage, ("cache_creation_input_tokens",))
        # Anthropic's `input_tokens` leaves the cache's tokens out; `prompt_tokens`, and an `input_tokens`
        # that has details, are all of them.
        if whole is not None:
            self._apart = False
        elif cached is not None or written is not None:
            self._apart = field(usage, "input_tokens_details") is None
        details = field(usage, "prompt_tokens_details") or field(usage, "input_tokens_details")
        cached = _count(details, ("cached_tokens",)) if cached is None else cached
        written = _count(details, ("cache_write_tokens",)) if written is None else written
        output = _count(usage, ("completion_tokens",), ("output_tokens",))
        reasoning = _count(
            usage,
            ("completion_tokens_details", "reasoning_tokens"),
            ("output_tokens_details", "reasoning_tokens"),
            ("output_tokens_details", "thinking_tokens"),
        )
        self._prompt = self._prompt if prompt is None else prompt
        self.output = self.output if output is None else output
        self.cached = self.cached if cached is None else cached
        self.cache_write = self.cache_write if written is None else written
        self.reasoning = self.reasoning if reasoning is None else reasoning
