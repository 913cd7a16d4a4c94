"""An answer of Prometheus' HTTP API -> labels and numbers, without an object for each point on the way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.query.querier import Labels

_WORDS_MAX = 500
_NOTHING = msgspec.Raw()
# Go writes infinities in a form that a JSON number's reader does not know; they say as little as a NaN.
_INFINITIES = (b'"+Inf"', b'"-Inf"')


class AnswerError(Exception):
    """What was answered is no answer of Prometheus, or tells of an error; the text says which."""


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815  Prometheus' spelling
    result: msgspec.Raw


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    errorType: str = ""  # noqa: N815
    error: str = ""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    # Native histograms come under another key; they are no numbers.
    value: msgspec.Raw = _NOTHING
    values: msgspec.Raw = _NOTHING


class Answer:
    """One answer; points are read series by series, from the bytes, when they are asked for."""

    def __init__(self, body: bytes | bytearray) -> None:
        """Read the frame; AnswerError where it is not Prometheus' form, or an error that it tells of."""
        try:
            answer = _ANSWER.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            words = bytes(body[:_WORDS_MAX]).decode("utf-8", "replace").strip()
            raise AnswerError(f", not in Prometheus' form: {words}") from error
        if answer.status != "success":
            raise AnswerError(f": {answer.errorType}: {answer.error}"[:_WORDS_MAX])
        if answer.data is None:
            raise AnswerError(", not in Prometheus' form: there is no data")
        self.kind = answer.data.resultType
        """`matrix`, `vector`, `scalar` or `string`."""
        self._result = answer.data.result

    def scalar(self) -> float:
        """Return the number of a scalar."""
        return float(_number(self._result))

    def numbers(self) -> Iterator[tuple[Labels, float]]:
        """Yield the series of a vector and their numbers; NaN where one is not finite."""
        for labels, raw in self._series("value"):
            yield labels, _number(raw)

    def courses(self) -> Iterator[tuple[Labels, msgspec.Raw]]:
        """Yield the series of a matrix and what `points` reads."""
        return self._series("values")

    def _series(self, key: str) -> Iterator[tuple[Labels, msgspec.Raw]]:
        try:
            for one in _RESULT.decode(self._result):
                raw = one.values if key == "values" else one.value
                if raw:
                    yield tuple(sorted(one.metric.items())), raw
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise AnswerError(" with something that is no series") from error


def points(raw: msgspec.Raw) -> NDArray[np.float64]:
    """Return the points of a series: (n, 2) seconds and numbers, NaN where one is not finite."""
    try:
        found = _POINTS.decode(_finite(raw))
    except msgspec.MsgspecError as error:
        raise AnswerError(f" with something that is no series: {error}") from error
    flat = np.fromiter(chain.from_iterable(found), np.float64, 2 * len(found)).reshape(-1, 2)
    return np.asarray(np.where(np.isfinite(flat), flat, np.nan))


def _number(raw: msgspec.Raw) -> float:
    try:
        number = _POINT.decode(_finite(raw))[1]
    except msgspec.MsgspecError as error:
        raise AnswerError(f" with something that is no number: {error}") from error
    return number if np.isfinite(number) else float("nan")


def _finite(raw: msgspec.Raw) -> bytes:
    text = bytes(raw)
    if b"Inf" in text:
        for infinity in _INFINITIES:
            text = text.replace(infinity, b'"NaN"')
    return text


# Numbers come as texts: what is read of them is what `float` reads, to the bit.
_ANSWER = msgspec.json.Decoder(_Answer)
_RESULT = msgspec.json.Decoder(list[_Series])
_POINT = msgspec.json.Decoder(tuple[float, float], strict=False)
_POINTS = msgspec.json.Decoder(list[tuple[float, float]], strict=False)
