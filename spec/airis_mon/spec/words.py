"""The texts that documents are made of: names, labels, addresses; and the lengths of time between them."""

from __future__ import annotations

from dataclasses import replace

from airis_mon.spec.scalars import Text

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
"""Seconds."""

NAME = Text(
    wanted="a name",
    pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
    hint="write lower-case letters, digits and dashes, such as support-chat; it names files and objects",
    longest=63,
)
WORD = Text(
    wanted="the name of a signal",
    pattern="^[a-z][a-z0-9_]*$",
    hint="write lower-case letters, digits and underscores, such as request_rate",
    longest=100,
)
METRIC = Text(
    wanted="the name of a metric",
    pattern="^[a-zA-Z_:][a-zA-Z0-9_:]*$",
    hint="write letters, digits, underscores and colons, such as features_updated_timestamp_seconds",
    longest=200,
)
LABEL = Text(
    wanted="a Prometheus label",
    pattern="^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$",
    hint="write letters, digits and underscores; two leading underscores are Prometheus' own",
    longest=128,
)
LABEL_VALUE = Text(
    wanted="a label value",
    hint="write the value that the series carry; an empty one would stand for series without the label",
    longest=1000,
)
RESERVED_LABELS = (
    "alertname", "le", "monitor", "model", "for", "horizon", "objective", "severity", "team", "bound",
    "dimensions",
)  # fmt: skip
"""Labels that derived series and alerts carry themselves, so that nothing can be kept apart by them."""
DIMENSION = replace(LABEL, reserved=RESERVED_LABELS)
"""A label that an anomaly or a forecast is kept apart by."""
PROMQL = Text(
    wanted="a PromQL expression",
    pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$",
    hint='write a sum of rates over $window, such as sum(rate(http_requests_total{job="api"}[$window]))',
    longest=2000,
)
"""Several lines are welcome; what it says is read by `rules`."""
MARK = replace(
    LABEL,
    reserved=(
        *RESERVED_LABELS, "sloth_id", "sloth_mode", "sloth_objective", "sloth_service", "sloth_slo",
        "sloth_spec", "sloth_window",
    ),
)  # fmt: skip
"""A label that an objective gives to all that is derived from it."""
LINE = Text(longest=200)
REMARK = Text(
    pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]+$", hint="write text; several lines are welcome", longest=2000
)
SECRET_FILE = Text(
    wanted="the path of a file from the root",
    pattern=r"^/[^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0]$",
    # Alertmanager opens a relative path relative to wherever it was started, and only when it sends.
    hint="put the secret into a file and write its path from the root, such as /etc/alertmanager/secret",
    longest=1000,
    private=True,
)
"""A file that holds a secret; what is written here by mistake may be the secret itself."""
URL = Text(
    wanted="a URL",
    pattern=r"^https?://[^\s/?#@]+([/?#][^\s]*)?$",
    hint="write https://host/path; a URL that holds a secret belongs in a file",
    longest=2000,
)
ENDPOINT = replace(URL, wanted="a URL without user and password", private=True)
"""A URL that may hold a key, against advice."""
MAILBOX = Text(
    wanted="a mail address",
    pattern=r"^[^@\s,<>]+@[^@\s,<>]+$",
    hint="write it as oncall@example.com",
)
HOST_PORT = Text(
    wanted="a host and port",
    pattern=r"^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$",
    hint="write it as smtp.example.com:587",
)
