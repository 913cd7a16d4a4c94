"""The service that takes metrics, events and operations of models over HTTP and exposes them to Prometheus.

Belongs here: the schemas of items, their translation into series, other protocols that become the same series
(`otlp`, `remote_write`), the aggregates, what the journal's records mean, the limits, the routes. Must not
be here: the standard routes and listening (`airis_mon.web`), how bytes get onto a disk (`airis_mon.journal`),
names of series (`airis_mon.exporters.series`), and anything that asks Prometheus.

What an answer means
- 200: on disk, and counted. It survives kill, crash and power loss of this machine, as long as its disk does.
- 202: counted, in memory alone: the process was started without `--storage.path`.
- 200 with `"duplicate": true`: this batch had come before, and counted then. A sender that wants to be able
  to send again without counting twice numbers its batches: `X-Airis-Producer` (who), `X-Airis-Epoch` (which
  life of it), `X-Airis-Sequence` (which batch, ascending); or gives each an `Idempotency-Key`. The newest 128
  batches of a life are told apart; what is older counts as known.
- 400 with errors by index: those items do not count, the others do, as durably as with 200.
- 429, 503 with `Retry-After`: nothing of it counts; send it again. 503 is a full or broken disk, or a process
  that is still reading back what it had: `/metrics` is 503 as well until then, since counters that are half
  back would look like a reset.

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

Events are counted by type, severity and source. An operation of a model counts in each series that
`airis_mon.instrument` would expose for it, with the label `source`: in all of them or, refused, in none.
"""
