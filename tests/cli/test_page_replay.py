"""`page-replay` as a person runs it: an incident of the past, two versions of a document, real servers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from airis_mon.cli.commands import page_replay
from airis_mon.cli.page_replay.rows import moment
from airis_mon.cli.page_replay.server import (
    Schedule,
    earliest,
    oldest_scrape,
    retention,
    schedule,
    started,
    version,
)
from airis_mon.remote_write import Delivery, HttpWriter, Limits, Sample
from airis_mon.rules.replay import selectors
from airis_mon.stack.plan import RETENTION
from airis_mon.stack.servers import Server
from tests.cli.conftest import Run

HOURS = 8
STEP = 60
"""Seconds between two samples of the past."""
INCIDENT = (3 * 3600, 3 * 3600 - 1800)
"""Seconds before the end at which the incident begins and ends."""

DOCUMENTS = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: support-chat}
spec:
  model: {name: llama}
  source: {contract: otel-genai, selector: {job: chat}, scrape_interval: 1m}
  objectives: [{name: availability, target: TARGET, errors: {}}]
  anomalies: [{of: error_ratio}]
  alerting: {team: chat, escalation: standard, page_budget: 2 / 1w}
---
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: oncall}
spec:
  webhooks: [{url: "http://127.0.0.1:9/page"}]
  emails: [{to: a@example.com, from: b@example.com, smarthost: "127.0.0.1:25", require_tls: false}]
---
apiVersion: airis.dev/v1alpha1
kind: Receiver
metadata: {name: lead}
spec: {webhooks: [{url: "http://127.0.0.1:9/lead"}]}
---
apiVersion: airis.dev/v1alpha1
kind: EscalationPolicy
metadata: {name: standard}
spec:
  page: [{receivers: [oncall]}, {after: LEAD, receivers: [lead]}]
  ticket: [{receivers: [oncall]}]
"""


def documents(folder: Path, name: str, target: str = "99.9%", lead: str = "10m") -> Path:
    file = folder / name
    file.write_text(DOCUMENTS.replace("TARGET", target).replace("LEAD", lead))
    return file


@dataclass(frozen=True)
class Past:
    """A Prometheus that holds one incident."""

    url: str
    end: int
    """Unix seconds of its last sample."""

    def words(self, *files: Path, since: str = "6h") -> list[str | Path]:
        return [
            "page-replay", *files, "--prometheus.url", self.url, "--since", since,
            "--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end)),
        ]  # fmt: skip


@pytest.fixture
def past(prometheus_server: Callable[..., Any]) -> Past:
    end = int(time.time()) // 60 * 60
    server = prometheus_server(
        flags=["--storage.tsdb.min-block-duration=1d", "--storage.tsdb.max-block-duration=1d"]
    )
    writer = HttpWriter(Delivery(f"{server.url}/api/v1/write", limits=Limits(samples=10_000)))
    assert writer.write(_samples(end)).errors == ()
    writer.close()
    return Past(server.url, end)


def _samples(end: int) -> Iterator[Sample]:
    base = {"__name__": "gen_ai_client_operation_duration_seconds_count", "job": "chat", "instance": "a"}
    good = bad = 0.0
    for at in range(end - HOURS * 3600, end + 1, STEP):
        failing = end - INCIDENT[0] <= at < end - INCIDENT[1]
        good += STEP * (5 if failing else 10)
        bad += STEP * (5 if failing else 0)
        yield Sample(base, at * 1000, good)
        yield Sample({**base, "error_type": "500"}, at * 1000, bad)


