"""Documents held against the series that a Prometheus really has: what could never fire is told beforehand.

Belongs here: which questions are asked, and what the answers mean for a document: buckets, names, labels,
intervals, versions, retention. Every finding names the place in the document and what to write there.

Must not be here: HTTP, passwords, deadlines. Questions go through a `Prometheus` that the caller brings.
"""

from airis_mon.rules.live.boundaries import with_boundaries
from airis_mon.rules.live.examination import Examination, examine
from airis_mon.rules.live.loaded import otherwise
from airis_mon.rules.live.prometheus import Facts, Prometheus, Sample
from airis_mon.rules.live.server import mismatches

__all__ = [
    "Examination",
    "Facts",
    "Prometheus",
    "Sample",
    "examine",
    "mismatches",
    "otherwise",
    "with_boundaries",
]
