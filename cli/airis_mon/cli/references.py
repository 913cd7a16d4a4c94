"""References of documents that ask for drift: their files read, relative to the document that names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from airis_mon.instrument import InvalidReference, Reference
from airis_mon.spec import Distribution, Drift, Monitor, Problem, SpecError, did_you_mean


def referenced(monitor: Monitor) -> Monitor:
    """Return the monitor with what its reference holds; SpecError where there is no such reference."""
    drift = monitor.drift
    if drift is None:
        return monitor
    path = Path(monitor.origin.file).parent / drift.reference
    hint = "make one of past data by `airis-mon drift reference past.csv -o reference.json`"
    if not path.is_file():
        raise SpecError([_problem(monitor, "reference", f"there is no file {path}", hint)])
    try:
        reference = Reference.read(path)
    except InvalidReference as error:
        message, _, what_to_write = str(error).rpartition("; ")
        raise SpecError([_problem(monitor, "reference", message, what_to_write)]) from None
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise SpecError([_problem(monitor, "reference", message, hint)]) from None
    return replace(monitor, drift=_filled(monitor, drift, reference))


def _filled(monitor: Monitor, drift: Drift, reference: Reference) -> Drift:
    known = {feature.name: feature for feature in reference.features}
    problems = [
        _problem(
            monitor,
            f"features[{place}]",
            f"{drift.reference} has no feature `{name}`",
            did_you_mean(name, known),
        )
        for place, name in enumerate(drift.features)
        if name not in known
    ]
    if problems:
        raise SpecError(problems)
    distributions = tuple(
        Distribution(name, tuple(zip(known[name].bins, known[name].shares, strict=True)))
        for name in drift.features or known
    )
    return replace(drift, rows=reference.rows, distributions=distributions)


def _problem(monitor: Monitor, key: str, message: str, hint: str) -> Problem:
    path = f"spec.drift.{key}"
    return Problem(message, path, monitor.origin.locate(path), hint)
