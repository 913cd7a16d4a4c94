"""Rules that somebody wrote -> the document that says the same, as far as it can be said.

Belongs here: what a rule file holds (`rulefile`), which of its alerts are one of our concerns (`burns` for
objectives, `silence`, `values`), and what became of every rule.

Must not be here: rules of our own making, which follow from the document, and files.
"""

from airis_mon.rules.adoption.adopting import Adoption, Verdict, Wanted, adopt

__all__ = ["Adoption", "Verdict", "Wanted", "adopt"]
