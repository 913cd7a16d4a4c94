"""Every series that the analyzer publishes. vmanomaly's convention: a score of 1 or more is anomalous.

All of them keep the labels of the input series and add `monitor`, `model` and `for`; the expectation and its
band add `horizon`, which is `0s` for now and a duration for a forecast. All are written at the time of the
evaluation: what a forecast says of the future is told by `horizon`, never by a future timestamp.
"""

from __future__ import annotations

ACTUAL = "y"
"""The input as the analyzer saw it."""
EXPECTED = "yhat"
LOWER = "yhat_lower"
UPPER = "yhat_upper"
SCORE = "anomaly_score"
"""0 is as expected, >= 1 is anomalous; 0 while warming up."""

MONITOR = "monitor"
MODEL = "model"
FOR = "for"
"""Signal that the series is about, such as `time_to_first_token_p95`."""
HORIZON = "horizon"
NOW = "0s"
