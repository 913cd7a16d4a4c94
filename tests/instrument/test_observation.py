"""What may be observed: whatever Python can call."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from airis_mon.exporters import series
from airis_mon.instrument import LLM
from tests.instrument.conftest import Bench

DURATION = f"{series.GEN_AI_OPERATION_DURATION}_count"
SECONDS = f"{series.GEN_AI_OPERATION_DURATION}_sum"
FIRST = f"{series.GEN_AI_TIME_TO_FIRST_CHUNK}_sum"


@pytest.fixture
def llm(bench: Bench) -> LLM:
    return bench.instruments.llm(model="llama", provider="openai")


class Model:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def ask(self, prompt: str) -> str:
        self._bench.clock.advance(1)
        return prompt.upper()

    async def ask_slowly(self, prompt: str) -> str:
        await asyncio.sleep(0)
        return self.ask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        for letter in prompt:
            yield self.ask(letter)

    async def stream_slowly(self, prompt: str) -> AsyncIterator[str]:
        for letter in prompt:
            yield await self.ask_slowly(letter)

    async def __call__(self, prompt: str) -> str:
        return await self.ask_slowly(prompt)


def test_bound_methods_partials_and_callable_objects_are_of_the_kind_that_they_call(
    bench: Bench, llm: LLM
) -> None:
    model = Model(bench)
    assert llm.observe(model.ask)("a") == "A"
    assert llm.observe(functools.partial(model.ask, "a"))() == "A"
    for target in (model, functools.partial(model), functools.partial(functools.partial(model), "a")):
        observed: Callable[..., Coroutine[Any, Any, str]] = llm.observe(target)
        assert inspect.iscoroutinefunction(observed)
        arguments = () if isinstance(target, functools.partial) and target.args else ("a",)
        assert asyncio.run(observed(*arguments)) == "A"
    assert list(llm.observe(functools.partial(model.stream, "ab"))()) == ["A", "B"]
    assert bench.value(DURATION, error_type="") == 6
    assert bench.value(SECONDS) == 7


def test_methods_of_a_class_may_be_observed_of_every_kind(bench: Bench, llm: LLM) -> None:
    class Observed:
        @llm.observe
        def ask(self) -> object:
            return self

        @llm.observe
        @classmethod
        def made(cls) -> type:
            return cls

        @llm.observe
        @staticmethod
        def alone() -> int:
            return 1

        @staticmethod
        @llm.observe
        def inside() -> int:
            return 2

    model = Observed()
    assert model.ask() is model
    assert (Observed.made(), model.made()) == (Observed, Observed)
    assert (Observed.alone(), model.alone(), model.inside()) == (1, 1, 2)
    assert bench.value(DURATION, error_type="") == 6


def test_a_class_is_observed_as_what_makes_its_objects(bench: Bench, llm: LLM) -> None:
    assert isinstance(llm.observe(Model)(bench), Model)
    assert bench.value(DURATION) == 1


def test_a_function_that_returns_a_coroutine_is_timed_until_that_ends(bench: Bench, llm: LLM) -> None:
    model = Model(bench)

    @llm.observe
    def ask() -> Coroutine[Any, Any, str]:
        bench.clock.advance(2)
        return model.ask_slowly("a")

    answer = ask()
    assert inspect.iscoroutine(answer)
    assert bench.value(DURATION) == 0
    assert asyncio.run(answer) == "A"
    assert bench.value(SECONDS, error_type="") == 3


def test_a_function_that_returns_a_generator_is_timed_from_its_own_begin(bench: Bench, llm: LLM) -> None:
    model = Model(bench)

    @llm.observe
    def stream() -> Iterator[str]:
        bench.clock.advance(2)
        return model.stream("ab")

    @llm.observe
    def stream_slowly() -> AsyncIterator[str]:
        bench.clock.advance(2)
        return model.stream_slowly("ab")

    async def read() -> list[str]:
        return [item async for item in stream_slowly()]

    answer = stream()
    assert inspect.isgenerator(answer)
    assert list(answer) == asyncio.run(read()) == ["A", "B"]
    assert bench.value(DURATION, error_type="") == 2
    assert (bench.value(SECONDS), bench.value(FIRST)) == (8, 6)


def test_a_failure_inside_of_what_a_function_returned_is_the_call_s(bench: Bench, llm: LLM) -> None:
    async def fail() -> None:
        raise KeyError

    @llm.observe
    def ask() -> Coroutine[Any, Any, None]:
        return fail()

    with pytest.raises(KeyError):
        asyncio.run(ask())
    assert bench.value(DURATION, error_type="KeyError") == bench.value(DURATION) == 1
