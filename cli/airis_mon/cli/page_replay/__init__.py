"""Past data through today's documents: who would have been paged, when, how often.

Belongs here: bringing the past of a Prometheus to one of our own, having the rules evaluated there, and the
account of what Alertmanager would have made of it, as a table and as a page.

Must not be here: how alerts change their states (that is :mod:`airis_mon.rules.replay`'s), how Alertmanager
behaves (:mod:`airis_mon.alertmanager.replay`'s), or anything that writes to a team's own servers.
"""
