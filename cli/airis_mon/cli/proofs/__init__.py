"""Nothing is emitted unproven: promtool and amtool have the last word on what was derived.

Belongs here: which runs prove a folder (`rules`, `routes`), the runs themselves, and the memory of what was
proven before.

Must not be here: what has to hold. That comes with the artefacts.
"""

from airis_mon.cli.proofs.memory import Memory
from airis_mon.cli.proofs.prove import prove
from airis_mon.cli.proofs.runs import Failure, Proof, ProofError

__all__ = ["Failure", "Memory", "Proof", "ProofError", "prove"]
