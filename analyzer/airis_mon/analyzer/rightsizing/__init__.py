"""Use of CPU and memory by a container -> what it should request, and where its limits should be.

Belongs here: quantiles of the past with weights that decay, as the Vertical Pod Autoscaler takes them, and
what follows from containers that were killed; pure functions of numbers on a grid.

Must not be here: names of series, Kubernetes objects, or anything that changes a workload.
"""

from airis_mon.analyzer.rightsizing.advice import (
    Advice,
    EvidenceError,
    Resources,
    Settings,
    Usage,
    advise,
)

__all__ = ["Advice", "EvidenceError", "Resources", "Settings", "Usage", "advise"]
