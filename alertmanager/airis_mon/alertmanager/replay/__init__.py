"""Alerts of a time and Alertmanager's configuration -> the notifications that Alertmanager would have sent.

Belongs here: Alertmanager's behaviour as pure functions of time: route tree, groups and their waits,
repetition, resolution, inhibition, time intervals, silences. It reads the same mapping that is written to
alertmanager.yaml, and is held against the real Alertmanager, notification by notification.

Must not be here: how alerts come to fire (that is Prometheus', see the rules), how pages are shown, sockets,
the clock. What it does not model: delivery that fails, the loss of Alertmanager's memory in a restart, and
the gossip of a cluster.
"""

from airis_mon.alertmanager.replay.configuration import Configuration, ConfigurationError
from airis_mon.alertmanager.replay.dispatcher import Delays, TooManyEventsError, replay
from airis_mon.alertmanager.replay.firings import Firing, Post, posts
from airis_mon.alertmanager.replay.matchers import Matcher
from airis_mon.alertmanager.replay.notifications import Alert, Notification, Outcome, Suppression
from airis_mon.alertmanager.replay.silences import Silence

__all__ = [
    "Alert",
    "Configuration",
    "ConfigurationError",
    "Delays",
    "Firing",
    "Matcher",
    "Notification",
    "Outcome",
    "Post",
    "Silence",
    "Suppression",
    "TooManyEventsError",
    "posts",
    "replay",
]
