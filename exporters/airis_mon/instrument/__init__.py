"""What an application calls around a model call; needs prometheus-client and nothing else.

    instruments = Instruments()  # the default registry of prometheus-client
    llm = instruments.llm(model="llama-3-70b", provider="openai")

    with llm.call() as call:  # `async with` as well
        for chunk in client.stream(...):
            call.chunk()
        call.tokens(input=usage.prompt_tokens, output=usage.completion_tokens)

    digits = instruments.predictor(model="digits", version="1.2.0")

    @digits.observe  # functions, coroutines, generators and async generators
    def predict(image): ...

What others have written is wrapped whole: clients of model services by `airis_mon.instrument.clients`, ASGI
and WSGI servers by `.servers`, estimators in the manner of scikit-learn by `.estimators`.

A call records once, when it ends, however it ends. An exception is recorded under its class name and passes
unchanged. Nothing here raises for what a model answered: a negative count or a confidence that is no number
is ignored.

Belongs here: recording in the process that calls the model. Must not be here: names of series (they are
`airis_mon.exporters.series`), HTTP, and any import that prometheus-client does not bring.

How the series read
- LLM calls follow the OpenTelemetry GenAI conventions: a failed call counts the tokens known so far, 0 with
  modality `unknown` where none are, and leaves the per-operation token histograms alone. One addition: where
  a streaming call marks its first token alone, the mean time per output token is recorded once, at its end.
- The series of success exist from the start, at zero. Those of an error appear with its first occurrence, as
  OpenTelemetry's do: `rate()` sees a series from its second sample on, so that the very first error of a kind
  shows in ratios one scrape late. Rules that must see it add `or vector(0)` or use `increase` over a longer
  window.
- The model that answered is the label `gen_ai_response_model` where the answer names it, else absent.
- Beyond the label budget (200 models of a kind) label values fold into `other`, counted by
  `airis_instrument_folded_total`; reasons of failure beyond 20 fold into `_OTHER`.
- Where an OpenTelemetry trace is active and sampled when a call ends, its id is an exemplar of the duration.

What it costs: the end of a call is one append, without a lock; a thousand calls are added up at once, when
scraped or when so many wait. After a fork a child begins at zero.

Under a pre-fork server, `Instruments(shared=FOLDER)`: the workers put their totals together, and whichever is
scraped exposes them all, ended ones included (`examples/gunicorn`). Exact where workers end by themselves;
one that is killed takes along its last second at most. One that ends by `os._exit` calls `flush()` before.

A latency objective needs its threshold among the boundaries: `below: 1s` in a document is
`Instruments(thresholds={"request_duration": (1.0,)})` here, and all boundaries in `source.buckets` there.
"""

from airis_mon.instrument.binning import MadeReference, reference_of_csv, reference_of_rows
from airis_mon.instrument.calls import Call
from airis_mon.instrument.families import LLMBuckets, LLMServerBuckets, PredictorBuckets
from airis_mon.instrument.instruments import Instruments
from airis_mon.instrument.llm import LLM, LLMCall
from airis_mon.instrument.operation import Operation, Sink
from airis_mon.instrument.predictor import Predictor, PredictorCall
from airis_mon.instrument.reference import InvalidReference, Reference
from airis_mon.instrument.sender import Sender

__all__ = [
    "LLM",
    "Call",
    "Instruments",
    "InvalidReference",
    "LLMBuckets",
    "LLMCall",
    "LLMServerBuckets",
    "MadeReference",
    "Operation",
    "Predictor",
    "PredictorBuckets",
    "PredictorCall",
    "Reference",
    "Sender",
    "Sink",
    "reference_of_csv",
    "reference_of_rows",
]
