"""A service that answers prompts token by token; `python -m airis_mon.demo.llm_service`.

The words mean nothing. Arrival, length, queueing, streaming, failure and instrumentation are those of a real
service, and the same latency model made its past.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.demo import command_line
from airis_mon.demo.command_line import Listener
from airis_mon.demo.faults import FaultSwitch
from airis_mon.demo.latency import LatencyModel, Timing
from airis_mon.instrument import LLM, Instruments
from airis_mon.web import (
    Address,
    application,
    configure_logs,
    stop_on_signals,
)

MODEL = "chat-small"
PROVIDER = "demo"
ERROR_SHARE = 0.001
"""Share of requests that fail on a good day."""
REFUSAL = 0.05
"""Seconds until a request fails."""
OVERLOADED = "overloaded"
MOST_TOKENS = 4096
MOST_PROMPT = 200_000
"""Characters."""
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


class LLMService:
    """Streams answers whose timing follows the latency model."""

    def __init__(self, llm: LLM, faults: FaultSwitch, chance: random.Random, model: LatencyModel) -> None:
        self._llm = llm
        self._faults = faults
        self._chance = chance
        self._model = model
        self._running = 0

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer `{"messages": [{"content": ...}], "max_tokens": N}` with server-sent events.

        An input token is four characters; the answer takes all of its `max_tokens`, so that a trace decides
        its length.
        """
        try:
            input_tokens, output_tokens = _sizes(await request.json())
        except ValueError as error:
            return web.json_response({"error": {"message": str(error)}}, status=400)
        self._running += 1
        try:
            return await self._answer(request, input_tokens, output_tokens)
        finally:
            self._running -= 1

    async def _answer(
        self, request: web.Request, input_tokens: int, output_tokens: int
    ) -> web.StreamResponse:
        fault = self._faults.present
        with self._llm.call() as call:
            if self._chance.random() < ERROR_SHARE + fault.error_share:
                await asyncio.sleep(REFUSAL)
                call.fail(OVERLOADED)
                return web.json_response({"error": {"message": OVERLOADED}}, status=503)
            timing = self._model.timing(input_tokens, self._running - 1, self._chance, fault.latency_factor)
            call.tokens(input=input_tokens)
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            # One mark for all chunks: the series then hold the mean time per token of each answer.
            await self._stream(response, timing, output_tokens, call.first_token)
            call.tokens(output=output_tokens)
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def _stream(
        self, response: web.StreamResponse, timing: Timing, tokens: int, first_token: Callable[[], None]
    ) -> None:
        clock = asyncio.get_running_loop().time
        begin = clock()
        for token in range(tokens):
            # Against the begin, not the token before: late wake-ups must not add up.
            due = begin + timing.first_token + token * timing.per_token
            await asyncio.sleep(max(0.0, due - clock()))
            if token == 0:
                first_token()
            chunk = {"choices": [{"delta": {"content": f"{_WORDS[token % len(_WORDS)]} "}}]}
            await response.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _sizes(body: object) -> tuple[int, int]:
    """Return input and output tokens of a request body; ValueError where it is none."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise ValueError('expected {"messages": [{"content": "..."}], "max_tokens": 16}')
    contents = [message.get("content") if isinstance(message, dict) else None for message in body["messages"]]
    texts = [content for content in contents if isinstance(content, str)]
    if not texts or len(texts) != len(contents) or sum(map(len, texts)) > MOST_PROMPT:
        raise ValueError(
            f"messages are objects with a `content` of together at most {MOST_PROMPT} characters"
        )
    most = body.get("max_tokens", 16)
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_TOKENS:
        raise ValueError(f"max_tokens is a whole number from 1 to {MOST_TOKENS}")
    return max(1, sum(map(len, texts)) // 4), most


def main(argv: Sequence[str]) -> int:
    """Run the service until SIGTERM or SIGINT."""
    return command_line.run(argv, "llm_service", _serve)


async def _serve(address: Address, seed: int, listener: Listener) -> None:
    log = configure_logs("airis-demo-llm")
    registry = CollectorRegistry()
    llm = Instruments(registry).llm(model=MODEL, provider=PROVIDER)
    faults = FaultSwitch()
    service = LLMService(llm, faults, random.Random(seed), LatencyModel())  # noqa: S311  a simulation
    app = application(
        name="airis-demo-llm",
        description="A service that answers prompts token by token.",
        registry=registry,
        ready=lambda: True,
        links=(("/v1/chat/completions", "POST a prompt"), ("/-/fault", "POST what goes wrong")),
    )
    app.router.add_post("/v1/chat/completions", service.complete)
    faults.add_to(app)
    await listener(app, address, stop_on_signals(), log)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
