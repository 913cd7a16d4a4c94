"""The command line that the demo's services share."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from airis_mon.web import Address, ListenError, add_listen_address


def run(argv: Sequence[str], module: str, serve: Callable[[Address, int], Coroutine[Any, Any, None]]) -> int:
    """Serve on the address and with the seed of `argv`; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m airis_mon.demo.{module}")
    add_listen_address(parser, "127.0.0.1:0")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: 1)")
    options = parser.parse_args(argv)
    try:
        asyncio.run(serve(options.listen_address, options.seed))
    except ListenError as error:
        parser.exit(1, f"{error}\n")
    return 0
