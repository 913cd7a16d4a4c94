"""A process that writes through a queue until it is killed, and says which times were acknowledged.

    python -m tests.remote_write.process URL FOLDER FIRST_TIME LIFE

Each life arrives at other values for the same time, as a model that was fitted anew does.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from airis_mon.journal import Bounds, Queue
from airis_mon.remote_write import Backoff, Delivery, Limits, QueuedWriter, Sample


def main(url: str, folder: str, first: str, life: str) -> None:
    queue = Queue(Path(folder), Bounds(segment_bytes=4000))
    writer = QueuedWriter(Delivery(url, limits=Limits(samples=8)), queue, backoff=Backoff(0.005, 0.02))
    writer.open()
    writer.start()
    for at in count(int(first)):
        writer.write(
            Sample({"__name__": "yhat", "pod": str(pod)}, at * 1000, float(life) + pod / 100)
            for pod in range(20)
        )
        sys.stdout.write(f"{at}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
