from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PROVISIONING = Path(__file__).parents[2] / "grafana" / "provisioning"


def provisioned(name: str) -> tuple[str, dict[str, Any]]:
    text = (PROVISIONING / name).read_text()
    return text, yaml.safe_load(text)


def test_the_data_source_is_one_that_dashboards_let_their_reader_choose() -> None:
    _, content = provisioned("datasources/prometheus.yaml")
    assert content["apiVersion"] == 1
    assert [source["type"] for source in content["datasources"]] == ["prometheus"]


def test_dashboards_are_read_from_the_folder_that_the_command_mounts() -> None:
    command, _ = provisioned("datasources/prometheus.yaml")
    _, content = provisioned("dashboards/airis-mon.yaml")
    (provider,) = content["providers"]
    assert content["apiVersion"] == 1
    assert provider["type"] == "file"
    assert f"grafana/dashboards:{provider['options']['path']}:ro" in command
    assert provider["allowUiUpdates"] is False
