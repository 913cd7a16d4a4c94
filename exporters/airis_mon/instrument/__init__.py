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
- prometheus-client adds a `_created` series per counter and histogram. An application switches that off with
  `prometheus_client.disable_created_metrics()`: a switch for the whole process is not ours to use.
"""

from airis_mon.instrument.calls import Call
from airis_mon.instrument.instruments import Instruments, LLMBuckets, PredictorBuckets
from airis_mon.instrument.llm import LLM, LLMCall
from airis_mon.instrument.predictor import Predictor, PredictorCall

__all__ = [
    "LLM",
    "Call",
    "Instruments",
    "LLMBuckets",
    "LLMCall",
    "Predictor",
    "PredictorBuckets",
    "PredictorCall",
]
