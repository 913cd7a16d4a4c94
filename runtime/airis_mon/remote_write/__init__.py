"""Samples -> a Prometheus remote-write receiver.

Belongs here: the sample, the `Writer` that takes samples, the messages of both versions and which of them a
receiver is sent, and the rules of sending (what is retried, what is given up, what is told about it).

Must not be here: what the samples mean, who measures them, or when they are due.
"""

from airis_mon.remote_write.batches import Limits
from airis_mon.remote_write.dead_letters import DeadLetters, unheard, untold
from airis_mon.remote_write.delivery import Delivery
from airis_mon.remote_write.http import HttpWriter
from airis_mon.remote_write.message import request_2, write_request
from airis_mon.remote_write.metadata import Metadata
from airis_mon.remote_write.negotiation import RESERVED, Asked
from airis_mon.remote_write.queued import Backlog, QueuedWriter
from airis_mon.remote_write.retry import Backoff
from airis_mon.remote_write.sample import STALE, Exemplar, Refusal, Sample, is_stale
from airis_mon.remote_write.writer import Writer, WriteResult

__all__ = [
    "RESERVED",
    "STALE",
    "Asked",
    "Backlog",
    "Backoff",
    "DeadLetters",
    "Delivery",
    "Exemplar",
    "HttpWriter",
    "Limits",
    "Metadata",
    "QueuedWriter",
    "Refusal",
    "Sample",
    "WriteResult",
    "Writer",
    "is_stale",
    "request_2",
    "unheard",
    "untold",
    "write_request",
]
