import json
import urllib.request
from typing import Any

from airis_mon.stack.servers import Server


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def test_a_real_prometheus_answers(prometheus_server: Any, prometheus: Server) -> None:
    server = prometheus_server({"global": {"external_labels": {"here": "yes"}}})
    version = get(f"{server.url}/api/v1/status/buildinfo")["data"]["version"]
    assert tuple(int(part.split("+")[0]) for part in version.split(".")) == prometheus.version
    assert 'here: "yes"' in get(f"{server.url}/api/v1/status/config")["data"]["yaml"]


def test_a_real_alertmanager_answers(alertmanager_server: Any) -> None:
    server = alertmanager_server()
    assert get(f"{server.url}/api/v2/status")["cluster"]["status"] == "disabled"
