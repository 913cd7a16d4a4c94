"""Estimators in the manner of scikit-learn, observed where they predict.

    digits = observe_estimator(fitted, instruments.predictor(model="digits", version="1.2.0"))
    digits.predict(images)  # recorded

What comes back is a shallow copy that shares what was learned, of a subclass of the estimator's class:
`isinstance`, parameters, attributes and results are the estimator's. `predict` and `predict_proba` are
recorded.

- A call is one prediction, however many rows it has: `airis_predictions_total` counts calls, and the
  duration is theirs. Where one method uses the other (a forest's `predict` asks its `predict_proba`) it is
  one all the same.
- The confidence is the highest probability of each row, wherever `predict_proba` runs. Of a batch of more
  than `rows` rows it is kept of so many of them, evenly spread: a thousand cost a caller about 0.3 ms.
- What `fit`, `partial_fit`, `fit_predict` and `score` predict on their way is no prediction.
- `clone`, `copy`, `deepcopy`, pickle and joblib give the plain estimator: they lead into training and into
  files. Observe what is loaded, once, at start.
"""

from __future__ import annotations

import copy
import functools
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from airis_mon.instrument.predictor import Predictor

_LOG = logging.getLogger(__name__)
E = TypeVar("E")

PREDICTING = ("predict", "predict_proba")
QUIET = ("fit", "partial_fit", "fit_predict", "score")
_PROBABILITIES = "predict_proba"


def observe_estimator(estimator: E, predictor: Predictor, *, rows: int = 1000) -> E:
    """Return an estimator like `estimator` whose predictions are recorded; `estimator` is left as it is.

    `rows` is the most rows of one batch of which the confidence is kept. Where the instrument is disabled,
    `estimator` itself comes back. What does not predict, or has no instance dictionary, is refused with a
    TypeError.
    """
    if rows < 0:
        raise ValueError(
            f"rows={rows}: write 0 to keep no confidence, or how many rows of a batch to keep it of"
        )
    if not predictor.enabled:
        return estimator
    if not any(hasattr(estimator, name) for name in PREDICTING):
        raise TypeError(
            f"an estimator of type {type(estimator).__name__} has neither `predict` nor `predict_proba`; "
            "decorate the function that asks it, with `predictor.observe`"
        )
    observed = copy.copy(estimator)
    kind = type(observed)
    predictions = _Predictions(predictor, rows)
    body: dict[str, Any] = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        # Protocol 1's way for all of them: from 2 on, pickle insists on the class of what it was given.
        "__reduce_ex__": lambda self, _: _plain(self, kind).__reduce_ex__(1),
    }
    body |= {name: _Method(predictions.record) for name in PREDICTING if hasattr(kind, name)}
    body |= {name: _Method(predictions.ignore) for name in QUIET if hasattr(kind, name)}
    if hasattr(kind, "__sklearn_clone__"):
        body["__sklearn_clone__"] = lambda self: _plain(self, kind).__sklearn_clone__()
    try:
        observed.__class__ = type(kind.__name__, (kind,), body)
    except TypeError as error:
        raise TypeError(
            f"an estimator of type {kind.__name__} cannot be observed as a whole ({error}); "
            "wrap its method: `predict = predictor.observe(estimator.predict)`"
        ) from error
    return observed


def _plain(observed: Any, kind: Any) -> Any:
    """Return the estimator without observation, sharing what was learned."""
    plain = object.__new__(kind)
    plain.__dict__.update(observed.__dict__)
    return plain


class _Method:
    """A method of the estimator's class, looked up as ever: where it is absent, it stays absent."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        self._owner: Any = None
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._name = name

    def __get__(self, estimator: Any, owner: type) -> Any:
        if estimator is None:
            return getattr(super(self._owner, owner), self._name)
        method = getattr(super(self._owner, estimator), self._name)
        return functools.wraps(method)(functools.partial(self._run, method, self._name))


class _Predictions:
    """The predictions of one estimator."""

    def __init__(self, predictor: Predictor, rows: int) -> None:
        self._predictor = predictor
        self._rows = rows
        self._local = threading.local()
        self._said = False

    def ignore(self, method: Callable[..., Any], name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run a method whose own predictions do not count."""
        if self._within() is not None:
            return method(*args, **kwargs)
        self._local.answers = []
        try:
            return method(*args, **kwargs)
        finally:
            self._local.answers = None

    def record(self, method: Callable[..., Any], name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run a method that predicts, and record it unless another one runs it."""
        outer = self._within()
        if outer is not None:
            answer = method(*args, **kwargs)
            if name == _PROBABILITIES:
                outer.append(answer)
            return answer
        answers: list[Any] = []
        self._local.answers = answers
        clock = self._predictor.clock
        start = clock()
        try:
            answer = method(*args, **kwargs)
        except BaseException as error:
            self._predictor.record(clock() - start, type(error).__name__)
            raise
        finally:
            self._local.answers = None
        duration = clock() - start
        if name == _PROBABILITIES:
            answers = [answer]
        self._predictor.record(duration, None, self._confidence(answers))
        return answer

    def _within(self) -> list[Any] | None:
        """Return where the answers of the method that runs in this thread are kept; None where none runs."""
        found: list[Any] | None = getattr(self._local, "answers", None)
        return found

    def _confidence(self, answers: list[Any]) -> list[float]:
        """Return the highest probability of each row, of an even selection where there are many."""
        found: list[float] = []
        try:
            for answer in answers if self._rows else ():
                if getattr(answer, "ndim", None) == 2:
                    few = answer[:: -(-len(answer) // self._rows) or 1]
                    found.extend(float(value) for value in _highest(few))
        except Exception:
            if not self._said:
                self._said = True
                _LOG.warning(
                    "the confidence of a prediction could not be read; this is not said again", exc_info=True
                )
        return found


def _highest(probabilities: Any) -> Iterable[Any]:
    highest: Any = probabilities.max(axis=1)
    values: Iterable[Any] = highest.tolist()
    return values
