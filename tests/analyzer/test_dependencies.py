"""Who reads what another one writes, and the order that follows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query, decode
from airis_mon.analyzer.dependencies import CycleError, Matcher, components, levels, selected
from airis_mon.analyzer.forecasting.candidates import Candidates
from airis_mon.spec import SpecError


def query(signal: str, expr: str, *, score: bool = True, monitor: str = "chat") -> Query:
    return Query(monitor, "llama", signal, expr, score=score)


A = query("a", "rate(requests_total[5m])")


@pytest.mark.parametrize(
    "expr",
    [
        'anomaly_score{for="a"}',
        'max by (pod) (yhat{monitor="chat",horizon="1h"})',
        '{__name__="y", for="a", model="llama"}',
        '{__name__=~"yhat.*", monitor=~"c.+"} offset 5m',
        '{"y", for="a"}',
        "count_over_time(y{for=~'a|z'}[1h:5m]) # y",
        'up + on (monitor) y{model="llama",for!="b"}',
    ],
)
def test_what_reads_comes_after_what_writes(expr: str) -> None:
    reader = query("b", expr, monitor="all")
    assert levels([reader, A]) == ((A,), (reader,))


@pytest.mark.parametrize(
    "expr", ["y", "count(y)", '{__name__=~"yhat.*"} offset 5m', '{"y"}', '{__name__="y"}']
)
def test_what_would_read_itself_is_refused(expr: str) -> None:
    with pytest.raises(CycleError, match=r"chat/b reads what chat/b writes itself"):
        levels([A, query("b", expr)])


@pytest.mark.parametrize(
    "expr",
    [
        "sum by (y) (rate(requests_total[5m]))",
        'y{monitor="other"}',
        'y{for!="a",monitor="chat",for!~"b|c"}',
        'label_replace(up, "y", "$1", "pod", "(.*)")',
        '"y" # anomaly_score',
        'up{y="y"}',
        'latency{job="y{"} + on (yhat) group_left (anomaly_score) other',
        "rate(",
    ],
)
def test_what_reads_nothing_of_ours_waits_for_nobody(expr: str) -> None:
    reader = query("b", expr)
    assert levels([reader, A]) == ((reader, A),)


def test_a_score_that_nobody_writes_is_waited_for_by_nobody() -> None:
    unscored = query("a", "up", score=False)
    reader = query("b", 'anomaly_score{for="a"}')
    assert levels([reader, unscored]) == ((reader, unscored),)


def test_chains_are_followed_to_their_end() -> None:
    b = query("b", 'y{for="a"}')
    c = query("c", 'yhat{for="b"} - on () yhat{for="a"}')
    assert levels([c, b, A]) == ((A,), (b,), (c,))


def test_what_takes_long_to_forecast_waits_until_all_others_are_judged() -> None:
    slow = replace(A, horizons=(3600,), candidates=((3600, Candidates(("theta",), 10.0)),))
    b, c = query("b", 'y{for="a"}'), query("c", "up")
    d = query("d", 'y{for="c"}')
    assert levels([b, slow, d, c]) == ((c,), (d,), (slow,), (b,))


def test_a_circle_is_refused_with_who_is_in_it_and_where() -> None:
    b, c = query("b", 'y{for="c"}'), query("c", 'y{for="b"}')
    with pytest.raises(
        CycleError, match=r"no order is possible: (chat/b reads what chat/c|chat/c reads what chat/b)"
    ):
        levels([A, b, c, query("d", 'y{for="b"}')])
    text = "queries:\n  - {monitor: m, model: x, for: one, expr: 'y{for=\"one\"}'}\n"
    with pytest.raises(SpecError) as refused:
        decode(text, "analyzer.yaml")
    assert "analyzer.yaml:2:44" in str(refused.value)
    assert "m/one reads what m/one writes itself" in str(refused.value)


MATCHERS = st.builds(
    Matcher,
    st.sampled_from(("monitor", "model", "for")),
    st.sampled_from(("=", "!=", "=~", "!~")),
    st.sampled_from(("a", "b", "a|c", "llama", "ttft", "")),
)


@given(st.lists(MATCHERS, max_size=4))
def test_who_is_read_is_whoever_fulfils_all_conditions(matchers: list[Matcher]) -> None:
    written = [query("ttft", "up", monitor=name) for name in "abc"]
    text = ",".join(f'{m.label}{m.operator}"{m.value}"' for m in matchers)
    reader = query("count", f'count(y{{{text}}}) + on () y{{monitor="a",for="ttft"}}', monitor="reader")
    try:
        first = levels([reader, *written])[0]
    except CycleError:
        return  # it reads itself as well
    for other in written:
        values = {"monitor": other.monitor, "model": "llama", "for": "ttft"}
        wanted = all(m.takes(values[m.label]) for m in matchers) or other.monitor == "a"
        assert reader not in first
        assert [{other, reader} <= set(group) for group in components([reader, *written])].count(
            True
        ) == wanted


@given(st.text(alphabet="y{}()[]\"'`=~!,#ab \n\\_:5", max_size=60))
def test_whatever_stands_there_is_read_in_time(expr: str) -> None:
    assert len(list(selected(expr))) <= len(expr)
