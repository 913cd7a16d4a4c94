"""What a receiver's answer means: delivered, at fault, later, or not understood.

| answer | what becomes of the request |
| --- | --- |
| 2xx | delivered; to 2.0 without any `Written` header: nothing was stored, 1.0 is used |
| 429, 5xx, no answer | later, as it is; `Retry-After` says when |
| 415 to 2.0 | 1.0 is used |
| 400, 409, 413 | its content is at fault: 1.0's is halved until the sample at fault stands alone, since receivers of 1.0 roll a whole request back (Prometheus says 400, Thanos 409 for order, proxies 413 for size); of 2.0's what `Written` counts is stored, and the rest is not sent again |
| other | final: the request is given up |
"""  # noqa: E501  a table

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from airis_mon.remote_write.negotiation import Version
from airis_mon.remote_write.retry import asked_wait

_WRITTEN = "x-prometheus-remote-write-{}-written"
_KINDS = ("samples", "histograms", "exemplars")


class Decision(Enum):
    """What becomes of a request."""

    DELIVERED = auto()
    REFUSED = auto()
    """The content is at fault."""
    LATER = auto()
    UNSUPPORTED = auto()
    """The version is not understood."""
    FINAL = auto()


@dataclass(frozen=True)
class Answer:
    """What a receiver answered."""

    status: int
    """0 for none: the receiver could not be reached, or the connection broke."""
    headers: Mapping[str, str]
    """By name in lower case."""
    text: str
    """Its words as they are, or why there are none."""

    @property
    def written(self) -> int | None:
        """Return the samples that a 2.0 receiver says it has written; None where it says nothing."""
        if not any(_WRITTEN.format(kind) in self.headers for kind in _KINDS):
            return None
        said = self.headers.get(_WRITTEN.format("samples"), "0").strip()
        return int(said[:18]) if said.isascii() and said.isdigit() else 0

    def wait(self, now: float) -> float | None:
        """Return the seconds that the receiver asks to wait; None where it does not say."""
        return asked_wait(self.headers.get("retry-after"), now)

    def decision(self, version: Version) -> Decision:
        """Return what becomes of a request that was sent in `version`."""
        if 200 <= self.status < 300:
            mute = version == "2.0" and self.written is None
            return Decision.UNSUPPORTED if mute else Decision.DELIVERED
        if self.status == 0 or self.status == 429 or self.status >= 500:
            return Decision.LATER
        if self.status == 415 and version == "2.0":
            return Decision.UNSUPPORTED
        return Decision.REFUSED if self.status in (400, 409, 413) else Decision.FINAL
