from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airis_mon.exporters import series
from airis_mon.instrument.clients import observe_client
from tests.instrument.conftest import Bench

NAMES = (
    "usage", "model", "status", "error", "type", "message", "response", "choices", "code", "prompt_tokens",
    "input_tokens", "output_tokens", "completion_tokens", "cache_read_input_tokens", "prompt_tokens_details",
    "cached_tokens", "output_tokens_details", "reasoning_tokens",
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


class Client:
    """Of the make that is observed: one `post` for all calls, and `copy`."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def copy(self) -> Client:
        return Client(self.answer)

    def post(self, path: str, *, body: Any) -> Any:
        return self.answer


def objects(value: Any) -> Any:
    """Turn keys into attributes."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: objects(item) for name, item in value.items()})
    return value


@given(ODD)
def test_no_answer_however_odd_reaches_the_caller_as_an_error(value: Any) -> None:
    bench = Bench()
    for answer in (value, objects(value)):
        client = observe_client(Client(answer), bench.instruments, provider="odd")
        assert client.post("/chat/completions", body={"model": "m"}) is answer
        assert client.post("/chat/completions", body=value) is answer
    assert bench.value(f"{series.GEN_AI_OPERATION_DURATION}_count") == 4
    assert (bench.value(series.GEN_AI_INPUT_TOKENS) or 0) >= 0


class Resource:
    def __init__(self, client: Eager) -> None:
        self._client = client
        self._post = client.post

    def create(self, **body: Any) -> Any:
        return self._post("/embeddings", body=body)


class Eager(Client):
    """As openai 1.60: its resources are made with it, and keep the `post` of that moment."""

    def __init__(self, answer: Any) -> None:
        super().__init__(answer)
        self.embeddings = Resource(self)

    def copy(self) -> Eager:
        return Eager(self.answer)


def test_resources_that_are_made_with_the_client_are_observed(bench: Bench) -> None:
    client = observe_client(Eager({"usage": {"prompt_tokens": 4}}), bench.instruments, provider="old")
    client.embeddings.create(model="m")
    assert bench.value(f"{series.GEN_AI_OPERATION_DURATION}_count", gen_ai_operation_name="embeddings") == 1
    assert bench.value(series.GEN_AI_INPUT_TOKENS) == 4


class Hostile:
    """Raises wherever it is touched."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


def test_an_answer_that_raises_is_logged_once_and_comes_through(bench: Bench, caplog: Any) -> None:
    answer = Hostile()
    client = observe_client(Client(answer), bench.instruments, provider="odd")
    for _ in range(3):
        assert client.post("/embeddings", body={"model": "m"}) is answer
    assert len(caplog.records) == 1
    assert "not said again" in caplog.text
    assert bench.value(f"{series.GEN_AI_OPERATION_DURATION}_count") == 3
