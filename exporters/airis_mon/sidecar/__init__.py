"""The service that takes metrics and events over HTTP and exposes them to Prometheus.

Belongs here: the two schemas, their translation into series, the aggregates, the limits, the routes.
Must not be here: the standard routes and listening (`airis_mon.web`), names of series
(`airis_mon.exporters.series`), and anything that asks Prometheus.

How a metric becomes a series
- Name: runs of characters other than letters and digits become `_`, but a colon is refused, as Prometheus
  keeps it for recording rules; the base unit is appended unless the name ends with it, and takes the place
  of an ending that spells the unit sent (`latency_ms`); counters get `_total`.
- Unit: values are converted to base units (`milliseconds` to seconds, `MiB` to bytes, `percent` to a ratio);
  `{token}` and other annotations in braces, `1` and an empty unit leave the name as it is.
- Type: `performance`, `latency`, `histogram` are histograms, with boundaries by base unit; `usage`,
  `throughput`, `counter` are counters, and the value is the increment, at most 2^53; `quality`, `resource`,
  `gauge` are gauges, where the latest timestamp wins. A name has one type for good.
- Labels: `source` and the tags. `metadata` is none: it may differ with each value, and each new combination
  of labels is a new series.
- Timestamp: orders the values of a gauge; series carry no timestamps of their own, Prometheus gives them the
  time of the scrape.

Events are counted by type, severity and source.
"""
