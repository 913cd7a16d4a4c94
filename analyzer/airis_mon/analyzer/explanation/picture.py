"""The account of one series as a picture (PNG), for tickets and chats that show no pages."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from airis_mon.analyzer.explanation.account import Account
from airis_mon.analyzer.explanation.drawing import SCORE_TICKS
from airis_mon.analyzer.explanation.episodes import Episode
from airis_mon.analyzer.explanation.frame import (
    drawn,
    score_share,
    spans,
    time_ticks,
    value_range,
    value_ticks,
)
from airis_mon.analyzer.explanation.grounds import Grounds
from airis_mon.analyzer.explanation.reasons import headline, reasons
from airis_mon.analyzer.explanation.wording import clock, date, moment, number, plural, scored, span
from airis_mon.analyzer.recording import Integers

_WIDTH, _HEIGHT, _DPI = 12.0, 9.6, 110
_INK, _SOFT, _LINE = "#1c2430", "#5b6675", "#dfe3e9"
_VALUE, _EXPECTED, _BAND, _KNOWN = "#1f5fbf", "#6a4fb0", "#cfe0f7", "#f7d9d5"
_TOLD = {"page": "#b3261e", "ticket": "#8a5a00"}
_DASHES = (0, (5, 2))
_COLUMNS = 150
"""Characters of a line of reasons."""
_HEADING = 130
"""Characters of a line of the heading, which is larger."""
_LINE_HEIGHT = 0.0175
"""Part of the picture that a line of the heading takes."""
_EPISODES = 5
_LONGEST_TITLE = 95
_FONT = 9.0


def write(account: Account, file: Path) -> None:
    """Write the picture to a file."""
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    rows = figure.add_gridspec(4, 1, height_ratios=(4.2, 1.5, 1.1, 3.0), hspace=0.16)
    heading = _heading(account.why)
    rows.update(left=0.075, right=0.985, top=0.9 - _LINE_HEIGHT * max(0, len(heading) - 2), bottom=0.02)
    values, scores, days, words = (figure.add_subplot(rows[row]) for row in range(4))
    _title(figure, account, heading)
    at = drawn(account.course)
    _values(values, account, at)
    _scores(scores, account, at)
    _days(days, account)
    _words(words, account)
    figure.savefig(file, format="png")


def _heading(why: Grounds | None) -> list[str]:
    said = "" if why is None else f"{moment(why.at)} UTC. {headline(why)}"
    return textwrap.wrap(said, _HEADING)


def _title(figure: Figure, account: Account, heading: list[str]) -> None:
    name = account.name if len(account.name) <= _LONGEST_TITLE else account.name[: _LONGEST_TITLE - 1] + "…"
    _text(figure, 0.015, 0.979, name, size=13, weight="bold")
    if account.why is not None:
        colour = _TOLD["page"] if account.why.score >= 1 else "#1b6e3c"
        for index, line in enumerate(heading):
            _text(figure, 0.015, 0.955 - index * _LINE_HEIGHT, line, size=10, color=colour)


def _text(holder: Any, x: float, y: float, said: str, **looks: Any) -> None:
    """Place a text as it is: a dollar sign begins no formula."""
    looks = {"color": _INK, "size": _FONT, "va": "center"} | looks
    holder.text(x, y, said, parse_math=False, **looks)


def _plain(axes: Axes) -> None:
    axes.set_facecolor("#f6f8fa")
    axes.grid(color=_LINE, linewidth=0.8)
    axes.tick_params(colors=_SOFT, labelsize=_FONT, length=0)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _values(axes: Axes, account: Account, at: Integers) -> None:
    course, unit = account.course, account.query.unit
    _plain(axes)
    shown = value_range(course, at)
    times = course.timestamps[at]
    _areas(axes, account)
    for run in _pieces(account, at, np.isfinite(course.lower)):
        axes.fill_between(
            course.timestamps[run], course.lower[run], course.upper[run], color=_BAND, linewidth=0,
            label="usual: scores below 1",
        )  # fmt: skip
    told = [each for episode in account.episodes for each in episode.told]
    for each in told:
        axes.axvline(each.at, color=_TOLD[each.severity], linewidth=0.9, alpha=0.55)
        # A row of its own for each: both may come within the same minutes.
        marker, height = ("v", 1.06) if each.severity == "page" else ("D", 1.02)
        axes.plot(
            [each.at], [height], marker=marker, color=_TOLD[each.severity], markersize=5,
            transform=axes.get_xaxis_transform(), clip_on=False, linestyle="", label=each.severity,
        )  # fmt: skip
    lines: tuple[tuple[np.ndarray, dict[str, Any]], ...] = (
        (
            course.expected,
            {"color": _EXPECTED, "linewidth": 1.0, "linestyle": (0, (5, 2)), "label": "expected"},
        ),
        (course.values, {"color": _VALUE, "linewidth": 1.1, "label": "measured"}),
    )
    for numbers, looks in lines:
        for run in _pieces(account, at, np.isfinite(numbers)):
            axes.plot(course.timestamps[run], numbers[run], **looks)
    fired = at[course.firing[at]]
    axes.plot(
        course.timestamps[fired],
        course.values[fired],
        ".",
        color=_TOLD["page"],
        markersize=5,
        label="anomalous",
    )
    if account.why is not None:
        axes.axvline(account.why.at, color=_INK, linewidth=0.9, linestyle=":")
        axes.plot(
            [account.why.at], [account.why.value], "o", mfc="none", mec=_INK, markersize=8, label="explained"
        )
    ticks = value_ticks(shown)
    axes.set_yticks(ticks, [number(tick, unit) for tick in ticks], parse_math=False)
    axes.set_ylim(shown.low, shown.high)
    _times(axes, times)
    axes.tick_params(labelbottom=False)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    axes.legend(
        once.values(), once, loc="upper right", bbox_to_anchor=(1.005, -0.015), ncols=len(once),
        frameon=False, fontsize=_FONT, labelcolor=_SOFT, borderpad=0, handlelength=1.6, columnspacing=1.4,
    )  # fmt: skip


def _areas(axes: Axes, account: Account) -> None:
    course = account.course
    ready = np.flatnonzero(course.ready)
    first = int(course.timestamps[0])
    until = int(course.timestamps[ready[0]]) if len(ready) else int(course.timestamps[-1])
    if until > first:
        axes.axvspan(first, until, color=_LINE, alpha=0.55, linewidth=0, label="warming up")
    for begin, end in spans(course.left_out):
        axes.axvspan(
            course.timestamps[begin], course.timestamps[end], color=_TOLD["ticket"], alpha=0.16, linewidth=0,
            label="maintenance",
        )  # fmt: skip
    for begin, end in account.incidents:
        if end >= first and begin <= course.timestamps[-1]:
            axes.axvspan(begin, end, color=_KNOWN, linewidth=0, label="known incident")
    for episode in account.episodes:
        axes.axvspan(episode.begin, episode.end, color=_TOLD["page"], alpha=0.12, linewidth=0)


def _pieces(account: Account, at: Integers, present: np.ndarray) -> Iterator[Integers]:
    """Yield runs of drawn samples, cut where nothing was measured for more than three steps."""
    course = account.course
    holes = np.concatenate([[0], np.cumsum(np.diff(course.timestamps) > 3 * course.step)])
    for first, last in spans(present[at]):
        run = at[first : last + 1]
        yield from np.split(run, np.flatnonzero(np.diff(holes[run])) + 1)


def _times(axes: Axes, times: Integers) -> None:
    begin, end = int(times[0]), max(int(times[-1]), int(times[0]) + 1)
    ticks = time_ticks(begin, end)
    axes.set_xticks([at for at, _ in ticks], [said for _, said in ticks])
    axes.set_xlim(begin, end)


def _scores(axes: Axes, account: Account, at: Integers) -> None:
    course = account.course
    _plain(axes)
    for run in _pieces(account, at, np.isfinite(course.values)):
        heights = [score_share(float(score)) for score in course.score[run]]
        axes.fill_between(course.timestamps[run], heights, color=_VALUE, alpha=0.35, linewidth=0)
        axes.plot(course.timestamps[run], heights, color=_VALUE, linewidth=0.9)
    axes.axhline(0.5, color=_TOLD["page"], linewidth=1, linestyle=(0, (5, 4)))
    axes.set_yticks([score_share(score) for score in SCORE_TICKS], [f"{score:g}" for score in SCORE_TICKS])
    axes.set_ylim(0, 1)
    axes.set_ylabel("score", color=_SOFT, fontsize=_FONT)
    _times(axes, course.timestamps)


def _days(axes: Axes, account: Account) -> None:
    """Draw the remembered days, each as high as its worst departure, beside the threshold."""
    why, unit = account.why, account.query.unit
    if why is None or why.threshold is None or not why.ready or not why.threshold.days:
        axes.set_axis_off()
        return
    _plain(axes)
    axes.grid(visible=False)
    limit = why.threshold.distance
    worst = [day.worst for day in why.threshold.days]
    colours = [_TOLD["page"] if one >= limit else _VALUE for one in worst]
    axes.bar(range(len(worst)), worst, width=0.7, color=colours, alpha=0.6)
    axes.axhline(limit, color=_TOLD["page"], linewidth=1, linestyle=(0, (5, 4)))
    # Two labels that would lie upon each other are one.
    ticks = [0.0, limit] if limit > 0.2 * max(worst) else [limit]
    axes.set_yticks(ticks, ["0" if tick == 0 else number(tick, unit) for tick in ticks], parse_math=False)
    every = -(-len(worst) // 10)
    shown = range((len(worst) - 1) % every, len(worst), every)
    axes.set_xticks(list(shown), [date(why.threshold.days[index].begin)[9:] for index in shown])
    axes.set_xlim(-0.6, max(len(worst), 14) - 0.4)
    # The scores' times stand between the two.
    box = axes.get_position()
    axes.set_position((box.x0, box.y0 - 0.012, box.width, box.height * 0.85))
    said = "remembered days, and how far off each was at most"
    _text(axes, 1.0, 1.1, said, color=_SOFT, ha="right", transform=axes.transAxes)


def _words(axes: Axes, account: Account) -> None:
    axes.set_axis_off()
    lines = [*_reasons(account.why), ("", "")] if account.why is not None else []
    newest = [
        line
        for episode in reversed(account.episodes[-_EPISODES:])
        for line in textwrap.wrap(_line(account, episode), _COLUMNS)
    ]
    titles = [plural(len(account.episodes), "episode"), *[""] * len(newest)]
    lines += zip(titles, newest or ["The score never reached 1."], strict=False)
    top, height = 0.86, 0.062
    for index, (title, said) in enumerate(lines):
        y = top - index * height
        _text(axes, -0.06, y, title, color=_SOFT, transform=axes.transAxes)
        _text(axes, 0.03, y, said, transform=axes.transAxes)


def _reasons(why: Grounds) -> Iterator[tuple[str, str]]:
    for reason in reasons(why):
        for index, line in enumerate(textwrap.wrap(reason.text, _COLUMNS)):
            yield reason.title if index == 0 else "", line


def _line(account: Account, episode: Episode) -> str:
    course, unit = account.course, account.query.unit
    told = ", ".join(f"{one.severity} at {clock(one.at)}" for one in episode.told[:4]) or "nobody told"
    value, expected = (number(float(part[episode.peak]), unit) for part in (course.values, course.expected))
    return (
        f"{moment(episode.begin)}, {span(episode.end - episode.begin)}: score up to "
        f"{scored(float(course.score[episode.peak]))}, {value} for an expected {expected}; {told}"
    )
