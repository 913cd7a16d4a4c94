"""Objectives over PromQL of one's own: what is refused, what is emitted, and that it is proven."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import promql_parser
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.rules import series
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import artefacts
from airis_mon.rules.expressions import ExpressionError, terms
from airis_mon.rules.proofs import specimens
from airis_mon.spec import Errors, Events, Monitor, Objective, SpecError, yaml_text
from airis_mon.stack.servers import Server
from tests.mutation.rules import mutants
from tests.rules.monitors import DAY, small
from tests.rules.test_proofs import failure, write

TOTAL = 'sum(rate(http_requests_total{job="api"}[$window]))'
FAILED = 'sum(rate(http_requests_total{job="api",code=~"5..|429"}[$window]))'

COUNTED = {
    "codes": Events(total=TOTAL, bad=FAILED),
    "slow": Events(
        total='sum(rate(http_seconds_count{job="api"}[{{.window}}]))',
        bad='sum(rate(http_seconds_count{job="api"}[{{.window}}]))\n'
        '- sum(rate(http_seconds_bucket{job="api",le="1"}[{{.window}}]))',
    ),
    "fast": Events(
        total='sum(rate(http_seconds_bucket{job="api",le="+Inf"}[$window]))',
        good='sum(rate(http_seconds_bucket{job="api",le="0.5"}[$window]))',
    ),
    "apart": Events(
        total='sum(increase(requests_total{job="api"}[$window]))',
        bad='sum(increase(errors_total{job="api",reason!="client"}[$window])) or on() vector(0)',
    ),
    "both": Events(
        total='sum(rate(reads_total[$window])) + sum(rate(writes_total{kind!~"probe|test"}[$window]))',
        bad='sum(rate(reads_total{ok="no"}[$window]))'
        ' + (sum(rate(writes_total{ok="no",kind!~"probe|test"}[$window])))',
    ),
    "outcomes": Events(
        good="sum(rate(succeeded_total[$window]))",
        total="sum(rate(succeeded_total[$window])) + sum(rate(failed_total[$window]))",
    ),
}


@pytest.mark.parametrize("what", COUNTED)
def test_every_proof_holds(what: str, promtool: Server, tmp_path: Path) -> None:
    monitor = replace(small(Objective("own", 0.99, DAY, COUNTED[what]), scrape_interval=2.0), name=what)
    tests = write(tmp_path, artefacts(monitor))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


def test_own_and_derived_objectives_live_side_by_side(promtool: Server, tmp_path: Path) -> None:
    # One reads the source's own counter: silent together with it. The other has series of its own.
    own = Events(
        total='sum(rate(airis_predictions_total{job="small"}[$window]))',
        bad='sum(rate(airis_predictions_total{job="small",outcome="timeout"}[$window]))',
    )
    monitor = replace(
        small(Objective("up", 0.99, 30 * DAY, Errors()), contract="airis"),
        objectives=(
            Objective("up", 0.99, 30 * DAY, Errors()),
            Objective("own", 0.99, 30 * DAY, own),
            Objective("other", 0.99, 30 * DAY, COUNTED["slow"]),
        ),
    )
    tests = write(tmp_path, artefacts(monitor))
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("sum(rate(x[$window]", "this is no PromQL", "write one expression"),
        ("sum(rate(x[$window])); y", "this is no PromQL", "write one expression"),
        ("x", "`x` is no sum of rates of counters, and no proof could feed it", "write sums of rates"),
        ("1", "a number is no sum of rates", "write sums of rates"),
        ("max(rate(x[$window]))", "max() is no sum of rates", "write sums of rates"),
        ("sum(x)", "`x` stands where rate() of a counter belongs", "write sum(rate("),
        ("sum(irate(x[$window]))", "irate() stands where rate()", "write sum(rate("),
        ("sum by (a) (rate(x[$window]))", "kept apart by labels", "write one objective for each part"),
        ("sum(rate(x[5m]))", "the range of rate() is fixed", "write [$window]"),
        ("sum(rate(x[$window:1m]))", "a subquery stands", "take the rate of the counter itself"),
        ("sum(rate(x[$window] offset 1h))", "`offset` and `@`", "leave them out"),
        ("sum(rate(x[$window] @ 1))", "`offset` and `@`", "leave them out"),
        ('sum(rate({a="b"}[$window]))', "the selector names no metric", "begin it with the name"),
        ('sum(rate({__name__="b"}[$window]))', "the selector names no metric", "begin it with the name"),
        ('sum(rate(x{a="$window"}[$window]))', "`$window` stands in a label's value", "[$window]"),
        ('sum(rate(x_bucket{le=~"1|2"}[$window]))', "`le=~` finds no bucket", 'le="0.5"'),
        ('sum(rate(x_bucket{le="often"}[$window]))', "`le=` finds no bucket", 'le="0.5"'),
        ("sum(rate(x[$window])) * 2", "`*` has no place in a count", "add sums of rates"),
        ("sum(rate(x[$window])) or sum(rate(y[$window]))", "`or` has no place", "add sums of rates"),
        ("sum(rate(x[$window])) + on() sum(rate(y[$window]))", "with a matching", "add sums of rates"),
        ("sum(rate(x[$window])) + sum(increase(y[$window]))", "per second", "write rate() everywhere"),
        (" + ".join(["sum(rate(x[$window]))"] * 9), "9 rates are added up; 8 are allowed", "one matcher"),
    ],
)
def test_what_cannot_be_proven_is_refused_with_what_to_write_instead(
    text: str, message: str, hint: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        terms(text)
    said, advised = caught.value.args
    assert message in said
    assert hint in advised


@pytest.mark.parametrize(
    ("events", "path", "message"),
    [
        (Events(total="up", bad=FAILED), "events.total", "no sum of rates"),
        (Events(total=TOTAL, good="up"), "events.good", "no sum of rates"),
        (Events(total=f"{TOTAL} - {FAILED}", bad=FAILED), "events.total", "taken away from the total"),
        (Events(total=FAILED, bad=FAILED), "events.bad", "no good operation can be found"),
        (Events(total=TOTAL, bad="sum(rate(x[$window]))" * 0 + TOTAL), "events.bad", "no good operation"),
        (Events(total=TOTAL, good=TOTAL), "events.good", "no failed operation can be found"),
        (Events(total=f"{TOTAL} + {TOTAL}", bad=FAILED), "events.bad", "no good operation can be found"),
        (
            Events(total=TOTAL, bad='sum(rate(x{a="b",a!="b"}[$window]))'),
            "events.bad",
            "no value of `a` can be found",
        ),
        (
            Events(total=TOTAL, bad='sum(rate(x{a=~"(?i)b"}[$window]))'),
            "events.bad",
            "is too intricate to find an example for",
        ),
    ],
)
def test_events_of_which_no_operation_is_known_are_refused(events: Events, path: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        artefacts(small(Objective("own", 0.99, 30 * DAY, events)))
    (problem,) = caught.value.problems
    assert problem.path == f"spec.objectives[0].{path}"
    assert message in problem.message


HOSTILE = [
    'a"} or vector(1) #',
    "{{ $labels.secret }}",
    "\\",
    'x"}[1s])) or absent(up{a="',
    "new\nline",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_text_in_a_label_stays_the_value_of_that_label(value: str, promtool: Server, tmp_path: Path) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    events = Events(
        total=f'sum(rate(x_total{{job="{quoted}"}}[$window]))',
        bad=f'sum(rate(x_total{{job="{quoted}",code="5"}}[$window]))',
    )
    written = artefacts(small(Objective("own", 0.99, DAY, events), scrape_interval=2.0))
    for group in yaml.safe_load(written[0].text)["groups"]:
        for rule in group["rules"]:
            promql_parser.parse(rule["expr"])
            assert all("{{ $labels" not in text for text in rule.get("annotations", {}).values())
    tests = write(tmp_path, written)
    assert [found for test in tests if (found := failure(promtool, tmp_path, test))] == []


@given(st.text(max_size=200) | st.text('sumrate()[]{}$window="~!.+- |x5', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = terms(text)
    except ExpressionError:
        return
    for term in found:
        promql_parser.parse(term.rate("5m"))


@given(st.text("ab1.|()[]*+?{}^$\\d-,", max_size=24))
def test_a_specimen_is_matched_by_its_expression(expression: str) -> None:
    try:
        found = specimens.matching(expression)
    except ValueError:
        return
    # That each of them matches is checked there; here that something was found at all.
    assert found


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("5..", ("500",)),
        ("5..|429", ("500", "429")),
        ("(4|5)[0-9]{2}", ("400", "500")),
        ("/v(1|2)/(?:chat|embed).*", ("/v1/chat0", "/v2/embed0")),
        ("[^2].+", ("a0",)),
        (r"\d+\.\d+", ("0.0",)),
        ("a|", ("a", "")),
    ],
)
def test_specimens_stand_for_every_alternative(expression: str, texts: tuple[str, ...]) -> None:
    assert specimens.matching(expression) == texts


@pytest.mark.parametrize(
    "expression", ["|".join(map(str, range(33))), "((a{20}){5}){5}", "(" * 30 + ")" * 30]
)
def test_an_expression_without_bounds_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"intricate|more than 32"):
        specimens.matching(expression)


def test_whatever_rules_record_is_known_to_be_no_counter_of_a_server() -> None:
    files = (Path(__file__).parents[2] / "rules" / "generated").glob("*.rules.yaml")
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    names = {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}
    assert len(names) > 30
    assert [name for name in sorted(names) if not series.recorded(name)] == []
    others = ("slo:requests:total", "slo:sli_events:rate", "job:answers:rate5m", "answers_total", "up")
    assert [name for name in others if series.recorded(name)] == []


def counting(what: str) -> Monitor:
    """Return a monitor over a week: its fastest windows are 70s and 14m."""
    return small(Objective("own", 0.99, 7 * DAY, COUNTED[what]))


@pytest.mark.parametrize(
    ("what", "compared"),
    [
        ("codes", ()),  # a failure is one of the operations in any case
        ("both", ()),
        ("outcomes", ()),
        ("fast", (">= 50",)),
        ("apart", (">= 50",)),
        ("slow", ("<= -50",)),
    ],
)
def test_a_part_is_held_against_its_whole_where_it_could_be_anything_else(
    what: str, compared: tuple[str, ...]
) -> None:
    (group,) = [one for one in groups(counting(what)) if one.name.endswith(":guard")]
    (guard,) = [rule for rule in group.rules if "alert" in rule]
    assert [sign for sign in (">= 50", "<= -50") if sign in guard["expr"]] == list(compared)
    assert (guard["labels"]["for"], guard["labels"]["objective"]) == ("events", "own")
    assert (guard["labels"]["guard"], guard["labels"]["severity"]) == ("impossible", "ticket")
    assert guard["for"] == "3m30s"


@pytest.mark.parametrize(
    ("what", "odd", "told"),
    [
        ("fast", {}, False),
        ("fast", {'http_seconds_bucket{job="api",le="0.5"}': "0+600x60"}, True),
        ("fast", {'http_seconds_bucket{job="api",le="0.5"}': "0+309x60"}, False),  # read at another time
        ("fast", {'http_seconds_bucket{job="api",le="0.5"}': "0+300x29 0+300x30"}, False),  # begins anew
        ("slow", {}, False),
        ("slow", {'http_seconds_bucket{job="api",le="1"}': "0+600x60"}, True),
        ("apart", {}, False),
        ("apart", {'errors_total{job="api",reason="own"}': "0+600x60"}, True),
        ("apart", {'errors_total{job="api",reason="own"}': " ".join(["NaN"] * 61)}, True),
    ],
)
def test_a_part_beyond_its_whole_is_told(
    what: str, odd: dict[str, str], told: bool, promtool: Server, tmp_path: Path
) -> None:
    # 300 operations a minute, all of them good, but for one where failures have a counter of their own.
    inputs = {
        'http_seconds_bucket{job="api",le="0.5"}': "0+300x60",
        'http_seconds_bucket{job="api",le="1"}': "0+300x60",
        'http_seconds_bucket{job="api",le="+Inf"}': "0+300x60",
        'http_seconds_count{job="api"}': "0+300x60",
        'requests_total{job="api"}': "0+300x60",
        'errors_total{job="api",reason="own"}': "0+1x60",
        **odd,
    }
    query = f'count(ALERTS{{alertname="{series.IMPLAUSIBLE_ALERT}",alertstate="firing"}})'
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": one, "values": values} for one, values in inputs.items()],
                "promql_expr_test": [
                    {
                        "expr": query,
                        "eval_time": "59m",
                        "exp_samples": [{"labels": "{}", "value": 1}] if told else [],
                    }
                ],
            }
        ],
    }
    found = [group.content() for group in groups(counting(what)) if group.name.endswith(":guard")]
    (tmp_path / "rules.yaml").write_text(yaml_text({"groups": found}, source="test"), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(yaml_text(tests, source="test"), encoding="utf-8")
    assert failure(promtool, tmp_path, "test.yaml") == ""


@pytest.mark.parametrize("what", ["fast", "slow", "apart"])
def test_no_broken_guard_of_own_counters_passes_its_proofs(
    what: str, promtool: Server, tmp_path: Path
) -> None:
    # A sample; `make mutate` breaks everything.
    broken = [one for one in mutants(counting(what)) if one.what.startswith("airis-mon:small:own:guard ")]
    with ThreadPoolExecutor(2) as pool:
        survived = list(pool.map(lambda mutant: mutant.survives(promtool, tmp_path), broken[1::11]))
    assert [mutant.what for mutant, alive in zip(broken[1::11], survived, strict=True) if alive] == []
