"""Which version of remote write a receiver speaks: asked for, found out, remembered.

2.0 is tried first, and 1.0 is what is fallen back to. A receiver of 1.0 that does not look at the media type
reads a 2.0 message as an empty one and answers 2xx: nothing was stored. It is known by the `Written` headers
that it does not send, which is the one thing that 2.0 lets a sender conclude from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Version = Literal["1.0", "2.0"]
Asked = Literal["auto", "1.0", "2.0"]

_TYPES: dict[Version, str] = {
    "1.0": "application/x-protobuf",
    "2.0": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
}
"""Without a space: Thanos compares the whole text."""
_VERSIONS: dict[Version, str] = {"1.0": "0.1.0", "2.0": "2.0.0"}
RESERVED = frozenset(
    ("content-encoding", "content-type", "content-length", "user-agent", "x-prometheus-remote-write-version")
)
"""Headers, in lower case, that are the protocol's and nobody else's."""


class Negotiation:
    """The version in use with one receiver.

    `auto` also tries 1.0 where a receiver that has not yet shown that it speaks 2.0 answers 400, as old ones
    do to what they cannot read, and halves what is refused as a whole. `2.0` keeps to the letter: what was
    answered 4xx is not sent again, in part or in whole; only 415 and its disguise lead to 1.0.
    """

    def __init__(self, asked: Asked = "auto") -> None:
        """Begin with the version that is `asked` for."""
        self.asked = asked
        self.version: Version = "1.0" if asked == "1.0" else "2.0"
        self.established = False
        """The receiver has taken something in this version."""
        self.notes: list[str] = []
        """What the user should hear of once; whoever tells it empties the list."""
        self._surmised = ""

    @property
    def strict(self) -> bool:
        """Whether what was answered 4xx is never sent again in another form."""
        return self.asked == "2.0"

    def headers(self) -> Mapping[str, str]:
        """Return the headers of the version in use."""
        return {
            "Content-Encoding": "snappy",
            "Content-Type": _TYPES[self.version],
            "X-Prometheus-Remote-Write-Version": _VERSIONS[self.version],
        }

    def taken(self) -> None:
        """Note that the receiver took a request in the version in use."""
        self.established = True
        if self._surmised:
            self._told(self._surmised)
            self._surmised = ""

    def unsupported(self, why: str) -> None:
        """Go to 1.0 for good."""
        self.version, self.established, self._surmised = "1.0", False, ""
        self._told(why)

    def surmise(self, why: str) -> None:
        """Go to 1.0, until `settle`, unless the receiver takes something in it."""
        self.version, self._surmised = "1.0", why

    def settle(self) -> None:
        """Go back to 2.0 where 1.0 was no better."""
        if self._surmised:
            self.version, self._surmised = "2.0", ""

    def _told(self, why: str) -> None:
        self.notes.append(f"remote write 1.0 is used from here on: {why}")
