from __future__ import annotations

import re

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from airis_mon.exporters.contracts import le_matcher, spellings
from airis_mon.rules.literals import number


def pattern(boundary: float) -> str:
    """Return what the matcher accepts, as PromQL's own parser reads it."""
    parsed = promql_parser.parse(f"x{{{le_matcher(boundary)}}}")
    assert isinstance(parsed, promql_parser.VectorSelector)
    (matcher,) = parsed.matchers.matchers
    assert matcher.name == "le"
    return str(matcher.value) if "=~" in le_matcher(boundary) else re.escape(matcher.value)


@pytest.mark.parametrize(
    ("boundary", "matcher"),
    [
        (0.5, 'le="0.5"'),
        (0.01, 'le="0.01"'),
        (1.0, r'le=~"1|1\\.0"'),
        (2560.0, r'le=~"2560|2560\\.0"'),
        (1e6, r'le=~"1000000|1000000\\.0|1e\\+06"'),
    ],
)
def test_matcher_of_a_boundary(boundary: float, matcher: str) -> None:
    assert le_matcher(boundary) == matcher


# What strconv.FormatFloat(x, 'g', -1, 64) returns, which is how Go clients write and Prometheus 3 stores.
@pytest.mark.parametrize(
    ("boundary", "go"),
    [
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.00025, "0.00025"),
        (1.5e-07, "1.5e-07"),
        (10.0, "10"),
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1048576.0, "1.048576e+06"),
        (67108864.0, "6.7108864e+07"),
        (1e21, "1e+21"),
    ],
)
def test_go_and_prometheus_3_spell_it_so(boundary: float, go: str) -> None:
    stored = go if "." in go or "e" in go else f"{go}.0"
    assert {go, stored} <= set(spellings(boundary))


def python_client(boundary: float) -> str:
    return str(floatToGoString(boundary))  # type: ignore[no-untyped-call]


boundaries = st.floats(min_value=1e-9, max_value=1e15)


@given(boundaries)
def test_matcher_accepts_what_the_python_client_writes(boundary: float) -> None:
    assert re.fullmatch(pattern(boundary), python_client(boundary))


@given(boundaries, boundaries)
def test_matcher_accepts_no_other_boundary(boundary: float, other: float) -> None:
    accepted = bool(re.fullmatch(pattern(boundary), python_client(other)))
    assert accepted == (boundary == other)


@given(boundaries)
def test_a_dot_is_a_dot(boundary: float) -> None:
    for spelling in spellings(boundary):
        assert not re.fullmatch(pattern(boundary), spelling.replace(".", "x") + "x")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_as_they_were(value: float) -> None:
    assert float(number(value)) == value