def test_an_incident_of_the_past_is_told_as_it_would_have_been(
    past: Past, airis_mon: Run, tmp_path: Path
) -> None:
    file = documents(tmp_path, "chat.yaml")
    done = airis_mon(*past.words(file), "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["editions"][0]
    began = past.end - INCIDENT[0]

    pages = [page for page in told["pages"] if page["severity"] == "page"]
    first, escalated = pages[0], next(page for page in pages if page["receiver"] == "lead")
    # Half of all operations fail: the hour's budget is gone after some two minutes, as the rate sees them.
    assert 60 <= first["at"] - began <= 240
    assert (first["receiver"], first["level"], first["reason"]) == ("oncall", 1, "first")
    assert first["channels"] == ["webhook", "email"]
    assert escalated["level"] == 2
    assert escalated["at"] - first["at"] == 600 - 30, "ten minutes and thirty seconds from the same beginning"
    assert [page["reason"] for page in pages if page["receiver"] == "oncall"] == ["first", "resolved"]

    incident = next(one for one in told["incidents"] if one["subject"]["severity"] == "page")
    assert incident["subject"]["about"] == "availability"
    # The second tier looks back half an hour: so long after the incident its last failure is out of sight.
    assert past.end - INCIDENT[1] + 1740 <= incident["resolved_at"] <= past.end - INCIDENT[1] + 1920
    assert [(receiver, level) for _, receiver, level in incident["told"]] == [("oncall", 1), ("lead", 2)]
    assert [(week["pages"], week["budget"]) for week in told["weeks"]] == [(1, 2.0)]
    missed = done.stderr.partition("nothing in all that time: ")[2]
    assert 'anomaly_score{for="error_ratio", monitor="support-chat"}' in missed


def test_two_versions_are_compared_by_the_pages_that_come_go_and_move(
    past: Past, airis_mon: Run, tmp_path: Path
) -> None:
    before = documents(tmp_path, "before.yaml")
    later = documents(tmp_path, "later.yaml", lead="20m")
    moved = airis_mon(*past.words(later), "--against", before, "--format", "json")
    assert moved.returncode == 0, moved.stderr
    changes = json.loads(moved.stdout)["comparison"]
    assert [(m["before"]["receiver"], m["after"]["at"] - m["before"]["at"]) for m in changes["moved"]] == [
        ("lead", 600.0)
    ]
    assert (changes["added"], changes["gone"], changes["only_before"]) == ([], [], [])

    tolerant = documents(tmp_path, "tolerant.yaml", target="90%")
    page = tmp_path / "report.html"
    shown = airis_mon(*past.words(tolerant), "--against", before, "--html", page)
    assert shown.returncode == 0, shown.stderr
    assert f"What changes from {before} to {tolerant}" in page.read_text()
    assert f"pages that only {before} sends" in shown.stdout
    assert f"incidents that only {before} sees" in shown.stdout
    assert "ModelErrorBudgetBurn availability" in shown.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--since", "soon"], "`soon` is neither a duration such as 7d nor a time"),
        (["--since", "91d"], "at most 90d are replayed"),
        (["--since", "2999-01-01T00:00:00Z"], "has to be before --until"),
        (["--until", "2999-01-01T00:00:00Z"], "--until: lies in the future"),
        (["--html", "/nowhere/at/all.html"], "--html: there is no folder /nowhere/at"),
        (["--html", "chat.yaml"], "`chat.yaml` is no page; write FILE.html"),
        (["--interval", "10ms"], "at least 1s"),
        (["--prometheus.url", "prometheus:9090"], "is no URL"),
    ],
)
def test_wrong_times_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], expected: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        page_replay.run([str(documents(tmp_path, "chat.yaml")), *words], tmp_path)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("flag", ["FILE", "--against"])
def test_a_page_never_replaces_a_document(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, link: str, flag: str
) -> None:
    ours, theirs = documents(tmp_path, "chat.yaml"), documents(tmp_path, "old.yaml")
    read = ours if flag == "FILE" else theirs
    page, before = tmp_path / "chat.html", read.read_text()
    getattr(page, link)(read)
    with pytest.raises(SystemExit) as ended:
        page_replay.run([str(ours), "--against", str(theirs), "--html", str(page)], tmp_path)
    assert ended.value.code == 2
    assert f"--html {page} is what {flag} reads: it would be overwritten" in capsys.readouterr().err
    assert read.read_text() == before


def test_silences_of_an_alertmanager_hold_from_when_they_began(
    past: Past, airis_mon: Run, tmp_path: Path, alertmanager_server: Callable[..., Any]
) -> None:
    url = alertmanager_server().url
    words = ["--alertmanager.url", url, "--for", "1h", "--author", "a", "--comment", "b"]
    made = airis_mon("silence", "create", "monitor=~.+", *words)
    assert made.returncode == 0, made.stderr
    file = documents(tmp_path, "chat.yaml")
    done = airis_mon(*past.words(file), "--format", "json", "--alertmanager.url", url)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["editions"][0]
    assert [page["reason"] for page in told["pages"] if page["level"] == 2] == ["first", "resolved"]
    gone = airis_mon(*past.words(file), "--alertmanager.url", past.url)
    assert gone.returncode == 1
    assert f"{past.url} answered 404" in gone.stderr


