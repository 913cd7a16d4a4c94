"""How long it takes to build and prove many monitors, and what one change costs then.

A thousand monitors of 25 shapes (five targets and five sets of what is watched), each with names of its own,
are built by the command into an empty folder with an empty memory of proofs; then one of them gets another
target, one that no shape has, and all are built again. `cold_seconds` and `one_change_seconds` are
whole processes, start included; `rss_mib` is the most that the process and its tools held at once.

`growth_exponent` is the steeper of two slopes, each by least squares over the logarithms of size and time: of
shapes (5, 10, 25, with 4 monitors each) and of monitors (250, 500, 1000, all of 25 shapes). 1 is linear.

    python -m benchmarks.compile

The last line is one JSON object.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from airis_mon.stack import servers

MONITORS, SHAPES = 1000, 25
TARGETS = ("99%", "99.5%", "99.8%", "99.9%", "99.95%")
ANOTHER_TARGET = "99.7%"
WATCHED = (
    "  anomalies: [{of: time_to_first_token_p95}]\n",
    "  anomalies: [{of: time_to_first_token_p95, severity: page, for: 10m}, {of: request_rate}]\n",
    "  forecasts: [{of: kv_cache_usage, horizon: 24h, capacity: 1.0, by: [instance]}]\n",
    "  anomalies: [{of: kv_cache_usage, by: [instance]}]\n"
    "  forecasts: [{of: kv_cache_usage, horizon: 7d, capacity: 0.9}]\n",
    "",
)
MONITOR = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {{name: chat-{number}}}
spec:
  model: {{name: llama-{number}, version: "1.2.{number}"}}
  source: {{contract: vllm, selector: {{job: job-{number}, model_name: served-{number}}}}}
  objectives:
    - {{name: availability, target: {target}, errors: {{}}}}
    - {{name: first-token, target: 99%, latency: {{of: time_to_first_token, below: 500ms}}}}
{watched}  alerting: {{team: team-{team}, escalation: standard, runbook: "https://runbooks.example.com/{number}"}}
"""
PEOPLE = """\
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: oncall}
spec: {webhooks: [{url: "http://pager.example.com/alerts"}]}
---
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: standard}
spec:
  page: [{receivers: [oncall]}, {after: 15m, receivers: [oncall]}]
  ticket: [{receivers: [oncall]}]
"""


def write(folder: Path, monitors: int, shapes: int) -> None:
    """Write that many monitors of that many shapes, a file each."""
    folder.mkdir(parents=True)
    (folder / "people.yaml").write_text(PEOPLE)
    for number in range(monitors):
        place = number % shapes
        text = document(number, TARGETS[place % len(TARGETS)], WATCHED[place // len(TARGETS)])
        (folder / f"chat-{number}.yaml").write_text(text)


def document(number: int, target: str, watched: str) -> str:
    """Return one monitor."""
    return MONITOR.format(number=number, target=target, watched=watched, team=number % 40)


def build(folder: Path, tools: Sequence[str]) -> tuple[float, float]:
    """Build what lies in a folder; return seconds, and the most MiB that all its processes held at once."""
    files = sorted(map(str, (folder / "documents").glob("*.yaml")))
    command = [sys.executable, "-m", "airis_mon.cli", "build", *files, "-o", str(folder / "out"), *tools]
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    ended = threading.Event()
    most = [0.0]

    def watch() -> None:
        while not ended.wait(0.1):
            most[0] = max(most[0], held(process.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        _, said = process.communicate(timeout=1200)
    finally:
        ended.set()
        watching.join()
    seconds = time.monotonic() - began
    if process.returncode != 0:
        raise SystemExit(f"the build failed:\n{said}")
    print("\n".join(f"  {line}" for line in said.splitlines() if " x " in line), file=sys.stderr)
    return seconds, most[0]


def held(session: int) -> float:
    """Return the MiB that the processes of a session hold now."""
    pages = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    pages += int(fields[21])
            except OSError:  # it has ended meanwhile
                continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the exponent by which time grows with size."""
    x, y = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    rise = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return rise / sum((a - middle_x) ** 2 for a in x)


def measure(root: Path) -> Mapping[str, float]:
    """Build everything below a folder."""
    cache = servers.default_cache(os.environ)
    found = [servers.find(name, given=None, cache=cache, notify=print) for name in ("promtool", "amtool")]
    tools = [f"--{server.name}={server.path}" for server in found]

    def cold(monitors: int, shapes: int) -> tuple[float, float]:
        folder = root / f"{monitors}-{shapes}"
        write(folder / "documents", monitors, shapes)
        seconds, mib = build(folder, tools)
        print(f"{monitors} monitors of {shapes} shapes: {seconds:.1f} s, {mib:.0f} MiB", file=sys.stderr)
        return seconds, mib

    by_shapes = {shapes: cold(4 * shapes, shapes)[0] for shapes in (5, 10, SHAPES)}
    by_monitors = {monitors: cold(monitors, SHAPES) for monitors in (MONITORS // 4, MONITORS // 2, MONITORS)}
    folder = root / f"{MONITORS}-{SHAPES}"
    changed = folder / "documents" / f"chat-{MONITORS // 2}.yaml"
    changed.write_text(document(MONITORS // 2, ANOTHER_TARGET, WATCHED[0]))
    one_change, _ = build(folder, tools)
    seconds, mib = by_monitors[MONITORS]
    return {
        "monitors": MONITORS,
        "shapes": SHAPES,
        "cold_seconds": round(seconds, 1),
        "one_change_seconds": round(one_change, 2),
        "rss_mib": round(mib),
        "growth_exponent": round(
            max(
                slope(list(by_shapes), list(by_shapes.values())),
                slope(list(by_monitors), [seconds for seconds, _ in by_monitors.values()]),
            ),
            2,
        ),
    }


def main() -> int:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="airis-mon-compile-") as folder:
        print(json.dumps(measure(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
