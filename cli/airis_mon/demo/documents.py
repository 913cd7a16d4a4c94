"""The demo's documents, with the addresses of this run, and everything that is derived from them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from airis_mon.cli import folder
from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.cli.proofs import Proof, prove
from airis_mon.demo import classifier_service, llm_service
from airis_mon.stack.servers import Server

LLM_JOB = "airis-demo-llm"
CLASSIFIER_JOB = "airis-demo-classifier"
CHAT = "support-chat"
"""Monitor of the LLM."""
DIGITS = "digit-reader"
"""Monitor of the classifier."""
FIRST_TOKEN = "time_to_first_token_p95"
ERRORS = "error_ratio"
CONFIDENCE = "confidence_mean"
HORIZON = "24h"


@dataclass(frozen=True)
class Addresses:
    """What changes from run to run."""

    webhook_url: str
    smarthost: str
    """`host:port` of the SMTP inbox."""


def text(addresses: Addresses) -> str:
    """Return the YAML of all documents."""
    template = Template(
        resources.files("airis_mon.demo").joinpath("monitors.yaml").read_text(encoding="utf-8")
    )
    return template.substitute(
        llm_model=llm_service.MODEL,
        llm_job=LLM_JOB,
        classifier_model=classifier_service.MODEL,
        classifier_version=classifier_service.VERSION,
        classifier_job=CLASSIFIER_JOB,
        webhook_url=addresses.webhook_url,
        smarthost=addresses.smarthost,
    )


def derive(
    addresses: Addresses, file: Path, target: Path, *, promtool: Server, amtool: Server
) -> tuple[Proof, ...]:
    """Write the documents to `file` and what `airis-mon build` derives from them to the folder `target`.

    Raises what `build` raises: SpecError, ProofError, FolderError.
    """
    file.write_text(text(addresses), encoding="utf-8")
    artefacts = build(load([file]))
    with folder.staged(target, artefacts) as stage:
        proofs = prove(stage, promtool=promtool, amtool=amtool)
        folder.install(stage, target, artefacts)
    return proofs
