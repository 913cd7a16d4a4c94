"""References: read, refused, made of data; predictions counted by them."""

from __future__ import annotations

import json
import math
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from airis_mon.exporters import series
from airis_mon.instrument import (
    Instruments,
    InvalidReference,
    Reference,
    reference_of_csv,
    reference_of_rows,
)
from tests.instrument.conftest import Bench

AGE = {"edges": [18, 25.5], "shares": [0.2, 0.5, 0.2], "missing": 0.1}
COUNTRY = {"categories": ["DE", "FR"], "shares": [0.6, 0.3], "other": 0.1}


def reference(**features: Any) -> Reference:
    return Reference.parse(json.dumps({"rows": 1000, "features": features}).encode(), "reference.json")


def test_bins_are_named_by_what_falls_into_them() -> None:
    age, country = reference(age=AGE, country=COUNTRY).features
    assert age.bins == ("(-Inf, 18]", "(18, 25.5]", "(25.5, +Inf)", "missing")
    assert country.bins == ("DE", "FR", "other", "missing")
    assert age.shares == pytest.approx((0.2, 0.5, 0.2, 0.1))
    assert country.shares == pytest.approx((0.6, 0.3, 0.1, 0.0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (18, "(-Inf, 18]"),
        (18.0001, "(18, 25.5]"),
        ("19", "(18, 25.5]"),
        (True, "(-Inf, 18]"),
        (10**400, "missing"),
        (math.inf, "(25.5, +Inf)"),
        (-math.inf, "(-Inf, 18]"),
        (math.nan, "missing"),
        (None, "missing"),
        ("", "missing"),
        ("old", "missing"),
        ([1], "missing"),
    ],
)
def test_a_number_falls_into_the_bin_that_its_name_tells(value: object, expected: str) -> None:
    assert reference(age=AGE).features[0].bin_of(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("DE", "DE"), ("de", "other"), (7, "other"), ("", "missing"), (None, "missing"), (math.nan, "missing")],
)
def test_a_text_is_one_of_its_categories_or_another(value: object, expected: str) -> None:
    assert reference(country=COUNTRY).features[0].bin_of(value) == expected


def test_predictions_are_counted_by_bin_and_every_bin_is_there_from_the_start(bench: Bench) -> None:
    predictor = bench.instruments.predictor(
        model="m", version="1", reference=reference(age=AGE, country=COUNTRY)
    )
    labels = {"model": "m", "model_version": "1"}
    for feature in ("age", "country"):
        assert bench.value(series.FEATURE_BINS, feature=feature, **labels) == 0
    assert bench.value(series.FEATURE_BINS, bin="(25.5, +Inf)", **labels) == 0
    with predictor.call() as call:
        call.features({"age": 20, "country": "IT", "shoes": 44, "hat": "blue"})
    predictor.features({"country": "DE"})
    assert bench.value(series.FEATURE_BINS, feature="age", bin="(18, 25.5]", **labels) == 1
    assert bench.value(series.FEATURE_BINS, feature="age", bin="missing", **labels) == 1
    assert bench.value(series.FEATURE_BINS, feature="country", bin="other", **labels) == 1
    assert bench.value(series.FEATURE_BINS, feature="country", bin="DE", **labels) == 1
    assert bench.value(series.FEATURE_BINS, feature="age") == bench.value(
        series.FEATURE_BINS, feature="country"
    )
    assert bench.value(series.UNKNOWN_FEATURES, **labels) == 2


def test_features_without_a_reference_or_that_are_none_change_nothing(bench: Bench) -> None:
    bench.instruments.predictor(model="plain").features({"age": 3})
    told: Any = 17
    bench.instruments.predictor(model="m", reference=reference(age=AGE)).features(told)
    disabled = Instruments(registry=CollectorRegistry(), enabled=False)
    disabled.predictor(model="m", reference=reference(age=AGE)).features({"age": 3})
    assert bench.value(series.FEATURE_BINS, model="plain") is None
    assert bench.value(series.FEATURE_BINS, model="m") == 0


def test_models_that_are_counted_as_one_have_no_features_in_common() -> None:
    bench = Bench()
    bench.instruments.label_budget = 1
    for model in ("first", "second"):
        bench.instruments.predictor(model=model, reference=reference(age=AGE)).features({"age": 1})
    assert bench.value(series.FEATURE_BINS, model="first") == 1
    assert bench.value(series.FEATURE_BINS, model="other") is None


def test_after_a_fork_the_bins_of_a_child_begin_at_zero(bench: Bench) -> None:
    predictor = bench.instruments.predictor(model="m", reference=reference(age=AGE))
    predictor.features({"age": 1})
    assert bench.value(series.FEATURE_BINS) == 1
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, repr(bench.value(series.FEATURE_BINS, bin="(-Inf, 18]")).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert os.read(read, 100) == b"0.0"
    os.close(read)


