"""Both stores, held to one another and to a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airis_mon.sidecar.events.postgresql import PostgreSQL
from airis_mon.sidecar.events.rows import Place, Query, Row, row
from airis_mon.sidecar.events.sqlite import SQLite
from airis_mon.sidecar.events.store import EventStore, StoreError
from airis_mon.sidecar.items import Event
from tests.sidecar.events.conftest import Server

MakeStore = Callable[[str], EventStore]


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    made: list[EventStore] = []
    server: Server | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_running")

    def begin(stream: str) -> EventStore:
        database = SQLite(tmp_path / "events") if server is None else PostgreSQL(server.url)
        made.append(EventStore(database, stream))
        made[-1].open()
        return made[-1]

    yield begin
    for store in made:
        store.close()


def event(**changes: object) -> Event:
    given: dict[str, object] = {
        "timestamp": datetime.fromtimestamp(1_000.0, UTC),
        "event_type": "deploy",
        "severity": "info",
        "source": "tests",
    }
    return Event(**{**given, **changes})  # type: ignore[arg-type]


def at(seconds: float, sequence: int, position: int = 0, **changes: object) -> Row:
    return row(event(timestamp=datetime.fromtimestamp(seconds, UTC), **changes), sequence, position)


def test_rows_that_come_again_are_there_once(make: MakeStore) -> None:
    store = make("a")
    rows = [at(1.5, 1), at(2.5, 1, 1), at(0.5, 2)]
    store.write(rows, 2)
    store.write(rows, 2)
    assert store.read(Query()) == [rows[1], rows[0], rows[2]]
    store.close()
    assert make("a").open() == 2


def test_journals_that_share_a_store_do_not_meet(make: MakeStore) -> None:
    one, other = make("one"), make("other")
    one.write([at(1.0, 1, source="one")], 1)
    other.write([at(1.0, 1, source="other")], 7)
    assert {found.source for found in one.read(Query())} == {"one", "other"}
    assert (one.open(), other.open()) == (1, 7)


def test_pages_miss_no_event_of_journals_that_number_alike(make: MakeStore) -> None:
    for stream in ("one", "other", "third"):
        make(stream).write([at(1.0, 1, source=stream), at(1.0, 2, source=stream)], 2)
    store = make("fourth")
    found: list[Row] = []
    while page := store.read(Query(limit=1, before=Place.at(found[-1].place.cursor()) if found else None)):
        found += page
    assert [row.place.sequence for row in found] == [2, 2, 2, 1, 1, 1]
    assert len({(row.place.sequence, row.source) for row in found}) == 6
    store.trim(None, 5)
    assert store.read(Query()) == found[:5]


HOSTILE = [
    "'; DROP TABLE airis_events; --",
    'quote " back \\ slash',
    "nul \x00 byte",
    "é 😀 \u202e",
    "%s ?",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_texts(make: MakeStore, text: str) -> None:
    store = make("a")
    written = at(1.0, 1, event_type=text or "x", source=text or "x", message=text * 100)
    store.write([written, at(2.0, 2)], 2)
    assert store.read(Query(source=written.source, event_type=written.event_type)) == [written]
    assert len(store.read(Query())) == 2


def test_what_is_too_old_and_what_is_too_much_goes(make: MakeStore) -> None:
    store = make("a")
    store.write([at(float(second), second) for second in range(1, 11)], 10)
    store.trim(4.0, 100)
    assert [found.place.timestamp for found in store.read(Query())] == [10, 9, 8, 7, 6, 5, 4]
    store.trim(None, 3)
    assert [found.place.timestamp for found in store.read(Query())] == [10, 9, 8]
    store.trim(100.0, 3)
    assert store.read(Query()) == []


places = st.tuples(st.integers(0, 5).map(float), st.integers(1, 9), st.integers(0, 2))
queries = st.builds(
    Query,
    since=st.none() | st.integers(0, 6).map(float),
    until=st.none() | st.integers(0, 6).map(float),
    event_type=st.none() | st.sampled_from(["deploy", "drift"]),
    severity=st.none() | st.sampled_from(["info", "critical"]),
    before=st.none() | places.map(lambda given: Place(*given)),
    limit=st.integers(1, 8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    found=st.dictionaries(
        places,
        st.tuples(st.sampled_from(["deploy", "drift"]), st.sampled_from(["info", "critical"])),
        max_size=12,
    ),
    query=queries,
)
def test_what_is_asked_for_is_what_a_list_would_give(
    tmp_path_factory: pytest.TempPathFactory,
    found: dict[tuple[float, int, int], tuple[str, str]],
    query: Query,
) -> None:
    by_key = {place[1:]: (place, words) for place, words in found.items()}
    rows = [at(*place, event_type=words[0], severity=words[1]) for place, words in by_key.values()]
    store = EventStore(SQLite(None), "a")
    store.open()
    store.write(rows, 9)
    expected = [
        one
        for one in sorted(rows, key=lambda one: one.place, reverse=True)
        if (query.since is None or one.place.timestamp >= query.since)
        and (query.until is None or one.place.timestamp < query.until)
        and query.event_type in (None, one.event_type)
        and query.severity in (None, one.severity)
        and (query.before is None or one.place < query.before)
    ][: query.limit]
    assert store.read(query) == expected
    store.close()


def test_a_store_that_is_away_says_so_and_works_when_it_is_back(postgresql_running: Server) -> None:
    store = EventStore(PostgreSQL(postgresql_running.url), "a")
    store.open()
    store.write([at(1.0, 1)], 1)
    postgresql_running.stop()
    with pytest.raises(StoreError, match="PostgreSQL: "):
        store.write([at(2.0, 2)], 2)
    with pytest.raises(StoreError, match="PostgreSQL: "):
        store.read(Query())
    postgresql_running.start()
    store.write([at(2.0, 2)], 2)
    assert len(store.read(Query())) == 2
    store.close()


@given(st.floats(-1e11, 1e11), st.integers(0, 2**63 - 1), st.integers(0, 2**31 - 1))
def test_a_cursor_leads_back_to_its_place(timestamp: float, sequence: int, position: int) -> None:
    place = Place(timestamp, sequence, position)
    assert Place.at(place.cursor()) == place


@given(st.text(max_size=30))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        Place.at(text)
    except ValueError as error:
        assert str(error) == "no cursor of an answer"  # noqa: PT017
