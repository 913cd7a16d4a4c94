"""What AI applications and model servers expose, and what their series mean.

Belongs here: the names of the series that our own instrumentation publishes (`series`), and one contract per
kind of model server (`contracts`) that maps the signals of a ModelMonitor to that server's series, units and
reshapes included.

Must not be here: rules, thresholds, alert names (they live downstream), or HTTP.
"""
