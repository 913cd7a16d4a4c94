"""Rules that others wrote become a document that says the same; of every rule is said what became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airis_mon.exporters import contracts
from airis_mon.rules.adoption import Adoption, Wanted, adopt
from airis_mon.rules.compile import artefacts
from airis_mon.spec import SpecError, decode
from airis_mon.stack.servers import Server
from tests.rules.test_proofs import failure, write

WANTED = Wanted("chat", "llama")
JOB = 'job="gw"'
FAILED = 'sum(rate(answers_total{job="gw",code=~"5.."}[WINDOW]))'
ALL = 'sum(rate(answers_total{job="gw"}[WINDOW]))'
EVENTS = {
    "total": 'sum(rate(answers_total{job="gw"}[$window]))',
    "bad": 'sum(rate(answers_total{job="gw",code=~"5.."}[$window]))',
}


def ratio(window: str, expression: str = f"{FAILED} / {ALL}") -> str:
    return expression.replace("WINDOW", window)


def alert(name: str, expression: str, **more: Any) -> dict[str, Any]:
    return {"alert": name, "expr": expression, **more}


def file(*rules: dict[str, Any]) -> str:
    return yaml.safe_dump({"groups": [{"name": "all", "rules": list(rules)}]})


def adopted(*rules: dict[str, Any], wanted: Wanted = WANTED) -> Adoption:
    return adopt("rules.yaml", file(*rules), wanted)


def spec(adoption: Adoption) -> dict[str, Any]:
    """Return what the document says, once it is known to be one that compiles."""
    decoded = decode({"monitor.yaml": adoption.document})
    assert decoded.problems == ()
    (monitor,) = decoded.bundle.monitors
    assert contracts.problems(monitor) == []
    assert artefacts(monitor)
    found: dict[str, Any] = yaml.safe_load(adoption.document)["spec"]
    return found


def whats(adoption: Adoption) -> dict[str, tuple[bool, str]]:
    return {verdict.rule: (verdict.taken, verdict.what) for verdict in adoption.verdicts}


SLO = {"sloth_id": "gw-answered", "sloth_service": "gw", "sloth_slo": "answered"}


def sloth(days: int, factors: tuple[float, ...], *, aggregated: bool) -> list[dict[str, Any]]:
    """Rules in the shape that Sloth writes, of either of its generations."""
    chosen = ",".join(f'{label}="{value}"' for label, value in SLO.items())
    windows = ("5m", "1h", "30m", "6h", "2h", "1d", "6h", "3d")

    def above(window: str, factor: float) -> str:
        series = f"slo:sli_error:ratio_rate{window}{{{chosen}}} > ({factor} * 0.0009999999999999432)"
        return f"max({series}) without (sloth_window)" if aggregated else f"({series})"

    def tier(place: int) -> str:
        short, long = windows[2 * place : 2 * place + 2]
        joined = " and " if aggregated else " and ignoring (sloth_window) "
        return f"({above(short, factors[place])}{joined}{above(long, factors[place])})"

    return [
        *(
            {"record": f"slo:sli_error:ratio_rate{window}", "expr": f"({ratio(window)})",
             "labels": {**SLO, "owner": "chat", "sloth_window": window}}
            for window in dict.fromkeys(windows)
        ),
        {"record": "slo:time_period:days", "expr": f"vector({days})", "labels": {**SLO, "owner": "chat"}},
        {"record": "slo:objective:ratio", "expr": "vector(0.999)", "labels": SLO},
        alert("GwErrors", f"{tier(0)} or {tier(1)}", labels={"owner": "chat", "sloth_severity": "page"},
              annotations={"summary": "Many fail", "title": "(page) {{$labels.sloth_slo}}"}),
        alert("GwErrors", f"{tier(2)} or {tier(3)}", labels={"owner": "chat", "sloth_severity": "ticket"},
              annotations={"summary": "Many fail", "title": "(ticket) {{$labels.sloth_slo}}"}),
    ]  # fmt: skip


@pytest.mark.parametrize("aggregated", [True, False])
@pytest.mark.parametrize(
    ("days", "factors"), [(30, (14.4, 6, 3, 1)), (28, (13.44, 5.6, 2.8, 0.9333333333333333))]
)
def test_rules_of_sloth_become_the_objective_that_they_were_made_of(
    days: int, factors: tuple[float, ...], aggregated: bool
) -> None:
    adoption = adopted(*sloth(days, factors, aggregated=aggregated))
    assert spec(adoption) == {
        "model": {"name": "llama"},
        "source": {"contract": "promql"},
        "objectives": [
            {
                "name": "answered",
                "target": "99.9%",
                "window": f"{days}d",
                "events": EVENTS,
                "labels": {"owner": "chat"},
                "annotations": {"summary": "Many fail"},
            }
        ],
    }
    assert all(verdict.taken for verdict in adoption.verdicts)
    assert (
        whats(adoption)["GwErrors"][1]
        == f"objective answered: 99.9% over {days}d; without the annotation title"
    )


def pyrra() -> list[dict[str, Any]]:
    """Rules in the shape that Pyrra writes, for 28 days."""
    tiers = (("5m", "1h", 14, "2m", "2d"), ("30m", "6h", 7, "15m", "4d"), ("2h", "1d", 2, "1h", "2w"),
             ("6h", "4d", 1, "3h", "4w"))  # fmt: skip
    chosen = f'{JOB},slo="gw-errors"'
    windows = dict.fromkeys(window for tier in tiers for window in tier[:2])
    return [
        *({"record": f"answers:burnrate{window}", "expr": ratio(window),
           "labels": {"job": "gw", "slo": "gw-errors"}} for window in windows),
        *(
            alert(
                "ErrorBudgetBurn",
                f"answers:burnrate{short}{{{chosen}}} > ({factor} * (1-0.99)) and "
                f"answers:burnrate{long}{{{chosen}}} > ({factor} * (1-0.99))",
                labels={"job": "gw", "slo": "gw-errors", "severity": "critical", "short": short, "long": long,
                        "exhaustion": exhaustion},
                **{"for": wait},
            )
            for short, long, factor, wait, exhaustion in tiers
        ),
        alert("SLOMetricAbsent", f"absent(answers_total{{{JOB}}}) == 1", **{"for": "10m"}),
        {"record": "answers:increase4w", "expr": f"sum(increase(answers_total{{{JOB}}}[4w]))"},
    ]  # fmt: skip


def test_rules_of_pyrra_become_one_objective_and_what_differs_is_said() -> None:
    adoption = adopted(*pyrra())
    assert spec(adoption)["objectives"] == [
        {"name": "gw-errors", "target": "99%", "window": "28d", "events": EVENTS, "labels": {"job": "gw"}}
    ]
    told = [verdict.what for verdict in adoption.verdicts if verdict.rule == "ErrorBudgetBurn"]
    assert len(told) == 4
    assert (
        "instead of burn rates of 14 over 1h, 7 over 6h, 2 over 1d, 1 over 4d ours are "
        "13.44 over 1h, 5.6 over 6h, 2.8 over 1d, 0.933333 over 3d"
    ) in told[0]
    assert "without waiting 2m" in told[0]
    assert whats(adoption)["SLOMetricAbsent"] == (
        True,
        "the alert on objective gw-errors counting nothing any more",
    )
    assert whats(adoption)["answers:increase4w"][0] is False


@pytest.mark.parametrize(
    "bound", ["14.4 * 0.001", "(14.4 * (1 - 0.999))", "0.001 * 14.4", "0.0144", "(1 - 99.9 / 100) * 14.4"]
)
@pytest.mark.parametrize("compared", ["{ratio} > {bound}", "({ratio}) >= ({bound})"])
def test_alerts_after_the_workbook_are_read_however_their_bound_is_written(bound: str, compared: str) -> None:
    both = " and ".join(compared.format(ratio=ratio(window), bound=bound) for window in ("1h", "5m"))
    (objective,) = spec(adopted(alert("HighErrorRate", both)))["objectives"]
    assert objective == {"name": "high-error-rate", "target": "99.9%", "window": "30d", "events": EVENTS}


def test_good_operations_may_be_what_is_divided() -> None:
    good = '1 - sum(rate(answers_total{job="gw",code="200"}[WINDOW])) / ' + ALL
    both = " and ".join(f"{ratio(window, good)} > 6 * 0.01" for window in ("6h", "30m"))
    (objective,) = spec(adopted(alert("Slow", both)))["objectives"]
    assert objective["events"] == {
        "total": EVENTS["total"],
        "good": 'sum(rate(answers_total{job="gw",code="200"}[$window]))',
    }


VLLM = '{job="vllm",model_name="llama"}'


def test_what_a_contract_has_words_for_is_said_in_them() -> None:
    requests = "vllm:request_success_total"
    failed = requests + VLLM.replace("}", ',finished_reason=~"abort|error"}')
    errors = f"sum(rate({failed}[WINDOW])) / sum(rate({requests}{VLLM}[WINDOW]))"
    count = f"vllm:time_to_first_token_seconds_count{VLLM}"
    bucket = "vllm:time_to_first_token_seconds_bucket" + VLLM.replace("}", ',le="0.5"}')
    slow = f"(sum(rate({count}[WINDOW])) - sum(rate({bucket}[WINDOW]))) / sum(rate({count}[WINDOW]))"
    adoption = adopted(
        *(
            alert(name, " and ".join(f"{ratio(window, what)} > 14.4 * 0.01" for window in ("1h", "5m")),
                  labels={"team": "ml"}, annotations={"runbook_url": "https://runbooks.example.com/chat"})
            for name, what in (("Errors", errors), ("Slow", slow))
        ),
        alert("CacheFull", f"vllm:kv_cache_usage_perc{VLLM} > 0.9", labels={"severity": "critical"},
              **{"for": "10m"}),
        alert("FirstToken", "histogram_quantile(0.95, sum(rate(vllm:time_to_first_token_seconds_bucket"
              f"{VLLM}[10m])) by (le)) >= 2", labels={"severity": "warning", "tier": "2"}),
        alert("ErrorShare", f"{ratio('5m', errors)} > 0.2"),
        alert("Gone", f"absent({requests}{VLLM})", **{"for": "5m"}),
    )  # fmt: skip
    assert spec(adoption) == {
        "model": {"name": "llama"},
        "source": {"contract": "vllm", "selector": {"job": "vllm", "model_name": "llama"}},
        "objectives": [
            {"name": "errors", "target": "99%", "window": "30d", "errors": {}},
            {
                "name": "slow",
                "target": "99%",
                "window": "30d",
                "latency": {"of": "time_to_first_token", "below": "500ms"},
            },
        ],
        "thresholds": [
            {"of": "kv_cache_usage", "above": 0.9, "for": "10m", "severity": "page"},
            {
                "of": "time_to_first_token_p95",
                "above": 2,
                "window": "10m",
                "for": "0s",
                "severity": "ticket",
            },
            {"of": "error_ratio", "above": 0.2, "window": "5m", "for": "0s", "severity": "ticket"},
        ],
        "alerting": {"team": "ml", "runbook": "https://runbooks.example.com/chat"},
    }
    assert all(verdict.taken for verdict in adoption.verdicts)
    assert whats(adoption)["FirstToken"][1] == (
        "threshold: time_to_first_token_p95 above 2 for 0s (ticket); at 2 itself it does not fire; "
        "without the label tier"
    )


@pytest.mark.parametrize(
    ("recorded", "compared"),
    [
        # Grouped by a label that is compared, as the workbook does it.
        (
            'sum by (job) (rate(answers_total{job="gw",code=~"5.."}[WINDOW]))'
            ' / sum by (job) (rate(answers_total{job="gw"}[WINDOW]))',
            "sum(x:ratioWINDOW) > 14.4 * 0.001",
        ),
        # The burn rate itself is recorded.
        (f"({FAILED} / {ALL}) / (1 - 0.999)", "x:ratioWINDOW > 14.4"),
        (f"{FAILED} / ({ALL} > 0)", "max(x:ratioWINDOW) / 0.001 > 14.4"),
    ],
)
def test_recordings_are_followed_whatever_is_recorded(recorded: str, compared: str) -> None:
    windows = ("1h", "5m")
    adoption = adopted(
        *({"record": f"x:ratio{window}", "expr": ratio(window, recorded)} for window in windows),
        alert("Burn", " and ".join(ratio(window, compared) for window in windows)),
    )
    assert spec(adoption)["objectives"] == [
        {"name": "burn", "target": "99.9%", "window": "30d", "events": EVENTS}
    ]
    assert all(verdict.taken for verdict in adoption.verdicts)


def test_rules_that_select_by_no_label_need_to_be_told_which_series_are_the_model_s() -> None:
    rules = (
        alert("CacheFull", "vllm:kv_cache_usage_perc > 0.9"),
        {"record": "llm:ttft:p95_5m", "expr": "histogram_quantile(0.95, sum(rate("
         "vllm:time_to_first_token_seconds_bucket[5m])) by (le, instance))"},
        alert("Slow", "llm:ttft:p95_5m > 2", **{"for": "2m"}),
    )  # fmt: skip
    assert "give --selector" in whats(adopted(*rules))["CacheFull"][1]
    adoption = adopted(*rules, wanted=Wanted("chat", "llama", selector={"job": "vllm"}))
    assert spec(adoption)["source"] == {"contract": "vllm", "selector": {"job": "vllm"}}
    assert spec(adoption)["thresholds"] == [
        {"of": "kv_cache_usage", "above": 0.9, "for": "0s", "severity": "ticket"},
        {"of": "time_to_first_token_p95", "above": 2, "window": "5m", "by": ["instance"], "for": "2m",
         "severity": "ticket"},
    ]  # fmt: skip
    assert whats(adoption)["Slow"] == (
        True,
        "threshold: time_to_first_token_p95 above 2 for 2m (ticket); for the series of this model alone",
    )


@pytest.mark.parametrize(
    ("turned", "operator"), [("0.9 < CACHE", ">"), ("0.9 <= CACHE", ">="), ("0.9 == CACHE", None)]
)
def test_a_bound_may_stand_before_the_value(turned: str, operator: str | None) -> None:
    cache = f"vllm:kv_cache_usage_perc{VLLM}"
    written = adopted(alert("CacheFull", turned.replace("CACHE", cache)))
    if operator is None:
        assert written.document == ""
        return
    assert written.document == adopted(alert("CacheFull", f"{cache} {operator} 0.9")).document
    assert whats(written) == whats(adopted(alert("CacheFull", f"{cache} {operator} 0.9")))


ONE_WINDOW = f"{ratio('5m')} > 14.4 * 0.001"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("up == 0", "it does not hold an error ratio above a multiple of a budget"),
        ("sum(rate(", "its expression is no PromQL"),
        (ONE_WINDOW, "it looks at one window alone"),
        (f"{ONE_WINDOW} and {ONE_WINDOW}", "its windows are the same"),
        (f"{ONE_WINDOW} and {ratio('1h')} > 6 * 0.001", "held against different bounds"),
        (
            f"{ONE_WINDOW} and {ratio('1h').replace('gw', 'other')} > 14.4 * 0.001",
            "count different operations",
        ),
        (f"{ONE_WINDOW} and {ratio('1h')} > 14.4 * 0.001 and hour() > 8", "no ratio of counters"),
        ("a > 1 and b > 2", "it joins conditions by `and`, and a threshold holds one value"),
        (f"{ratio('7m')} > 0.05 and {ratio('93m')} > 0.05", "neither target nor factor can be told"),
        (f"{ratio('5m')} > scalar(x) and {ratio('1h')} > scalar(x)", "is no number"),
        ("gone:ratio5m > 14.4 * 0.001 and gone:ratio1h > 14.4 * 0.001", "no recording of one in this file"),
        (f"{ratio('5m')} / on (job) x > 14 * 0.001", "no ratio of counters"),
        ("absent(other_total)", "nothing of the document counts these series"),
        (
            " and ".join(f"{ratio(window).replace('sum', 'max')} > 14.4 * 0.001" for window in ("1h", "5m")),
            "max() is no sum of rates",
        ),
        (
            " and ".join(f"{ratio(window)} > 14.4 * 0.6" for window in ("1h", "5m")),
            "no page on this target could ever fire",
        ),
    ],
)
def test_what_does_not_fit_is_left_with_the_reason(expression: str, why: str) -> None:
    fits = alert("Fits", " and ".join(f"{ratio(window)} > 14.4 * 0.01" for window in ("1h", "5m")))
    adoption = adopted(fits, alert("Odd", expression))
    taken, said = whats(adoption)["Odd"]
    assert not taken
    assert why in said
    assert len(spec(adoption)["objectives"]) == 1


def test_where_nothing_fits_there_is_no_document() -> None:
    adoption = adopted(alert("Down", "up == 0"), {"record": "a:b", "expr": "sum(up)"})
    assert adoption.document == ""
    assert [verdict.taken for verdict in adoption.verdicts] == [False, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("groups: [{name: a, rules: [{alert: A}]}]", "`expr` is missing"),
        ("groups: [{name: a, rules: [{alert: A, record: b, expr: up}]}]", "exclude each other"),
        ("groups: [{name: a, rules: [{alert: A, expr: up, for: soon}]}]", "`soon` is no duration"),
        ("groups: [{name: a, rulez: []}]", "unknown key `rulez`"),
        ("kind: ConfigMap\napiVersion: v1\nspec: {groups: []}", "`ConfigMap` holds no rules of Prometheus"),
        (
            "kind: ModelMonitor\napiVersion: airis.dev/v1alpha1",
            "`airis-mon check` says whether it",
        ),
        ("a: &a [1]\nb: [*a, *b]", "nothing is anchored"),
        ("[" * 100 + "]" * 100, "nested deeper than"),
        ("x", "stands where a mapping belongs"),
    ],
)
def test_what_is_no_rule_file_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        adopt("rules.yaml", text, WANTED)
    assert message in str(caught.value)
    assert "--> rules.yaml:" in str(caught.value)


def test_a_document_of_imported_rules_is_proven_as_any_other(promtool: Server, tmp_path: Path) -> None:
    adoption = adopted(*sloth(30, (14.4, 6, 3, 1), aggregated=True))
    (monitor,) = decode({"monitor.yaml": adoption.document}).bundle.monitors
    tests = write(tmp_path, artefacts(monitor))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


PIECES = st.sampled_from(
    [
        FAILED.replace("WINDOW", "5m"), ALL.replace("WINDOW", "1h"), ratio("5m"), ratio("1h"), "absent(", ")",
        "(", " / ", " > ", " and ", " or ", " - ", "0.001", "14.4 * 0.001", "1", "a:b", "vector(1)", "[5m]",
        "max(", " without (x)", " == 1", '{le="0.5"}', "vllm:kv_cache_usage_perc", VLLM, " offset 5m", "NaN",
        "Inf", '"x"',
    ]
)  # fmt: skip
EXPRESSIONS = st.lists(PIECES, min_size=1, max_size=12).map("".join) | st.text(max_size=30)
LABELS = st.dictionaries(
    st.sampled_from(["severity", "team", "slo", "exhaustion", "sloth_slo", "a"]) | st.text(max_size=5),
    st.text(max_size=10) | st.sampled_from(["page", "2d", "answered"]) | st.integers(),
    max_size=3,
)
RULES = st.fixed_dictionaries(
    {"expr": EXPRESSIONS, "labels": LABELS, "annotations": LABELS},
    optional={"for": st.sampled_from(["5m", "0s", "2d"])},
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(["alert", "record"]), st.sampled_from(["a:b", "A"]), RULES), max_size=6
    )
)
def test_whatever_the_rules_are_every_one_is_told_of_and_the_document_is_sound(
    given_rules: list[tuple[str, str, dict[str, Any]]],
) -> None:
    rules = [{kind: name, **rule} for kind, name, rule in given_rules]
    try:
        adoption = adopt("rules.yaml", json.dumps({"groups": [{"name": "g", "rules": rules}]}), WANTED)
    except SpecError:
        return  # a character that YAML does not allow
    assert len(adoption.verdicts) == len(rules)
    if adoption.document:
        spec(adoption)
