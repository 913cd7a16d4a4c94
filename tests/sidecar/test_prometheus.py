"""A real Prometheus scrapes the sidecar, in each of the two text forms, and gives the exact values back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import requests

from tests.conftest import RunningServer, StartPrometheus
from tests.sidecar.conftest import Sidecar, event, metric
from tests.sidecar.pages import page
from tests.waiting import until

HOSTILE = 'quote " backslash \\ newline \n return \r nul \x00 del \x7f brace } é 😀'
FORMS = {
    "text": ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
    "openmetrics": (
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    ),
}


@contextmanager
def scraped_as(sidecar: Sidecar, accept: str, seen: list[str]) -> Iterator[str]:
    """Hand the sidecar's answer on, asking for one form; yields the address, fills in the types seen."""

    def metrics() -> tuple[bytes, str]:
        answer = requests.get(f"{sidecar.url}/metrics", headers={"Accept": accept}, timeout=10)
        seen.append(answer.headers["Content-Type"])
        return answer.content, seen[-1]

    with page(metrics) as address:
        yield address


def items() -> Iterator[dict[str, Any]]:
    for given, made in [(374, 44), (1_000_003, 0), (2**40 + 1, 7)]:
        for name, value in (("input", given), ("output", made)):
            common: dict[str, Any] = {
                "unit": "{token}",
                "value": value,
                "tags": {"gen_ai.request.model": HOSTILE},
            }
            usage, operation = "gen_ai.client.inference.usage", "gen_ai.client.inference.operation"
            yield metric(metric_name=f"{usage}.{name}_tokens", metric_type="counter", **common)
            yield metric(metric_name=f"{operation}.{name}_tokens", metric_type="histogram", **common)
    yield metric(metric_name="inference_time", metric_type="performance", unit="ms", value=125.3)
    yield metric(metric_name="accuracy", metric_type="quality", unit="percent", value=92.5)


def test_values_come_back_exactly(fresh: Sidecar, prometheus_server: StartPrometheus) -> None:
    assert fresh.post(list(items())).status_code == 202
    assert fresh.post([event(), event()], "/v1/events").status_code == 202

    types: dict[str, list[str]] = {form: [] for form in FORMS}
    with ExitStack() as stack:
        targets = {"negotiated": fresh.url.removeprefix("http://")}
        for form, (accept, _) in FORMS.items():
            targets[form] = stack.enter_context(scraped_as(fresh, accept, types[form]))
        read = scrape(prometheus_server, targets)

    assert {form: set(seen) for form, seen in types.items()} == {
        form: {content_type} for form, (_, content_type) in FORMS.items()
    }
    model = f"gen_ai_request_model={HOSTILE}"
    for job in targets:
        values = read[job]
        assert (
            values[f"gen_ai_client_inference_usage_input_tokens_total {model}"] == 374 + 1_000_003 + 2**40 + 1
        )
        assert values[f"gen_ai_client_inference_usage_output_tokens_total {model}"] == 51
        assert values[f"gen_ai_client_inference_operation_input_tokens_count {model}"] == 3
        assert values[f"gen_ai_client_inference_operation_output_tokens_sum {model}"] == 51
        assert values["inference_time_seconds_sum"] == 0.1253
        assert values["accuracy_ratio"] == 0.925
        assert values["airis_events_total event_type=model_deploy severity=info"] == 2


def scrape(start: StartPrometheus, targets: dict[str, str]) -> dict[str, dict[str, float]]:
    """Scrape until every target was up; return values by job, then by name and labels but the usual ones."""
    jobs = [
        {
            "job_name": job,
            "scrape_interval": "500ms",
            "scrape_timeout": "500ms",
            "static_configs": [{"targets": [address]}],
        }
        for job, address in targets.items()
    ]
    server = start(config={"scrape_configs": jobs})
    until(lambda: len(query(server, "up == 1")) >= len(targets), what="every target up")
    values: dict[str, dict[str, float]] = {job: {} for job in targets}
    for result in query(server, '{source!="", le=""}'):
        labels = dict(result["metric"])
        name, job = labels.pop("__name__"), labels.pop("job")
        del labels["instance"], labels["source"]
        key = " ".join((name, *(f"{label}={text}" for label, text in sorted(labels.items()))))
        values[job][key] = float(result["value"][1])
    return values


def query(server: RunningServer, expression: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{server.url}/api/v1/query", params={"query": expression}, timeout=10)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found
