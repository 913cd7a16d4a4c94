"""What rules alone expect of a signal, without an analyzer: as series that everything else reads."""

from __future__ import annotations

from dataclasses import replace

from airis_mon.analyzer import series as analyzer
from airis_mon.analyzer.compile import artefacts
from airis_mon.rules import cost
from airis_mon.rules.collection import groups
from airis_mon.rules.cost import Assumptions
from airis_mon.rules.groups import MOST, Rule, file_content
from airis_mon.rules.proofs.claims import claims
from airis_mon.rules.replay import plan
from airis_mon.spec import Anomaly, Band, Bundle, Forecast, Monitor, Threshold
from tests.rules.monitors import DAY, chat


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
