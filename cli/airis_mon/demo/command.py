"""`airis-mon demo`: real models, one incident from cause to page and back, on real servers."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from airis_mon.cli.folder import FolderError
from airis_mon.cli.interrupts import noted
from airis_mon.cli.page_replay.past import PastError
from airis_mon.cli.page_replay.workbench import WorkbenchError
from airis_mon.cli.proofs import ProofError
from airis_mon.demo import documents, prediction
from airis_mon.demo.background import Background
from airis_mon.demo.history import BackfillError
from airis_mon.demo.scene import Options, Scene, set_up
from airis_mon.demo.servers import ServerError
from airis_mon.demo.story import Hop, StageError, Watch, summary, travel_back, travel_out
from airis_mon.demo.terminal import Terminal
from airis_mon.exporters import series
from airis_mon.exporters.contracts import matchers
from airis_mon.remote_read import ReadError
from airis_mon.spec import SpecError
from airis_mon.stack import AddressTakenError, MissingServerError, ProcessError, servers

CALM = 30.0
"""Seconds for which nothing may look anomalous before the incident."""
UNTIL_CALM = 150.0
_FAILURES = (
    AddressTakenError,
    BackfillError,
    FolderError,
    MissingServerError,
    OSError,
    PastError,
    ProcessError,
    ProofError,
    ReadError,
    ServerError,
    SpecError,
    StageError,
    WorkbenchError,
)


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 where every stage happened, 1 with the reason where one did not."""
    args = _parser().parse_args(argv)
    with noted() as tick:
        try:
            with ExitStack() as ending:
                folder = tempfile.TemporaryDirectory(prefix="airis-mon-demo-", ignore_cleanup_errors=True)
                options = Options(
                    Path(ending.enter_context(folder)),
                    servers.default_cache(os.environ),
                    args.seed,
                    args.prometheus,
                    args.alertmanager,
                )
                _play(options, once=args.once, ending=ending, tick=tick)
        except KeyboardInterrupt:
            return _ended(once=args.once)
        except _FAILURES as error:
            try:
                tick()
            except KeyboardInterrupt:  # a terminal's Ctrl-C reaches the tools too, and they fail of it
                return _ended(once=args.once)
            sys.stderr.write(f"airis-mon demo: {error}\nEverything that was started has been ended.\n")
            return 1
    return 0


def _ended(*, once: bool) -> int:
    sys.stderr.write("ended; nothing is left running\n")
    return 130 if once else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="airis-mon demo", description=__doc__, allow_abbrev=False)
    add = parser.add_argument
    add("--once", action="store_true", help="end when the story has been told (default: leave all of it up)")
    add("--seed", type=int, default=1, help="of everything that is drawn (default: %(default)s)")
    add("--prometheus", type=servers.argument, metavar="BIN",
        help="Prometheus to run (default: PATH, else unpacked)")  # fmt: skip
    add("--alertmanager", type=servers.argument, metavar="BIN",
        help="Alertmanager to run (default: likewise)")  # fmt: skip
    return parser


def _play(options: Options, *, once: bool, ending: ExitStack, tick: Callable[[], None]) -> None:
    background = ending.enter_context(Background())
    with Terminal(sys.stderr) as terminal:
        scene = set_up(options, ending, background, terminal, tick)
        scene.watch.calm(CALM, UNTIL_CALM)
        terminal.say(f"{scene.watch.forecasts()} forecasts stand; all is calm: {scene.watch.scores()}")
        since = time.time()
        out = _incident(scene, terminal)
        back = _repair(scene, terminal)
        counts = _account(scene.watch, scene)
        terminal.say(f"{counts['requests']} live requests were sent, and as many are counted in Prometheus")
        channels = [message.channel for message in scene.watch.inbox.messages]
        terminal.say(f"the inboxes hold {channels.count('http')} webhooks and {channels.count('smtp')} mails")
        counts["messages_predicted"] = _predict(options, scene, since, terminal, tick)
    _report(out, back)
    sys.stdout.write(json.dumps(summary(counts, out, back)) + "\n")
    sys.stdout.flush()
    if not once:
        _leave_up(scene)


