"""Prometheus remote write, 1.0 and 2.0: what another Prometheus has, exposed here under its own labels.

Belongs here: which message a request is, samples into changes of series, the protocol's answers. Must not be
here: the messages themselves (`airis_mon.remote_write`), and how series are kept.

What a sample becomes
- Route: `POST /api/v1/write`, a snappy block; `Content-Type: application/x-protobuf` is 1.0, with
  `;proto=io.prometheus.write.v2.Request` it is 2.0, and any other is 415, so that a sender can fall back.
- Name and labels are the sender's own, and none is added: `job` and `instance` too. The Prometheus that
  scrapes this process wants `honor_labels: true`, else it has them as `exported_job`, `exported_instance`.
- The newest timestamp wins; what is older changes nothing and is no error, so a sender may repeat itself.
- Type: that of 2.0's metadata for gauges, and for counters that end with `_total`; else unknown, as 1.0 does
  not say it. A classic histogram comes as its parts, `x_bucket`, `x_sum`, `x_count`.
- A stale marker ends its series. Any other NaN is one plain NaN; a counter takes neither NaN nor infinity.
- Exemplars are kept with counters that 2.0 has named so; elsewhere OpenMetrics has no place for them.
- Refused, each with its reason: native histograms, names that are more than ASCII letters, digits and
  underscores, labels that begin with `__`, series that this process has of itself (`process_*` and the like:
  leave them out with `write_relabel_configs`), and names that would come into the way of another metric.

Answers are the protocol's: 204 once all of it counts, and is on disk where the process has one; 400 where
something is refused, and the rest counts; 503 with `Retry-After` where nothing does, and not 429, after
which Prometheus gives a batch up. 2.0 is told how much was written.
"""
