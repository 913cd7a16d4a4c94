"""The course of a series as SVG: values, expectation and band, the score below, who was told above."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from airis_mon.analyzer.explanation.course import Course
from airis_mon.analyzer.explanation.episodes import Episode
from airis_mon.analyzer.explanation.frame import (
    Range,
    drawn,
    score_share,
    spans,
    time_ticks,
    value_range,
    value_ticks,
)
from airis_mon.analyzer.explanation.wording import number
from airis_mon.analyzer.recording import Integers

WIDTH, LEFT, RIGHT = 1100, 84, 14
TOP, VALUES = 34, 300
SCORE_TOP, SCORES = 354, 110
HEIGHT = SCORE_TOP + SCORES + 26
SCORE_TICKS = (0.0, 0.5, 1.0, 2.0, 5.0)
_GAP = 3
"""Steps without a value after which a line breaks."""
_THINNEST = 1.5


@dataclass(frozen=True)
class Picture:
    """What is drawn."""

    course: Course
    episodes: tuple[Episode, ...]
    marked: int | None
    """The sample that is explained."""
    unit: str = ""
    incidents: tuple[tuple[int, int], ...] = ()
    """Begin and end of what is known to have been wrong, seconds since the epoch."""

    @property
    def begin(self) -> int:
        """Time of the first sample."""
        return int(self.course.timestamps[0])

    @property
    def end(self) -> int:
        """Time of the last sample, or a second later where there is but one."""
        return max(int(self.course.timestamps[-1]), self.begin + 1)

    def x(self, at: float) -> float:
        """Return where a time is drawn."""
        share = min(max((at - self.begin) / (self.end - self.begin), 0.0), 1.0)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def svg(picture: Picture, title: str, description: str, name: str = "chart") -> str:
    """Return the drawing, styled by the page that it stands in; `name` is its id there."""
    course = picture.course
    at = drawn(course)
    shown = value_range(course, at)
    parts = [
        *_areas(picture),
        *_grid(picture, shown),
        *_band(picture, shown, at),
        *_told(picture),
        *_line(picture, shown, at, course.expected, "expected"),
        *_line(picture, shown, at, course.values, "value"),
        *_anomalous(picture, shown, at),
        *_scores(picture, at),
        *_mark(picture, shown),
    ]
    return (
        f'<svg id="{name}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" tabindex="0" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{html.escape(title)}</title>'
        f'<desc id="{name}-desc">{html.escape(description)}</desc>{"".join(parts)}</svg>'
    )


def value_y(value: float, shown: Range) -> float:
    """Return where a value is drawn."""
    return round(TOP + (1 - shown.share(value)) * VALUES, 1)


def score_y(score: float) -> float:
    """Return where a score is drawn."""
    return round(SCORE_TOP + (1 - score_share(score)) * SCORES, 1)


def _areas(picture: Picture) -> Iterator[str]:
    course, bottom = picture.course, SCORE_TOP + SCORES
    warm = np.flatnonzero(course.ready)
    until = int(course.timestamps[warm[0]]) if len(warm) else picture.end
    if until > picture.begin:
        yield _rect(picture, picture.begin, until, TOP, bottom, "warming")
        width = picture.x(until) - LEFT
        if width > 90:
            yield f'<text x="{LEFT + 8}" y="{TOP + 18}">warming up</text>'
    for first, last in spans(course.left_out):
        begin, end = (int(course.timestamps[index]) for index in (first, last))
        yield _rect(picture, begin, end, TOP, bottom, "maintenance")
    for begin, end in picture.incidents:
        yield _rect(picture, begin, end, TOP, TOP + VALUES, "incident")
    for episode in picture.episodes:
        yield _rect(picture, episode.begin, episode.end, TOP, bottom, "episode")


def _rect(picture: Picture, begin: float, end: float, top: float, bottom: float, kind: str) -> str:
    x = picture.x(begin)
    width = round(max(picture.x(end) - x, _THINNEST), 1)
    return f'<rect class="{kind}" x="{x}" y="{top}" width="{width}" height="{bottom - top}"/>'


def _grid(picture: Picture, shown: Range) -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, SCORE_TOP + SCORES
    for tick in value_ticks(shown):
        y = value_y(tick, shown)
        yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        said = html.escape(number(tick, picture.unit))
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{said}</text>'
    for at, said in time_ticks(picture.begin, picture.end):
        x = picture.x(at)
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{bottom}"/>'
        if LEFT + 12 < x < right - 12:
            yield f'<text x="{x}" y="{bottom + 17}" text-anchor="middle">{said}</text>'
    for score in SCORE_TICKS:
        y = score_y(score)
        kind = "limit" if score == 1 else "grid"
        yield f'<line class="{kind}" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{score:g}</text>'
    yield f'<text x="{LEFT - 8}" y="{SCORE_TOP + 4}" text-anchor="end">score</text>'


def _pieces(picture: Picture, at: Integers, present: np.ndarray) -> Iterator[Integers]:
    """Yield runs of drawn samples that are present, cut where nothing was measured for long."""
    course = picture.course
    if not len(at):
        return
    # Counted over all samples: those that are drawn are at any distance.
    holes = np.concatenate([[0], np.cumsum(np.diff(course.timestamps) > _GAP * course.step)])
    for first, last in spans(present[at]):
        run = at[first : last + 1]
        yield from np.split(run, np.flatnonzero(np.diff(holes[run])) + 1)


def _band(picture: Picture, shown: Range, at: Integers) -> Iterator[str]:
    course = picture.course
    for run in _pieces(picture, at, np.isfinite(course.lower) & np.isfinite(course.upper)):
        xs = [picture.x(course.timestamps[one]) for one in run]
        upper = [f"{x},{value_y(course.upper[one], shown)}" for x, one in zip(xs, run, strict=True)]
        lower = [f"{x},{value_y(course.lower[one], shown)}" for x, one in zip(xs, run, strict=True)]
        yield f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>'


def _line(picture: Picture, shown: Range, at: Integers, values: np.ndarray, kind: str) -> Iterator[str]:
    course = picture.course
    for run in _pieces(picture, at, np.isfinite(values)):
        points = [f"{picture.x(course.timestamps[one])},{value_y(values[one], shown)}" for one in run]
        if len(points) == 1:
            x, y = points[0].split(",")
            yield f'<circle class="{kind}" cx="{x}" cy="{y}" r="1"/>'
        else:
            yield f'<polyline class="{kind}" points="{" ".join(points)}"/>'


def _anomalous(picture: Picture, shown: Range, at: Integers) -> Iterator[str]:
    course = picture.course
    for one in at[course.firing[at]].tolist():
        x, y = picture.x(course.timestamps[one]), value_y(course.values[one], shown)
        yield f'<circle class="anomalous" cx="{x}" cy="{y}" r="2.6"/>'


def _scores(picture: Picture, at: Integers) -> Iterator[str]:
    course, floor = picture.course, score_y(0)
    for run in _pieces(picture, at, np.isfinite(course.values)):
        xs = [picture.x(course.timestamps[one]) for one in run]
        points = [f"{x},{score_y(course.score[one])}" for x, one in zip(xs, run, strict=True)]
        yield f'<polygon class="score" points="{xs[0]},{floor} {" ".join(points)} {xs[-1]},{floor}"/>'


def _told(picture: Picture) -> Iterator[str]:
    yield f'<text x="{LEFT - 8}" y="20" text-anchor="end">told</text>'
    for episode in picture.episodes:
        for told in episode.told:
            x = picture.x(told.at)
            yield f'<line class="told-{told.severity}" x1="{x}" x2="{x}" y1="{TOP}" y2="{TOP + VALUES}"/>'
            # A row of its own for each: both may come within the same minutes.
            shape = f"M{x - 5} 5 h10 l-5 11 z" if told.severity == "page" else f"M{x} 18 l5 7 l-5 7 l-5 -7 z"
            yield f'<path class="mark-{told.severity}" d="{shape}"/>'


def _mark(picture: Picture, shown: Range) -> Iterator[str]:
    course, one = picture.course, picture.marked
    if one is None:
        return
    x = picture.x(course.timestamps[one])
    yield f'<line class="marked" x1="{x}" x2="{x}" y1="{TOP}" y2="{SCORE_TOP + SCORES}"/>'
    if np.isfinite(course.values[one]):
        y = value_y(course.values[one], shown)
        yield f'<circle class="marked" cx="{x}" cy="{y}" r="5"/>'
