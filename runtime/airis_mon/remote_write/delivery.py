"""One attempt at delivering a batch: versions are tried, what is refused is narrowed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import requests

from airis_mon.remote_write.answers import Answer, Decision
from airis_mon.remote_write.batches import Batch, Limits, counted, halves
from airis_mon.remote_write.connection import Connection
from airis_mon.remote_write.dead_letters import refusals
from airis_mon.remote_write.message import encoded
from airis_mon.remote_write.metadata import UNKNOWN, Metadata
from airis_mon.remote_write.negotiation import Asked, Negotiation
from airis_mon.remote_write.sample import Refusal
from airis_mon.remote_write.symbols import encoded_2

_NOTHING: Mapping[str, Metadata] = MappingProxyType({})
_WORTHWHILE = 128
"""Requests for one batch, beyond which it is halved on only as long as that saves more than it loses."""


@dataclass
class Outcome:
    """What became of a batch in one attempt."""

    sent: int = 0
    """Samples that were acknowledged."""
    dropped: int = 0
    """Samples that the receiver will not store."""
    refused: list[Refusal] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """Why, one text for each request that was refused."""
    left: list[Batch] = field(default_factory=list)
    """What has to be asked again, in this order."""
    answer: Answer | None = None
    """What was answered to the first of `left`."""


class Delivery:
    """Takes batches to one receiver."""

    def __init__(
        self,
        url: str,
        *,
        version: Asked = "auto",
        limits: Limits = Limits(),  # noqa: B008  a frozen value
        timeout: float = 10.0,
        metadata: Mapping[str, Metadata] = _NOTHING,
        otherwise: Metadata = UNKNOWN,
        headers: Mapping[str, str] | None = None,
        session: requests.Session | None = None,
    ) -> None:
        """Prepare: `timeout` in seconds for each request, `metadata` by metric name for 2.0, own `headers`.

        `otherwise` is what every other metric is.

        ValueError for a header that is the protocol's.
        """
        self.limits = limits
        self._connection = Connection(url, headers, session)
        self._negotiation = Negotiation(version)
        self._metadata = metadata
        self._otherwise = otherwise
        self._timeout = timeout

    def notes(self) -> tuple[str, ...]:
        """Return what was found out about the receiver since this was asked last."""
        notes, self._negotiation.notes = self._negotiation.notes, []
        return tuple(notes)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def attempt(self, batch: Batch, left: Callable[[], float], *, suspect: bool = False) -> Outcome:
        """Send a batch up to the first request that has to be asked again, or until no seconds are `left`.

        Of a `suspect` batch, 500 says that its content is at fault, as 400 does of any.
        """
        outcome = Outcome()
        pieces = [batch]
        asked = 0
        while pieces:
            piece = pieces.pop()
            body = self._encoded(piece)
            count = counted(piece)
            if len(body) > self.limits.message_bytes and count > 1:
                pieces += [*halves(piece)][::-1]
                continue
            seconds = left()
            asked += 1
            # Where nearly all is at fault, two requests for each sample would help nobody.
            worthwhile = asked <= _WORTHWHILE or outcome.sent >= outcome.dropped
            answer = (
                self._connection.post(body, self._negotiation.headers(), min(self._timeout, seconds))
                if seconds > 0
                else Answer(0, {}, "no time was left to send")
            )
            match Decision.REFUSED if suspect and answer.status == 500 else self._decided(answer):
                case Decision.DELIVERED:
                    self._negotiation.taken()
                    outcome.sent += count
                case Decision.UNSUPPORTED:
                    pieces.append(piece)
                case Decision.LATER:
                    outcome.left, outcome.answer = [piece, *pieces[::-1]], answer
                    break
                case Decision.REFUSED if count > 1 and worthwhile and self._may_halve(answer):
                    # The earlier half first: a series must arrive in time order.
                    pieces += [*halves(piece)][::-1]
                case _:
                    self._refuse(piece, answer, outcome)
        self._negotiation.settle()
        return outcome

    def _encoded(self, batch: Batch) -> bytes:
        if self._negotiation.version == "2.0":
            return encoded_2(batch, self._metadata, self._otherwise)
        return encoded(batch)

    def _decided(self, answer: Answer) -> Decision:
        """Return what becomes of the request, having learnt from the answer which version to use."""
        talk = self._negotiation
        decision = answer.decision(talk.version)
        if decision is Decision.UNSUPPORTED:
            mute = 200 <= answer.status < 300
            talk.unsupported(
                f"{self._connection.shown} took a 2.0 request and did not say what it wrote: it wrote nothing"
                if mute
                else answer.text
            )
        elif (
            decision is Decision.REFUSED
            and answer.status == 400
            and answer.written is None
            and talk.version == "2.0"
            and not (talk.established or talk.strict)
        ):
            talk.surmise(answer.text)
            return Decision.UNSUPPORTED
        return decision

    def _may_halve(self, answer: Answer) -> bool:
        talk = self._negotiation
        # 2.0: where it says what it wrote it kept what was good; where it says nothing it wrote nothing.
        rolled_back = talk.version == "1.0" or answer.written is None or answer.status in (413, 500)
        return rolled_back and not talk.strict

    def _refuse(self, piece: Batch, answer: Answer, outcome: Outcome) -> None:
        count = counted(piece)
        written = 0
        if self._negotiation.version == "2.0" and answer.written is not None:
            written = min(count, answer.written)
        outcome.sent += written
        outcome.dropped += count - written
        lost = refusals(piece, answer.text, doubtful=written > 0) if written < count else []
        outcome.refused += lost
        if count == 1 and lost:
            outcome.errors.append(str(lost[0]))
        else:
            outcome.errors.append(f"{count - written} of {count} samples: {answer.text}")