BAD: list[tuple[Any, str]] = [
    ("{", "r.json:1:2: "),
    ("[" * 100_000, "r.json: too deep"),
    ("[]", "r.json: `[]` is no object; write one with the keys rows, features"),
    ('{"rows": 1, "rows": 2}', 'the key `"rows"` stands twice'),
    ({"rows": 1}, "the key features is missing"),
    ({"rows": 0, "features": {}}, "rows: `0` is no count of rows"),
    ({"rows": True, "features": {}}, "rows: `true` is no count"),
    ({"rows": 1, "features": {}}, "features: an object of 1 to 50 features"),
    ({"rows": 1, "features": {f"f{n}": AGE for n in range(51)}}, "1 to 50 features"),
    ({"rows": 1, "features": {"a\nb": AGE}}, "can be no label"),
    ({"rows": 1, "features": {"age": 3}}, "features.age: `3` is no object"),
    ({"rows": 1, "features": {"age": {**AGE, "bins": 3}}}, 'features.age: unknown key `"bins"`'),
    ({"rows": 1, "features": {"age": {**AGE, "other": 0}}}, 'features.age: unknown key `"other"`'),
    ({"rows": 1, "features": {"age": {**AGE, "edges": [3, 3]}}}, "features.age.edges[1]: `3` is not above"),
    ({"rows": 1, "features": {"age": {**AGE, "edges": ["3"]}}}, "features.age.edges[0]: "),
    ({"rows": 1, "features": {"age": {**AGE, "edges": [10**400]}}}, "features.age.edges[0]: "),
    ('{"rows": 1, "features": {"age": {"edges": [NaN], "shares": [1, 0]}}}', "NaN is no number here"),
    ({"rows": 1, "features": {"age": {**AGE, "edges": list(range(19))}}}, "write a list of 1 to 18"),
    (
        {"rows": 1, "features": {"age": {**AGE, "shares": [1.0]}}},
        "features.age.shares: 1 shares are given; write 3",
    ),
    ({"rows": 1, "features": {"age": {**AGE, "shares": [1.5, 0, 0]}}}, "features.age.shares[0]: "),
    ({"rows": 1, "features": {"age": {**AGE, "missing": 0.3}}}, "features.age.shares: shares add up to 1.2"),
    (
        {"rows": 1, "features": {"c": {**COUNTRY, "categories": ["DE", "DE"]}}},
        'c.categories[1]: `"DE"` stands twice',
    ),
    ({"rows": 1, "features": {"c": {**COUNTRY, "categories": ["DE", 3]}}}, "c.categories[1]: `3` is no text"),
    (
        {"rows": 1, "features": {"c": {**COUNTRY, "categories": ["DE", "other"]}}},
        "`other` has a share of its own",
    ),
    ({"rows": 1, "features": {"c": {**COUNTRY, "categories": ["DE", ""]}}}, "can be no label"),
]


@pytest.mark.parametrize(("content", "expected"), BAD, ids=[text for _, text in BAD])
def test_a_reference_that_is_none_says_where_and_what(content: Any, expected: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with pytest.raises(InvalidReference) as refused:
        Reference.parse(text.encode(), "r.json")
    assert str(refused.value).startswith("r.json")
    assert expected in str(refused.value)


def test_a_file_that_is_too_large_or_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_bytes(b" " * (1 << 21))
    with pytest.raises(InvalidReference, match="larger than 1 MiB"):
        Reference.read(file)
    file.write_bytes(b'{\n"\xff"}')
    with pytest.raises(InvalidReference, match=r"r\.json:2: not UTF-8"):
        Reference.read(file)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(("rows", "features", "edges", "shares", "categories")), inner, max_size=5
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_any_bytes_are_a_reference_or_are_refused(content: bytes) -> None:
    try:
        read = Reference.parse(content, "r.json")
    except InvalidReference:
        return
    assert 1 <= len(read.features) <= 50


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.none() | st.floats() | st.integers(-5, 5),
            "text": st.none() | st.sampled_from(("a", "b", "other", "missing", "", "c\n")),
        }
    ),
    min_size=1,
    max_size=60,
)


@given(ROWS)
def test_what_is_made_of_rows_reads_back_and_counts_them_as_they_were(rows: list[dict[str, Any]]) -> None:
    try:
        made = reference_of_rows(rows).reference
    except InvalidReference:
        return  # nothing in them
    read = Reference.parse(made.text().encode(), "r.json")
    for written, feature in zip(made.features, read.features, strict=True):
        assert (written.name, written.bins, written.edges) == (feature.name, feature.bins, feature.edges)
        counts = dict.fromkeys(feature.bins, 0)
        for row in rows:
            if row[feature.name] != "missing":
                counts[feature.bin_of(row[feature.name])] += 1
            else:
                counts["missing"] += 1
        shares = [count / len(rows) for count in counts.values()]
        assert feature.shares == pytest.approx(shares, abs=2e-5)


def test_a_csv_file_becomes_bins_of_equal_share_and_frequent_values(tmp_path: Path) -> None:
    chance = random.Random(3)
    lines = ["id,age,country,empty,rating"]
    for number in range(4000):
        country = chance.choice(("DE", "DE", "FR", "IT", "AT", ""))
        age = "NA" if number % 10 == 0 else f"{chance.gauss(40, 10):.3f}"
        lines.append(f"user-{number},{age},{country},,{chance.choice('123')}")
    file = tmp_path / "past.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    made = reference_of_csv(file, top=2)
    assert made.left_out == ("id", "empty")
    features = {feature.name: feature for feature in made.reference.features}
    assert made.reference.rows == 4000
    assert len(features["age"].bins) == 11
    assert features["age"].shares[:-1] == pytest.approx([0.09] * 10, abs=0.001)
    assert features["age"].shares[-1] == 0.1
    assert features["country"].bins[0] == "DE"
    assert len(features["country"].bins) == 4
    assert features["rating"].bins == ("(-Inf, 1]", "(1, 2]", "(2, 3]", "(3, +Inf)", "missing")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "past.csv: there is nothing"),
        ("a,b\n", "past.csv: there is nothing"),
        ("a,b\n1,2\n", "past.csv: there is no column `c`; there are a, b"),
    ],
)
def test_a_csv_file_that_holds_nothing_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "past.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidReference) as refused:
        reference_of_csv(file, ("c",) if "1,2" in text else ())
    assert expected in str(refused.value)
