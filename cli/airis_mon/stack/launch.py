"""Start everything that one plan asks for, wired together; on any failure end what was started."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from airis_mon.stack import alertmanager, compose, ports, prometheus, servers
from airis_mon.stack.plan import Plan
from airis_mon.stack.processes import Command, Process, ProcessError
from airis_mon.stack.servers import MissingServerError, Server

NAMES = {
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "sidecar": "sidecar",
    "analyzer": "analyzer",
}
_ATTEMPTS = 3
"""Somebody may take a free port between our choice and the server's own bind; thrice is no chance."""
_POLL = 0.2


@dataclass(frozen=True)
class Urls:
    """Where the parts of a stack answer, such as `http://127.0.0.1:9090`."""

    prometheus: str
    alertmanager: str
    sidecar: str
    analyzer: str | None
    """None where the plan has none."""


class Stack:
    """Running servers. Ends them all when left as a context manager."""

    def __init__(self, urls: Urls, processes: tuple[Process, ...], ending: ExitStack) -> None:
        self.urls = urls
        self.processes = processes
        self._ending = ending

    def check(self) -> None:
        """Raise ProcessError where one of the processes has ended."""
        for process in self.processes:
            if process.exit_code is not None:
                raise ProcessError(process.epitaph())

    def wait(self, tick: Callable[[], None] = lambda: None) -> None:
        """Block until one of the processes ends, then raise ProcessError; or until `tick` raises something.

        `tick` is called several times a second.
        """
        while True:
            self.check()
            tick()
            time.sleep(_POLL)

    def stop(self) -> None:
        """End every process, the last one started first; each gets its turn whatever the others do."""
        self._ending.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    plan: Plan, notify: Callable[[str], None] = lambda _: None, tick: Callable[[], None] = lambda: None
) -> Stack:
    """Start the stack and return once every part is ready.

    `notify` hears of each step. `tick` is called several times a second meanwhile; what it raises ends what
    was started, and is how a caller gives up without an exception striking from a signal handler.

    The calling thread has to outlive the stack: the processes are tethered to it. Raises MissingServerError,
    AddressTakenError, ProcessError or ValueError (an address that is none); nothing is left running then.
    """
    wanted = {name: str(getattr(plan, f"{name}_address")) for name in NAMES}
    for _ in range(_ATTEMPTS - 1):
        addresses = _addresses(wanted)
        try:
            return _start(plan, addresses, notify, tick)
        except ProcessError:
            # Everything of ours has ended by now, so whoever listens there was in the way.
            drawn = [name for name in NAMES if addresses[name] != wanted[name]]
            if not any(ports.is_taken(addresses[name]) for name in drawn):
                raise
            notify("a port was taken meanwhile; starting again on others")
    return _start(plan, _addresses(wanted), notify, tick)


def _addresses(wanted: Mapping[str, str]) -> dict[str, str]:
    flags = {NAMES[name]: f"--{name}.listen-address" for name in NAMES}
    chosen = ports.choose({NAMES[name]: wanted[name] for name in NAMES}, flags)
    return {name: chosen[NAMES[name]] for name in NAMES}


def _start(
    plan: Plan, addresses: Mapping[str, str], notify: Callable[[str], None], tick: Callable[[], None]
) -> Stack:
    found = {name: _server(plan, name, notify) for name in ("prometheus", "alertmanager")}
    data, artefacts = plan.data.absolute(), plan.artefacts.absolute()
    for name in found:
        (data / name).mkdir(parents=True, exist_ok=True)
    config = data / "prometheus.yml"
    _write(config, _scraping(plan, addresses, artefacts))
    commands = {
        "prometheus": prometheus.command(
            found["prometheus"] or _CONTAINER,
            config=config,
            data=data / "prometheus",
            address=addresses["prometheus"],
            retention=plan.retention,
        ),
        "alertmanager": alertmanager.command(
            found["alertmanager"] or _CONTAINER,
            config=artefacts / "alertmanager/alertmanager.yaml",
            data=data / "alertmanager",
            address=addresses["alertmanager"],
        ),
        "sidecar": _airis(
            "sidecar",
            f"--web.listen-address={addresses['sidecar']}",
            f"--storage.path={data / 'sidecar'}",
        ),
    }
    contained = {name: commands.pop(name) for name, server in found.items() if server is None}
    if contained:
        commands["compose"] = _contained(contained, data, artefacts)

    with ExitStack() as ending:
        # Independent of each other, so they get ready side by side; the analyzer reads from Prometheus.
        processes = [_launch(command, data / "logs", ending, notify) for command in commands.values()]
        for process in processes:
            process.wait_ready(tick)
        if plan.analyzer:
            analyzer = _analyzer(plan, addresses, artefacts, data)
            processes.append(_launch(analyzer, data / "logs", ending, notify))
            processes[-1].wait_ready(tick)
        urls = {name: f"http://{address}" for name, address in addresses.items()}
        started = Urls(**urls) if plan.analyzer else replace(Urls(**urls), analyzer=None)
        return Stack(started, tuple(processes), ending.pop_all())
    raise AssertionError  # ExitStack swallows nothing


