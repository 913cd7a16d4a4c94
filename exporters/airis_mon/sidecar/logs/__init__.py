"""Log records in, counters and events out; what is personal stays outside.

Belongs here: the record, declared patterns that make metrics and events of it, the masking of personal data,
its ways in (`POST /v1/logs`, tailed files), and the configuration that declares all of this. Must not be
here: OTLP's own messages (`airis_mon.sidecar.otlp`, which hands its records to `capture`), a store of logs
(there is none: what no pattern asks for is counted and let go), and how batches are kept (`intake`).
"""
