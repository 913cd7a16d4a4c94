"""A call around a function, of whichever of Python's four kinds it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar, cast

from airis_mon.instrument.calls import Call

F = TypeVar("F", bound=Callable[..., Any])


def observed(function: F, call: Callable[[], Call]) -> F:
    """Return `function` with a call around each run; arguments, results and exceptions stay what they are.

    A generator's call begins with its first `next()`, as the generator itself does, and ends with it.
    """
    # A callable object is of the kind that its `__call__` is.
    target = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if isinstance(function, functools.partial):
        target = function.func
    if inspect.isasyncgenfunction(target):
        wrapper = _async_generator(function, call)
    elif inspect.isgeneratorfunction(target):
        wrapper = _generator(function, call)
    elif inspect.iscoroutinefunction(target):
        wrapper = _coroutine(function, call)
    else:
        wrapper = _function(function, call)
    return cast("F", functools.wraps(function)(wrapper))


def _function(function: Callable[..., Any], call: Callable[[], Call]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        with call() as current:
            result = function(*args, **kwargs)
            current.result(result)
            return result

    return run


def _coroutine(function: Callable[..., Any], call: Callable[[], Call]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        with call() as current:
            result = await function(*args, **kwargs)
            current.result(result)
            return result

    return run


def _generator(function: Callable[..., Any], call: Callable[[], Call]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with call() as current:
            source = function(*args, **kwargs)
            try:
                item = next(source)
                while True:
                    current.item(item)
                    try:
                        sent = yield item
                    except GeneratorExit:
                        source.close()
                        raise
                    except BaseException as error:
                        item = source.throw(error)
                    else:
                        item = source.send(sent)
            except StopIteration as stop:
                return stop.value

    return run


def _async_generator(function: Callable[..., Any], call: Callable[[], Call]) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with call() as current:
            source = function(*args, **kwargs)
            try:
                item = await anext(source)
                while True:
                    current.item(item)
                    try:
                        sent = yield item
                    except GeneratorExit:
                        await source.aclose()
                        raise
                    except BaseException as error:
                        item = await source.athrow(error)
                    else:
                        item = await source.asend(sent)
            except StopAsyncIteration:
                return

    return run