def _analyzer(plan: Plan, addresses: Mapping[str, str], artefacts: Path, data: Path) -> Command:
    base = f"http://{addresses['prometheus']}"
    return _airis(
        "analyzer",
        "run",
        f"--config.file={artefacts / 'analyzer/analyzer.yaml'}",
        f"--prometheus.url={base}",
        f"--remote-write.url={base}/api/v1/write",
        f"--web.listen-address={addresses['analyzer']}",
        f"--interval={prometheus.duration(plan.analyzer_interval)}",
        f"--step={prometheus.duration(plan.analyzer_step)}",
        f"--storage.path={data / 'analyzer'}",
    )


_CONTAINER = Server(Path("/bin/server"), None, ())
"""Stands for the entry point of an image."""


def _server(plan: Plan, name: str, notify: Callable[[str], None]) -> Server | None:
    """Return the binary to run, or None for a container."""
    given: Path | None = getattr(plan, name)
    try:
        return servers.find(name, given=given, cache=plan.cache, unpack=False)
    except MissingServerError:
        if given is not None:
            raise
    if compose.available():
        notify(f"{NAMES[name]} is not on PATH: running it in Docker Compose")
        return None
    return servers.find(name, cache=plan.cache, notify=notify)


def _launch(command: Command, logs: Path, ending: ExitStack, notify: Callable[[str], None]) -> Process:
    notify(f"starting {command.name} on {command.url}")
    process = Process(command, logs / f"{command.name.split()[0].lower()}.log")
    ending.callback(process.stop)
    return process


def _airis(name: str, *words: str) -> Command:
    """Return the command of one of our own processes, run by the interpreter that runs us."""
    address = next(word for word in words if word.startswith("--web.listen-address=")).partition("=")[2]
    # -P: a file of the working folder must not stand in for a module of ours.
    return Command(
        name=NAMES[name],
        argv=(sys.executable, "-P", "-m", "airis_mon.cli", name, *words),
        url=f"http://{address}",
    )


def _contained(commands: Mapping[str, Command], data: Path, artefacts: Path) -> Command:
    file = data / "compose.yaml"
    folders = {artefacts: "ro", data: "rw"}
    project = compose.project(commands, folders, f"{os.getuid()}:{os.getgid()}")
    _write(file, project)
    return compose.command(file, f"airis-mon-{os.getpid()}", commands)


def _scraping(plan: Plan, addresses: Mapping[str, str], artefacts: Path) -> dict[str, Any]:
    jobs: dict[str, list[dict[str, Any]]] = {
        job: [{"targets": [addresses[name]]}]
        for job, name in (
            ("prometheus", "prometheus"),
            ("alertmanager", "alertmanager"),
            ("airis-sidecar", "sidecar"),
            ("airis-analyzer", "analyzer"),
        )
        if name != "analyzer" or plan.analyzer
    }
    for target in plan.scrape:
        jobs.setdefault(target.job, []).append(
            {"targets": [target.address], **({"labels": dict(target.labels)} if target.labels else {})}
        )
    return prometheus.configuration(
        rules=artefacts / "rules",
        alertmanager=addresses["alertmanager"],
        jobs=jobs,
        scrape_interval=plan.scrape_interval,
        evaluation_interval=plan.evaluation_interval,
        # What an application sent keeps the labels that it was sent with.
        honor_labels=("airis-sidecar",),
    )


def _write(path: Path, content: Mapping[str, Any]) -> None:
    import yaml  # an extra; `airis-mon doctor` has to run without, to say so

    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
