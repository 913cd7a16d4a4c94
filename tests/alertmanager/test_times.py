"""Steps that are told at some times only: what is refused, and that Alertmanager tells time alike."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.alertmanager import coverage
from airis_mon.alertmanager.compile import artefacts
from airis_mon.alertmanager.replay.intervals import interval as read_interval
from airis_mon.alertmanager.time_intervals import recurrence as written
from airis_mon.cli.proofs import hours
from airis_mon.cli.proofs.runs import Failure
from airis_mon.spec import MONTHS, WEEKDAYS, Recurrence, SpecError, Step, TimeInterval
from airis_mon.stack.servers import Server
from tests.alertmanager.documents import (
    LEAD,
    ONCALL,
    build,
    bundle,
    cases_of,
    document,
    monitor,
    policy,
    receiver,
    team,
)
from tests.alertmanager.inboxes import http_inbox
from tests.alertmanager.test_routes import check, failures
from tests.recurrences import RECURRENCES
from tests.waiting import until


def interval(name: str, *recurrences: str, location: str = "UTC") -> str:
    times = ", ".join(f"{{{one}}}" for one in recurrences)
    return document("TimeInterval", name, f"{{location: {location}, intervals: [{times}]}}")


BUSINESS = interval("business", "weekdays: [monday:friday], times: [09:00-17:00]", location="Europe/Berlin")
NIGHT = interval(
    "night",
    "weekdays: [monday:friday], times: [00:00-09:00, 17:00-24:00]",
    "weekdays: [saturday, sunday]",
    location="Europe/Berlin",
)
FOLLOW_THE_SUN = (
    interval("berlin", "times: [08:00-20:00]", location="Europe/Berlin"),
    interval("tokyo", "times: [08:00-20:00]", location="Asia/Tokyo"),
    interval("seattle", "times: [08:00-20:00]", location="America/Los_Angeles"),
)


def page(*steps: str) -> str:
    return policy("standard", f"{{page: [{', '.join(f'{{{step}}}' for step in steps)}]}}")


def refused(*documents: str) -> str:
    with pytest.raises(SpecError) as caught:
        artefacts(bundle(monitor("chat"), ONCALL, LEAD, *documents))
    assert all(problem.location and problem.hint for problem in caught.value.problems)
    return str(caught.value)


def config(*documents: str) -> dict[str, Any]:
    texts = artefacts(bundle(monitor("chat"), ONCALL, LEAD, *documents))
    found: dict[str, Any] = yaml.safe_load(texts[0].text)
    return found


def test_day_and_night_share_a_rung() -> None:
    found = config(
        BUSINESS,
        NIGHT,
        page(
            "receivers: [lead], active_time_intervals: [business]",
            "receivers: [oncall], mute_time_intervals: [business]",
            "receivers: [oncall, lead], after: 15m",
        ),
    )
    rungs = found["route"]["routes"][0]["routes"]
    assert [rung.get("active_time_intervals") for rung in rungs] == [["business"], None, None, None]
    assert [rung.get("mute_time_intervals") for rung in rungs] == [None, ["business"], None, None]
    assert [rung["group_wait"] for rung in rungs] == ["30s", "30s", "15m", "15m"]
    assert found["time_intervals"][0] == {
        "name": "business",
        "time_intervals": [
            {
                "times": [{"start_time": "09:00", "end_time": "17:00"}],
                "weekdays": list(WEEKDAYS[:5]),
                "location": "Europe/Berlin",
            }
        ],
    }


def test_a_policy_is_mute_in_all_of_its_steps() -> None:
    steps = "[{receivers: [lead], mute_time_intervals: [business]}, {receivers: [oncall], after: 5m}]"
    found = config(
        BUSINESS,
        interval("sundays", "weekdays: [sunday]"),
        policy("standard", f"{{page: {steps}, ticket: {steps}, mute_time_intervals: [sundays]}}"),
    )
    rungs = found["route"]["routes"][0]["routes"]
    assert [rung["mute_time_intervals"] for rung in rungs] == [["business", "sundays"], ["sundays"]] * 2


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (
            (BUSINESS, page("receivers: [oncall], active_time_intervals: [business]")),
            "the ladder has no end: on Saturday, 01 January 2028 at 01:00 (Europe/Berlin)",
        ),
        (
            (
                BUSINESS,
                page("receivers: [oncall]", "receivers: [lead], after: 5m, mute_time_intervals: [business]"),
            ),
            "the ladder has no end: on Monday, 03 January 2028 at 09:00 (Europe/Berlin)",
        ),
        (
            (
                *FOLLOW_THE_SUN[:2],
                page(
                    "receivers: [oncall], active_time_intervals: [berlin]",
                    "receivers: [lead], active_time_intervals: [tokyo]",
                ),
            ),
            "the ladder has no end: on Saturday, 01 January 2028 at 20:00 (Europe/Berlin)",
        ),
        (
            (
                interval("most", 'days_of_month: ["1:30"]'),
                page("receivers: [oncall], active_time_intervals: [most]"),
            ),
            "the ladder has no end: on Monday, 31 January 2028 at 00:00 (UTC)",
        ),
        (
            (
                BUSINESS,
                page(
                    "receivers: [oncall], active_time_intervals: [business], mute_time_intervals: [business]",
                    "receivers: [lead], after: 5m",
                ),
            ),
            "this step is never told: it is mute whenever it is active",
        ),
        (
            (
                interval("all", "times: [00:00-24:00]"),
                policy("standard", "{page: [{receivers: [oncall]}], mute_time_intervals: [all]}"),
            ),
            "this policy never tells anybody",
        ),
        (
            (
                BUSINESS,
                policy(
                    "standard",
                    "{page: [{receivers: [oncall], active_time_intervals: [business]},"
                    " {receivers: [lead], after: 5m}], mute_time_intervals: [business]}",
                ),
            ),
            "this step is never told: it is mute whenever it is active",
        ),
        (
            (interval("never", 'days_of_month: ["30:31"], months: [february]'), page("receivers: [oncall]")),
            "this time never comes",
        ),
        (
            (
                interval("far", "times: [09:00-17:00]", location="Atlantis/Capital"),
                page("receivers: [oncall]"),
            ),
            "`Atlantis/Capital` is no time zone that this machine knows",
        ),
        (
            (
                BUSINESS,
                page(
                    "receivers: [oncall]",
                    "receivers: [oncall], after: 10s",
                    "receivers: [lead], after: 10s, active_time_intervals: [business]",
                ),
            ),
            "the step before is told after 30s",
        ),
    ],
)  # fmt: skip
def test_a_ladder_that_leaves_somebody_untold_is_refused(documents: tuple[str, ...], message: str) -> None:
    assert message in refused(*documents)


@pytest.mark.parametrize(
    "documents",
    [
        (BUSINESS, NIGHT, page("receivers: [oncall], active_time_intervals: [business, night]")),
        (*FOLLOW_THE_SUN, page("receivers: [oncall], active_time_intervals: [berlin, tokyo, seattle]")),
        (interval("leap", 'days_of_month: ["29"], months: [february]'),
         page("receivers: [oncall]", "receivers: [lead], after: 0s, active_time_intervals: [leap]")),
        (interval("fridays", 'days_of_month: ["13"], weekdays: [friday]'),
         page("receivers: [oncall]", "receivers: [lead], after: 0s, active_time_intervals: [fridays]")),
        (BUSINESS, policy("standard", "{page: [{receivers: [oncall]}], "
         "ticket: [{receivers: [lead], active_time_intervals: [business]}]}")),
    ],
    ids=["day and night", "followers of the sun", "leap day", "Friday the 13th", "tickets may wait"],
)  # fmt: skip
def test_a_ladder_on_which_somebody_is_always_told_passes(documents: tuple[str, ...]) -> None:
    assert config(*documents)


def test_a_team_decides_the_policy_and_a_monitor_may_differ(amtool: Server, tmp_path: Path) -> None:
    everybody = bundle(
        monitor("support", None),  # names the team `chat` and no policy
        monitor("search", "other"),
        team("chat", "standard"),
        team("unowned", "standard"),
        page("receivers: [oncall]"),
        policy("other", "{page: [{receivers: [lead]}]}"),
        ONCALL,
        LEAD,
    )
    path = build(everybody, tmp_path)
    assert check(amtool, path) == ""
    assert failures(amtool, path) == []
    cases = cases_of((tmp_path / "alertmanager/routes.test.yaml").read_text())
    told = {
        case["labels"].get("monitor"): case["receivers"]
        for case in cases
        if case["labels"]["severity"] == "page"
    }
    assert told["support"] == ["oncall"]
    assert told["search"] == ["lead"]


ZONES = st.sampled_from(("UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"))
YEAR = (
    datetime(coverage.FIRST_YEAR, 1, 1, tzinfo=UTC),
    datetime(coverage.FIRST_YEAR, 12, 31, 23, 59, tzinfo=UTC),
)
MOMENTS = st.datetimes(YEAR[0].replace(tzinfo=None), YEAR[1].replace(tzinfo=None)).map(
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()
)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECURRENCES, min_size=1, max_size=2), ZONES, MOMENTS)
def test_times_laid_out_are_those_that_alertmanager_is_told(
    recurrences: list[Recurrence], location: str, moment: float
) -> None:
    ours = TimeInterval("some", tuple(recurrences), location)
    theirs = [read_interval({**written(one), "location": location}) for one in recurrences]
    told = coverage.told(
        Step(("oncall",), active_time_intervals=("some",)), {"some": ours}, coverage.FIRST_YEAR
    )
    assert any(begin <= moment < end for begin, end in told) == any(one.contains(moment) for one in theirs)


@settings(max_examples=30, deadline=None)
@given(st.lists(RECURRENCES, min_size=1, max_size=2), ZONES)
def test_what_is_active_and_what_is_mute_at_the_same_times_leave_no_gap(
    recurrences: list[Recurrence], location: str
) -> None:
    intervals = {"some": TimeInterval("some", tuple(recurrences), location)}
    day = Step(("oncall",), active_time_intervals=("some",))
    night = Step(("lead",), mute_time_intervals=("some",))
    assert coverage.silence([day, night], intervals) is None
    silent = coverage.silence([day], intervals)
    theirs = [read_interval({**written(one), "location": location}) for one in recurrences]
    assert silent is None or not any(one.contains(silent) for one in theirs)


def _around_now(now: datetime) -> list[tuple[str, Recurrence, str]]:
    """Return intervals that hold now and such that do not, by each of their parts, some in other zones."""
    minute = now.hour * 60 + now.minute
    here, there = (max(minute - 60, 0), min(minute + 60, 1440)), (0, max(minute - 60, 1))
    other = (min(minute + 60, 1439), 1440)
    length = (now.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return [
        ("times", Recurrence(times=(here,)), "UTC"),
        ("before", Recurrence(times=(there,)), "UTC"),
        ("after", Recurrence(times=(other,)), "UTC"),
        ("today", Recurrence(weekdays=(now.weekday(),)), "UTC"),
        ("tomorrow", Recurrence(weekdays=((now.weekday() + 1) % 7,)), "UTC"),
        ("week", Recurrence(weekdays=tuple(day for day in range(7) if day != now.weekday())), "UTC"),
        ("date", Recurrence(days_of_month=((now.day, now.day),)), "UTC"),
        ("from-the-end", Recurrence(days_of_month=((now.day - length.day - 1,) * 2,)), "UTC"),
        ("other-date", Recurrence(days_of_month=((now.day % 28 + 1,) * 2,)), "UTC"),
        ("month", Recurrence(months=(now.month,)), "UTC"),
        ("other-month", Recurrence(months=(now.month % 12 + 1,)), "UTC"),
        ("all", Recurrence((here,), (now.weekday(),), ((now.day, now.day),), (now.month,)), "UTC"),
        ("all-but", Recurrence((there,), (now.weekday(),), ((now.day, now.day),), (now.month,)), "UTC"),
        ("tokyo", Recurrence(times=(here,)), "Asia/Tokyo"),
        ("kolkata", Recurrence(times=((here[0], here[1]),)), "Asia/Kolkata"),
        ("auckland", Recurrence(weekdays=(now.weekday(),)), "Pacific/Auckland"),
    ]  # fmt: skip


def test_the_real_alertmanager_tells_time_alike(
    alertmanager_server: Callable[..., Any], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    intervals = _around_now(now)
    documents = []
    expected = set()
    for name, times, location in intervals:
        spoken = ", ".join(f"{key}: {_spoken(key, times)}" for key in vars(times) if getattr(times, key))
        documents.append(interval(name, spoken, location=location))
        for kind in ("active", "mute"):
            own = f"{{receivers: [oncall], {kind}_time_intervals: [{name}]}}"
            end = "{receivers: [nobody], after: 7d}"
            documents += [
                monitor(f"{kind}-{name}", f"{kind}-{name}"),
                policy(f"{kind}-{name}", f"{{page: [{own}, {end}], group_wait: 0s, group_interval: 1s}}"),
            ]
            holds = read_interval({**written(times), "location": location}).contains(now.timestamp())
            if holds == (kind == "active"):
                expected.add(f"{kind}-{name}")
    documents += [monitor("marker"), page("receivers: [oncall]")]
    with http_inbox() as inbox:
        path = build(
            bundle(
                *documents,
                receiver("oncall", f"{{webhooks: [{{url: '{inbox.url}/oncall'}}]}}"),
                receiver("nobody", "{webhooks: [{url: 'http://127.0.0.1:9/'}]}"),
            ),
            tmp_path,
        )
        url = alertmanager_server(path).url
        names = [f"{kind}-{name}" for name, _, _ in intervals for kind in ("active", "mute")]
        alerts = [
            {
                "labels": {"alertname": "ModelErrorBudgetBurn", "monitor": name, "severity": "page"},
                "startsAt": now.isoformat(),
            }
            for name in names
        ]
        requests.post(f"{url}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()
        until(
            lambda: {name for post in inbox.posts for name in post.monitors} >= expected,
            what="pages of what is active",
        )
        # Muted groups are looked at every second; after two more looks of the others nothing else came.
        late = {**alerts[0], "labels": {**alerts[0]["labels"], "monitor": "marker"}}  # type: ignore[dict-item]
        late["startsAt"] = (now - timedelta(minutes=1)).isoformat()
        requests.post(f"{url}/api/v2/alerts", json=[late], timeout=5).raise_for_status()
        until(lambda: inbox.about("marker"), what="a page that comes after all others")
        assert {name for post in inbox.posts for name in post.monitors} == expected | {"marker"}


def _spoken(key: str, times: Recurrence) -> str:
    """Return one part of a recurrence as a person writes it."""
    match key:
        case "times":
            clock = [f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in times.times]
            return f"[{', '.join(clock)}]"
        case "weekdays":
            return f"[{', '.join(WEEKDAYS[day] for day in times.weekdays)}]"
        case "days_of_month":
            return str([f"{first}:{last}" for first, last in times.days_of_month])
    return f"[{', '.join(MONTHS[month - 1] for month in times.months)}]"


def maintenance(name: str, recurring: str, more: str = "monitors: [chat]") -> str:
    return document("Maintenance", name, f"{{reason: patches, recurring: [{recurring}], {more}}}")


def test_a_maintenance_that_comes_again_mutes_what_it_is_about() -> None:
    found = config(
        maintenance("weekly", "{weekdays: [sunday]}", "teams: [unowned], severities: [page]"),
        policy("standard", "{page: [{receivers: [oncall]}], ticket: [{receivers: [lead]}]}"),
        monitor("digits", "standard"),
        maintenance("digits", '{times: ["02:00-03:00"]}', "monitors: [digits]"),
    )
    muted = [
        [rung.get("mute_time_intervals") for rung in route["routes"]] for route in found["route"]["routes"]
    ]
    both = ["maintenance/weekly", "maintenance/digits"]
    assert muted == [[["maintenance/weekly"], None], [both, ["maintenance/digits"]]]
    assert [one["name"] for one in found["time_intervals"]] == both


@pytest.mark.parametrize(
    ("recurring", "message"),
    [
        ('{days_of_month: ["31"], months: [june]}', "this time never comes"),
        ("{weekdays: [monday:friday]}, {weekdays: [saturday:sunday]}", "this maintenance never ends"),
    ],
)
def test_a_maintenance_has_a_begin_and_an_end(recurring: str, message: str) -> None:
    assert message in refused(maintenance("odd", recurring), page("receivers: [oncall]"))


def test_the_real_alertmanager_is_mute_during_maintenance(
    alertmanager_server: Callable[..., Any], amtool: Server, tmp_path: Path
) -> None:
    today = WEEKDAYS[datetime.now(UTC).weekday()]
    with http_inbox() as inbox:
        path = build(
            bundle(
                monitor("chat"),
                monitor("digits"),
                maintenance("today", f"{{weekdays: [{today}]}}", "monitors: [chat], severities: [page]"),
                policy(
                    "standard",
                    "{page: [{receivers: [oncall]}], ticket: [{receivers: [oncall]}], "
                    "group_wait: 0s, group_interval: 1s}",
                ),
                receiver("oncall", f"{{webhooks: [{{url: '{inbox.url}/oncall'}}]}}"),
            ),
            tmp_path,
        )
        assert check(amtool, path) == ""
        assert failures(amtool, path) == []
        url = alertmanager_server(path).url
        now = datetime.now(UTC).isoformat()
        own = {"alertname": "ModelErrorBudgetBurn"}
        for name, severity in (("chat", "page"), ("chat", "ticket"), ("digits", "page")):
            # Another objective, so that the page does not inhibit the ticket.
            labels = {**own, "monitor": name, "severity": severity, "objective": severity}
            alert = {"labels": labels, "startsAt": now}
            requests.post(f"{url}/api/v2/alerts", json=[alert], timeout=5).raise_for_status()
        until(lambda: inbox.about("digits") and inbox.about("chat"), what="a page and a ticket")
        told = {
            (alert["labels"]["monitor"], alert["labels"]["severity"])
            for post in inbox.posts
            for alert in post.payload["alerts"]
        }
        assert told == {("chat", "ticket"), ("digits", "page")}


SHIFTS = (
    monitor("chat"),
    monitor("digits", "other"),
    interval("business", "weekdays: [monday:friday], times: [09:00-17:00]", location="Europe/London"),
    interval("close", 'days_of_month: ["-2:-1"], months: [march, december]', "times: [00:00-00:30]"),
    maintenance("nightly", '{times: ["02:00-03:00"]}', "monitors: [digits], severities: [page]"),
    policy(
        "standard",
        """
  page:
    - {receivers: [lead], active_time_intervals: [business]}
    - {receivers: [oncall], mute_time_intervals: [business]}
    - {receivers: [oncall, lead], after: 15m}
  ticket:
    - {receivers: [lead], active_time_intervals: [business], mute_time_intervals: [close]}
