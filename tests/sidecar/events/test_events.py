"""Events over HTTP: each that was acknowledged is there once, whatever ended in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests

from airis_mon.sidecar.events.choice import event_store
from tests.sidecar.conftest import Sidecar, event
from tests.sidecar.events.conftest import Server
from tests.sidecar.test_process import running
from tests.waiting import until


def stored(url: str, **parameters: str | int) -> list[dict[str, Any]]:
    """Return all pages."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = requests.get(f"{url}/v1/events", params={**parameters, **cursor}, timeout=30)
        assert answer.status_code == 200, answer.text
        content = answer.json()
        found += content["events"]
        if "cursor" not in content:
            return found
        cursor = {"cursor": content["cursor"]}


def test_an_event_comes_back_as_it_was_sent(fresh: Sidecar) -> None:
    sent = event(
        id="e-1",
        message='a "quoted" \n message \x00 é',
        attributes={"version": "2", "nested": {"deep": [1, None, 1.5]}},
        trace_id="b" * 32,
    )
    assert fresh.post(sent, "/v1/events").status_code == 202
    (found,) = stored(fresh.url)
    assert found == sent


def test_events_are_chosen_and_paged_newest_first(fresh: Sidecar) -> None:
    items = [
        event(
            timestamp=f"2024-01-01T00:00:{second:02}Z",
            severity="critical" if second % 2 else "info",
            event_type="drift" if second < 30 else "deploy",
            source=f"s{second % 3}",
        )
        for second in range(60)
    ]
    assert fresh.post(items, "/v1/events").status_code == 202

    def seconds(**parameters: str | int) -> list[int]:
        return [int(found["timestamp"][17:19]) for found in stored(fresh.url, **parameters)]

    assert seconds(limit=7) == list(range(59, -1, -1))
    assert seconds(severity="critical", event_type="drift") == list(range(29, 0, -2))
    assert seconds(source="s1", limit=3) == list(range(58, 0, -3))
    window = {"from": "2024-01-01T00:00:10Z", "to": "2024-01-01T01:00:13+01:00"}
    assert seconds(**window) == [12, 11, 10]
    assert seconds(**{"from": 1_704_067_258}) == [59, 58]


BAD = {
    "limit=0": "`limit`: `0` is no whole number from 1 to 1000",
    "limit=1001": "`limit`: `1001` is no whole number",
    "limit=ten": "`limit`: `ten` is no whole number",
    "from=yesterday": "`from`: `yesterday` is no time; write RFC 3339 with a zone",
    "from=2024-01-01": "`from`: `2024-01-01` is no time",
    "to=nan": "`to`: `nan` is out of range",
    "to=1e99": "`to`: `1e99` is out of range",
    "severity=bad": "`severity`: `bad` is none of debug, info, warning, error, critical",
    "cursor=abc": "`cursor`: no cursor of an answer",
    "cursor=%00": "`cursor`: no cursor of an answer",
    "type=x": "unknown parameter `type`; known are from, to, event_type,",
    "limit=1&limit=2": "`limit` is given more than once",
}


@pytest.mark.parametrize(("text", "message"), BAD.items(), ids=BAD)
def test_a_bad_question_is_told_by_its_parameter(shared: Sidecar, text: str, message: str) -> None:
    answer = requests.get(f"{shared.url}/v1/events?{text}", timeout=10)
    assert answer.status_code == 400
    assert message in answer.json()["errors"][0]["message"]


def test_grafana_asks_for_annotations_of_a_dashboard(fresh: Sidecar) -> None:
    # A stand-in for Grafana, which cannot run here: the request of its Simple JSON data source.
    fresh.post([event(message="v2 out"), event(event_type="drift")], "/v1/events")
    assert requests.get(f"{fresh.url}/grafana/", timeout=10).status_code == 200
    asked = {
        "range": {"from": "2023-12-31T23:00:00.000Z", "to": "2024-01-01T01:00:00.000Z"},
        "annotation": {"name": "deploys", "enable": True, "query": "event_type=model_deploy&severity=info"},
        "variables": {},
    }
    answer = requests.post(f"{fresh.url}/grafana/annotations", json=asked, timeout=10)
    assert answer.json() == [
        {
            "time": 1_704_067_200_000,
            "title": "model_deploy",
            "text": "v2 out",
            "tags": ["model_deploy", "info", "tests"],
        }
    ]
    for bad in (
        {},
        {**asked, "annotation": {"query": "kind=x"}},
        {**asked, "range": {"from": "a", "to": "b"}},
    ):
        assert requests.post(f"{fresh.url}/grafana/annotations", json=bad, timeout=10).status_code == 400


@contextmanager
def sidecar(folder: Path, *more: str) -> Iterator[tuple[Any, str]]:
    # The events of these tests are years old.
    kept = ("--events.retention=0", *more)
    arguments = ("--web.listen-address=127.0.0.1:0", f"--storage.path={folder}", *kept)
    with running(*arguments) as (process, address):
        url = f"http://{address}"
        until(lambda: requests.get(f"{url}/-/ready", timeout=5).status_code == 200)
        yield process, url


class Load:
    """Sends numbered events until the process is gone, and knows which were acknowledged."""

    def __init__(self) -> None:
        self.sent = 0
        self.acknowledged: set[str] = set()

    def reach(self, number: int) -> None:
        until(lambda: len(self.acknowledged) >= number)

    def run(self, url: str) -> None:
        with requests.Session() as session:
            while True:
                batch = [event(id=str(self.sent + number)) for number in range(10)]
                self.sent += 10
                try:
                    answer = session.post(f"{url}/v1/events", json=batch, timeout=10)
                except requests.RequestException:
                    return
                if answer.status_code == 200:
                    self.acknowledged |= {item["id"] for item in batch}


