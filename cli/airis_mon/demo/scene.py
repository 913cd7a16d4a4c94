"""Everything that runs before the story begins: services and their past, servers, traffic, inboxes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from airis_mon.demo import documents
from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.background import Background
from airis_mon.demo.digits import Classifier
from airis_mon.demo.history import History, backfill, simulate
from airis_mon.demo.inboxes import Inbox, InboxServers
from airis_mon.demo.latency import LatencyModel
from airis_mon.demo.load import Clients, LiveLoad
from airis_mon.demo.past import CALIBRATION, ClassifierPast, LLMPast, Past
from airis_mon.demo.servers import Alertmanager, Prometheus, Service, Sidecar
from airis_mon.demo.story import Watch
from airis_mon.demo.terminal import Terminal
from airis_mon.stack import Plan, ProcessError, ScrapeTarget, Stack, ports, servers, start
from airis_mon.stack.processes import Command, Process
from airis_mon.stack.servers import Server
from airis_mon.traces import Traffic, operations

DAY = 86400.0
HISTORY = 3 * DAY
"""Seconds: the least that shows a daily season twice."""
HISTORY_INTERVAL = 20.0
"""Seconds between two scrapes of the past: three in each minute that a signal looks back over."""
INTERVAL = 5.0
"""Seconds between two live scrapes, evaluations and runs of the analyzer: nobody watches for a minute."""
STEP = 60.0
"""Seconds: resolution at which the analyzer reads the past."""
CHAT_TRAFFIC = Traffic(rate=1.5, daily_swing=0.4)
"""Nearly one request per second even at night: enough for a 95th percentile over a minute."""
DIGITS_TRAFFIC = Traffic(rate=2.0, daily_swing=0.4)


@dataclass(frozen=True)
class Options:
    """What a person chose."""

    work: Path
    """Folder for everything that is written."""
    cache: Path
    seed: int
    prometheus: Path | None = None
    alertmanager: Path | None = None


@dataclass(frozen=True)
class Tools:
    """The programs that prove and backfill."""

    promtool: Server
    amtool: Server


@dataclass(frozen=True)
class Scene:
    """What the story plays on."""

    stack: Stack
    watch: Watch
    traffic: LiveLoad
    chat: Service
    digits: Service
    sidecar: Sidecar
    log: Path
    """Folder of all logs."""


def tools(options: Options, notify: Callable[[str], None]) -> Tools:
    """Return promtool and amtool: those beside a given server, else any.

    Raises MissingServerError, also where a given server is none: that is known now, and not in half a minute.
    """
    for name, path in (("prometheus", options.prometheus), ("alertmanager", options.alertmanager)):
        if path is not None:
            notify(f"found {servers.find(name, given=path)}")

    def find(name: str, server: Path | None) -> Server:
        beside = server.absolute().parent / name if server is not None else None
        given = beside if beside is not None and beside.exists() else None
        return servers.find(name, given=given, cache=options.cache, notify=notify)

    return Tools(find("promtool", options.prometheus), find("amtool", options.alertmanager))


def set_up(
    options: Options,
    ending: ExitStack,
    background: Background,
    terminal: Terminal,
    tick: Callable[[], None],
) -> Scene:
    """Start everything, with its past; `ending` ends it. Raises what the steps raise.

    `tick` is called several times a second, now and by the story; what it raises ends both.
    """
    programs = tools(options, terminal.say)
    terminal.say(f"found {programs.promtool} and {programs.amtool}")
    inbox = Inbox(time.monotonic)
    inboxes = InboxServers(inbox)
    ending.callback(lambda: background.run(inboxes.stop()))
    background.run(inboxes.start())
    addresses = ports.choose(dict.fromkeys(_SERVICES, "127.0.0.1:0"), dict.fromkeys(_SERVICES, ""))
    logs = options.work / "logs"
    processes = [_service(name, address, options.seed, logs) for name, address in addresses.items()]
    for process in processes:
        ending.callback(process.stop)
    terminal.say(f"two services are starting: a classifier that trains first, and an LLM; logs are in {logs}")

    with ThreadPoolExecutor(1) as pool:
        # promtool and amtool prove meanwhile: one thread waits for processes, the other computes.
        proving = pool.submit(
            documents.derive,
            documents.Addresses(inboxes.webhook_url, inboxes.smarthost),
            options.work / "monitors.yaml",
            options.work / "artefacts",
            promtool=programs.promtool,
            amtool=programs.amtool,
        )
        traffic, history = _live_through(options, addresses, background, terminal, tick)
        for process in processes:
            process.wait_ready(tick)
        traffic.begin()
        ending.callback(traffic.stop)
        terminal.say("live traffic has begun where the past ends")
        terminal.wait("promtool turns the past into blocks")
        file = options.work / "history.txt"
        backfill(history, programs.promtool.path, options.work / "data" / "prometheus", file, tick)
        file.unlink()
        terminal.say(f"backfilled {history.samples} samples with promtool")
        terminal.say(f"{len(proving.result())} proofs of rules and routes by promtool and amtool")

    stack = ending.enter_context(start(_plan(options, addresses), terminal.say, tick))
    for name, url in vars(stack.urls).items():
        terminal.say(f"{name:12} {url}")

    def check() -> None:
        tick()
        stack.check()
        traffic.check()
        for process in processes:
            if process.exit_code is not None:
                raise ProcessError(process.epitaph())

    prometheus, alertmanager = Prometheus(stack.urls.prometheus), Alertmanager(stack.urls.alertmanager)
    sidecar = Sidecar(stack.urls.sidecar)
    for client in (prometheus, alertmanager, sidecar):
        ending.callback(client.close)
    return Scene(
        stack,
        Watch(prometheus, alertmanager, inbox, terminal, check),
        traffic,
        Service(f"http://{addresses[documents.LLM_JOB]}"),
        Service(f"http://{addresses[documents.CLASSIFIER_JOB]}"),
        sidecar,
        logs,
    )


_SERVICES = {
    documents.LLM_JOB: "airis_mon.demo.llm_service",
    documents.CLASSIFIER_JOB: "airis_mon.demo.classifier_service",
}
"""Job to the module that serves it."""


def _service(job: str, address: str, seed: int, logs: Path) -> Process:
    argv = (sys.executable, "-P", "-m", _SERVICES[job], f"--web.listen-address={address}", f"--seed={seed}")
    return Process(Command(name=job, argv=argv, url=f"http://{address}"), logs / f"{job}.log")


def _live_through(
    options: Options,
    addresses: dict[str, str],
    background: Background,
    terminal: Terminal,
    tick: Callable[[], None],
) -> tuple[LiveLoad, History]:
    """Make the past of both services, and return it with the traffic that goes on where it ends."""
    began = time.monotonic()
    classifier = Classifier(options.seed)
    start_of_time = time.time() - HISTORY
    chat = Arrivals(operations(CHAT_TRAFFIC, start_of_time, options.seed))
    digits = Arrivals(operations(DIGITS_TRAFFIC, start_of_time, options.seed + 1))
    durations = _durations(classifier)
    targets: dict[Past, dict[str, str]] = {
        LLMPast(chat, LatencyModel(), options.seed): _labels(documents.LLM_JOB, addresses),
        ClassifierPast(digits, classifier, durations, options.seed): _labels(
            documents.CLASSIFIER_JOB, addresses
        ),
    }

    def progress(share: float) -> None:
        tick()
        terminal.wait(f"living through three days: {share:.0%}")

    history, _ = simulate(targets, start_of_time, HISTORY_INTERVAL, time.time, progress)
    terminal.say(
        f"three days lived through in {time.monotonic() - began:.0f} s, by the services' own instruments"
    )
    clients = Clients(classifier, options.seed)
    return LiveLoad(
        background,
        clients,
        (f"http://{addresses[documents.LLM_JOB]}", chat),
        (f"http://{addresses[documents.CLASSIFIER_JOB]}", digits),
    ), history


def _durations(classifier: Classifier) -> list[float]:
    """Return how long predictions take on this machine, seconds."""
    image = classifier.held_out[0].tolist()
    durations = []
    for _ in range(CALIBRATION):
        begin = time.perf_counter()
        classifier.predict(image)
        durations.append(time.perf_counter() - begin)
    return durations


def _labels(job: str, addresses: dict[str, str]) -> dict[str, str]:
    return {"job": job, "instance": addresses[job]}


def _plan(options: Options, addresses: dict[str, str]) -> Plan:
    return Plan(
        artefacts=options.work / "artefacts",
        data=options.work / "data",
        scrape=tuple(ScrapeTarget(job, address) for job, address in addresses.items()),
        scrape_interval=INTERVAL,
        evaluation_interval=INTERVAL,
        analyzer_interval=INTERVAL,
        analyzer_step=STEP,
        prometheus=options.prometheus,
        alertmanager=options.alertmanager,
        cache=options.cache,
    )
