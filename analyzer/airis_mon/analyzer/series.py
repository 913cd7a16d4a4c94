"""Every series that the analyzer publishes. vmanomaly's convention: a score of 1 or more is anomalous.

All of them keep the labels of the input series and add `monitor`, `model` and `for`; the expectation and its
band add `horizon`, which is `0s` for now and a duration for a forecast. All are written at the time of the
evaluation: what a forecast says of the future is told by `horizon`, never by a future timestamp.
"""

from __future__ import annotations

# Written back
ACTUAL = "y"
"""The input as the analyzer saw it."""
EXPECTED = "yhat"
"""What was expected at that horizon."""
LOWER = "yhat_lower"
"""Lower edge of the band of what is usual."""
UPPER = "yhat_upper"
"""Upper edge of the band of what is usual."""
SCORE = "anomaly_score"
"""0 is as expected, >= 1 is anomalous; 0 while warming up."""
COVERAGE = "airis_forecast_coverage"
"""Share of what came lately that lay within the forecast's band of that horizon: it is made to hold 0.95."""
MASE = "airis_forecast_mase"
"""Mean absolute error of the forecast of that horizon, as a multiple of the seasonal naive one's: 1 is no
better."""
DEMOTED = "airis_forecast_demoted"
"""1 while the forecast of that horizon has lost to the seasonal naive one lately, and is that one instead."""
PEER_SCORE = "airis_peer_score"
"""How unlike the other series of its query a series is, where four or more are kept apart: from 1 on it has
left its peers. `anomaly_score` is never less."""
SHAPE_SCORE = "airis_shape_score"
"""How unlike its own past a series moves, wherever its level is: from 1 on it has frozen, grown rough, or
begun to swing; absent while too little is known. `anomaly_score` is never less."""

RESULTS = (ACTUAL, EXPECTED, LOWER, UPPER, COVERAGE, MASE, DEMOTED, SCORE, PEER_SCORE, SHAPE_SCORE)

# Labels of what is written back
MONITOR = "monitor"
"""Name of the ModelMonitor."""
MODEL = "model"
"""Name of the model."""
FOR = "for"
"""Signal that the series is about, such as `time_to_first_token_p95`."""
HORIZON = "horizon"
"""How far ahead the value looks."""

# Two versions beside each other, compared each minute where a document has `canary`
CANARY_VERDICT = "airis_canary_verdict"
"""1 for the verdict that a candidate has now, by `metric`, and 0 for each other one: `better`, `same`,
`worse`, `undecided`."""
CANARY_DIFFERENCE = "airis_canary_difference"
"""Candidate - baseline in the metric's base unit, step by step; absent before both had traffic."""
CANARY_LOWER = "airis_canary_difference_lower"
"""Lower edge of the interval that holds whenever somebody looks; absent while nothing is known."""
CANARY_UPPER = "airis_canary_difference_upper"
"""Its upper edge."""

# Labels of what is written of two versions, beside `monitor` and `model`
METRIC = "metric"
"""Objective, or signal, that the versions are compared by."""
VERDICT = "verdict"
"""What is said of the candidate."""
BASELINE = "baseline"
"""Label matchers of the version that is there."""
CANDIDATE = "candidate"
"""Label matchers of the version that may replace it."""

# How many replicas by when, written by `airis-mon capacity --write`
REPLICAS = "airis_capacity_replicas"
"""Replicas that run, as the plan counted them."""
REPLICAS_NEEDED = "airis_capacity_replicas_needed"
"""Replicas that the expected load of the busiest hour within `horizon` needs."""
REPLICAS_NEEDED_UPPER = "airis_capacity_replicas_needed_upper"
"""Replicas that are enough on the worst day within `horizon` with the probability of `--level`, 95%."""

# Values of the label `for`, beside signals
CANARY = "canary"
"""Two versions that are compared; by which objective the new one is worse is the label `metric`."""

# Values of the label `horizon`, beside durations such as `24h`
NOW = "0s"
"""What is expected now."""

# What the analyzer says of itself
CYCLES = "airis_analyzer_cycles_total"
"""Cycles that ended, by `result`: `ok`, `partial` (some queries or samples failed), `failed`."""
CYCLE_DURATION = "airis_analyzer_cycle_duration_seconds"
LAST_CYCLE = "airis_analyzer_last_cycle_timestamp_seconds"
"""Time of evaluation of the last cycle that wrote everything it should."""
PHASE_DURATION = "airis_analyzer_phase_duration_seconds"
"""By `phase`: `read`, `learn`, `score`, `write`, `save`; what is read while learning is `read`."""
LAG = "airis_analyzer_lag_seconds"
"""Above the interval, cycles take longer than there is time for, and evaluations are missed."""
MISSED = "airis_analyzer_evaluations_missed_total"
"""After an outage the newest time is judged; `airis-mon analyzer backfill` judges those before it."""
CLOCK_BACK = "airis_analyzer_clock_back_cycles_total"
"""What was written for these times stands; judging goes on where the clock is beyond the last of them."""
QUERY_SERIES = "airis_analyzer_query_series"
CANDIDATE_SERIES = "airis_analyzer_candidate_series"
"""Where a document asks for candidates, by `candidate` and `result`: `tried`, or why not: `short` (a past too
short), `constant`, `no_season`, `failed` (no parameters found), `budget` (no time for it)."""
MODEL_AGE = "airis_analyzer_model_age_seconds"
"""Beyond two hours a model is silent: no expectation and no score is written."""
STATE = "airis_analyzer_state_total"
"""By `result`: `used`, `absent`, `old`, `damaged` for a query that is new; `saved`, `unsaved` after."""
QUERY_ERRORS = "airis_analyzer_query_errors_total"
LIMITED = "airis_analyzer_limited_total"
"""By `limit`: `series` and `bytes` of an answer, `timeout` for one (flags `--query...`), and `learning`,
`judging` and `comparing` (of versions), the time of a cycle for each."""
FITS = "airis_analyzer_fits_total"
WRITTEN = "airis_analyzer_samples_written_total"
DROPPED = "airis_analyzer_samples_dropped_total"
QUEUE_SAMPLES = "airis_analyzer_queue_samples"
QUEUE_BYTES = "airis_analyzer_queue_bytes"
QUEUE_AGE = "airis_analyzer_queue_age_seconds"
QUEUE_DAMAGED = "airis_analyzer_queue_damaged_places"
DEAD_LETTERS = "airis_analyzer_dead_letters_total"
"""By `result`: `kept` in the file, or `lost` because the disk did not take them."""
SCORED = "airis_analyzer_series_scored"
WARMING_UP = "airis_analyzer_series_warming_up"
"""Series whose score is held at 0 because their history is too short."""
WORKER = "worker"
"""Label: which worker of `--workers` a series is about, counted from 0; without it, the process that started
them."""
WORKER_UP = "airis_analyzer_worker_up"
"""1 where a worker has told of itself within ten seconds; of one that has not, no other series is shown."""
WORKER_RESTARTS = "airis_analyzer_worker_restarts_total"
"""Workers that ended by themselves, or were ended since they did not answer, and were started anew."""
CONFIG_QUERIES = "airis_analyzer_config_queries"
CONFIG_RELOADS = "airis_analyzer_config_reloads_total"
"""Attempts to load the configuration again, by route or signal, by `result`: `ok`, `failed`."""