def test_a_prometheus_that_cannot_be_reached_is_named(
    airis_mon: Run, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = airis_mon("page-replay", documents(tmp_path, "chat.yaml"), "--prometheus.url", url)
    assert done.returncode == 1
    assert f"{url} is not reachable" in done.stderr
    assert done.stdout == ""


def test_a_reader_is_told_what_the_answer_cannot_know(
    prometheus_server: Callable[..., Any], prometheus: Server, airis_mon: Run, tmp_path: Path
) -> None:
    end = int(time.time()) // 60 * 60
    server = prometheus_server()
    with requests.Session() as session:
        assert retention(session, server.url) == RETENTION
        assert abs((started(session, server.url) or 0) - time.time()) < 60
        assert version(session, server.url) == prometheus.version[:2]
        assert schedule(session, server.url, {"any"}) == Schedule()
        writer = HttpWriter(f"{server.url}/api/v1/write")
        writer.write(sample for sample in _samples(end) if sample.timestamp_ms >= (end - 1800) * 1000)
        writer.close()
        (selector,) = selectors('gen_ai_client_operation_duration_seconds_count{job="chat"}')
        assert earliest(session, server.url, [selector], end) is not None
        assert earliest(session, server.url, [selector], end - 90 * 86_400) is None
    done = airis_mon(
        *Past(server.url, end).words(documents(tmp_path, "chat.yaml"), since="44d"), "--interval", "10m"
    )
    assert done.returncode == 0, done.stderr
    assert "that Prometheus keeps 45d, and the rules reach back" in done.stderr
    recent = airis_mon(*Past(server.url, end).words(documents(tmp_path, "chat.yaml"), since="2d"))
    assert recent.returncode == 0, recent.stderr
    assert "there is no data before" in recent.stderr


def test_silence_before_there_was_any_data_is_nobody_s_page(
    prometheus_server: Callable[..., Any], airis_mon: Run, tmp_path: Path
) -> None:
    end = int(time.time()) // 60 * 60
    server = prometheus_server(
        flags=["--storage.tsdb.min-block-duration=1d", "--storage.tsdb.max-block-duration=1d"]
    )
    began = end - 2 * 3600 + 7  # a moment of its own, within a piece of six hours
    writer = HttpWriter(Delivery(f"{server.url}/api/v1/write", limits=Limits(samples=10_000)))
    model = [one for one in _samples(end) if one.timestamp_ms >= began * 1000]
    first = min(one.timestamp_ms for one in model) / 1000
    assert writer.write(model).errors == ()
    file, page = documents(tmp_path, "chat.yaml"), tmp_path / "report.html"
    words = Past(server.url, end).words(file)

    def absent(told: Any) -> list[str]:
        incidents = told["editions"][0]["incidents"]
        return [one for one in incidents if one["subject"]["alertname"] == "ModelSignalAbsent"]

    done = airis_mon(*words, "--format", "json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["since"], told["asked_since"]) == (first, end - 6 * 3600)
    assert absent(told) == []
    assert [page for page in told["editions"][0]["pages"] if page["at"] < first] == []
    shown = airis_mon(*words, "--html", page)
    said = (
        f"{moment(first)} to {moment(end)} UTC; asked for from {moment(end - 6 * 3600)} on, and there is no"
    )
    assert shown.stdout.startswith(said)
    assert said in page.read_text()

    # Where Prometheus scraped all the time, the model was silent, and somebody would have been told.
    up = {"__name__": "up", "job": "other", "instance": "a"}
    at = range(end - HOURS * 3600, end + 1, STEP)
    assert writer.write(Sample(up, moment_ * 1000, 1.0) for moment_ in at).errors == ()
    writer.close()
    with requests.Session() as session:
        assert oldest_scrape(session, server.url, end - 9 * 3600, end) == end - HOURS * 3600
        assert oldest_scrape(session, server.url, end - 7 * 3600, end) == end - 7 * 3600
    silent = airis_mon(*words, "--format", "json")
    assert silent.returncode == 0, silent.stderr
    told = json.loads(silent.stdout)
    assert told["since"] == told["asked_since"] == end - 6 * 3600
    assert absent(told)


def test_more_evaluations_than_anybody_waits_for_are_refused(
    past: Past, airis_mon: Run, tmp_path: Path
) -> None:
    done = airis_mon(*past.words(documents(tmp_path, "chat.yaml"), since="30d"), "--interval", "1s")
    assert done.returncode == 1
    assert "more than 200000 evaluations of each rule" in done.stderr


def test_a_time_without_data_says_since_when_there_is_some(
    past: Past, airis_mon: Run, tmp_path: Path
) -> None:
    words = past.words(documents(tmp_path, "chat.yaml"))
    words[-1] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(past.end - 20 * 86400))
    done = airis_mon(*words)
    assert done.returncode == 1
    assert "no data from" in done.stderr
    assert "gen_ai_client_operation_duration_seconds_count" in done.stderr
