"""The message, rendered by amtool as Alertmanager would."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airis_mon.alertmanager.compile import artefacts
from airis_mon.spec import Bundle
from airis_mon.stack.servers import Server
from tests.alertmanager.documents import build

Render = Callable[..., str]

LABELS = {"alertname": "ModelAnomaly", "monitor": "chat", "severity": "page", "model": "llama", "team": "ml"}


@pytest.fixture
def render(amtool: Server, tmp_path: Path) -> Render:
    """Render one of our definitions for some data, as text or html."""

    def rendered(name: str, data: dict[str, Any], kind: str, grafana_url: str | None = None) -> str:
        template = build(Bundle(), tmp_path, grafana_url=grafana_url).parent / "airis-mon.tmpl"
        file = tmp_path / "data.json"
        file.write_text(json.dumps(data))
        command = [
            str(amtool.path),
            "template",
            "render",
            f"--template.glob={template}",
            f'--template.text={{{{ template "{name}" . }}}}',
            f"--template.type={kind}",
            f"--template.data={file}",
        ]
        done = subprocess.run(command, cwd=amtool.cwd, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return rendered


def message(*alerts: dict[str, Any], status: str = "firing") -> dict[str, Any]:
    common = dict(set.intersection(*(set(alert["labels"].items()) for alert in alerts)))
    notes = dict(set.intersection(*(set(alert["annotations"].items()) for alert in alerts)))
    return {
        "receiver": "oncall",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {"monitor": "chat", "alertname": "ModelAnomaly"},
        "commonLabels": common,
        "commonAnnotations": notes,
        "externalURL": "http://alertmanager",
    }


def alert(status: str = "firing", notes: dict[str, str] | None = None, **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {**LABELS, **labels},
        "annotations": notes or {},
        "startsAt": "2026-01-02T03:04:05+02:00",
        "endsAt": "2026-01-02T03:16:35.4+02:00",
        "generatorURL": "",
    }


def test_missing_texts_leave_no_holes(render: Render) -> None:
    for kind, name in (("text", "airis-mon.text"), ("html", "airis-mon.html")):
        body = render(name, message(alert()), kind)
        assert "no value" not in body
        assert "ModelAnomaly" in body
        assert 'href=""' not in body
        for word in ("runbook", "dashboard", "graph in"):
            assert word not in body.lower()


def test_times_are_utc_and_a_resolution_says_how_long_it_was(render: Render) -> None:
    body = render("airis-mon.text", message(alert("resolved"), status="resolved"), "text")
    assert "2026-01-02 01:04:05 UTC to 2026-01-02 01:16:35 UTC (12m30s)" in body
    assert "Silence" not in body


def test_subject_names_what_is_common(render: Render) -> None:
    same = {"summary": "chat: slow"}
    for data, subject in (
        (message(alert(notes=same)), "[PAGE] chat: slow"),
        (message(alert(notes=same), alert(notes=same)), "[PAGE] chat: slow (2 alerts)"),
        (message(alert(notes=same), alert()), "[PAGE] chat: ModelAnomaly (2 alerts)"),
        (message(alert(severity="ticket")), "[TICKET] chat: ModelAnomaly"),
        (message(alert("resolved", same), status="resolved"), "[RESOLVED] chat: slow"),
    ):
        assert render("airis-mon.subject", data, "text").strip() == subject


def test_a_flood_is_cut_and_counted(render: Render) -> None:
    flood = message(*(alert(notes={"summary": f"number {number:02}."}) for number in range(25)))
    for kind, name in (("text", "airis-mon.text"), ("html", "airis-mon.html")):
        body = render(name, flood, kind)
        assert "number 19." in body
        assert "number 20." not in body
        assert "Only the first 20 of 25 alerts are shown." in body


def test_hostile_text_stays_text(render: Render) -> None:
    evil = {"summary": "<script>x</script>", "runbook_url": "javascript:alert(1)", "dashboard": 'a b"><i>'}
    body = render("airis-mon.html", message(alert(notes=evil, region='"><img>')), "html", "https://grafana")
    assert "<script>" not in body
    assert "<img>" not in body
    assert "<i>" not in body
    assert "javascript" not in body
    assert "ZgotmplZ" not in body


def test_silence_link_quotes_what_it_matches(render: Render) -> None:
    link = render("airis-mon.silence", message(alert(region='a"b,c')), "text").strip()
    assert link.startswith("http://alertmanager/#/silences/new?filter=%7Balertname%3D%22ModelAnomaly%22%2C")
    assert "region%3D%22a%5C%22b%2Cc%22" in link


def test_resolved_alerts_follow_those_that_stand(render: Render) -> None:
    data = message(alert(notes={"summary": "stands"}), alert("resolved", {"summary": "is over"}))
    body = render("airis-mon.html", data, "html")
    assert body.index("stands") < body.index("Resolved meanwhile") < body.index("is over")


def anomaly(status: str = "firing", link: str = "", **labels: str) -> dict[str, Any]:
    """Return an alert about the share of errors, which carries a link to its graph."""
    made = alert(status)
    return {**made, "labels": {**made["labels"], "for": "error_ratio", **labels}, "generatorURL": link}


COMMAND = "airis-mon causes FILE --monitor chat --signal error_ratio --at 2026-01-02T01:04:05Z"


def test_an_anomaly_says_what_to_type_for_its_causes(render: Render) -> None:
    linked = anomaly(link="http://prometheus:9090/x/graph?g0.expr=up")
    for kind, name in (("text", "airis-mon.text"), ("html", "airis-mon.html")):
        body = render(name, message(linked), kind)
        assert f"{COMMAND} --prometheus.url http://prometheus:9090/x" in body
        assert "/x/graph --" not in body
        plain = render(name, message(anomaly()), kind)
        assert COMMAND in plain
        assert "--prometheus.url" not in plain
    assert f"What changed before: {COMMAND}" in render("airis-mon.plain.text", message(linked), "text")


@pytest.mark.parametrize(
    "other",
    [
        anomaly("resolved"),
        anomaly(alertname="ModelThreshold"),
        anomaly(**{"for": "x; rm -r ."}),
        anomaly(monitor="$(id)"),
        alert(),
    ],
    ids=["is over", "another alert", "no signal", "no monitor", "nothing"],
)
def test_no_other_message_says_what_to_type(render: Render, other: dict[str, Any]) -> None:
    data = message(other, status=other["status"])
    for kind, name in (
        ("text", "airis-mon.text"),
        ("html", "airis-mon.html"),
        ("text", "airis-mon.plain.text"),
    ):
        assert "airis-mon causes" not in render(name, data, kind)


def test_a_link_that_is_none_is_not_part_of_a_command(render: Render) -> None:
    evil = anomaly(link="http://prometheus/$(id)/graph?g0")
    body = render("airis-mon.text", message(evil), "text")
    assert COMMAND in body
    assert "--prometheus.url" not in body


@pytest.mark.parametrize(
    "url",
    ["grafana", 'https://g/"onclick', "https://g/{{x}}", "https://g/a|b", "https://g/(a)", "javascript:x"],
)
def test_grafana_has_a_plain_url(url: str) -> None:
    with pytest.raises(ValueError, match=r"is no URL of Grafana"):
        artefacts(Bundle(), grafana_url=url)
