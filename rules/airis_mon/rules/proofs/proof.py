"""Some groups of rules, and the tests that they have to pass by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airis_mon.rules.groups import Group, file_content
from airis_mon.rules.proofs.case import Case
from airis_mon.spec import format_duration


@dataclass(frozen=True)
class Proof:
    """One run of promtool.

    It evaluates every rule of its file at every step of every case, so a proof holds no rule that it does not
    need, and what takes minutes, hours and days is kept apart.
    """

    what: str
    """Words for file names, such as `burn-30d`."""
    groups: Sequence[Group]
    """Rules as they are emitted, in the order in which one depends on the other."""
    step: float
    """Seconds between two evaluations."""
    cases: Sequence[Case]

    def rules(self) -> dict[str, Any]:
        """Return the content of the rule file."""
        return file_content(self.groups)

    def tests(self, rule_file: str) -> dict[str, Any]:
        """Return the content of the test file."""
        return {
            "rule_files": [rule_file],
            "evaluation_interval": format_duration(self.step),
            # promtool's own order is random.
            "group_eval_order": [group.name for group in self.groups],
            "tests": [case.content() for case in self.cases],
        }
