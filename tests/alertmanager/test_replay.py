"""The simulated Alertmanager tells what the real one tells: same alerts, same messages, same times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from airis_mon.alertmanager.replay import Configuration, Delays, Matcher, Post, Silence, replay
from tests.alertmanager.inboxes import HttpInbox, http_inbox
from tests.waiting import until

# A group is looked at in odd seconds after its first alert. Everything happens in even ones, so that neither
# a slow machine nor a fast one changes the order.
PACE = {"group_wait": "1s", "group_interval": "2s", "repeat_interval": "5s"}
TOLERANCE = 0.8
END = 14.0
"""Seconds; below the 30 after which Alertmanager forgets empty groups, counted from its start."""


@dataclass(frozen=True)
class Step:
    """An alert that begins (`fires`) or ends at a second of the scenario."""

    at: float
    case: str
    fires: bool = True
    name: str = "a"
    began: float | None = None
    """Second at which it says that it began, where that is not now."""


STEPS = (
    Step(0, "standing"),
    Step(0, "ladder"), Step(6, "ladder", fires=False),
    Step(0, "grouped", name="a"), Step(0, "grouped", name="b"), Step(2, "grouped", name="c"),
    Step(4, "grouped", fires=False, name="a"), Step(8, "grouped", fires=False, name="b"),
    Step(8, "grouped", fires=False, name="c"),
    Step(0, "discreet", name="a"), Step(0, "discreet", name="b"),
    Step(4, "discreet", fires=False, name="a"), Step(8, "discreet", fires=False, name="b"),
    Step(0, "flapping"), Step(2, "flapping", fires=False),
    Step(4, "flapping"), Step(6, "flapping", fires=False),
    Step(0, "between", name="a"), Step(2, "between", name="b"), Step(2.6, "between", fires=False, name="b"),
    Step(0, "brief"), Step(2, "brief", fires=False),
    Step(0, "inhibited", name="source"), Step(0, "inhibited", name="target"),
    Step(6, "inhibited", fires=False, name="source"), Step(0, "two-sided", name="both"),
    Step(0, "muted"), Step(0, "inactive"), Step(0, "active"),
    Step(0, "silenced", name="a"), Step(2, "silenced", name="b"),
    Step(0, "remembered"), Step(4, "remembered", fires=False), Step(6, "remembered"),
    Step(0, "twice"), Step(0, "twins"), Step(0, "apart"),
    Step(0, "late", began=-60),
    Step(0, "of-regex-1"), Step(0, "unrouted"),
)  # fmt: skip
SILENCED = {"silenced": (2.0, 6.0), "remembered": (2.0, 5.0)}
"""Case to the seconds from and until which it is silenced."""


def _routes() -> Iterator[dict[str, Any]]:
    def own(case: str, **more: Any) -> dict[str, Any]:
        return {"receiver": case, "matchers": [f'case="{case}"'], "group_by": ["case"], **PACE, **more}

    for case in ("standing", "grouped", "discreet", "flapping", "between", "silenced", "remembered", "twice"):
        yield own(case)
    yield own("brief", group_wait="3s")
    yield own("late", group_wait="30s")
    yield own("inhibited", group_by=["..."])
    yield own("two-sided")
    yield own("muted", mute_time_intervals=["never", "always"])
    yield own("inactive", active_time_intervals=["never"])
    yield own("active", active_time_intervals=["never", "always"], mute_time_intervals=["never"])
    rungs = [
        {"receiver": "ladder", "group_by": ["..."], "continue": True, "group_wait": wait, "matchers": [rung]}
        for wait, rung in (("1s", 'rung!="1"'), ("5s", 'rung!="2"'), ("9s", 'rung!="3"'))
    ]
    yield own("ladder", routes=rungs)
    # Alertmanager remembers by matchers: the second of two routes with equal ones has nothing new to tell.
    twins = [{"receiver": "twins", "group_wait": wait, "continue": True} for wait in ("1s", "4500ms")]
    yield own("twins", routes=[{**twin, "matchers": ['name="a"']} for twin in twins])
    apart = [
        {**twin, "receiver": "apart", "matchers": [f'name!="{number}"']} for number, twin in enumerate(twins)
    ]
    yield own("apart", routes=apart)
    yield {"receiver": "regex", "matchers": ['case=~"of-.+-[0-9]"', 'case!~"of-none.*"'], **PACE}


def configuration(url: str) -> dict[str, Any]:
    routes = list(_routes())
    names = dict.fromkeys(route["receiver"] for route in routes)
    hooks = {name: [{"url": f"{url}/{name}", "send_resolved": name != "discreet"}] for name in names}
    hooks["twice"].append({"url": f"{url}/twice"})
    day = {"start_time": "00:00", "end_time": "24:00"}
    return {
        "route": {"receiver": "nobody", "routes": routes},
        "receivers": [
            {"name": "nobody"},
            *({"name": name, "webhook_configs": configs} for name, configs in hooks.items()),
        ],
        "inhibit_rules": [
            {
                "source_matchers": ['name=~"source|both"'],
                "target_matchers": ['name=~"target|both"'],
                "equal": ["case", "no_such_label"],
            }
        ],
        "time_intervals": [
            {"name": "always", "time_intervals": [{"times": [day]}]},
            {"name": "never", "time_intervals": [{"years": ["1999:2000"]}]},
        ],
    }


@dataclass(frozen=True)
class Told:
    """A message, as far as both know it; `at` is in seconds from the beginning."""

    receiver: str
    at: float
    firing: frozenset[str]
    resolved: frozenset[str]

    @property
    def content(self) -> tuple[list[str], list[str]]:
        return sorted(self.firing), sorted(self.resolved)


class Driver:
    """Plays the steps to a real Alertmanager, and keeps what it posted, and when."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.begin = time.time()
        self.posts: list[Post] = []
        self.silences: list[Silence] = []
        self._started: dict[tuple[str, str], float] = {}

    def play(self) -> None:
        due = sorted({step.at for step in STEPS} | {begin for begin, _ in SILENCED.values()})
        for moment in due:
            until(lambda moment=moment: time.time() >= self.begin + moment, what="its time")  # type: ignore[misc]
            self._post([step for step in STEPS if step.at == moment])
            for case, (begin, end) in SILENCED.items():
                if begin == moment:
                    self._silence(case, end)
        until(lambda: time.time() >= self.begin + END, what="the end")

    def _post(self, steps: list[Step]) -> None:
        now, alerts = time.time(), []
        for step in steps:
            key = (step.case, step.name)
            if step.fires:
                self._started[key] = now if step.began is None else self.begin + step.began
            labels = {"alertname": "Test", "case": step.case, "name": step.name}
            times = (self._started[key], None if step.fires else now)
            self.posts.append(Post(now, tuple(sorted(labels.items())), *times))
            names = ("startsAt", "endsAt")
            given = {name: _iso(at) for name, at in zip(names, times, strict=True) if at is not None}
            alerts.append({"labels": labels, **given})
        requests.post(f"{self.url}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()

    def _silence(self, case: str, end: float) -> None:
        now, until_then = time.time(), self.begin + end
        body = {
            "matchers": [{"name": "case", "value": case, "isRegex": False, "isEqual": True}],
            "startsAt": _iso(now),
            "endsAt": _iso(until_then),
            "createdBy": "test",
            "comment": "test",
        }
        requests.post(f"{self.url}/api/v2/silences", json=body, timeout=5).raise_for_status()
        self.silences.append(Silence((Matcher("case", "=", case),), now, until_then))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()


def _heard(inbox: HttpInbox, begin: float) -> list[Told]:
    def names(payload: Mapping[str, Any], status: str) -> frozenset[str]:
        return frozenset(alert["labels"]["name"] for alert in payload["alerts"] if alert["status"] == status)

    return [
        Told(
            post.path[1:],
            post.at - begin,
            names(post.payload, "firing"),
            names(post.payload, "resolved"),
        )
        for post in inbox.posts
    ]


@pytest.fixture(scope="module")
def inbox() -> Iterator[HttpInbox]:
    with http_inbox() as found:
        yield found


def test_the_real_alertmanager_tells_the_same_at_the_same_time(
    inbox: HttpInbox, alertmanager_server: Callable[..., Any]
) -> None:
    config = configuration(inbox.url)
    driver = Driver(alertmanager_server(config).url)
    driver.play()
    real = _heard(inbox, driver.begin)

    outcome = replay(
        Configuration.read(config),
        driver.posts,
        driver.begin + END - 0.5,
        silences=driver.silences,
        delays=Delays(delivery=0.01, began=driver.begin),
    )
    told = [
        Told(
            note.receiver,
            note.at - driver.begin,
            frozenset(alert.labels["name"] for alert in note.firing),
            frozenset(alert.labels["name"] for alert in note.resolved),
        )
        for note in outcome.notifications
    ]
    for receiver in {note.receiver for note in (*told, *real)}:
        # Groups that speak at one moment do so in any order.
        simulated, heard = (
            sorted(
                (note for note in notes if note.receiver == receiver),
                key=lambda note: (note.content, note.at),
            )
            for notes in (told, real)
        )
        assert [note.content for note in simulated] == [note.content for note in heard], (
            simulated,
            heard,
        )
        for one, other in zip(simulated, heard, strict=True):
            assert abs(one.at - other.at) < TOLERANCE, (one, other)
    # What would make the comparison empty is a failure too.
    silent = {"muted", "inactive", "brief", "nobody"}
    assert {note.receiver for note in real} == {r["name"] for r in config["receivers"]} - silent
    assert {(s.receiver, s.alert.labels["name"], s.reason) for s in outcome.suppressions} == {
        ("inhibited", "target", "inhibited"),
        ("muted", "a", "muted"),
        ("inactive", "a", "muted"),
        ("silenced", "a", "silenced"),
        ("silenced", "b", "silenced"),
        ("remembered", "a", "silenced"),
    }
