"""Numbers -> expectation, band and score, over many series at once.

Belongs here: models as pure functions of arrays, causal by construction, the same for live, replay and
benchmark.

Must not be here: clocks, sockets, labels, or anything that knows where numbers come from or go to.
"""
