"""What `build` writes can be replayed, whatever a document uses of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from airis_mon.alertmanager.replay import Firing, posts, replay
from airis_mon.cli.page_replay.editions import edition
from airis_mon.cli.targets import Target

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_alert_of_an_example_is_planned_and_told_to_whom_it_names(file: Path) -> None:
    found = edition([file], Target(alertmanager=(0, 28)))
    assert found.plan.alerts
    recorded = {recording.name for recording in found.plan.recordings}
    assert not recorded & {selector.name for selector in found.plan.stored}, "nothing recorded is read"
    firings = [
        Firing((*sorted({**dict(rule.labels), "alertname": rule.name}.items()),), 600.0 * number, None)
        for number, rule in enumerate(found.plan.alerts)
    ]
    # A week: what waits for working hours has its hour.
    outcome = replay(found.configuration, posts(firings, 60.0), until=8 * 86_400.0)
    told = {alert.identity for note in outcome.notifications for alert in note.firing}
    quiet = {one.alert.identity for one in outcome.suppressions if one.reason == "inhibited"}
    somebody = any(monitor.alerting.escalation for monitor in found.bundle.monitors)
    assert told | quiet == ({firing.identity for firing in firings} if somebody else set())
