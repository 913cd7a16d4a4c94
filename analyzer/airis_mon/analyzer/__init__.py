"""Prometheus -> expectation, band, anomaly score, forecast -> remote write.

Belongs here: reading history, models over many series at once, the cycle that runs them, and the names of
what they publish (`series`).

Must not be here: alert rules, thresholds of objectives, or anything that decides who is told.
"""
