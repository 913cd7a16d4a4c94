"""Bundle -> Alertmanager's configuration, its message template, and the proofs of its routes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from airis_mon.alertmanager import (
    checks,
    hours,
    inhibitions,
    message,
    operator,
    proofs,
    receivers,
    routes,
    secrets,
    time_intervals,
    timelines,
    unheard,
)
from airis_mon.alertmanager.claims import written
from airis_mon.spec import Artefact, Bundle, Problem, SpecError, yaml_text

OLDEST = (0, 25)
"""What is written without a target: every Alertmanager from this one on accepts it."""


def artefacts(
    bundle: Bundle, *, target: tuple[int, int] = OLDEST, grafana_url: str | None = None
) -> tuple[Artefact, ...]:
    """Return alertmanager.yaml, airis-mon.tmpl and the `.test.yaml` of them below `alertmanager/`.

    `target` is the oldest Alertmanager that has to accept them; messages link to dashboards below
    `grafana_url`. SpecError, with every problem, where the
    documents cannot be told to that Alertmanager, or would tell nobody.
    """
    found = checks.problems(bundle, target)
    if found:
        raise SpecError(found)
    source = _source(bundle)
    told, template = receivers.receivers(bundle.receivers), message.template(grafana_url)
    config: dict[str, Any] = {
        "templates": [message.FILE],
        "route": routes.tree(bundle),
        "inhibit_rules": inhibitions.rules(bundle),
        "receivers": [*told, receivers.fingerprint(told, template)],
    }
    if times := time_intervals.time_intervals(bundle):
        config["time_intervals"] = times
    by_hour = hours.cases(bundle)
    return (
        Artefact("alertmanager/alertmanager.yaml", yaml_text(config, source=source)),
        Artefact(f"alertmanager/{message.FILE}", template),
        Artefact("alertmanager/routes.test.yaml", yaml_text(written(proofs.claims(bundle)), source=source)),
        Artefact(
            "alertmanager/timelines.test.yaml", yaml_text(written(timelines.claims(bundle)), source=source)
        ),
        *(
            [Artefact("alertmanager/hours.test.yaml", yaml_text({"cases": by_hour}, source=source))]
            if by_hour
            else []
        ),
    )


def warnings(bundle: Bundle) -> Iterator[Problem]:
    """Yield what is accepted and would be told to nobody."""
    return unheard.warnings(bundle)


def secret_files(bundle: Bundle, target: tuple[int, int] = OLDEST) -> Iterator[secrets.SecretFile]:
    """Yield the files that receivers keep their secrets in, which have to be where Alertmanager runs."""
    return secrets.files(bundle, target)


def operator_secret(found: Sequence[Artefact], namespace: str | None = None) -> Artefact:
    """Return what was derived as the Secret that prometheus-operator reads."""
    return operator.secret(found, namespace)


def _source(bundle: Bundle) -> str:
    return (
        f"ModelMonitors: {len(bundle.monitors)}, Receivers: {len(bundle.receivers)}, "
        f"EscalationPolicies: {len(bundle.policies)}"
    )
