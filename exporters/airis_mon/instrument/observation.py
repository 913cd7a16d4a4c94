"""A call around a function, of whichever of Python's four kinds it is."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, TypeVar, cast

from airis_mon.instrument.calls import Call

F = TypeVar("F", bound=Callable[..., Any])
Begin = Callable[[], AbstractContextManager[Call]]


def observed(function: F, call: Callable[[], Call]) -> F:
    """Return `function` with a call around each run; arguments, results and exceptions stay what they are.

    A generator's call begins with its first `next()`, as the generator itself does, and ends with it. That of
    a plain function which returns a generator or a coroutine begins with the function, and goes on in what it
    returned; where that is never begun, nothing is recorded.
    """
    if isinstance(function, classmethod | staticmethod):
        return cast("F", type(function)(observed(function.__func__, call)))
    target: Any = function
    while isinstance(target, functools.partial):
        target = target.func
    if not inspect.isroutine(target) and not inspect.isclass(target):
        # A callable object is of the kind that its `__call__` is.
        target = getattr(target, "__call__", target)  # noqa: B004
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
        current = call().__enter__()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            current.__exit__(type(error), error, error.__traceback__)
            raise
        around = _BEGUN.get(type(result))
        if around is not None:
            return around(lambda: result, lambda: _Begun(current))()
        current.result(result)
        current.__exit__(None, None, None)
        return result

    return run


class _Begun:
    """A call that has begun elsewhere, and ends here."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> Call:
        return self._call

    def __exit__(self, *raised: Any) -> None:
        self._call.__exit__(*raised)


def _coroutine(function: Callable[..., Any], call: Begin) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        with call() as current:
            result = await function(*args, **kwargs)
            current.result(result)
            return result

    return run


def _generator(function: Callable[..., Any], call: Begin) -> Callable[..., Any]:
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


def _async_generator(function: Callable[..., Any], call: Begin) -> Callable[..., Any]:
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


_BEGUN: dict[type, Callable[[Callable[..., Any], Begin], Callable[..., Any]]] = {
    CoroutineType: _coroutine,
    GeneratorType: _generator,
    AsyncGeneratorType: _async_generator,
}
"""What a plain function returns and has only begun: its call goes on in that."""
