"""A series beside the others of its query, at each of its samples, as the service judges it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from airis_mon.analyzer.config import Query
from airis_mon.analyzer.explanation.omission import without_maintenance
from airis_mon.analyzer.methods.cells import Cells
from airis_mon.analyzer.methods.peers import FEWEST, company, learn_peers, middle
from airis_mon.analyzer.methods.seasonal import Settings, recent_steps
from airis_mon.analyzer.recording import Beside, Recording
from airis_mon.analyzer.schedule import FIT_INTERVAL, fitted_at, learnt_at


def accompanied(
    recordings: Sequence[Recording], query: Query, fit_interval: int = FIT_INTERVAL
) -> list[Recording]:
    """Return the series of one query, read for the same times, each with what the others say of it."""
    if len(recordings) < FEWEST:
        return list(recordings)
    first = recordings[0]
    cells, step, at = Cells.of(first.step), first.step, first.timestamps
    settings = Settings(step, pages_per_week=query.false_pages_per_week / 2, ratio=query.ratio)
    learnt_from = [without_maintenance(one, query) for one in recordings]
    past, grid = (
        np.concatenate(rows)
        for rows in ([one.past for one in learnt_from], [one.grid for one in learnt_from])
    )
    values = np.stack([one.values for one in recordings])
    enough = np.zeros(len(at), dtype=bool)
    score, (away, usual) = np.zeros(values.shape), np.full((2, *values.shape), np.nan)
    ends = fitted_at(at, fit_interval) // step * step
    pasts = learnt_at(ends, cells.seconds)
    for until in np.unique(pasts).tolist():
        end = (until - first.origin) // cells.seconds
        window = past[:, max(0, end - max(1, query.history // cells.seconds)) : end]
        known = ~np.isnan(window).all(axis=1)
        if known.sum() < FEWEST:
            continue
        enough[pasts == until] = True
        window = window[known]
        peers = learn_peers(window, middle(window), settings)
        for fitted in np.unique(ends[pasts == until]).tolist():
            column = (fitted - first.origin) // step
            recent = grid[:, max(0, column - recent_steps(cells)) : column]
            new = np.flatnonzero(~known & ~np.isnan(recent).all(axis=1))
            rows = np.concatenate([np.flatnonzero(known), new])
            crowd = company(peers.extended(len(new)), recent[rows], cells)
            for sample in np.flatnonzero(ends == fitted).tolist():
                now = values[rows, sample]
                score[rows, sample] = crowd.scores(now, query.direction)
                away[rows, sample] = now - middle(now[:, None])[0]
                usual[rows, sample] = crowd.usual
    others = len(recordings) - 1
    return [
        replace(one, beside=Beside(others, enough, score[row], away[row], usual[row]))
        for row, one in enumerate(recordings)
    ]
