"""Receivers of the documents as Alertmanager's receivers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from airis_mon.alertmanager.integrations import INTEGRATIONS
from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import Receiver, yaml_text

FINGERPRINT = "airis-mon-fingerprint-"
"""Begin of the name of a receiver that no route leads to. Of what it works by Alertmanager tells neither URLs
nor templates, but names: by this one configurations are told apart that differ in nothing else."""


def receivers(documents: Sequence[Receiver]) -> list[dict[str, Any]]:
    """Return every receiver of the documents after the one that tells nobody."""
    return [{"name": UNROUTED}, *(_receiver(document) for document in documents)]


def fingerprint(told: Sequence[dict[str, Any]], template: str) -> dict[str, Any]:
    """Return the receiver whose name stands for where messages go and what they say."""
    digest = hashlib.sha256((yaml_text(told, source="receivers") + template).encode()).hexdigest()
    return {"name": f"{FINGERPRINT}{digest[:16]}"}


def _receiver(receiver: Receiver) -> dict[str, Any]:
    config: dict[str, Any] = {"name": receiver.name}
    for integration in INTEGRATIONS:
        ways = getattr(receiver, integration.key)
        if ways:
            config[integration.config_key] = [integration.item(way) for way in ways]
    return config
