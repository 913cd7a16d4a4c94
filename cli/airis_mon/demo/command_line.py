"""The command line that the demo's services share."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from aiohttp import web

from airis_mon.web import Address, ConnectionLimits, ListenError, add_listen_address, serve

Listener = Callable[[web.Application, Address, asyncio.Event, logging.Logger], Coroutine[Any, Any, None]]
"""Serves an application on an address until the event, as the flags of the listener say."""


def run(
    argv: Sequence[str], module: str, start: Callable[[Address, int, Listener], Coroutine[Any, Any, None]]
) -> int:
    """Serve on the address and with the seed of `argv`; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m airis_mon.demo.{module}")
    add_listen_address(parser, "127.0.0.1:0")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: 1)")
    options = parser.parse_args(argv)

    async def listener(
        app: web.Application, address: Address, stop: asyncio.Event, log: logging.Logger
    ) -> None:
        limits = ConnectionLimits(connections=options.max_connections)
        await serve(app, address, stop=stop, log=log, config=options.web_config, limits=limits)

    try:
        asyncio.run(start(options.listen_address, options.seed, listener))
    except ListenError as error:
        parser.exit(1, f"{error}\n")
    return 0
