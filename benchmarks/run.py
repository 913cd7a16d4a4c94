"""Run every benchmark and print one JSON object as the last line.

python -m benchmarks.run [NAME ...]
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Mapping

from benchmarks import instrument, sidecar_ingest

BENCHMARKS: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "instrument": instrument.measure,
    "sidecar_ingest": sidecar_ingest.measure,
}


def main() -> int:
    """Run what the arguments name, or all."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    results = {}
    for name in names:
        print(f"{name} ...", flush=True)
        results[name] = BENCHMARKS[name]()
        for key, value in results[name].items():
            print(f"  {key:24} {value}")
    print(json.dumps({"python": platform.python_version(), **results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
