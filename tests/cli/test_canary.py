"""`airis-mon canary` as a pipeline runs it: a real Prometheus, two versions, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from airis_mon.analyzer import service
from airis_mon.cli.build import build
from airis_mon.cli.commands import canary
from airis_mon.cli.documents import load
from airis_mon.rules.canary import alert
from airis_mon.stack.servers import Server
from tests.waiting import until

HOURS = 4
STEP = 30
DOCUMENT = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: digits}
spec:
  model: {name: digits}
  source: {contract: airis, selector: {job: digits, version: "1"}, scrape_interval: 30s}
  objectives:
    - {name: availability, target: 98%, errors: {}}
    - {name: fast, target: 90%, latency: {of: request_duration, below: 1s}}
    - {name: right, target: 95%, quality: {}}
    - name: own
      target: 97%
      events:
        bad: sum(rate(answers_total{app="digits",code="500"}[$window]))
        total: sum(rate(answers_total{app="digits"}[$window]))
    - {name: fresh, target: 99%, freshness: {of: updated_timestamp_seconds, within: 10m}}
"""
OTHER = """\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {name: other}
spec:
  model: {name: other}
  source: {contract: airis, selector: {job: other}, scrape_interval: 30s}
  objectives: [{name: availability, target: 98%, errors: {}}]
"""


@dataclass(frozen=True)
class Version:
    """What one version does each step; the share of requests that fail, are slow, are wrong."""

    name: str
    requests: float
    failing: float = 0.01
    slow: float = 0.05
    wrong: float = 0.03
    mean: float = 0.4
    since: int = HOURS * 3600
    """Seconds before the end at which it begins to be scraped."""


VERSIONS = (
    Version("1", 60),
    Version("2", 20, since=2 * 3600),
    Version("3", 20, failing=0.08, since=2 * 3600),
    Version("4", 20, slow=0.3, mean=0.6, since=2 * 3600),
    Version("5", 3, since=1200),
    Version("6", 20, failing=0.0, slow=0.0, since=3 * 3600),
)


def _samples(version: Version, now: int, rng: np.random.Generator) -> dict[str, list[tuple[int, float]]]:
    """Return series as OpenMetrics names them; the process starts anew half way, and failures come late."""
    found: dict[str, list[tuple[int, float]]] = {}
    times = range(now - version.since, now, STEP)
    labels = f'job="digits",version="{version.name}"'
    totals: dict[str, float] = {}
    for number, at in enumerate(times):
        if number == len(times) // 2:
            totals = {}
        requests = int(rng.poisson(version.requests))
        failed, slow = (int(rng.binomial(requests, one)) for one in (version.failing, version.slow))
        wrong = int(rng.binomial(requests, version.wrong))
        risen = {
            f'airis_predictions_total{{{labels},outcome="ok"}}': requests - failed,
            f'airis_predictions_total{{{labels},outcome="error"}}': failed,
            f'airis_labelled_predictions_total{{{labels},correct="true"}}': requests - wrong,
            f'airis_labelled_predictions_total{{{labels},correct="false"}}': wrong,
            f"airis_prediction_duration_seconds_count{{{labels}}}": requests,
            f"airis_prediction_duration_seconds_sum{{{labels}}}": requests
            * version.mean
            * float(rng.uniform(0.8, 1.2)),
            f'airis_prediction_duration_seconds_bucket{{{labels},le="1.0"}}': requests - slow,
            f'airis_prediction_duration_seconds_bucket{{{labels},le="+Inf"}}': requests,
        }
        answers = f'answers_total{{app="digits",version="{version.name}",code='
        risen |= {f'{answers}"200"}}': requests - failed, f'{answers}"500"}}': failed}
        for name, more in risen.items():
            totals[name] = totals.get(name, 0.0) + more
            if totals[name] or not ("error" in name or "500" in name):
                found.setdefault(name, []).append((at, totals[name]))
    return found


