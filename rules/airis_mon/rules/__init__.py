"""Monitor -> recording and alerting rules, with the promtool tests that prove them.

Belongs here: burn rates, absence, anomaly and forecast alerts, and the names and labels that alerts carry
(`series`); rules of others taken over as a document (`adoption`).

Must not be here: who is told (alertmanager), I/O, or the names of series of other rooms.
"""
