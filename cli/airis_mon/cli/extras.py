"""What documents ask for that this installation lacks: the analyzer may well have it where it runs."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from airis_mon.spec import Bundle, Problem


def warnings(bundle: Bundle) -> Iterator[Problem]:
    """Yield what has to be installed beside the analyzer, once for each monitor."""
    if importlib.util.find_spec("statsmodels") is not None:
        return
    for monitor in bundle.monitors:
        asking = [n for n, forecast in enumerate(monitor.forecasts) if forecast.candidates]
        if asking:
            path = f"spec.forecasts[{asking[0]}].candidates"
            message = "candidates need statsmodels, which is not installed here; no analyzer starts without"
            hint = 'pip install "airis-mon[statsmodels]" where the analyzer runs'
            yield Problem(message, path, monitor.origin.locate(path), hint, "warning")
