"""Properties that hold for whatever is written."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.spec import (
    CANDIDATES,
    decode,
    format_duration,
    format_percent,
    json_schema,
    parse_duration,
    parse_percent,
)

EXAMPLES = [
    path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "examples").glob("*.yaml")
]
# The machine that runs this may be busy with something else.
patient = settings(deadline=None)
VALIDATOR = jsonschema.Draft202012Validator(json_schema())

KEYS = st.sampled_from(sorted({key for text in EXAMPLES for key in re.findall(r"([A-Za-z_]+):", text)}))
WORDS = st.sampled_from(sorted({word for text in EXAMPLES for word in re.findall(r"[^\s:{},]+", text)}))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS | st.dates()
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=6)
    ),
    max_leaves=30,
)


def check(text: str) -> None:
    """Decode and hold what is told against the text."""
    decoded = decode({"a.yaml": text})
    assert decoded == decode({"a.yaml": text})
    for problem in decoded.problems:
        assert problem.location is not None
        assert problem.location.line >= 1
        assert problem.location.column >= 1
        assert problem.location.column <= len(problem.location.text) + 1
        assert str(problem).startswith("error: ")
    if not decoded.problems:
        assert (
            decoded.bundle.monitors
            or decoded.bundle.receivers
            or decoded.bundle.policies
            or "Profile" in text
        )


@patient
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    check(text)


@patient
@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data.decode("utf-8", errors="surrogateescape"))


@patient
@given(st.lists(TREES, min_size=1, max_size=3))
def test_any_yaml_is_read_or_refused(documents: list[Any]) -> None:
    check(yaml.safe_dump_all(documents, allow_unicode=True))


@patient
@given(st.sampled_from(["ModelMonitor", "Receiver", "EscalationPolicy", "Profile"]), TREES)
def test_any_spec_is_read_or_refused(kind: str, spec: Any) -> None:
    head = {"apiVersion": "airis.dev/v1alpha1", "kind": kind, "metadata": {"name": "a"}}
    check(yaml.safe_dump({**head, "spec": spec}))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_any_slip_of_the_pen_is_read_or_refused(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 12))
    typed = data.draw(st.text(st.sampled_from("\t\n :-{}[]&*#'\"|>%!ab01\u2028é"), max_size=4))
    check(text[:start] + typed + text[start + length :])


@patient
@given(st.integers(0, 400 * 86_400_000))
def test_durations_survive_a_round_trip(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@patient
@given(st.integers(1, 99), st.integers(0, 999_999))
def test_targets_survive_a_round_trip(whole: int, fraction: int) -> None:
    text = f"{whole}.{fraction:06}%"
    ratio = parse_percent(text)

    assert ratio == pytest.approx((whole + fraction / 1e6) / 100, abs=1e-15)
    assert parse_percent(format_percent(ratio)) == ratio


NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
SIGNALS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


def durations(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Return durations within so many seconds."""
    return st.integers(shortest * 1000, longest * 1000).map(lambda value: format_duration(value / 1000))


OBJECTIVES = st.builds(
    lambda indicator, **rest: rest | indicator,
    name=NAMES,
    target=st.integers(1, 99).map(lambda percent: f"{percent}.5%"),
    window=durations(86400, 366 * 86400),
    indicator=st.just({"errors": {}})
    | st.fixed_dictionaries({"of": SIGNALS, "below": durations(1, 3600)}).map(lambda it: {"latency": it}),
)
WATCHED = {
    "window": durations(1, 86400),
    "history": durations(600, 365 * 86400),
    "by": st.just(["zone", "instance"]),
}
ANOMALIES = st.fixed_dictionaries(
    {"of": SIGNALS},
    optional=WATCHED
    | {
        "direction": st.sampled_from(["up", "down", "both"]),
        "severity": st.sampled_from(["page", "ticket"]),
        "for": durations(0, 3600),
    },
)
THRESHOLDS = st.fixed_dictionaries(
    {"of": SIGNALS, "above": st.floats(0, 1e6).map(lambda value: round(value, 3))},
    optional={key: WATCHED[key] for key in ("window", "by")}
    | {"severity": st.sampled_from(["page", "ticket"]), "for": durations(0, 86400)},
)
FORECASTS = st.fixed_dictionaries(
    {"of": SIGNALS, "horizon": durations(60, 90 * 86400)},
    optional=WATCHED
    | {
        "capacity": st.floats(-1e6, 1e6).map(lambda value: round(value, 3)),
        "candidates": st.lists(st.sampled_from(CANDIDATES), min_size=1, unique=True),
    },
)
MONITORS = st.fixed_dictionaries(
    {
        "model": st.fixed_dictionaries({"name": TEXTS}, optional={"version": TEXTS}),
        "source": st.fixed_dictionaries(
            {"contract": NAMES, "selector": st.dictionaries(SIGNALS, TEXTS, min_size=1, max_size=8)}
        ),
        "objectives": st.lists(OBJECTIVES, min_size=1, max_size=3, unique_by=lambda it: it["name"]),
    },
    optional={
        "anomalies": st.lists(ANOMALIES, max_size=3, unique_by=lambda it: it["of"]),
        "forecasts": st.lists(FORECASTS, max_size=3, unique_by=lambda it: it["of"]),
        "thresholds": st.lists(THRESHOLDS, max_size=3),
        "alerting": st.fixed_dictionaries({}, optional={"team": TEXTS, "page_budget": st.just("3 / 2w")}),
    },
)


@patient
@given(NAMES, MONITORS)
def test_decoder_and_schema_accept_what_the_design_allows(name: str, spec: dict[str, Any]) -> None:
    document = {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "ModelMonitor",
        "metadata": {"name": name},
        "spec": spec,
    }
    decoded = decode({"a.yaml": yaml.safe_dump(document, allow_unicode=True)})

    assert decoded.problems == ()
    assert list(VALIDATOR.iter_errors(document)) == []
    (monitor,) = decoded.bundle.monitors
    assert len(monitor.anomalies) == len(spec.get("anomalies", []))
    assert monitor.source.selector == spec["source"]["selector"]
