"""One version of the documents, as the servers would run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from airis_mon.alertmanager.replay import Configuration
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.targets import Target
from airis_mon.rules.replay import Plan, plan
from airis_mon.spec import Bundle


@dataclass(frozen=True)
class Edition:
    """Documents, with what their rules need and where their alerts go."""

    name: str
    """What a person calls it: its files."""
    bundle: Bundle
    plan: Plan
    configuration: Configuration


def edition(files: Sequence[Path | str], target: Target) -> Edition:
    """Return what the files derive, read from the very artefacts that `build` would write.

    Raises SpecError; PlanError and ConfigurationError where they hold what cannot be replayed.
    """
    bundle = load(files, target=target)
    texts = {artefact.path: artefact.text for artefact in build(bundle, target)}
    # What lies deeper (proofs) is nobody's rules.
    rules = [yaml.safe_load(texts[f"rules/{monitor.name}.rules.yaml"]) for monitor in bundle.monitors]
    routes = yaml.safe_load(texts["alertmanager/alertmanager.yaml"])
    return Edition(", ".join(map(str, files)), bundle, plan(rules), Configuration.read(routes))
