"""A journal of 64 KiB cut off and flipped at every byte, as `tests/journal/test_damage.py` does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.faults.ledger import Outcome
from tests.journal.test_damage import (
    SIZE,
    test_a_cut_at_any_byte_loses_what_lies_behind_it,
    test_a_flipped_byte_loses_its_own_record_alone,
)


def damaged(every: int) -> Outcome:
    """Go through every so many bytes of it, by both; a failed one counts as a loss."""
    outcome = Outcome()
    for check in (
        test_a_cut_at_any_byte_loses_what_lies_behind_it,
        test_a_flipped_byte_loses_its_own_record_alone,
    ):
        with tempfile.TemporaryDirectory() as name:
            outcome.trials += SIZE // every
            try:
                check(Path(name), every)
            except AssertionError:
                outcome.lost += 1
    outcome.injected = outcome.trials
    return outcome
