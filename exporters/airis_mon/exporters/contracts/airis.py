"""Our own series for classifiers and other models that are no LLM: what `airis_mon.instrument` exposes."""

from airis_mon.exporters import series
from airis_mon.exporters.contracts.contract import Contract, Distribution, Requests

AIRIS = Contract(
    name="airis",
    title="classifiers and other models (airis_mon.instrument)",
    requests=Requests(total=series.PREDICTIONS, errors=f'{series.OUTCOME}!="ok"'),
    labelled=Requests(total=series.LABELLED_PREDICTIONS, errors=f'{series.CORRECT}="false"'),
    distributions={
        "request_duration": Distribution(
            series.PREDICTION_DURATION, "seconds", series.PREDICTION_DURATION_BUCKETS
        ),
        "confidence": Distribution(
            series.PREDICTION_CONFIDENCE, "ratio", series.PREDICTION_CONFIDENCE_BUCKETS
        ),
    },
)