def _incident(scene: Scene, terminal: Terminal) -> list[Hop]:
    scene.sidecar.event(
        "model_deploy",
        "info",
        "Model v1.3.0 deployed",
        model_id="chat-small",
        version="1.3.0",
        environment="production",
    )
    began = time.monotonic()
    scene.chat.fault(latency_factor=6, error_share=0.25)
    scene.traffic.clients.drift = True
    terminal.say(
        "INCIDENT: version 1.3.0 of the LLM takes six times as long and refuses every fourth request; "
        "the lamp of the digit reader's scanner is dying",
        style="bold red",
    )
    scene.sidecar.inference_time(1253.0, environment="production", model_version="1.3.0")
    return travel_out(scene.watch, began)


def _repair(scene: Scene, terminal: Terminal) -> list[Hop]:
    scene.sidecar.event(
        "model_rollback",
        "warning",
        "Model rolled back to v1.2.0",
        model_id="chat-small",
        version="1.2.0",
        environment="production",
    )
    began = time.monotonic()
    scene.chat.fault()
    scene.traffic.clients.drift = False
    terminal.say("REPAIR: back to version 1.2.0; the lamp is replaced", style="bold green")
    return travel_back(scene.watch, began)


def _account(watch: Watch, scene: Scene) -> dict[str, int]:
    """Stop the traffic, and return what Prometheus holds once it holds all of it."""
    scene.traffic.stop()
    chat = matchers({"job": documents.LLM_JOB})
    digits = matchers({"job": documents.CLASSIFIER_JOB})
    query = f"sum({series.GEN_AI_OPERATION_DURATION}_count{chat}) + sum({series.PREDICTIONS}{digits})"
    sent = scene.traffic.clients.sent
    watch.until_true(
        f"Prometheus counts all {sent} live requests", 30, lambda: watch.prometheus.value(query) == sent
    )
    if not scene.watch.prometheus.value(f"sum({series.EVENTS})"):
        raise StageError(f"{series.EVENTS}: Prometheus holds none of the events that the sidecar took")
    counts = {"requests": sent, "series": watch.prometheus.head_series(), "forecasts": watch.forecasts()}
    scene.traffic.begin()
    return counts


def _predict(
    options: Options, scene: Scene, since: float, terminal: Terminal, tick: Callable[[], None]
) -> int:
    """Hold what page-replay makes of the incident against what came, and return how many messages that is."""
    terminal.wait("page-replay goes through the incident once more")
    until = time.time()
    evaluator = servers.find("prometheus", given=options.prometheus, cache=options.cache)
    began = scene.watch.alertmanager.began()
    expected = prediction.predicted(
        options.work / "monitors.yaml", scene.stack.urls.prometheus, evaluator, (since, until), began, tick
    )
    ahead = time.time() - time.monotonic()
    real = [one for one in prediction.received(scene.watch.inbox.messages, ahead) if since <= one.at <= until]
    wrong = prediction.differences(expected, real, until)
    if wrong:
        raise StageError("page-replay does not predict what came:\n  " + "\n  ".join(wrong))
    terminal.say(f"page-replay, from what Prometheus has kept, predicts the {len(real)} messages that came")
    return len(real)


def _report(out: list[Hop], back: list[Hop]) -> None:
    table = Table(title="Latency of each hop, seconds", title_justify="left")
    for title in ("hop", "from the start", "from the hop before"):
        table.add_column(title, justify="left" if title == "hop" else "right")
    for part in (out, back):
        for hop in part:
            table.add_row(hop.title, f"{hop.seconds:.1f}", "" if hop.step is None else f"+{hop.step:.1f}")
        table.add_section()
    Console(file=sys.stdout, highlight=False, width=120).print(table)


def _leave_up(scene: Scene) -> None:
    """Show where everything is, and wait for Ctrl-C."""
    places = {
        **vars(scene.stack.urls),
        "LLM": scene.chat.url,
        "classifier": scene.digits.url,
        "logs": str(scene.log),
    }
    sys.stderr.writelines(f"{name:14}{place}\n" for name, place in places.items())
    sys.stderr.write("Live traffic goes on. Ctrl-C ends all of it.\n")
    while True:
        scene.watch.check()
        time.sleep(0.5)
