"""What rules alone expect of a signal, without an analyzer: as series that everything else reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from airis_mon.analyzer import series as analyzer
from airis_mon.analyzer.compile import artefacts
from airis_mon.rules import cost
from airis_mon.rules.collection import groups
from airis_mon.rules.cost import Assumptions
from airis_mon.rules.groups import MOST, Rule, file_content
from airis_mon.rules.impossible import problems
from airis_mon.rules.proofs.claims import claims
from airis_mon.rules.replay import plan
from airis_mon.spec import Anomaly, Band, Bundle, Forecast, Model, Monitor, Source, Threshold
from airis_mon.stack.servers import Server
from tests.rules.monitors import DAY, chat
from tests.rules.test_proofs import failure


def alone() -> Monitor:
    """A monitor that has no analyzer."""
    return replace(
        chat(),
        engine="rules",
        anomalies=(
            Anomaly("time_to_first_token_p95", direction="up", severity="page"),
            Anomaly("kv_cache_usage", by=("instance",)),
        ),
        forecasts=(Forecast("kv_cache_usage", DAY, 1.0, by=("instance",)),),
        thresholds=(Threshold("error_ratio", "above", Band()),),
    )


def rules(monitor: Monitor) -> list[Rule]:
    return [rule for group in groups(monitor) for rule in group.rules]


def test_all_that_the_analyzer_would_write_is_recorded_under_its_names() -> None:
    recorded = {(rule["record"], rule["labels"].get("for")) for rule in rules(alone()) if "record" in rule}
    bands = {analyzer.ACTUAL, analyzer.EXPECTED, analyzer.LOWER, analyzer.UPPER}
    for of in ("time_to_first_token_p95", "kv_cache_usage", "error_ratio"):
        assert {(name, of) for name in bands} <= recorded
        assert ((analyzer.SCORE, of) in recorded) == (of != "error_ratio")  # nothing asks for its score
    ahead = [rule for rule in rules(alone()) if rule.get("labels", {}).get("horizon") == "1d"]
    assert {analyzer.EXPECTED, analyzer.LOWER, analyzer.UPPER} <= {rule.get("record") for rule in ahead}


def test_alerts_are_those_that_read_the_analyzer() -> None:
    by_analyzer = replace(alone(), engine="analyzer")
    told = [[rule for rule in rules(one) if "alert" in rule] for one in (alone(), by_analyzer)]
    assert told[0] == told[1]
    assert not [rule for rule in rules(by_analyzer) if rule.get("record") == analyzer.ACTUAL]


def test_the_analyzer_is_not_asked_for_it() -> None:
    (written,) = artefacts(Bundle((alone(),)))
    assert "queries: []" in written.text
    (written,) = artefacts(Bundle((alone(), replace(chat(), name="analysed"))))
    assert "monitor: analysed" in written.text
    assert "monitor: support-chat" not in written.text


def test_no_group_has_more_rules_than_mimir_takes() -> None:
    many = replace(
        alone(),
        forecasts=tuple(Forecast("kv_cache_usage", day * DAY, by=("instance",)) for day in range(1, 8)),
    )
    assert max(len(group.rules) for group in groups(many)) <= MOST


def test_rules_can_be_replayed_and_their_cost_is_told() -> None:
    replayed = plan([file_content(groups(alone()))])
    assert {recording.name for recording in replayed.recordings} >= {analyzer.SCORE, analyzer.UPPER}
    assert replayed.reach > 7 * DAY
    with_rules, with_analyzer = (
        cost.estimate(one, Assumptions()) for one in (alone(), replace(alone(), engine="analyzer"))
    )
    assert not with_rules.unread
    assert with_rules.samples_per_second > with_analyzer.samples_per_second + 100


def test_monitors_that_tell_others_of_the_same_signal_share_its_proofs() -> None:
    other = replace(
        alone(),
        anomalies=tuple(replace(one, severity="ticket", page_after=3 * DAY) for one in alone().anomalies),
    )
    about = [
        [claim.about for claim in claims(one) if claim.proofs.__name__ == "_expectation"]
        for one in (alone(), other)
    ]
    assert about[0] == about[1]
    assert len(about[0]) == 3


STEP = 588
"""Seconds between evaluations: of a day ago there is a sample within five minutes."""


def told(promtool: Server, folder: Path, values: Sequence[float], checks: Mapping[str, Any]) -> str:
    """Return what promtool says of a monitor of one gauge whose values these are; nothing where all holds."""
    watched = Monitor(
        "cache",
        Model("llama"),
        Source("vllm", {"job": "vllm"}),
        anomalies=(Anomaly("kv_cache_usage", severity="page", history=DAY),),
        forecasts=tuple(Forecast("kv_cache_usage", ahead, 0.9, history=DAY) for ahead in (3600.0, DAY)),
        engine="rules",
    )
    emitted = groups(watched)
    test = {
        "rule_files": ["cache.rules.yaml"],
        "evaluation_interval": f"{STEP}s",
        "group_eval_order": [group.name for group in emitted],
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {"series": 'vllm:kv_cache_usage_perc{job="vllm"}', "values": " ".join(map(str, values))}
                ],
                **checks,
            }
        ],
    }
    (folder / "cache.rules.yaml").write_text(yaml.safe_dump(file_content(emitted)), encoding="utf-8")
    (folder / "cache.test.yaml").write_text(yaml.safe_dump(test), encoding="utf-8")
    return failure(promtool, folder, "cache.test.yaml")


def moment(hours: float) -> int:
    """Return the seconds of the evaluation that is nearest to some hours."""
    return round(hours * 3600 / STEP) * STEP


def test_a_jump_pages_once_a_day_is_known_and_the_usual_does_not(promtool: Server, tmp_path: Path) -> None:
    def usage(hours: float) -> float:
        jumped = 6 <= hours < 7 or 34 <= hours < 35
        return 0.9 if jumped else round(0.3 + 0.02 * math.sin(hours), 4)

    values = [usage(place * STEP / 3600) for place in range(36 * 3600 // STEP)]
    pages = 'count(ALERTS{alertname="ModelAnomaly",alertstate="firing",severity="page"})'
    ever = f"max_over_time({pages}[33h:{STEP}s])"
    checks = {
        "promql_expr_test": [
            {"expr": ever, "eval_time": f"{moment(33.5)}s", "exp_samples": []},  # warming up, and usual
            {
                "expr": pages,
                "eval_time": f"{moment(34.8)}s",
                "exp_samples": [{"labels": "{}", "value": 1}],
            },
            {"expr": pages, "eval_time": f"{moment(35.5)}s", "exp_samples": []},
        ]
    }
    assert told(promtool, tmp_path, values, checks) == ""


def test_what_fills_up_is_told_of_with_the_time_that_is_left(promtool: Server, tmp_path: Path) -> None:
    values = [round(0.1 + 0.3 * place * STEP / DAY, 5) for place in range(int(2.7 * DAY) // STEP)]

    def left(at: int, horizon: str) -> dict[str, Any]:
        # Three tenths a day, up to nine tenths.
        seconds = (0.9 - 0.1 - 0.3 * at / DAY) / 0.3 * DAY
        labels = f'{{for="kv_cache_usage",horizon="{horizon}",model="llama",monitor="cache"}}'
        return {
            "expr": f'abs(airis:capacity:seconds{{horizon="{horizon}"}} / {seconds} - 1) < bool 0.1',
            "eval_time": f"{at}s",
            "exp_samples": [{"labels": labels, "value": 1}],
        }

    def firing(at: int, count: int) -> dict[str, Any]:
        return {
            "expr": 'count(ALERTS{alertname="ModelCapacityForecast",alertstate="firing"})',
            "eval_time": f"{at}s",
            "exp_samples": [{"labels": "{}", "value": count}],
        }

    # Two thirds of an hour are left at the second moment: the level of an hour ago is no matter then either.
    day, hour = moment(48), moment(63.3)
    checks = {"promql_expr_test": [left(day, "1d"), firing(day, 1), left(hour, "1h"), firing(hour, 2)]}
    assert told(promtool, tmp_path, values, checks) == ""


def test_what_cannot_be_drawn_is_refused() -> None:
    kept_apart = replace(alone(), forecasts=(Forecast("kv_cache_usage", DAY, 1.0),))
    too_far = replace(alone(), forecasts=(Forecast("request_rate", 30 * DAY),))
    too_near = replace(alone(), forecasts=(Forecast("request_rate", 600.0),))
    too_short = replace(alone(), anomalies=(Anomaly("request_rate", history=600.0),))
    too_much = replace(alone(), thresholds=(Threshold("error_ratio", "below", Band(90 * DAY)),))
    paths = {
        "spec.forecasts[0].by": kept_apart,
        "spec.anomalies[0].history": too_short,
        "spec.forecasts[0].horizon": too_far,
        "spec.thresholds[0].below_band": too_much,
    }
    for path, monitor in paths.items():
        assert [problem.path for problem in problems(monitor)] == [path]
        assert not problems(replace(monitor, engine="analyzer"))
    assert ["says nothing of the next 10m" in problem.message for problem in problems(too_near)] == [True]
