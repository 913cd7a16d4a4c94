"""An append-only log on disk: what `append` has returned for survives kill, crash and power loss.

Belongs here: segments and their records, group commit, recovery, snapshots, the windows that know a batch
sent twice, and a queue made of segments. Must not be here: what a payload means (it is bytes), HTTP, and any
library.

The promise
- `append` returns after fdatasync. Appends that wait together are written by one `writev` and made durable by
  one fdatasync: group commit, so that the price of the disk is shared.
- A batch that carries an `Origin` is kept once, however often it is sent and in whatever order, as long as
  it is no further behind its sender's newest than the window (128 batches); what is older counts as known.
- Segments describe themselves: no index or cursor file has to agree with them. Each start begins a new one.
- A record that is damaged on disk loses itself alone; the ones behind it are read. A torn end is cut off.
- After an error of write or fdatasync the segment is never synced again, as Linux forgets the error: it is
  sealed, and what was not yet acknowledged goes into a new one. A second error ends the journal.
- Sequence numbers are never used twice, not even that of a failed append; the next segment begins with the
  failed ones, so that what was refused and sent again does not count twice though both lie on the disk.

CRC-32 (zlib) rather than CRC-32C: the standard library has it, at several GB/s.
"""

from airis_mon.journal.errors import (
    JournalBrokenError,
    JournalBusyError,
    JournalError,
    JournalFullError,
    JournalLockedError,
    JournalVersionError,
)
from airis_mon.journal.examination import Report, examine, records, state
from airis_mon.journal.files import File, Files, PosixFiles
from airis_mon.journal.journal import Journal, Options, Receipt, Recovery
from airis_mon.journal.memory import MemoryJournal
from airis_mon.journal.origins import Origin
from airis_mon.journal.queue import Bounds, Entry, Item, Queue
from airis_mon.journal.records import Record

__all__ = [
    "Bounds",
    "Entry",
    "File",
    "Files",
    "Item",
    "Journal",
    "JournalBrokenError",
    "JournalBusyError",
    "JournalError",
    "JournalFullError",
    "JournalLockedError",
    "JournalVersionError",
    "MemoryJournal",
    "Options",
    "Origin",
    "PosixFiles",
    "Queue",
    "Receipt",
    "Record",
    "Recovery",
    "Report",
    "examine",
    "records",
    "state",
]
