"""Rows of the past -> what comes next, and between which edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from airis_mon.analyzer.forecasting.bands import edges
from airis_mon.analyzer.forecasting.candidates import NONE, Fate, Plan
from airis_mon.analyzer.forecasting.naive import naive, seasonal_naive
from airis_mon.analyzer.forecasting.past import Integers, Past, Trials, filled, finite, tamed
from airis_mon.analyzer.forecasting.regression import regression, shapes
from airis_mon.analyzer.forecasting.seasons import Seasons, seasons
from airis_mon.analyzer.forecasting.skill import Skill, judged
from airis_mon.analyzer.forecasting.weights import weighted
from airis_mon.analyzer.methods.robust import Floats

_LEAST = 4
"""Values below which nothing is said."""
_ROOM = 0.5
"""Part of the range seen so far that a forecast may leave it by."""
_SHIFT = 0.05
"""Part of the median that is added before the logarithm."""
_HORIZONS_MOST = 96
"""Horizons that are computed; between them the departure from the profile is interpolated."""
_PROFILE = 4
_BLOCK = 64
"""Rows that are computed together."""
_GRAINS = 14
_TINY = 1e-12


@dataclass(frozen=True)
class Outlook:
    """What comes next, (rows, horizons) each; NaN where nothing can be said."""

    mean: Floats
    lower: Floats
    upper: Floats


def outlook(
    values: Floats, step: int, horizon: int, level: float, *, ratio: bool = False, plan: Plan = NONE
) -> Outlook:
    """Forecast the next `horizon` columns of `values`, shape (rows, columns), NaN for gaps.

    `level` is the share of outcomes that the band should hold; `ratio` says that values are shares of 1;
    `plan` says which candidates are tried as well.
    """
    if horizon < 1:
        return Outlook(*(np.empty((len(values), 0)) for _ in range(3)))
    values = finite(values)
    knots = _horizons(horizon)
    found = [
        (some, past, forecast(past, level, ratio=ratio, plan=plan)[0])
        for some, past in pasts(values, values, step, knots)
    ]
    result = Outlook(*(np.full((len(values), horizon), np.nan) for _ in range(3)))
    for some, past, part in found:
        whole = part if horizon == len(knots) else _between(past, part, horizon)
        for name, edge in vars(whole).items():
            getattr(result, name)[some] = edge
    return result


def pasts(
    values: Floats, measured: Floats, step: int, horizons: Integers
) -> Iterator[tuple[list[int], Past]]:
    """Yield rows that begin about together and have the same seasons; those with next to no values never.

    `measured` is of the shape of `values`, and what outcomes are.
    """
    known = ~np.isnan(values)
    bridged = filled(values)
    groups: dict[tuple[int, Seasons], list[int]] = {}
    for row in np.flatnonzero(known.sum(axis=1) >= _LEAST):
        first = _first(known[row])
        groups.setdefault((first, seasons(bridged[row, first:], step)), []).append(int(row))
    for (first, found), rows in groups.items():
        for begin in range(0, len(rows), _BLOCK):
            some = rows[begin : begin + _BLOCK]
            yield some, Past(*tamed(bridged[some, first:], measured[some, first:]), found, horizons)


def _first(known: NDArray[np.bool_]) -> int:
    """Return the first column of a row, a little late where it has many: rows are computed together."""
    first = int(np.argmax(known))
    grain = max(1, len(known) // _GRAINS)
    later = -(-first // grain) * grain
    return later if known[later:].sum() >= _GRAINS * _LEAST else first


def _horizons(horizon: int) -> Integers:
    if horizon <= _HORIZONS_MOST:
        return np.arange(1, horizon + 1)
    return np.unique(np.linspace(1, horizon, _HORIZONS_MOST).astype(np.int64))


@dataclass(frozen=True)
class Attempts:
    """What each forecaster said at each start, (rows, starts, horizons) each, within what is possible."""

    trials: Trials
    said: tuple[Floats, ...]
    positive: NDArray[np.bool_]
    """(rows,): values are never negative, and errors grow with them."""
    fates: NDArray[np.int8]
    """(rows, candidates): what became of each, as `Fate`."""

    @classmethod
    def of(cls, past: Past, *, ratio: bool = False, plan: Plan = NONE) -> Attempts:
        """Try every forecaster that the past is long enough for."""
        lowest, highest = past.values.min(axis=1), past.values.max(axis=1)
        room = _ROOM * (highest - lowest)
        least = np.where((lowest >= 0) | ratio, np.maximum(lowest - room, 0.0), lowest - room)[:, None, None]
        most = (highest + room)[:, None, None]
        if ratio:
            most = np.minimum(most, 1.0)
        positive = (lowest >= 0) & (np.median(past.values, axis=1) > 0)
        scale = _Scale.of(past, positive)
        own = [*_tried(past, scale)]
        others, fates = _candidates(past, scale, plan)
        said = tuple(np.clip(one, least, most) for one in (*own, *others))
        return cls(Trials.of(past), said, positive, fates)


def forecast(
    past: Past, level: float, *, ratio: bool = False, plan: Plan = NONE
) -> tuple[Outlook, Skill, NDArray[np.int8]]:
    """Return what comes at the past's horizons, how good such forecasts were, and what became of candidates.

    Where they have lost to the seasonal naive one, it is that one.
    """
    attempts = Attempts.of(past, ratio=ratio, plan=plan)
    trials, plain = attempts.trials, seasonal_naive(past)
    skill = judged(trials, attempts.said, plain)
    mean = np.where(skill.demoted[:, None, None], plain, weighted(trials, attempts.said))
    lower, upper = edges(trials, mean, level, attempts.positive)
    newest = mean[:, -1]
    floor = np.where((past.values.min(axis=1) >= 0) | ratio, 0.0, -np.inf)[:, None]
    ceiling = 1.0 if ratio else np.inf
    found = Outlook(newest, *(np.clip(newest + edge, floor, ceiling) for edge in (lower, upper)))
    return found, skill, attempts.fates


@dataclass(frozen=True)
class _Scale:
    """On which scale values are looked at.

    Where they can only be positive, what moves them multiplies more often than it adds.
    """

    positive: NDArray[np.bool_]
    """(rows,): on a logarithmic one."""
    shift: Floats
    """(rows, 1): added before the logarithm."""
    top: Floats
    """(rows,): where the logarithm of a forecast ends."""

    @classmethod
    def of(cls, past: Past, positive: NDArray[np.bool_]) -> _Scale:
        shift = _SHIFT * np.median(past.values, axis=1, keepdims=True)
        top = np.log(np.maximum(4 * np.abs(past.values).max(axis=1), _TINY))
        return cls(positive, shift, top)

    def curved(self, values: Floats) -> Floats:
        """Return (rows, columns) on the scale."""
        logarithm = np.log(np.where(self.positive[:, None], values + self.shift, 1.0))
        return np.where(self.positive[:, None], logarithm, values)

    def straight(self, found: Floats) -> Floats:
        """Return (rows, starts, horizons) as values again."""
        bounded = np.minimum(found, np.maximum(self.top, 0.0)[:, None, None])
        return np.where(self.positive[:, None, None], np.exp(bounded) - self.shift[:, :, None], found)


def _tried(past: Past, scale: _Scale) -> Iterator[Floats]:
    """Yield what each forecaster said at each start."""
    yield from naive(past)
    wanted = shapes(past)
    if wanted:
        curved = replace(past, values=scale.curved(past.values))
        yield from (scale.straight(regression(curved, shape)) for shape in wanted)


def _candidates(past: Past, scale: _Scale, plan: Plan) -> tuple[list[Floats], NDArray[np.int8]]:
    """Return what each candidate said at each start, NaN where nothing, and what became of it."""
    said: list[Floats] = []
    fates = np.full((len(past.values), len(plan.names) + len(plan.left_out)), Fate.BUDGET, dtype=np.int8)
    if plan.names:
        # Whoever asks for none need not have statsmodels.
        from airis_mon.analyzer.forecasting import statistical

        curved = scale.curved(past.values)
        for n, name in enumerate(plan.names):
            found, became = statistical.tried(past, curved, name, plan.origins)
            said.append(scale.straight(found))
            fates[:, n] = became
    return said, fates


def _profile(past: Past, horizon: int) -> Floats:
    """Return the mean of the last seasons at each of the next columns; the last value without a season."""
    season = past.seasons.short
    ahead = np.arange(1, horizon + 1)
    if not season:
        return np.repeat(past.values[:, -1:], horizon, axis=1)
    times = min(_PROFILE, past.columns // season)
    last = past.values[:, past.columns - times * season :]
    mean = last.reshape(len(last), times, season).mean(axis=1)
    return np.asarray(mean[:, (ahead - 1) % season])


def _between(past: Past, knots: Outlook, horizon: int) -> Outlook:
    """Return every column up to `horizon`: between knots, what departs from the profile is interpolated."""
    profile = _profile(past, horizon)
    at = np.arange(1, horizon + 1)
    off = (part - profile[:, past.horizons - 1] for part in (knots.mean, knots.lower, knots.upper))
    parts = [np.stack([np.interp(at, past.horizons, row) for row in one]) + profile for one in off]
    positive = past.values.min(axis=1, keepdims=True) >= 0
    return Outlook(*(np.where(positive, np.maximum(part, 0.0), part) for part in parts))