@pytest.fixture(scope="module")
def past(promtool: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks of a Prometheus that has scraped all versions until now."""
    folder = tmp_path_factory.mktemp("canary")
    now, rng = int(time.time()) // 60 * 60, np.random.default_rng(5)
    lines: dict[str, list[str]] = {}
    for version in VERSIONS:
        for name, points in _samples(version, now, rng).items():
            metric = name.partition("{")[0]
            lines.setdefault(metric, []).extend(f"{name} {value:.6f} {at}" for at, value in points)
    # All of them as they are: types would forbid some of the names.
    text = folder / "past.om"
    text.write_text("\n".join([*(line for one in lines.values() for line in one), "# EOF", ""]))
    command = [
        str(promtool.path),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(text),
        str(folder / "data"),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=promtool.cwd, timeout=60)
    return folder / "data"


@dataclass(frozen=True)
class Canary:
    """The command against a Prometheus: `told(matchers of the candidate or none, *options)`."""

    url: str
    file: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, candidate: str, *options: str) -> tuple[int, str, str]:
        words = [str(self.file), "--prometheus.url", self.url, "--baseline", 'version="1"', *options]
        words += ["--candidate", candidate] if candidate else []
        code = canary.run(words, self.file.parent)
        out, error = self.capsys.readouterr()
        return code, out, error


@pytest.fixture
def told(
    past: Path,
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Canary:
    server = prometheus_server(data=Path(shutil.copytree(past, tmp_path / "data")))
    file = tmp_path / "digits.yaml"
    file.write_text(DOCUMENT)
    return Canary(server.url, file, capsys)


def _values(url: str, query: str, label: str) -> dict[str, str]:
    """Return what an expression is now, by a label."""
    answer = requests.get(f"{url}/api/v1/query", {"query": query}, timeout=10).json()
    return {one["metric"][label]: one["value"][1] for one in answer["data"]["result"]}


def _verdicts(text: str) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in json.loads(text)["metrics"]}


def test_versions_are_told_apart_by_the_objectives_of_the_document(told: Canary) -> None:
    code, out, error = told('version="2"')
    assert code == 0, out
    assert "not compared, as they count no operations: fresh" in error
    assert "verdict: same; promote" in out
    assert "airis" not in out

    code, out, _ = told('version="3"', "--format", "json")
    assert code == 3
    assert _verdicts(out) == {"availability": "worse", "fast": "same", "right": "same", "own": "worse"}
    (failures, *_, own) = json.loads(out)["metrics"]
    # The same failures, in counters that a document names.
    assert own["candidate"] == failures["candidate"]
    assert failures["lower"] > failures["margin"] == pytest.approx(0.02)
    assert failures["lower"] < 0.07 < failures["upper"]
    # Counted by hand: 30 s of 60 and 20 requests, over the two hours in which both were there.
    assert failures["baseline_operations"] == pytest.approx(240 * 60, rel=0.05)
    assert failures["candidate_operations"] == pytest.approx(240 * 20, rel=0.05)
    assert failures["candidate"] == pytest.approx(0.08, rel=0.15)

    code, out, _ = told('version="4"', "--format", "json")
    assert code == 3
    assert _verdicts(out)["fast"] == "worse"

    code, out, _ = told('version="6"', "--format", "json")
    assert code == 0
    assert _verdicts(out) == {"availability": "better", "fast": "better", "right": "same", "own": "better"}

    code, out, _ = told('version="5"')
    assert code == 4
    assert "verdict: undecided; keep both running" in out
    code, out, _ = told('version="5"', "--warm-up", "12m")
    assert code == 4
    assert "too few steps" in out

    code, out, _ = told('version="4"', "--metric", "request_duration_mean", "--margin", "50ms")
    assert code == 3, out
    assert "mean of request_duration" in out
    code, out, _ = told(
        'version="4"', "--metric", "request_duration_mean", "--margin", "request_duration_mean=90%"
    )
    assert code == 0, out


def test_a_longer_look_back_does_not_change_the_verdict(told: Canary) -> None:
    # What an analyzer that starts again would say: the time begins with the candidate's first traffic.
    looks = [told('version="3"', "--format", "json", "--since", since)[1] for since in ("3h", "4h", "1d")]
    assert len({json.loads(look)["since"] for look in looks}) == 1
    assert json.loads(looks[0])["metrics"][0] == json.loads(looks[2])["metrics"][0]


@pytest.mark.parametrize(
    ("candidate", "options", "expected"),
    [
        ('version="9"', (), 'the candidate: no series of airis_predictions_total{job="digits"} has'),
        ('version="9"', (), 'has version="9": `version` is "1", "2", "3", "4", "5", "6"'),
        ('pod="9"', (), "has a label `pod`; they have job, outcome, version"),
        ('version=~"1|2"', (), "choose 2 series together, such as airis_predictions_total{"),
        ('version="2"', ("--metric", "fresh"), "fresh counts no operations that versions can be compared by"),
        ('version="2"', ("--metric", "request_duration_p95"), "is a quantile, compared as the share beyond"),
        ('version="2"', ("--metric", "spee"), "there is no metric `spee`; choose among availability, fast"),
        ('version="2"', ("--margin", "spee=1%"), "--margin: spee is not compared; write one of availability"),
        ('version="2"', ("--margin", "20ms"), "--margin availability=20ms: write a percentage such as 0.5%"),
        ('version="2"', ("--step", "10s"), "are read each 30s; write 1m or more"),
        ('version="2"', ("--step", "1m", "--since", "30d"), "more than 20000 steps; write a longer one"),
        ('version="2"', ("--warm-up", "1d"), "--warm-up: nothing is left of the 1d that are looked at"),
        ('version="2"', ("--warm-up", "2h", "--since", "1h"), "--warm-up: nothing is left of the 1h"),
        ('version="5"', ("--warm-up", "45m"), "all of it within the warm-up of 45m; leave out less"),
        ('version="2"', ("--baseline", "version=8"), 'the baseline: no series of airis_predictions_total'),
        ('version="2"', ("--monitor", "x"), "there is no ModelMonitor `x` in these files"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_told(
    told: Canary, candidate: str, options: tuple[str, ...], expected: str
) -> None:
    code, out, error = told(candidate, *options)
    assert (code, out) == (1, "")
    assert expected in error


def test_watching_ends_with_the_verdict_or_with_its_time(told: Canary) -> None:
    code, _, error = told('version="3"', "--watch", "--interval", "1s", "--timeout", "1m")
    assert code == 3
    code, _, error = told('version="5"', "--watch", "--interval", "100ms", "--timeout", "300ms")
    assert code == 4
    assert error.count("availability undecided") <= 1  # told once, however often it is looked at
    # A version that has not been scraped yet is waited for.
    code, _, error = told('version="9"', "--watch", "--interval", "100ms", "--timeout", "300ms")
    assert code == 1
    assert error.count('has version="9"') >= 1


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (("--candidate", "2"), "are no label matchers; write some such as"),
        (("--candidate", 'version="2" or'), "are no label matchers"),
        (("--candidate", '__name__="x"'), "names of series follow from the document"),
        (("--alpha", "5"), "is no such probability"),
        (("--alpha", "nan"), "write one such as 5% or 0.01"),
        (("--margin", "some"), "is no margin; write 0.5%, 20ms or NAME=0.5%"),
        (("--since", "yesterday"), "is no duration"),
        (("--prometheus.url", "localhost"), "is no URL of Prometheus"),
    ],
)
def test_wrong_usage_is_told(
    option: tuple[str, str], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["digits.yaml", "--baseline", 'version="1"', "--candidate", "version=2", *option]
    with pytest.raises(SystemExit) as left:
        canary.run(words, tmp_path)
    assert left.value.code == 2
    assert expected in " ".join(capsys.readouterr().err.split())


def test_a_monitor_is_chosen_where_files_have_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(f"{DOCUMENT}---\n{OTHER}")
    words = [str(file), "--baseline", "version=1", "--candidate", "version=2"]
    assert canary.run(words, tmp_path) == 1
    assert "2 monitors; choose one with --monitor: digits, other" in capsys.readouterr().err
    # The one that says whose series are compared, as long as nobody else does.
    rollout = '  canary: {baseline: {version: "1"}, candidate: {version: "2"}}\n'
    file.write_text(f"{DOCUMENT}{rollout}---\n{OTHER}")
    dead = ["--prometheus.url", "http://127.0.0.1:9"]
    assert canary.run([str(file), *dead], tmp_path) == 1
    assert "http://127.0.0.1:9 is not reachable" in capsys.readouterr().err
    assert canary.run(words, tmp_path) == 1
    assert "2 monitors; choose one with --monitor: digits, other" in capsys.readouterr().err
    file.write_text(f"{DOCUMENT}{rollout}---\n{OTHER}{rollout}")
    assert canary.run([str(file), *dead], tmp_path) == 1
    assert "2 monitors; choose one with --monitor: digits, other" in capsys.readouterr().err
    unreachable = ["--monitor", "other", "--prometheus.url", "http://127.0.0.1:9"]
    assert canary.run([*words, *unreachable], tmp_path) == 1
    assert "http://127.0.0.1:9 is not reachable" in capsys.readouterr().err


def test_verdicts_are_written_as_series(told: Canary) -> None:
    code, _, error = told('version="3"', "--write")
    assert code == 3, error
    code, _, error = told('version="3"', "--write")
    assert code == 3, error  # the same sample at the same time is no mistake
    query = 'airis_canary_verdict{metric="availability"}'
    verdicts = {"better": "0", "same": "0", "worse": "1", "undecided": "0"}
    assert _values(told.url, query, "verdict") == verdicts
    assert set(_values(told.url, query, "monitor")) == set(_values(told.url, query, "model")) == {"digits"}
    assert set(_values(told.url, query, "baseline")) == {'version="1"'}
    assert set(_values(told.url, query, "candidate")) == {'version="3"'}


def test_the_document_says_whose_series_are_whose_and_that_somebody_looks_is_written(told: Canary) -> None:
    told.file.write_text(
        DOCUMENT + '  canary: {baseline: {version: "1"}, candidate: {version: "3"}, margin: 20%, alpha: 1%}\n'
    )
    code, out, error = told("", "--format", "json")
    assert code == 0, error
    assert json.loads(out)["alpha"] == 0.01
    assert {one["margin"] for one in json.loads(out)["metrics"]} == {0.2}
    assert set(_verdicts(out).values()) == {"same"}
    code, out, _ = told("", "--format", "json", "--margin", "1%", "--alpha", "5%")
    assert code == 3

    # What is written is what the document's alert reads.
    assert told("", "--margin", "1%", "--write")[0] == 3
    (monitor,) = load([told.file]).monitors
    assert monitor.canary is not None
    assert set(_values(told.url, alert(monitor, monitor.canary).expression, "metric")) == {
        "availability",
        "own",
    }

    code, out, error = told('version="9"', "--write")
    assert (code, out) == (1, "")
    assert 'has version="9"' in error
    query = """airis_canary_verdict{candidate='version="9"',verdict="undecided"} == 1"""
    assert set(_values(told.url, query, "metric")) == {"availability", "fast", "right", "own"}


def test_the_analyzer_finds_what_the_command_finds(told: Canary, tmp_path: Path) -> None:
    told.file.write_text(
        DOCUMENT + '  canary: {baseline: {version: "1"}, candidate: {version: "3"}, margin: 1%}\n'
    )
    (analyzer,) = (one for one in build(load([told.file])) if one.path == "analyzer/analyzer.yaml")
    config = tmp_path / "analyzer.yaml"
    config.write_text(analyzer.text)

    def both() -> Any:
        """Return what the command found, where both looked at the same minute."""
        flags = ["once", f"--config.file={config}", f"--prometheus.url={told.url}"]
        assert service.main(flags) == 0
        told.capsys.readouterr()
        code, out, _ = told("", "--format", "json")
        assert code == 3
        at = _values(told.url, 'timestamp(airis_canary_difference{metric="own"})', "monitor")["digits"]
        found = json.loads(out)
        return found if found["until"] == float(at) else None

    found = until(both, what="a minute in which both looked")
    for name, key in (("", "difference"), ("_lower", "lower"), ("_upper", "upper")):
        written = _values(told.url, f"airis_canary_difference{name}", "metric")
        assert {one["name"]: one[key] for one in found["metrics"]} == {
            k: float(v) for k, v in written.items()
        }
    for verdict in ("worse", "same"):
        names = _values(told.url, f'airis_canary_verdict{{verdict="{verdict}"}} == 1', "metric")
        assert set(names) == {one["name"] for one in found["metrics"] if one["verdict"] == verdict}


def test_without_sides_nothing_is_compared(told: Canary) -> None:
    code, out, error = told("")
    assert (code, out) == (1, "")
    assert "--candidate: say which series are whose" in error
    assert "or write `canary` into digits" in error


def test_a_server_that_takes_no_writes_is_told(told: Canary) -> None:
    code, out, error = told('version="3"', "--write", "--remote-write.url", f"{told.url}/nowhere")
    assert (code, out) == (1, "")
    assert "airis-mon canary: --write: " in error
