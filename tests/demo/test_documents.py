from __future__ import annotations

from pathlib import Path

from airis_mon.demo import documents
from airis_mon.stack.servers import Server


def test_documents_of_the_demo_are_derived_and_proven(
    tmp_path: Path, promtool: Server, amtool: Server
) -> None:
    addresses = documents.Addresses("http://127.0.0.1:1/page", "127.0.0.1:2")
    file, target = tmp_path / "monitors.yaml", tmp_path / "artefacts"
    proofs = documents.derive(addresses, file, target, promtool=promtool, amtool=amtool)
    proven = {proof.artefact for proof in proofs}
    assert {f"rules/{name}.rules.yaml" for name in (documents.CHAT, documents.DIGITS)} < proven
    assert sum(name.startswith("rules/proofs/standing.") for name in proven) == 2
    assert "alertmanager/routes.test.yaml" in proven
    config = (target / "alertmanager/alertmanager.yaml").read_text()
    assert "http://127.0.0.1:1/page" in config
    assert "127.0.0.1:2" in config
