"""Prometheus: its configuration and its command line, the same for 2.42 and 3.x."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from airis_mon.stack.plan import RETENTION
from airis_mon.stack.processes import Command
from airis_mon.stack.servers import Server


def command(
    server: Server,
    *,
    config: Path,
    data: Path,
    address: str,
    retention: float = RETENTION,
    flags: Sequence[str] = (),
) -> Command:
    """Return the command line of a Prometheus that takes remote writes and listens on `address`.

    `retention` is in seconds, of which whole days are made.
    """
    url = f"http://{address}"
    return Command(
        name="Prometheus",
        argv=(
            str(server.path),
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--storage.tsdb.retention.time={math.ceil(retention / 86_400)}d",
            f"--web.listen-address={address}",
            # Links in messages have to lead somewhere; the default names the host, where nobody listens.
            f"--web.external-url={url}/",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            *flags,
        ),
        url=url,
        cwd=server.cwd,
    )


def configuration(
    *,
    rules: Path | None,
    alertmanager: str | None,
    jobs: Mapping[str, Sequence[Mapping[str, Any]]],
    scrape_interval: float,
    evaluation_interval: float,
    honor_labels: Sequence[str] = (),
) -> dict[str, Any]:
    """Return prometheus.yml.

    `rules` is a folder of `*.rules.yaml`, `alertmanager` an address, `jobs` maps a job to its static configs,
    intervals are seconds. Jobs in `honor_labels` carry other people's series: their labels stay as sent.
    """
    config: dict[str, Any] = {
        "global": {
            "scrape_interval": duration(scrape_interval),
            "scrape_timeout": duration(min(scrape_interval, 10.0)),
            "evaluation_interval": duration(evaluation_interval),
        }
    }
    if rules is not None:
        # Listed by pattern, so that a reload finds new files; the folder's own name is no pattern
        # (an asterisk in it cannot be: Prometheus refuses one anywhere but in the last part).
        config["rule_files"] = [re.sub(r"([\\?\[])", r"\\\1", str(rules)) + "/*.rules.yaml"]
    if alertmanager is not None:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    config["scrape_configs"] = [
        {
            "job_name": job,
            **({"honor_labels": True} if job in honor_labels else {}),
            "static_configs": list(static),
        }
        for job, static in jobs.items()
    ]
    return config


def duration(seconds: float) -> str:
    """Return seconds as a duration that Prometheus and the analyzer read, such as `15s` or `250ms`."""
    return f"{round(seconds * 1000)}ms" if seconds % 1 else f"{round(seconds)}s"
