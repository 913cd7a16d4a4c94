"""What holds of every replay, whatever happened: timelines drawn by chance, and the calendar of intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.alertmanager.replay import (
    Configuration,
    ConfigurationError,
    Delays,
    Firing,
    Matcher,
    Notification,
    Outcome,
    Silence,
    posts,
    replay,
)
from airis_mon.alertmanager.replay.intervals import interval

WAIT, INTERVAL = 30.0, 300.0
END = 40_000.0
LADDER: dict[str, Any] = {
    "route": {
        "receiver": "nobody",
        "routes": [
            {
                "receiver": receiver,
                "matchers": [f'rung!="{number}"'],
                "group_by": by,
                "group_wait": wait,
                "group_interval": "5m",
                "repeat_interval": "4h",
                "continue": True,
            }
            for number, (receiver, wait, by) in enumerate(
                [("oncall", "30s", ["team"]), ("lead", "15m", ["..."]), ("head", "30m", ["..."])]
            )
        ],
    },
    "receivers": [
        {"name": "nobody"},
        *(
            {"name": name, "webhook_configs": [{"send_resolved": True}]}
            for name in ("oncall", "lead", "head")
        ),
    ],
    "inhibit_rules": [
        {"source_matchers": ['alertname="Down"'], "target_matchers": ['alertname="Slow"'], "equal": ["team"]}
    ],
}
WAITS = {"oncall": 30.0, "lead": 900.0, "head": 1800.0}


@st.composite
def timelines(draw: st.DrawFn) -> list[Firing]:
    """Alerts that fire now and then, on the grid of evaluations; the same alert never twice at once."""
    found = []
    for team in draw(st.sets(st.sampled_from("xyz"), min_size=1)):
        for name in draw(st.sets(st.sampled_from(("Down", "Slow", "Odd")), min_size=1)):
            at = 0.0
            for _ in range(draw(st.integers(1, 4))):
                at += 60.0 * draw(st.integers(1, 90))
                end = at + 60.0 * draw(st.integers(1, 90))
                labels = (("alertname", name), ("team", team))
                found.append(Firing(labels, at, end, forgotten_at=None))
                at = end
    return found


def replayed(firings: list[Firing], *silences: Silence) -> Outcome:
    return replay(
        Configuration.read(LADDER),
        posts(firings, 60.0),
        END,
        silences=silences,
        delays=Delays(delivery=0.0),
    )


@settings(deadline=None)
@given(timelines())
def test_a_message_tells_of_what_is_true_when_it_is_sent(firings: list[Firing]) -> None:
    for note in replayed(firings).notifications:
        for alert in note.firing:
            assert any(_stands(firing, alert.identity, note.at) for firing in firings)
        for alert in note.resolved:
            assert not any(_stands(firing, alert.identity, note.at) for firing in firings)
            assert alert.ends_at is not None
            assert alert.ends_at <= note.at


def _stands(firing: Firing, identity: object, at: float) -> bool:
    return firing.identity == identity and firing.starts_at <= at and not (firing.ends_at or END) <= at


@settings(deadline=None)
@given(timelines())
def test_what_stands_long_enough_is_told_at_every_rung_and_nothing_else(firings: list[Firing]) -> None:
    told = replayed(firings).notifications
    for firing in firings:
        if firing.identity[0][1] == "Slow":
            continue  # may be inhibited
        if any(
            0 <= firing.starts_at - (each.ends_at or END) <= INTERVAL
            for each in firings
            if each.identity == firing.identity
        ):
            continue  # between two looks it may have ended and begun anew, and nobody has seen it
        for receiver, wait in WAITS.items():
            assert firing.ends_at is not None
            heard = [
                note
                for note in told
                if note.receiver == receiver
                and any((a.identity, a.starts_at) == (firing.identity, firing.starts_at) for a in note.firing)
            ]
            if firing.ends_at - firing.starts_at > max(wait, INTERVAL) + 1:
                assert heard, (receiver, firing)
                assert heard[0].at <= firing.starts_at + max(wait, INTERVAL)


@settings(deadline=None)
@given(timelines())
def test_a_group_speaks_at_its_looks_and_ends_by_saying_so(firings: list[Firing]) -> None:
    # Of an alert that ends while it is inhibited nobody is told that.
    last: dict[object, Notification] = {}
    for note in replayed([each for each in firings if each.identity[0][1] != "Slow"]).notifications:
        before = last.get((note.receiver, note.group))
        if before is not None:
            assert note.at > before.at
            assert before.firing or note.firing, "the end is told once"
        last[(note.receiver, note.group)] = note
    for note in last.values():
        assert note.status == "resolved"
        assert note.reason == "resolved"


@settings(deadline=None)
@given(timelines())
def test_teams_do_not_hear_of_each_other(firings: list[Firing]) -> None:
    whole = replayed(firings).notifications
    alone = [
        note
        for team in "xyz"
        for note in replayed(
            [firing for firing in firings if ("team", team) in firing.identity]
        ).notifications
    ]
    assert sorted(map(repr, whole)) == sorted(map(repr, alone))


@settings(deadline=None)
@given(timelines())
def test_a_silence_over_everything_leaves_nothing_to_tell(firings: list[Firing]) -> None:
    everything = Silence((Matcher("team", "=~", ".+"),), 0.0, END)
    outcome = replayed(firings, everything)
    assert outcome.notifications == ()
    assert {each.reason for each in outcome.suppressions} <= {"silenced", "inhibited"}


@settings(deadline=None)
@given(timelines())
def test_a_ticket_is_inhibited_exactly_while_its_cause_stands(firings: list[Firing]) -> None:
    for note in replayed(firings).notifications:
        for alert in note.firing:
            if alert.labels["alertname"] == "Slow":
                cause = (("alertname", "Down"), ("team", alert.labels["team"]))
                assert not any(_stands(firing, cause, note.at) for firing in firings)


@pytest.mark.parametrize(
    ("config", "inside", "outside"),
    [
        ({"weekdays": ["monday:friday"]}, "2026-11-27 23:59", "2026-11-28 00:00"),
        ({"weekdays": ["Sunday"]}, "2026-11-29 12:00", "2026-11-28 12:00"),
        ({"times": [{"start_time": "09:00", "end_time": "17:00"}]}, "2026-11-26 09:00", "2026-11-26 17:00"),
        ({"days_of_month": ["-1"]}, "2026-02-28 12:00", "2026-02-27 12:00"),
        ({"days_of_month": ["30:31"]}, "2026-01-30 12:00", "2026-02-28 12:00"),
        ({"months": ["december:december"]}, "2026-12-01 00:00", "2026-11-30 23:59"),
        ({"months": ["5"]}, "2026-05-01 00:00", "2026-06-01 00:00"),
        ({"years": ["2026"]}, "2026-01-01 00:00", "2025-12-31 23:59"),
        (
            {"times": [{"start_time": "08:00", "end_time": "09:00"}], "location": "Europe/Berlin"},
            "2026-07-01 06:30",
            "2026-07-01 08:30",
        ),
        ({}, "2026-01-01 00:00", None),
    ],
)
def test_an_interval_holds_as_the_calendar_says(
    config: dict[str, Any], inside: str, outside: str | None
) -> None:
    found = interval(config)
    assert found.contains(_moment(inside))
    assert outside is None or not found.contains(_moment(outside))


def _moment(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp()


@settings(deadline=None)
@given(name=st.from_regex(r"[a-z_]{1,9}", fullmatch=True), value=st.text(max_size=20))
def test_a_matcher_is_read_as_it_was_written(name: str, value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    matcher = Matcher.parsed(f'{name}="{quoted}"')
    assert (matcher.label, matcher.value) == (name, value)
    assert matcher.matches({name: value})
    assert matcher.matches({}) == (value == "")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"route": {}}, "the root route names no receiver"),
        ({"route": {"receiver": "stranger"}}, "there is no receiver `stranger`"),
        ({"route": {"receiver": "nobody", "group_limit": 3}}, "`group_limit`, which is not modelled"),
        ({"route": {"receiver": "nobody", "matchers": ["a b"]}}, "is no matcher"),
        ({"route": {"receiver": "nobody", "matchers": ['a=~"("']}}, "is no regular expression"),
        ({"route": {"receiver": "nobody", "mute_time_intervals": ["x"]}}, "no time interval `x`"),
        ({"receivers": None}, "alertmanager.yaml"),
        ({"time_intervals": [{"name": "x", "time_intervals": [{"location": "Mars/Base"}]}]}, "Mars/Base"),
    ],
)
def test_a_configuration_that_is_not_modelled_is_refused(change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigurationError, match=r"alertmanager\.yaml") as caught:
        Configuration.read({**LADDER, **change})
    assert expected in str(caught.value)
