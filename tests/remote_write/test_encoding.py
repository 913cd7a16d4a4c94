from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.remote_write import STALE, Exemplar, Metadata, Sample, is_stale
from airis_mon.remote_write.message import encoded, write_request
from airis_mon.remote_write.sample import Series, grouped
from airis_mon.remote_write.symbols import MessageError, decoded_2, encoded_2
from tests.remote_write.wire import decode, decode_2, symbols

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
VALUES = st.floats(allow_nan=False, allow_infinity=True) | st.just(STALE)
TIMES = st.integers(-(2**63), 2**63 - 1)
EXEMPLARS = st.builds(
    lambda labels, value, at: Exemplar(tuple(sorted(labels.items())), value, at),
    st.dictionaries(NAMES, TEXTS, max_size=2),
    VALUES,
    TIMES,
)
SAMPLES = st.builds(
    lambda labels, name, at, value, start, exemplar: Sample(
        {**labels, "__name__": name}, at, value, start, exemplar
    ),
    st.dictionaries(NAMES, TEXTS, max_size=4),
    NAMES,
    TIMES,
    VALUES,
    TIMES | st.just(0),
    st.none() | EXEMPLARS,
)
METADATA = st.dictionaries(
    NAMES, st.builds(Metadata, st.sampled_from(["gauge", "counter", "stateset"]), TEXTS, TEXTS)
)


def bits(value: float) -> bytes:
    """No NaN equals another, nor does 0.0 differ from -0.0."""
    return struct.pack("<d", value)


def compared(series: tuple[Series, ...]) -> list[object]:
    return [
        (
            one.labels,
            [(at, bits(value)) for at, value in one.samples],
            dict(one.starts or {}),
            [(exemplar.labels, bits(exemplar.value), exemplar.timestamp_ms) for exemplar in one.exemplars],
        )
        for one in series
    ]


@given(st.lists(SAMPLES, max_size=20))
def test_what_is_encoded_can_be_read_by_field_numbers(samples: list[Sample]) -> None:
    fit = grouped(samples)
    read = decode(encoded(fit.series))
    expected: dict[object, bytes] = {}
    for sample in samples:
        key = (tuple(sorted(sample.labels.items())), sample.timestamp_ms)
        expected.setdefault(key, struct.pack("<d", sample.value))
    assert {(one.labels, at): raw for one in read for at, raw in one.samples} == expected
    for one in read:
        assert list(one.labels) == sorted(one.labels)
        times = [at for at, _ in one.samples]
        assert times == sorted(set(times))


@given(st.lists(st.builds(Sample, st.dictionaries(NAMES, TEXTS), TIMES | st.just(0), VALUES | st.just(0.0))))
def test_bytes_are_those_of_the_message_class(samples: list[Sample]) -> None:
    named = [Sample({**one.labels, "__name__": "up"}, one.timestamp_ms, one.value) for one in samples]
    request = write_request()()
    for one in grouped(named).series:
        timeseries = request.timeseries.add()
        for name, value in one.labels:
            timeseries.labels.add(name=name, value=value)
        for at, number in one.samples:
            timeseries.samples.add(value=number, timestamp=at)
    assert encoded(grouped(named).series) == request.SerializeToString()


def test_stale_marker_keeps_its_bits() -> None:
    fit = grouped([Sample({"__name__": "up"}, 1, STALE)])
    ((_, raw),) = decode(encoded(fit.series))[0].samples
    assert struct.unpack("<Q", raw) == (0x7FF0000000000002,)
    assert is_stale(STALE)
    assert not is_stale(float("nan"))


@given(st.lists(SAMPLES, max_size=20), METADATA)
def test_2_0_can_be_read_by_field_numbers(samples: list[Sample], metadata: dict[str, Metadata]) -> None:
    series = grouped(samples).series
    body = encoded_2(series, metadata)
    table = symbols(body)
    assert table[0] == ""
    assert len(set(table)) == len(table)
    read = decode_2(body)
    assert [(one.labels, one.samples) for one in read] == [
        (one.labels, tuple((at, bits(value)) for at, value in one.samples)) for one in series
    ]
    for one, given_one in zip(read, series, strict=True):
        told = metadata.get(dict(one.labels)["__name__"], Metadata())
        assert one.metadata[1:] == (told.help, told.unit)
        assert one.starts == tuple((given_one.starts or {}).get(at, 0) for at, _ in one.samples)


@given(st.lists(SAMPLES, max_size=20), METADATA)
def test_2_0_is_decoded_to_what_was_encoded(samples: list[Sample], metadata: dict[str, Metadata]) -> None:
    series = grouped(samples).series
    assert compared(decoded_2(encoded_2(series, metadata))) == compared(series)


@given(st.binary(max_size=200))
def test_decoding_anything_gives_series_or_a_message_error(body: bytes) -> None:
    try:
        decoded_2(body)
    except MessageError:
        return


@pytest.mark.parametrize("refs", [(1, 9), (1,)])
def test_references_to_nowhere_are_an_error(refs: tuple[int, ...]) -> None:
    body = b'"\0"\x01a' + b"*" + bytes([2 + len(refs), 10, len(refs), *refs])
    with pytest.raises(MessageError):
        decoded_2(body)