""",
    ),
    policy(
        "other",
        "{page: [{receivers: [oncall]}], ticket: [{receivers: [lead]}], mute_time_intervals: [close]}",
    ),
    ONCALL,
    LEAD,
)


def _times_broken(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the configuration with each thing that it says of times broken."""
    for path, content in _walk(found, ()):
        where = ".".join(map(str, path))
        if "time_intervals" in path and isinstance(content, dict) and "name" not in content:
            for key in content:
                left = {other: value for other, value in content.items() if other != key}
                yield f"{where} without {key}", _with(found, path, left)
        elif path[-1:] in (("start_time",), ("end_time",)):
            hours, minutes = map(int, content.split(":"))
            yield f"{where} an hour off", _with(found, path, f"{(hours + 23) % 24:02}:{minutes:02}")
        elif path[-1:] == ("location",):
            yield f"{where} elsewhere", _with(found, path, "UTC")
        elif path[-1:] in (("active_time_intervals",), ("mute_time_intervals",)):
            for name in content:
                yield f"{where} forgets {name}", _with(found, path, [one for one in content if one != name])
            other = "mute_time_intervals" if path[-1].startswith("active") else "active_time_intervals"
            turned = _with(_with(found, path, None), (*path[:-1], other), content)
            yield f"{where} turned around", turned


