"""What remote write comes to, in both versions of the protocol."""

from __future__ import annotations

import struct
import time

import cramjam
import pytest
import requests

from airis_mon.journal import JournalBusyError, JournalError, JournalFullError
from airis_mon.remote_write import STALE, HttpWriter, Sample, request_2
from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import NOW, Sidecar, StartSidecar, metric
from tests.sidecar.remote_write.requests import (
    AT,
    COUNTER,
    GAUGE,
    HISTOGRAM,
    PATH,
    TYPES,
    Series,
    packed,
    series,
)
from tests.sidecar.test_journal import Recorder

OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000003))[0]


def write(sidecar: Sidecar, version: int, *given: Series, **headers: str) -> requests.Response:
    return sidecar.post(
        packed(version, *given), PATH, TYPES[version], **{"Content_Encoding": "snappy", **headers}
    )


def written(answer: requests.Response) -> list[str | None]:
    return [
        answer.headers.get(f"X-Prometheus-Remote-Write-{what}-Written")
        for what in ("Samples", "Histograms", "Exemplars")
    ]


both = pytest.mark.parametrize("version", [1, 2])


@both
def test_samples_are_exposed_under_their_own_labels(fresh: Sidecar, version: int) -> None:
    answer = write(
        fresh,
        version,
        series("vllm:num_requests_running", 3, job="vllm", instance="a:8000"),
        series("job:errors:rate5m", 0.25),
        series("up", 1, job="vllm", empty=""),
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert fresh.value("vllm:num_requests_running", job="vllm", instance="a:8000") == 3
    assert fresh.value("job:errors:rate5m") == 0.25
    assert fresh.value("up", job="vllm") == 1
    assert written(answer) == ([None] * 3 if version == 1 else ["3", "0", "0"])


@both
def test_the_newest_sample_wins_and_older_ones_are_no_error(fresh: Sidecar, version: int) -> None:
    batches: list[tuple[tuple[int, float], ...]] = [((AT + 2, 2.0), (AT, 0.0), (AT + 1, 1.0)), ((AT, 7.0),)]
    for batch in batches:
        assert write(fresh, version, series("x", *batch)).status_code == 204
        assert fresh.value("x") == 2


@both
def test_a_stale_marker_ends_a_series_unless_it_is_older_than_its_value(fresh: Sidecar, version: int) -> None:
    write(fresh, version, series("x", (AT + 5, 1.0)), series("y", 1))
    assert write(fresh, version, series("x", (AT, STALE)), series("never", STALE)).status_code == 204
    assert fresh.value("x") == 1
    write(fresh, version, series("x", (AT + 6, STALE)))
    assert (fresh.value("x"), fresh.value("y")) == (None, 1)
    write(fresh, version, series("x", (AT + 7, STALE), (AT + 8, 4.0)))
    assert fresh.value("x") == 4


@both
@pytest.mark.parametrize("value", [float("nan"), OTHER_NAN, float("inf"), float("-inf"), -0.0, 5e-324])
def test_every_other_number_is_kept_but_nan_is_one(fresh: Sidecar, version: int, value: float) -> None:
    assert write(fresh, version, series("x", value)).status_code == 204
    found = fresh.value("x")
    assert found is not None
    assert struct.pack("<d", found) == struct.pack("<d", float("nan") if value != value else value)


def test_metadata_of_2_0_says_what_a_series_is(fresh: Sidecar) -> None:
    trace = [("trace_id", "0af7651916cd43dd8448eb211c80319c")]
    answer = write(
        fresh,
        2,
        series("calls_total", 5, _type=COUNTER, _help='Calls "made".', _exemplars=[(trace, 1.0)]),
        series("depth", 5, _type=GAUGE),
        series("took_bucket", 5, le="1.0", _type=HISTOGRAM),
        series("oddly_named", 5, _type=COUNTER),
    )
    assert answer.status_code == 204
    assert written(answer) == ["4", "0", "1"]
    text = fresh.metrics("application/openmetrics-text")
    assert '# HELP calls Calls \\"made\\".\n# TYPE calls counter\ncalls_total 5.0' in text
    assert f'# {{trace_id="{trace[0][1]}"}} 1.0' in text
    assert "# TYPE depth gauge\n" in text
    assert '# TYPE took_bucket unknown\ntook_bucket{le="1.0"} 5.0' in text
    assert "# TYPE oddly_named unknown\n" in text


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_a_sender_that_changes_its_version_goes_on_with_its_series(
    fresh: Sidecar, first: int, second: int
) -> None:
    for value, version in enumerate((first, second)):
        answer = write(fresh, version, series("calls_total", (AT + value, value), _type=COUNTER))
        assert answer.status_code == 204
    assert fresh.value("calls_total") == 1


REFUSED: dict[str, Series] = {
    "is no name": series("a.b", 1),
    "`` is no name": series("", 1),
    "is no label": series("x", 1, **{"a.b": "x"}),
    "nor two underscores": ([("__address__", "a"), ("__name__", "x")], [(AT, 1.0)], {}),
    "a name is given twice": ([("__name__", "x"), ("a", "1"), ("a", "2")], [(AT, 1.0)], {}),
    "more than 128 labels": series("x", 1, **{f"a{n}": "x" for n in range(128)}),
    "4096 characters": series("x", 1, a="x" * 5000),
    "in the future": series("x", (int((NOW + 3600) * 1000), 1.0)),
    "before 1970": series("x", (-1, 1.0)),
    "a series of this process itself": series("process_cpu_seconds_total", 1, job="x"),
    "native histograms are not kept": series("x", _histograms=1),
    "belongs to the metric `own` already": series("own_bucket", 1, le="1.0"),
}


@both
@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_refused_is_told_and_the_rest_counts(fresh: Sidecar, version: int, reason: str) -> None:
    assert fresh.post(metric(metric_name="own", metric_type="histogram")).status_code == 202
    answer = write(fresh, version, series("good", 1), REFUSED[reason])
    assert answer.status_code == 400
    assert reason in answer.text
    assert fresh.value("good") == 1
    assert fresh.value("airis_sidecar_items_total", kind="remote_write_sample", result="rejected") == 1
    if version == 2:
        assert written(answer) == ["1", "0", "0"]


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_counter_takes_no_number_that_is_no_count(fresh: Sidecar, value: float) -> None:
    answer = write(fresh, 2, series("calls_total", value, _type=COUNTER))
    assert answer.status_code == 400
    assert "calls_total.value: a counter takes 0 or more" in answer.text


@pytest.mark.parametrize(
    ("media", "headers", "status"),
    [
        ("application/json", {"Content_Encoding": "snappy"}, 415),
        ("image/png", {"Content_Encoding": "snappy"}, 415),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", {"Content_Encoding": "snappy"}, 415),
        (None, {"Content_Encoding": "snappy"}, 415),
        ("application/x-protobuf", {"Content_Encoding": "gzip"}, 415),
        ("application/x-protobuf", {"Content_Encoding": "deflate"}, 415),
        ("application/x-protobuf", {}, 415),
        ("application/x-protobuf;proto=prometheus.WriteRequest", {"Content_Encoding": "snappy"}, 204),
        ('application/x-protobuf; proto="prometheus.WriteRequest"', {"Content_Encoding": "snappy"}, 204),
    ],
)
def test_the_media_type_says_which_message_it_is(
    shared: Sidecar, media: str | None, headers: dict[str, str], status: int
) -> None:
    answer = shared.post(packed(1, series("media", 1)), PATH, media, **headers)
    assert answer.status_code == status


@both
@pytest.mark.parametrize("body", [b"", b"\xff" * 9, b"\x05abc", bytes(cramjam.snappy.compress(b"framed"))])
def test_what_is_no_snappy_block_or_no_message_is_a_400(shared: Sidecar, version: int, body: bytes) -> None:
    answer = shared.post(body, PATH, TYPES[version], Content_Encoding="snappy")
    assert answer.status_code == 400
    assert "snappy" in answer.text
    junk = bytes(cramjam.snappy.compress_raw(b"\x0a\xff\xff"))
    answer = shared.post(junk, PATH, TYPES[version], Content_Encoding="snappy")
    assert answer.status_code == 400
    assert "Request" in answer.text


def test_symbols_that_are_not_there_cost_their_own_series(fresh: Sidecar) -> None:
    request = request_2()()
    request.symbols.extend(["", "__name__", "x"])
    for references in ([1, 2], [1, 9], [1]):
        one = request.timeseries.add()
        one.labels_refs.extend(references)
        one.samples.add(timestamp=AT, value=1.0)
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    answer = fresh.post(body, PATH, TYPES[2], Content_Encoding="snappy")
    assert (answer.status_code, written(answer)) == (400, ["1", "0", "0"])
    assert fresh.value("x") == 1
    request.symbols[0] = "x"
    body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
    assert fresh.post(body, PATH, TYPES[2], Content_Encoding="snappy").status_code == 400


@both
def test_a_bomb_is_refused_at_once(start: StartSidecar, version: int) -> None:
    sidecar = start()
    said = b"\x80\x80\x80\x80\x04" + b"\xfe\x01\x00" * 1000  # a block that says it is 1 GiB
    real = bytes(cramjam.snappy.compress_raw(b"\x0a\x00" * (32 * 1024 * 1024)))
    for body in (said, real):
        begin = time.monotonic()
        answer = sidecar.post(body, PATH, TYPES[version], Content_Encoding="snappy")
        assert answer.status_code == 413
        assert time.monotonic() - begin < 0.5


@both
def test_series_samples_and_symbols_are_counted_before_they_cost_memory(
    start: StartSidecar, version: int
) -> None:
    sidecar = start(limits=Limits(items=100))
    many_series = [series("x", 1, n=str(n)) for n in range(101)]
    many_samples = [series("x", *[(AT + n, 1.0) for n in range(101)])]
    for given in (many_series, many_samples):
        answer = write(sidecar, version, *given)
        assert answer.status_code == 413
        assert "more than 100" in answer.text


@both
def test_numbered_batches_and_durable_answers_are_as_on_every_route(fresh: Sidecar, version: int) -> None:
    for _ in range(2):
        answer = write(fresh, version, series("x", 1), Idempotency_Key="one")
        assert answer.status_code == 204
    assert fresh.value("airis_sidecar_duplicate_batches_total") == 1
    assert write(fresh, version, series("x", 1), X_Airis_Sequence="1").status_code == 400


@both
@pytest.mark.parametrize("error", [JournalBusyError("64 MiB wait"), JournalFullError("disk full")])
def test_what_the_journal_does_not_take_is_503_which_prometheus_sends_again(
    start: StartSidecar, version: int, error: JournalError
) -> None:
    journal = Recorder()
    sidecar = start(journal=journal)
    journal.error = error
    answer = write(sidecar, version, series("x", 1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, str(error.retry_after))
    assert written(answer) == ([None] * 3 if version == 1 else ["0", "0", "0"])
    assert sidecar.value("x") is None
    journal.error = None
    assert write(sidecar, version, series("x", 1)).status_code == 204
    assert sidecar.value("x") == 1


def test_our_own_writer_is_understood(fresh: Sidecar) -> None:
    writer = HttpWriter(f"{fresh.url}{PATH}")
    labels = [{"__name__": "yhat"}, {"__name__": "yhat", "horizon": "1h"}]
    result = writer.write([Sample(pairs, AT, 2.5) for pairs in labels])
    assert not result.dropped
    assert (fresh.value("yhat"), fresh.value("yhat", horizon="1h")) == (2.5, 2.5)
