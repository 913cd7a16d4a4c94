"""OTLP/HTTP: what OpenTelemetry SDKs and collectors export, taken into the sidecar's series.

Belongs here: the protocol's messages in both encodings as one model, its names and identities as Prometheus
has them, its answers. Must not be here: what the sidecar's own schemas mean, and how series are kept.

What an export becomes
- Routes: `POST /v1/metrics` takes `application/x-protobuf`, and JSON with a top-level `resourceMetrics`,
  beside the sidecar's own items, which have no such field; `/otlp/v1/metrics` takes OTLP alone.
- Names are those of Prometheus' own OTLP receiver (`UnderscoreEscapingWithSuffixes`):
  `gen_ai.client.operation.duration` in `s` is `gen_ai_client_operation_duration_seconds`. Values are not
  converted: `ms` stays, as `_milliseconds`.
- Identity: `service.name` is the label `source`, `service.namespace` is `service_namespace`, and
  `service.instance.id` is `service_instance_id`. A resource without an instance id gets a digest of its
  other attributes there, so that two replicas that differ in host or process never overwrite each other's
  totals. The scope's name is `otel_scope_name`, its attributes `otel_scope_*`. Its version is left out: one
  process does not run two, and a release would begin every series anew.
- Attributes become labels, nested values as JSON; attributes that come to one label are joined by `;`.
  `le`, `quantile`, `source` and the three labels above become `tag_*`. An empty value is no label.
- Cumulative sums and histograms replace what was there where they are no older: sent twice they count once.
  Delta ones are added: a sender that may send again numbers its batches, as for every other route. A delta
  sum that is not monotonic is refused, as its start is not known.
- A histogram has the boundaries that its series came with first; a sender that changes them is refused until
  the old series is gone. An exponential one is exact at the powers of two from 2^-10 to 2^26, which are
  boundaries of every scale from 0 up, and is exposed with those.
- Refused, each with its reason: summaries (quantiles do not add up), histograms without a sum or with
  negative values, counters that are negative, NaN or infinite, counts that disagree with each other.
- A point flagged as without a recorded value ends its series.
- Exemplars are kept with the ids of trace and span.
- `POST /v1/logs` and `/otlp/v1/logs` take log records, which become what `airis_mon.sidecar.logs` makes of
  any: `service.name` is the source, severities are debug (TRACE too), info, warning, error and critical
  (FATAL), and attributes of record and resource, `event.name`, `otel.scope.name` and `span_id` are fields
  under their own names.

Answers are OTLP's: 200, with `partial_success` where points were refused (the rest counts); 400 for what
cannot be decoded, 413 for too much, 429 and 503 with `Retry-After` where nothing counts. 200 is on disk
where the process has a disk; without `--storage.path` it is in memory, as OTLP knows no 202.
"""