def _walk(content: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    yield path, content
    listed = enumerate(content) if isinstance(content, list) else ()
    for key, inner in content.items() if isinstance(content, dict) else listed:
        yield from _walk(inner, (*path, key))


def _with(config: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return the configuration with something else at a place; None for nothing."""
    other: dict[str, Any] = copy.deepcopy(config)
    *above, last = path
    place: Any = other
    for key in above:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return other


def test_whoever_is_told_at_which_hour_is_proven(amtool: Server, tmp_path: Path) -> None:
    path = build(bundle(*SHIFTS), tmp_path)
    assert check(amtool, path) == ""
    proofs = list(hours.results(tmp_path))
    assert len(proofs) > 50
    assert [one for one in proofs if isinstance(one, Failure)] == []
    broken = list(_times_broken(yaml.safe_load(path.read_text())))
    assert len(broken) > 20
    survivors = []
    for what, other in broken:
        path.write_text(yaml.safe_dump(other))
        if not any(isinstance(one, Failure) for one in hours.results(tmp_path)):
            survivors.append(what)
    assert survivors == []


def test_without_hours_there_is_nothing_to_prove(tmp_path: Path) -> None:
    build(bundle(monitor("chat"), page("receivers: [oncall]"), ONCALL, LEAD), tmp_path)
    assert not (tmp_path / "alertmanager/hours.test.yaml").exists()
    assert list(hours.results(tmp_path)) == []
