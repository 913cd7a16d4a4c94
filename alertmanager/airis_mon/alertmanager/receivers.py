"""Receivers of the documents as Alertmanager's receivers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airis_mon.alertmanager.integrations import INTEGRATIONS
from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import Receiver


def receivers(documents: Sequence[Receiver]) -> list[dict[str, Any]]:
    """Return every receiver of the documents after the one that tells nobody."""
    return [{"name": UNROUTED}, *(_receiver(document) for document in documents)]


def _receiver(receiver: Receiver) -> dict[str, Any]:
    config: dict[str, Any] = {"name": receiver.name}
    for integration in INTEGRATIONS:
        ways = getattr(receiver, integration.key)
        if ways:
            config[integration.config_key] = [integration.item(way) for way in ways]
    return config
