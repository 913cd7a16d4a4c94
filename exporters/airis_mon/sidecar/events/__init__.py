"""Events kept whole, to be asked for: the store beside the counters.

Belongs here: the stores (SQLite, PostgreSQL), what keeps them in step with the journal, the routes that read
them. Must not be here: what an event is (`sidecar.items`), how it is counted, and durability: an event is
answered when the journal has it; the store follows, and is filled again from the journal where it has not.

What is promised
- Each acknowledged event is in the store once, under its record's sequence in the journal and its place in
  the record, however often a process ends in between. The journal keeps what the store does not have yet.
- A store that is down holds nobody up: events are taken in, and reach it when it is back. Meanwhile the
  journal grows; a disk that is nearly full is where intake ends (503), as without a store.
- `id` is the sender's: two events with the same one are two events, unless the batch carries a number.
"""
