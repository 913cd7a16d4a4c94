"""Answers of Prometheus' HTTP API, well-formed and not."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.analyzer.query.answers import Answer, AnswerError, points
from airis_mon.analyzer.query.table import Table

NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
LABELS = st.dictionaries(NAMES, st.text(max_size=8).filter(lambda text: text.isprintable()), max_size=4)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def shown(number: float) -> str:
    """As Go's strconv writes it."""
    if math.isnan(number):
        return "NaN"
    return ("+Inf" if number > 0 else "-Inf") if math.isinf(number) else repr(number)


def body(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


@given(st.lists(st.tuples(LABELS, st.lists(NUMBERS, min_size=1, max_size=5)), max_size=4))
def test_numbers_are_read_to_the_bit_and_what_is_not_finite_is_a_gap(
    some: list[tuple[dict[str, str], list[float]]],
) -> None:
    result = [
        {"metric": labels, "values": [[60 * n, shown(number)] for n, number in enumerate(numbers)]}
        for labels, numbers in some
    ]
    found = list(Answer(body("matrix", result)).courses())
    assert [dict(labels) for labels, _ in found] == [labels for labels, _ in some]
    for (labels, raw), (_, numbers) in zip(found, some, strict=True):
        assert list(labels) == sorted(labels)
        read = points(raw)
        assert read[:, 0].tolist() == [60 * n for n in range(len(numbers))]
        expected = np.where(np.isfinite(numbers), numbers, np.nan)
        assert read[:, 1].tobytes() == expected.tobytes() or np.array_equal(
            read[:, 1], expected, equal_nan=True
        )


def test_a_vector_and_a_scalar_are_read() -> None:
    vector = [
        {"metric": {"b": "2", "a": "1"}, "value": [60.5, "1e-7"]},
        {"metric": {}, "value": [60, "-Inf"]},
    ]
    (first, second) = Answer(body("vector", vector)).numbers()
    assert first == ((("a", "1"), ("b", "2")), 1e-7)
    assert second[0] == ()
    assert math.isnan(second[1])
    assert Answer(body("scalar", [60, "2.5"])).scalar() == 2.5


def test_native_histograms_are_no_numbers() -> None:
    result = [{"metric": {"a": "1"}, "histograms": [[60, {}]]}, {"metric": {}, "values": [[60, "1"]]}]
    assert [labels for labels, _ in Answer(body("matrix", result)).courses()] == [()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "not in Prometheus' form"),
        (b"<html>busy</html>", "not in Prometheus' form: <html>busy"),
        (b"\xff\xfe", "not in Prometheus' form"),
        (b'{"status":"success"}', "there is no data"),
        (b'{"status":"error","errorType":"timeout","error":"too slow"}', ": timeout: too slow"),
        (body("matrix", [])[:-2], "not in Prometheus' form"),
    ],
)
def test_what_is_no_answer_is_told_in_its_own_words(text: bytes, words: str) -> None:
    with pytest.raises(AnswerError, match=words):
        Answer(text)


@pytest.mark.parametrize("result", [5, [5], [{}], [{"metric": 5, "values": []}], [{"metric": {"a": 1}}]])
def test_what_is_no_series_is_told(result: object) -> None:
    with pytest.raises(AnswerError, match="no series"):
        list(Answer(body("matrix", result)).courses())


@pytest.mark.parametrize("values", [5, [5], [[60]], [[60, "x"]], [[60, "1_0"]], [["x", "1"]]])
def test_what_is_no_number_is_told(values: object) -> None:
    ((_, raw),) = Answer(body("matrix", [{"metric": {}, "values": values}])).courses()
    with pytest.raises(AnswerError, match="no series"):
        points(raw)


@given(st.binary(max_size=60))
def test_bytes_of_any_kind_are_an_answer_or_an_error(text: bytes) -> None:
    with suppress(AnswerError):
        list(Answer(text).courses())


def test_a_table_has_the_series_of_every_part_in_order() -> None:
    table = Table(np.arange(0, 300, 60))
    table.reserve(1)
    table.add((("a", "2"),), np.array([[0.0, 1.0], [60.0, 2.0]]))
    table.add((("a", "1"),), np.array([[120.0, 3.0], [900.0, 9.0], [-60.0, 9.0]]))
    table.add((("a", "2"),), np.array([[240.0, 4.0]]))
    frame = table.frame()
    assert frame.labels == ((("a", "1"),), (("a", "2"),))
    nan = math.nan
    np.testing.assert_array_equal(frame.values, [[nan, nan, 3.0, nan, nan], [1.0, 2.0, nan, nan, 4.0]])
