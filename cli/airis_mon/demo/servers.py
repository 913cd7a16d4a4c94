"""What the story asks the running servers, through the APIs that everybody has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import requests

_TIMEOUT = 10.0
State = Literal["inactive", "pending", "firing"]


class ServerError(Exception):
    """A server that does not answer as it should; the text says which and how."""


class Prometheus:
    """The HTTP API of a Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def value(self, query: str) -> float | None:
        """Return the first value of an instant query, None where it has none."""
        result = self._get("/api/v1/query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def alert(self, labels: Mapping[str, str]) -> State:
        """Return the state of the alert that carries all of `labels`."""
        states = {
            alert["state"]
            for alert in self._get("/api/v1/alerts")["alerts"]
            if labels.items() <= alert["labels"].items()
        }
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"

    def head_series(self) -> int:
        """Return how many series are live."""
        return int(self._get("/api/v1/status/tsdb")["headStats"]["numSeries"])

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _get(self, path: str, **parameters: str) -> Any:
        try:
            answer = self._session.get(self._url + path, params=parameters, timeout=_TIMEOUT)
            body = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ServerError(f"Prometheus does not answer {path}: {error}") from error
        if body.get("status") != "success":
            raise ServerError(f"Prometheus refuses {path}: {body.get('error')}")
        return body["data"]


class Alertmanager:
    """The HTTP API of an Alertmanager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Say whether an alert with all of `labels` is active."""
        # As JSON strings: a matcher is quoted just so.
        filters = [f"{name}={json.dumps(value)}" for name, value in labels.items()]
        try:
            answer = self._session.get(
                f"{self._url}/api/v2/alerts", params={"filter": filters, "active": "true"}, timeout=_TIMEOUT
            )
            answer.raise_for_status()
            return bool(answer.json())
        except (requests.RequestException, ValueError) as error:
            raise ServerError(f"Alertmanager does not answer: {error}") from error

    def began(self) -> float:
        """Return when it started, in Unix seconds."""
        try:
            answer = self._session.get(f"{self._url}/api/v2/status", timeout=_TIMEOUT)
            answer.raise_for_status()
            return datetime.fromisoformat(answer.json()["uptime"]).timestamp()
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise ServerError(f"Alertmanager does not say since when it runs: {error}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


class Sidecar:
    """What a team's own tools would send to the sidecar: events, and metrics that they have already."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = _session()

    def event(self, event_type: str, severity: str, message: str, **attributes: str) -> None:
        """Send one event."""
        moment = _now()
        event = {
            "id": f"evt_{moment}",
            "timestamp": moment,
            "event_type": event_type,
            "severity": severity,
            "source": "demo",
            "message": message,
            "attributes": attributes,
        }
        self._post("/v1/events", event)

    def inference_time(self, milliseconds: float, **tags: str) -> None:
        """Send one measurement in the form that collectors with units of their own send."""
        metric = {
            "timestamp": _now(),
            "source": "demo",
            "metric_type": "performance",
            "metric_name": "inference_time",
            "value": milliseconds,
            "unit": "milliseconds",
            "tags": tags,
        }
        self._post("/v1/metrics", metric)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _post(self, path: str, item: Mapping[str, Any]) -> None:
        try:
            answer = self._session.post(self._url + path, json=item, timeout=_TIMEOUT)
        except requests.RequestException as error:
            raise ServerError(f"the sidecar does not answer {path}: {error}") from error
        if not answer.ok:
            raise ServerError(f"the sidecar answers {path} with {answer.status_code}: {answer.text[:500]}")


class Service:
    """One of the demo's own services."""

    def __init__(self, url: str) -> None:
        self.url = url

    def fault(self, **fault: float) -> None:
        """Switch a fault on; without arguments, repair."""
        try:
            answer = requests.post(f"{self.url}/-/fault", json=fault, timeout=_TIMEOUT)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise ServerError(f"{self.url} does not take the fault: {error}") from error


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # loopback needs no proxy
    return session


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
