from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import requests
from prometheus_client.parser import text_string_to_metric_families

from airis_mon.demo.arrivals import Arrivals
from airis_mon.demo.background import Background
from airis_mon.demo.digits import Classifier
from airis_mon.demo.load import Clients, LiveLoad
from airis_mon.traces import Traffic, operations
from tests.waiting import until

BUSY = Traffic(rate=15.0, daily_swing=0.0, output_most=4)


def counted(url: str, name: str) -> float:
    text = requests.get(f"{url}/metrics", timeout=10).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    )


def sent(load: LiveLoad, clients: Clients, least: int) -> bool:
    load.check()
    return clients.sent >= least


def test_services_count_every_request_that_was_sent_and_none_that_is_past(
    service: Callable[[str], str],
) -> None:
    chat, digits = service("llm_service"), service("classifier_service")
    now = time.time()
    missed = Arrivals(operations(BUSY, now - 3600, 1))
    with Background() as background:
        clients = Clients(Classifier(1), 1)
        load = LiveLoad(
            background,
            clients,
            (chat, missed),
            (digits, Arrivals(operations(BUSY, now, 2))),
        )
        for _ in range(2):
            before = clients.sent
            load.begin()
            until(partial(sent, load, clients, before + 30), what="thirty requests")
            load.stop()
        answered = counted(chat, "gen_ai_client_operation_duration_seconds_count")
        assert answered + counted(digits, "airis_predictions_total") == clients.sent
        assert clients.dropped == 0
    # An hour of requests was due before anybody began.
    assert clients.sent < 1000
    assert missed.take().at > now
