"""A model that is down speaks alone; what cannot answer without it is kept quiet."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.alertmanager.compile import artefacts
from airis_mon.spec import Bundle
from airis_mon.stack.servers import Server
from tests.alertmanager.documents import LEAD, ONCALL, STANDARD, build, bundle, monitor
from tests.alertmanager.test_routes import check, failures
from tests.waiting import until

RECEIVERS = (ONCALL, LEAD, STANDARD)


def chain(prefix: str = "") -> tuple[str, ...]:
    return (
        monitor(f"{prefix}embedder"),
        monitor(f"{prefix}retriever", depends_on=[f"{prefix}embedder"]),
        monitor(f"{prefix}chat", depends_on=[f"{prefix}retriever"]),
        monitor(f"{prefix}digits"),
    )


Labels = Mapping[str, str]


def page(name: str, alert: str = "ModelErrorBudgetBurn", **more: str) -> dict[str, str]:
    own = {"alertname": alert, "monitor": name, "severity": "page", "team": "chat", "model": "llama"}
    return {**own, **({"objective": "availability"} if alert == "ModelErrorBudgetBurn" else {}), **more}


def rules(of: Bundle) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(artefacts(of)[0].text)["inhibit_rules"]
    return found


def matches(matchers: list[str], labels: Labels) -> bool:
    """Say what Alertmanager would; held against the real one below."""
    for one in matchers:
        parts = re.fullmatch(r'(\w+)(=~|!=|=)"(.*)"', one)
        assert parts is not None
        value = labels.get(parts[1], "")
        equal = re.fullmatch(parts[3], value) if parts[2] == "=~" else parts[3] == value
        if bool(equal) == (parts[2] == "!="):
            return False
    return True


def inhibited(by: list[dict[str, Any]], alert: Labels, others: list[dict[str, str]]) -> bool:
    return any(
        matches(rule["target_matchers"], alert)
        and matches(rule["source_matchers"], other)
        and all(alert.get(label, "") == other.get(label, "") for label in rule.get("equal", ()))
        for rule in by
        for other in others
        if other != alert
    )


SCENES: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {
    "what depends on it": (page("embedder"), page("retriever"), True),
    "what depends on it through another": (page("embedder"), page("chat"), True),
    "a ticket of what depends on it": (page("embedder"), page("chat", severity="ticket"), True),
    "silence of it": (page("embedder", "ModelSignalAbsent", **{"for": "request_rate"}), page("chat"), True),
    "silence of an objective that pages": (
        page("embedder", "ModelSignalAbsent", objective="first-token"),
        page("chat"),
        True,
    ),
    "any alert of what depends on it": (page("embedder"), page("chat", "ModelAnomaly"), True),
    "the root": (page("chat"), page("embedder"), False),
    "what does not depend on it": (page("embedder"), page("digits"), False),
    "slowness of it": (page("embedder", objective="first-token"), page("chat"), False),
    "a ticket of it": (page("embedder", severity="ticket"), page("chat"), False),
    "an anomaly of it": (page("embedder", "ModelAnomaly"), page("chat"), False),
    "another severity": (page("embedder"), page("chat", severity="info"), False),
    "a namesake": (page("embedder-2"), page("chat"), False),
}


@pytest.mark.parametrize("scene", SCENES)
def test_an_unavailable_model_keeps_its_dependants_quiet(scene: str) -> None:
    source, target, expected = SCENES[scene]
    assert inhibited(rules(bundle(*chain(), *RECEIVERS)), target, [source]) == expected


def test_alertmanager_reads_the_rules_alike(
    alertmanager_server: Callable[..., Any], amtool: Server, tmp_path: Path
) -> None:
    # Each scene has monitors of its own, else alerts of one would keep those of another quiet.
    documents: list[str] = []
    alerts: list[dict[str, str]] = []
    expected: dict[str, bool] = {}
    for number, (scene, (source, target, quiet)) in enumerate(SCENES.items()):
        documents += chain(f"s{number}-")
        for alert, held in ((source, scene == "the root"), (target, quiet)):
            alerts.append({**alert, "monitor": f"s{number}-{alert['monitor']}"})
            expected[alerts[-1]["monitor"]] = held
    config = build(bundle(*documents, *RECEIVERS), tmp_path)
    assert check(amtool, config) == ""
    url = alertmanager_server(config).url
    now = datetime.now(UTC).isoformat()
    body = [{"labels": labels, "startsAt": now} for labels in alerts]
    requests.post(f"{url}/api/v2/alerts", json=body, timeout=5).raise_for_status()

    def kept() -> dict[str, bool]:
        told = requests.get(f"{url}/api/v2/alerts", timeout=5).json()
        return {one["labels"]["monitor"]: bool(one["status"]["inhibitedBy"]) for one in told}

    # An alert is listed before its neighbours are known, and inhibited once they are.
    end = time.monotonic() + 20
    until(lambda: kept() == expected or time.monotonic() > end, what="an answer")
    assert kept() == expected


def test_routes_of_dependants_are_those_of_others(amtool: Server, tmp_path: Path) -> None:
    config = build(bundle(*chain(), *RECEIVERS), tmp_path)
    assert check(amtool, config) == ""
    assert failures(amtool, config) == []


GRAPHS = st.integers(2, 8).flatmap(
    lambda size: st.lists(
        st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda edge: edge[0] > edge[1]),
        max_size=12,
        unique=True,
    ).map(lambda edges: (size, edges))
)


@settings(max_examples=30, deadline=None)
@given(GRAPHS)
def test_exactly_what_reaches_the_root_is_kept_quiet(graph: tuple[int, list[tuple[int, int]]]) -> None:
    size, edges = graph
    names = [f"m{number}" for number in range(size)]
    documents = [
        monitor(names[one], depends_on=[names[to] for start, to in edges if start == one])
        for one in range(size)
    ]
    found = rules(bundle(*documents, *RECEIVERS))
    reach = [[start == to for to in range(size)] for start in range(size)]
    for start, to in sorted(edges):  # edges lead to lower numbers, so those below are complete
        reach[start] = [one or other for one, other in zip(reach[start], reach[to], strict=True)]
    for root in range(size):
        told = [name for name in names if not inhibited(found, page(name), [page(names[root])])]
        assert told == [names[one] for one in range(size) if one == root or not reach[one][root]]


@settings(max_examples=30, deadline=None)
@given(GRAPHS)
def test_somebody_always_speaks(graph: tuple[int, list[tuple[int, int]]]) -> None:
    size, edges = graph
    names = [f"m{number}" for number in range(size)]
    documents = [
        monitor(names[one], depends_on=[names[to] for start, to in edges if start == one])
        for one in range(size)
    ]
    found = rules(bundle(*documents, *RECEIVERS))
    pages = [page(name) for name in names]
    roots = [names[one] for one in range(size) if all(start != one for start, _ in edges)]
    assert [alert["monitor"] for alert in pages if not inhibited(found, alert, pages)] == roots
