"""Series as a Prometheus has stored them, read through remote read, and handed on to another one unread.

Belongs here: the protocol of remote read 1.0, and samples on their way as the bytes that they came in: exact
times, stale markers and native histograms stay what they were.

Must not be here: PromQL, what the series mean, samples of our own (those are remote_write's).
"""

from airis_mon.remote_read.http import HttpReader, ReadError, hand_on
from airis_mon.remote_read.message import Query, RawSeries, write_body

__all__ = ["HttpReader", "Query", "RawSeries", "ReadError", "hand_on", "write_body"]
