"""A model server under gunicorn with several workers: whichever is scraped tells of them all.

    pip install gunicorn
    AIRIS_SHARED=/run/chat gunicorn --workers 4 --chdir examples/gunicorn app:app

`AIRIS_SHARED` names the folder, the application's own and on a local disk, in which the workers put their
totals together; counters go on where it stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app

from airis_mon.instrument import Instruments

FOLDER = Path(os.environ["AIRIS_SHARED"])

registry = CollectorRegistry()
instruments = Instruments(registry=registry, shared=FOLDER)
llm = instruments.llm_server(model="echo", provider="example")
metrics = make_wsgi_app(registry)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer /chat, and /metrics."""
    if environ["PATH_INFO"] == "/metrics":
        answered: Iterable[bytes] = metrics(environ, start_response)
        return answered
    with llm.call() as call:
        call.first_token()
        answer = environ["wsgi.input"].read() or b"Hello.\n"
        call.tokens(output=len(answer.split()))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer]
