"""`airis-mon schema`: the JSON Schema of the documents, for editors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from airis_mon.spec import json_schema


def run(argv: Sequence[str], _cache: Path) -> int:
    """Print the schema and return 0."""
    parser = argparse.ArgumentParser(prog="airis-mon schema", description=__doc__, allow_abbrev=False)
    parser.parse_args(argv)
    print(json.dumps(json_schema(), indent=2))
    return 0