def test_a_killed_process_keeps_every_acknowledged_event_once(tmp_path: Path) -> None:
    load = Load()
    for _ in range(4):
        with sidecar(tmp_path) as (process, url):
            thread = threading.Thread(target=load.run, args=(url,))
            thread.start()
            before = len(load.acknowledged)
            load.reach(before + 200)
            process.kill()
            thread.join()
    with sidecar(tmp_path) as (_, url):
        found = [item["id"] for item in stored(url, limit=1000)]
    assert len(found) == len(set(found))
    assert load.acknowledged <= set(found) <= {str(number) for number in range(load.sent)}


def test_a_store_that_was_lost_is_filled_again_from_the_journal(tmp_path: Path) -> None:
    with sidecar(tmp_path) as (process, url):
        requests.post(f"{url}/v1/events", json=[event(id="1"), event(id="2")], timeout=10)
        process.kill()
        process.wait()
    (tmp_path / "events.sqlite").unlink(missing_ok=True)
    with sidecar(tmp_path) as (_, url):
        assert {item["id"] for item in stored(url)} == {"1", "2"}


def test_postgresql_may_stop_while_events_come_in(tmp_path: Path, postgresql_running: Server) -> None:
    store = f"--events.store={postgresql_running.url}"
    sent: set[str] = set()

    def send(url: str) -> None:
        batch = [event(id=str(len(sent) + number)) for number in range(50)]
        answer = requests.post(f"{url}/v1/events", json=batch, timeout=10)
        assert answer.status_code == 200
        sent.update(item["id"] for item in batch)

    with sidecar(tmp_path, store) as (process, url):
        send(url)
        assert {item["id"] for item in stored(url, limit=1000)} == sent
        postgresql_running.stop()
        for _ in range(10):
            send(url)
        until(lambda: "airis_sidecar_event_store_up 0.0" in metrics(url))
        answer = requests.get(f"{url}/v1/events", timeout=30)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        send(url)
        process.kill()
        process.wait()
    with sidecar(tmp_path, store) as (_, url):
        send(url)
        postgresql_running.start()
        until(lambda: "airis_sidecar_event_store_up 1.0" in metrics(url), seconds=60)
        found = [item["id"] for item in stored(url, limit=1000)]
        assert (len(found), set(found)) == (len(sent), sent)
        assert "airis_sidecar_event_store_behind_records 0.0" in metrics(url)


def metrics(url: str) -> str:
    return requests.get(f"{url}/metrics", timeout=10).text


def test_retention_is_kept(tmp_path: Path) -> None:
    with sidecar(tmp_path, "--events.limit=5") as (_, url):
        # Whether the first look for what is too much comes before or after these is a matter of chance.
        requests.post(f"{url}/v1/events", json=[event(id=str(number)) for number in range(20)], timeout=10)
        assert len(stored(url)) in (5, 20)
    with sidecar(tmp_path, "--events.limit=5") as (_, url):
        until(lambda: [item["id"] for item in stored(url)] == ["19", "18", "17", "16", "15"])


@pytest.mark.parametrize("text", ["", "mysql://a", "sqlite:", "/a/path", "postgresql:x"])
def test_a_store_of_another_kind_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write sqlite:FILE, or postgresql://USER@HOST/DATABASE"):
        event_store(text, None)


def test_what_json_cannot_say_is_refused_and_holds_no_other_event_up(fresh: Sidecar) -> None:
    value = msgspec.msgpack.Ext(5, b"x")
    items = [event(id="bad", attributes={"a": value}), event(id="good", attributes={"a": b"bytes"})]
    answer = fresh.post(msgspec.msgpack.encode(items), "/v1/events", "application/msgpack")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (0, "attributes")
    assert "send what JSON can say" in error["message"]
    assert [found["id"] for found in stored(fresh.url)] == ["good"]


@pytest.mark.parametrize("key", [None, (1, 2), 1.5, True])
def test_keys_that_json_does_not_know_hold_no_event_up(fresh: Sidecar, key: object) -> None:
    item = event(id="odd", attributes={"a": {key: 1}})
    fresh.post(msgspec.msgpack.encode(item), "/v1/events", "application/msgpack")
    fresh.post(event(id="next"), "/v1/events")
    assert "next" in {found["id"] for found in stored(fresh.url)}


def test_events_are_asked_for_while_others_never_cease(tmp_path: Path) -> None:
    load = Load()
    with sidecar(tmp_path) as (process, url):
        threads = [threading.Thread(target=load.run, args=(url,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 6):
            load.reach(number * 100)
            answer = requests.get(f"{url}/v1/events", timeout=30)
            assert answer.status_code == 200, answer.text
        process.kill()
        for thread in threads:
            thread.join()


def test_a_password_is_in_no_log_and_no_answer(tmp_path: Path) -> None:
    store = "--events.store=postgresql://me:hunter2@127.0.0.1:9/db"
    with sidecar(tmp_path, store) as (process, url):
        assert requests.post(f"{url}/v1/events", json=event(), timeout=10).status_code == 200
        answer = requests.get(f"{url}/v1/events", timeout=30)
        assert answer.status_code == 503
        process.terminate()
        log = process.stderr.read()
    assert "events not stored" in log
    assert "hunter2" not in log + answer.text
