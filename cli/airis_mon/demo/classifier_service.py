"""A service that reads handwritten digits; `python -m airis_mon.demo.classifier_service`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry

from airis_mon.demo import command_line
from airis_mon.demo.command_line import Listener
from airis_mon.demo.digits import Classifier
from airis_mon.demo.faults import FaultSwitch
from airis_mon.instrument import Instruments, Predictor
from airis_mon.web import (
    Address,
    application,
    configure_logs,
    stop_on_signals,
)

MODEL = "digits"
VERSION = "1.0.0"


class ClassifierService:
    """Classifies one image per request."""

    def __init__(
        self, classifier: Classifier, predictor: Predictor, faults: FaultSwitch, chance: random.Random
    ) -> None:
        self._classifier = classifier
        self._predictor = predictor
        self._faults = faults
        self._chance = chance

    async def predict(self, request: web.Request) -> web.Response:
        """Answer `{"pixels": [64 numbers from 0 to 16]}` with `{"digit": 3, "confidence": 0.98}`."""
        begin = asyncio.get_running_loop().time()
        with self._predictor.call() as call:
            try:
                body = await request.json()
                pixels = body["pixels"] if isinstance(body, dict) else None
                if not isinstance(pixels, list):
                    raise ValueError("expected an object with a list `pixels`")
                prediction = self._classifier.predict(pixels)
            except (ValueError, TypeError, KeyError) as error:
                call.fail("invalid_input")
                return web.json_response({"error": str(error)}, status=400)
            fault = self._faults.present
            took = asyncio.get_running_loop().time() - begin
            await asyncio.sleep(max(0.0, took * (fault.latency_factor - 1)))
            if self._chance.random() < fault.error_share:
                call.fail("internal")
                return web.json_response({"error": "internal"}, status=500)
            call.confidence(prediction.confidence)
        return web.json_response({"digit": prediction.digit, "confidence": prediction.confidence})


def main(argv: Sequence[str]) -> int:
    """Run the service until SIGTERM or SIGINT."""
    return command_line.run(argv, "classifier_service", _serve)


async def _serve(address: Address, seed: int, listener: Listener) -> None:
    log = configure_logs("airis-demo-classifier")
    registry = CollectorRegistry()
    predictor = Instruments(registry).predictor(model=MODEL, version=VERSION)
    faults = FaultSwitch()
    chance = random.Random(seed)  # noqa: S311  a simulation
    service = ClassifierService(Classifier(seed), predictor, faults, chance)
    app = application(
        name="airis-demo-classifier",
        description="A service that reads handwritten digits.",
        registry=registry,
        ready=lambda: True,
        links=(("/predict", "POST an image"), ("/-/fault", "POST what goes wrong")),
    )
    app.router.add_post("/predict", service.predict)
    faults.add_to(app)
    await listener(app, address, stop_on_signals(), log)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
