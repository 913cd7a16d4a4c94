"""`monitor/signal{label="value"}`: what is meant, and what is said where nothing or too much is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.selection import (
    Selection,
    SelectionError,
    chosen,
    parse,
    queries,
    shown,
)
from airis_mon.analyzer.query import Labels

WHOLE = Query("support-chat", "llama", "time_to_first_token_p95", "latency")
PODS = replace(WHOLE, by=("pod",))
OTHER = replace(WHOLE, monitor="fraud", signal="error_ratio")
A, B = (("pod", "a"),), (("pod", "b"),)

names = st.text("aZ09_-.:ü$'\"\\", min_size=1, max_size=12)
labels = st.dictionaries(st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,9}", fullmatch=True), st.text(max_size=20))


@given(names, names, labels)
def test_a_series_is_read_as_it_is_written(monitor: str, signal: str, pairs: dict[str, str]) -> None:
    pairs.pop("__name__", None)
    one = Selection(monitor, signal, tuple(sorted(pairs.items())))
    assert parse(str(one)) == one


@given(st.text(alphabet='am/{}="\\,n $\n', max_size=40))
def test_every_text_is_a_series_or_a_refusal(text: str) -> None:
    try:
        found = parse(text)
    except SelectionError:
        return
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chat", '`chat` is no series; write monitor/signal, or monitor/signal{label="value"}'),
        ("", "is no series"),
        ("chat/ttft pod=a", "labels stand in braces"),
        ("chat/ttft{pod=a}", '`pod=a` is no label="value"'),
        ('chat/ttft{pod="a"', "labels stand in braces"),
        ('chat/ttft{pod="a",pod="b"}', "the label `pod` is there twice"),
        ('chat/ttft{pod="a" zone="b"}', "labels are separated by commas"),
        (r'chat/ttft{pod="\x"}', r"`\x` is no escape"),
        ("a" * 5000, "5000 characters are no series"),
    ],
)
def test_a_wrong_spelling_is_told(text: str, told: str) -> None:
    with pytest.raises(SelectionError) as refused:
        parse(text)
    assert told in str(refused.value)


def test_an_unknown_name_is_told_with_the_likely_one() -> None:
    with pytest.raises(SelectionError, match="`suport-chat`; did you mean `support-chat`"):
        queries(parse("suport-chat/x"), [WHOLE, OTHER])
    with pytest.raises(
        SelectionError, match="signal of fraud is called `eror_ratio`; did you mean `error_ratio`"
    ):
        queries(parse("fraud/eror_ratio"), [WHOLE, OTHER])
    with pytest.raises(SelectionError, match="is forecast and not scored"):
        queries(parse("fraud/error_ratio"), [replace(OTHER, score=False)])
    assert queries(parse("support-chat/time_to_first_token_p95"), [WHOLE, PODS, OTHER]) == (WHOLE, PODS)


def of(text: str, *candidates: tuple[Query, Labels]) -> tuple[Query, Labels]:
    return chosen(parse(f"support-chat/time_to_first_token_p95{text}"), candidates)


def test_the_one_series_that_fits_is_meant() -> None:
    assert of("", (PODS, A)) == (PODS, A)
    assert of('{pod="b"}', (PODS, A), (PODS, B)) == (PODS, B)
    # The whole model's series has no labels: it is meant where none are given.
    assert of("", (WHOLE, ()), (PODS, A), (PODS, B)) == (WHOLE, ())


def test_several_and_none_are_told_with_those_there_are() -> None:
    with pytest.raises(SelectionError) as refused:
        of("", (PODS, A), (PODS, B))
    assert "2 series are" in str(refused.value)
    assert shown("support-chat", WHOLE.signal, A) in str(refused.value)
    with pytest.raises(SelectionError) as refused:
        of('{pod="c"}', (PODS, A), (PODS, B))
    assert "no series is" in str(refused.value)
    assert shown("support-chat", WHOLE.signal, B) in str(refused.value)
    with pytest.raises(SelectionError, match="has no value in that time"):
        of("")
    many = [(PODS, (("pod", f"p{number:03}"),)) for number in range(25)]
    with pytest.raises(SelectionError, match="and 5 more"):
        of("", *many)
