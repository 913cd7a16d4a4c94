"""Remote write 1.0 over HTTP.

What a receiver answers decides: 2xx is delivered; 429, 5xx and a broken connection are asked again while the
budget lasts; a request that is refused for its content (400, 409, 413) is halved until the series at fault
stands alone, because receivers roll a whole request back for one bad sample; anything else is given up.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit, urlunsplit

import cramjam
import requests

from airis_mon.remote_write.message import encoded
from airis_mon.remote_write.retry import Backoff, asked_wait
from airis_mon.remote_write.sample import Sample, Series, described, grouped
from airis_mon.remote_write.writer import WriteResult

_REFUSED = (400, 409, 413)
"""Content at fault: Prometheus says 400, Thanos 409 for order, proxies 413 for size."""
_ERRORS_MAX = 20
_ANSWER_MAX = 300


def user_agent() -> str:
    """Return the name that receivers see in their logs."""
    try:
        return f"airis-mon/{version('airis-mon')}"
    except PackageNotFoundError:
        return "airis-mon/unknown"


@dataclass(frozen=True)
class _Answer:
    delivered: bool
    refused: bool
    """The content is at fault: a part of it may be taken."""
    text: str


class HttpWriter:
    """Sends samples to one URL, one request after the other, so that each series arrives in time order."""

    def __init__(
        self,
        url: str,
        *,
        max_samples: int = 2000,
        timeout: float = 10.0,
        budget: float = 30.0,
        backoff: Backoff = Backoff(),  # noqa: B008  a frozen value
        session: requests.Session | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare to send.

        `max_samples` per request; `timeout` in seconds for each request; `budget` in seconds for all requests
        and retries of one `write`, after which what is left is dropped. `sleep` may return True, as the wait
        of a threading.Event does, to end the retries at once.
        """
        self._url = url
        self._max_samples = max(1, max_samples)
        self._timeout = timeout
        self._budget = budget
        self._backoff = backoff
        self._session = session or requests.Session()
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311  jitter, not a secret
        self._headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
            "User-Agent": user_agent(),
        }

    def write(self, samples: Iterable[Sample]) -> WriteResult:
        """Send samples within the budget; what could not be delivered is counted and explained."""
        deadline = self._clock() + self._budget
        fit = grouped(samples)
        sent, dropped, errors = 0, len(fit.faults), list(fit.faults[:_ERRORS_MAX])
        queue = list(_batches(fit.series, self._max_samples))[::-1]
        while queue:
            batch = queue.pop()
            count = sum(len(series.samples) for series in batch)
            answer = self._delivered(batch, deadline)
            if answer.delivered:
                sent += count
            elif answer.refused and count > 1:
                # The earlier half first: a series must arrive in time order.
                queue += [*_halves(batch)][::-1]
            else:
                dropped += count
                if len(errors) < _ERRORS_MAX:
                    errors.append(
                        f"{described(batch[0].labels)}: {answer.text}" if count == 1 else answer.text
                    )
        return WriteResult(sent, dropped, tuple(errors))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _delivered(self, batch: Sequence[Series], deadline: float) -> _Answer:
        body = cramjam.snappy.compress_raw(encoded(batch))
        attempt = 0
        last = "no time was left to send"
        while (left := deadline - self._clock()) > 0:
            wait: float | None = None
            try:
                response = self._session.post(
                    self._url,
                    data=bytes(body),
                    headers=self._headers,
                    timeout=min(self._timeout, max(left, 0.001)),
                    allow_redirects=False,
                    stream=True,
                )
            except requests.RequestException as error:
                last = f"{_shown(self._url)} is not reachable: {_cause(error)}"
            else:
                with response:
                    status = response.status_code
                    last = f"{_shown(self._url)} answered {status}: {_beginning(response)}"
                    if 200 <= status < 300:
                        return _Answer(delivered=True, refused=False, text="")
                    if status != 429 and status < 500:
                        return _Answer(delivered=False, refused=status in _REFUSED, text=last)
                    wait = asked_wait(response.headers.get("Retry-After"), self._now())
            wait = self._backoff.wait(attempt, self._chance) if wait is None else wait
            attempt += 1
            if self._clock() + wait >= deadline:
                break
            if self._sleep(wait):
                last = f"told to stop; {last}"
                break
        return _Answer(delivered=False, refused=False, text=f"given up after {attempt} attempts: {last}")


def _batches(series: Iterable[Series], size: int) -> Iterator[tuple[Series, ...]]:
    """Yield groups of at most `size` samples; a series that is longer is cut, in time order."""
    batch: list[Series] = []
    room = size
    for one in series:
        rest = one.samples
        while rest:
            batch.append(Series(one.labels, rest[:room]))
            room, rest = room - len(batch[-1].samples), rest[room:]
            if room == 0:
                yield tuple(batch)
                batch, room = [], size
    if batch:
        yield tuple(batch)


def _halves(batch: tuple[Series, ...]) -> tuple[tuple[Series, ...], tuple[Series, ...]]:
    if len(batch) > 1:
        middle = len(batch) // 2
        return batch[:middle], batch[middle:]
    (one,) = batch
    middle = len(one.samples) // 2
    return (Series(one.labels, one.samples[:middle]),), (Series(one.labels, one.samples[middle:]),)


def _beginning(response: requests.Response) -> str:
    """Return the first line of an answer, whatever its length."""
    try:
        raw = next(response.iter_content(_ANSWER_MAX), b"")
    except requests.RequestException:
        return "(the answer broke off)"
    return raw.decode("utf-8", "replace").strip().splitlines()[0] if raw.strip() else response.reason or ""


def _cause(error: BaseException) -> str:
    """Return the innermost words of a nest of library errors."""
    while True:
        inner = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            return str(error) or type(error).__name__
        error = inner


def _shown(url: str) -> str:
    """Return a URL without the credentials that it may carry."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
