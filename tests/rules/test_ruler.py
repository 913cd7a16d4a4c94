"""Rules in the groups that a server takes: fewer of them for Mimir, and the same rules."""

from __future__ import annotations

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from airis_mon.rules import ruler
from airis_mon.rules.collection import groups
from airis_mon.rules.compile import Ruler, artefacts, crowding
from airis_mon.rules.groups import file_content
from airis_mon.rules.proofs.claims import claims
from airis_mon.spec import Monitor, SpecError
from airis_mon.stack.servers import Server
from tests.rules.monitors import chat, mutated

MIMIR = Ruler(rules_per_group=20, groups=70)


@pytest.mark.parametrize("monitor", [chat(), mutated()], ids=lambda monitor: monitor.name)
def test_packed_groups_hold_the_same_rules_in_the_same_order(monitor: Monitor) -> None:
    plain = groups(monitor)
    packed = yaml.safe_load(artefacts(monitor, target=MIMIR)[0].text)["groups"]
    assert [rule for group in packed for rule in group["rules"]] == [
        rule for group in plain for rule in group.rules
    ]
    sizes = [len(group["rules"]) for group in packed]
    assert max(sizes) <= 20
    assert len(packed) < len(plain)
    assert all(one + other > 20 for one, other in pairwise(sizes))  # else they were one
    names = [group["name"] for group in packed]
    assert names == [f"airis-mon:{monitor.name}:{number}" for number in range(1, len(names) + 1)]
    # What is counted against the tenant's limit is what is written.
    counted = {monitor.name: [len(group.rules) for group in plain]}
    assert crowding(counted, Ruler(rules_per_group=20, groups=len(packed))) == []
    assert crowding(counted, Ruler(rules_per_group=20, groups=len(packed) - 1))


def test_without_such_limits_groups_are_as_they_were() -> None:
    assert ruler.packed(chat(), groups(chat()), Ruler()) == groups(chat())


def test_a_group_that_is_too_large_by_itself_is_refused() -> None:
    with pytest.raises(SpecError, match="rules, and Mimir takes 12 in one group"):
        artefacts(chat(), target=Ruler(rules_per_group=12))


def test_packed_rules_pass_the_proofs_of_the_plain_ones(promtool: Server, tmp_path: Path) -> None:
    files: list[Path] = []
    for claim in claims(mutated()):
        for proof in claim.proofs(claim.about):
            packed = ruler.packed(claim.about, proof.groups, MIMIR)
            name = f"{len(files)}.rules.yaml"
            (tmp_path / name).write_text(yaml.safe_dump(file_content(packed)))
            tests = proof.tests(name) | {"group_eval_order": [group.name for group in packed]}
            files.append(tmp_path / f"{len(files)}.test.yaml")
            files[-1].write_text(yaml.safe_dump(tests))
    assert len(files) > 2
    done = subprocess.run(
        [str(promtool.path), "test", "rules", *map(str, files)],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
