"""What was sent, what was answered, and what that says of what is counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

Totals = dict[tuple[str, str], int]
"""(counter, producer) to its value."""


@dataclass
class Ledger:
    """What one producer has sent."""

    producer: str
    sent: int = 0
    """Batches, numbered from 1."""
    doubtful: set[int] = field(default_factory=set)
    """Sent, and not acknowledged."""


@dataclass
class Outcome:
    """What the trials of one fault have shown; all but the first three have to stay 0."""

    trials: int = 0
    batches: int = 0
    injected: int = 0
    """Trials in which the fault is known to have struck."""
    lost: int = 0
    counted_twice: int = 0
    went_back: int = 0
    """Readings of a counter below an earlier one."""
    manual_steps: int = 0
    """Starts that failed without a fault being done to them."""
    violations: int = 0
    """Of what a fault promises beside: answers that came late, too much memory, a status of 5xx but 503."""

    def __add__(self, other: Outcome) -> Outcome:
        ours, theirs = asdict(self), asdict(other)
        return Outcome(**{name: ours[name] + theirs[name] for name in ours})

    @property
    def sound(self) -> bool:
        """Say whether nothing is held against the sidecar."""
        return not (self.lost or self.counted_twice or self.went_back or self.manual_steps or self.violations)


def judge(ledgers: list[Ledger], counted: Totals, outcome: Outcome) -> None:
    """Hold what is counted against the ledgers, none of whose batches is in doubt any more.

    The number of batches and the sum of their numbers are both compared, so that a loss cannot hide behind
    what was counted twice. Tells the state, so it may be asked again and again.
    """
    outcome.lost = outcome.counted_twice = 0
    for ledger in ledgers:
        assert not ledger.doubtful
        batches = counted.get(("batches", ledger.producer), 0)
        numbers = counted.get(("numbers", ledger.producer), 0)
        outcome.lost += max(0, ledger.sent - batches)
        outcome.counted_twice += max(0, batches - ledger.sent)
        if batches == ledger.sent and numbers != ledger.sent * (ledger.sent + 1) // 2:
            # As many were lost as counted twice.
            outcome.lost += 1
            outcome.counted_twice += 1


def note(now: Totals, seen: Totals, outcome: Outcome) -> None:
    """Compare with what was seen before: no counter goes back."""
    for key, before in seen.items():
        outcome.went_back += now.get(key, 0) < before
    seen.update(now)
