from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from airis_mon.remote_write import STALE, Sample, is_stale
from airis_mon.remote_write.message import encoded
from airis_mon.remote_write.sample import grouped
from tests.remote_write.wire import decode

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
VALUES = st.floats(allow_nan=False, allow_infinity=True) | st.just(STALE)
SAMPLES = st.builds(
    lambda labels, name, at, value: Sample({**labels, "__name__": name}, at, value),
    st.dictionaries(NAMES, TEXTS, max_size=4),
    NAMES,
    st.integers(-(2**63), 2**63 - 1),
    VALUES,
)


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


def test_stale_marker_keeps_its_bits() -> None:
    fit = grouped([Sample({"__name__": "up"}, 1, STALE)])
    ((_, raw),) = decode(encoded(fit.series))[0].samples
    assert struct.unpack("<Q", raw) == (0x7FF0000000000002,)
    assert is_stale(STALE)
    assert not is_stale(float("nan"))
