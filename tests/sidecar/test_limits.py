from __future__ import annotations

import json
import socket
import time

import pytest

from airis_mon.sidecar.limits import Limits
from tests.sidecar.conftest import StartSidecar, event, metric


def test_a_body_over_the_limit_is_413(start: StartSidecar) -> None:
    sidecar = start(Limits(body_bytes=2000))
    answer = sidecar.post([metric()] * 100)
    assert answer.status_code == 413
    assert "larger than 2000 bytes" in answer.text
    assert sidecar.post([metric()] * 5).status_code == 202


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
def test_more_items_than_the_limit_are_413_and_none_counts(
    start: StartSidecar, good: bool, media: str
) -> None:
    sidecar = start(Limits(items=10))
    items = [metric(metric_type="counter") for _ in range(11)]
    if not good:
        items[3]["value"] = "x"
    texts = [json.dumps(item) for item in items]
    body = f"[{','.join(texts)}]" if media == "application/json" else "\n".join(texts)
    answer = sidecar.post(body.encode(), media=media)
    assert answer.status_code == 413
    assert "more than 10 items in one request" in answer.json()["errors"][0]["message"]
    assert sidecar.value("thing_total", source="tests") is None


def test_a_body_of_very_many_worthless_items_is_refused_quickly(start: StartSidecar) -> None:
    sidecar = start()
    begin = time.monotonic()
    answer = sidecar.post(b"[" + b"0," * 4_000_000 + b"0]")
    assert answer.status_code == 413
    assert time.monotonic() - begin < 3


def test_an_answer_lists_some_errors_and_numbers_the_rest(start: StartSidecar) -> None:
    sidecar = start(Limits(errors=3))
    answer = sidecar.post([metric(value="x")] * 10).json()
    assert [error["index"] for error in answer["errors"]] == [0, 1, 2]
    assert (answer["rejected"], answer["errors_not_listed"]) == (10, 7)


def test_a_long_field_name_does_not_come_back_whole(start: StartSidecar) -> None:
    answer = start().post(metric(**{"x" * 1_000_000: 1}))
    assert answer.status_code == 400
    assert len(answer.content) < 1000


def test_label_sets_of_a_metric_are_bounded_and_known_ones_go_on(start: StartSidecar) -> None:
    sidecar = start(Limits(series_per_metric=2))
    items = [metric(metric_type="counter", tags={"user": str(number)}) for number in (1, 2, 3, 1)]
    answer = sidecar.post(items)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (answer.json()["accepted"], error["index"], error["field"]) == (3, 2, "tags")
    assert "`thing` has 2 label sets already; drop the tag that varies most" in error["message"]
    assert sidecar.value("thing_total", source="tests", user="1") == 2
    assert sidecar.value("airis_sidecar_item_errors_total", kind="metric", reason="limit") == 1
    assert sidecar.value("airis_sidecar_series") == 2


def test_label_sets_are_bounded_over_all_metrics_and_events(start: StartSidecar) -> None:
    sidecar = start(Limits(series=2))
    assert sidecar.post([metric(metric_name="a"), metric(metric_name="b")]).status_code == 202
    for answer in (sidecar.post(metric(metric_name="c")), sidecar.post(event(), "/v1/events")):
        assert answer.status_code == 400
        assert "2 label sets are kept already over all metrics" in answer.json()["errors"][0]["message"]


def test_a_refused_name_does_not_take_a_place(start: StartSidecar) -> None:
    sidecar = start(Limits(series=1))
    sidecar.post(metric(metric_name="a"))
    sidecar.post(metric(metric_name="b", metric_type="histogram"))
    assert sidecar.value("airis_sidecar_metrics") == 2  # `a`, and the events' own


def test_metric_names_are_bounded(start: StartSidecar) -> None:
    sidecar = start(Limits(metrics=2))
    assert sidecar.post(metric(metric_name="a")).status_code == 202
    answer = sidecar.post([metric(metric_name="b"), metric(metric_name="a")])
    assert answer.json()["accepted"] == 1
    assert (
        "2 metric names are kept already; put what varies into a tag" in answer.json()["errors"][0]["message"]
    )


def test_a_body_that_does_not_arrive_is_408(start: StartSidecar) -> None:
    sidecar = start(Limits(body_seconds=0.2))
    host, port = sidecar.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(
            b"POST /v1/metrics HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000\r\n\r\n[{"
        )
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.2 s" in answer
