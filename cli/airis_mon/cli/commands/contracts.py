"""`airis-mon contracts`: kinds of model servers, and the signals that a monitor can speak of."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from airis_mon.exporters.contracts import CONTRACTS


def run(argv: Sequence[str], _cache: Path) -> int:
    """Print contracts, signals and units, and return 0."""
    parser = argparse.ArgumentParser(prog="airis-mon contracts", description=__doc__, allow_abbrev=False)
    parser.add_argument("contract", nargs="*", metavar="CONTRACT", help="show these only")
    args = parser.parse_args(argv)
    unknown = [name for name in args.contract if name not in CONTRACTS]
    if unknown:
        parser.error(f"there is no contract `{unknown[0]}`; choose from {', '.join(CONTRACTS)}")
    for name, contract in CONTRACTS.items():
        if args.contract and name not in args.contract:
            continue
        print(f"{name}: {contract.title}")
        for signal in contract.signals():
            print(f"  {signal:32} {contract.unit(signal)}")
        for latency, distribution in contract.distributions.items():
            if distribution.unit == "seconds":
                bounds = ", ".join(f"{bound:g}" for bound in distribution.buckets)
                print(f"  `below` of latency {latency}: one of {bounds} seconds")
    return 0
