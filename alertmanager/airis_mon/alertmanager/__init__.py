"""Monitor -> routes, receivers, escalation and message templates, with the routing proofs for amtool.

Must not be here: PromQL, thresholds, or a notifier of our own. Stock Alertmanager does the work.
"""
