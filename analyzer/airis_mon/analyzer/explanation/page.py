"""The account of one series as an HTML page that needs nothing beside it; every text in it is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from importlib import resources

import numpy as np

from airis_mon.analyzer.explanation.account import REASONED, Account
from airis_mon.analyzer.explanation.days import bars
from airis_mon.analyzer.explanation.drawing import Picture, svg
from airis_mon.analyzer.explanation.episodes import Episode
from airis_mon.analyzer.explanation.frame import drawn
from airis_mon.analyzer.explanation.grounds import Grounds
from airis_mon.analyzer.explanation.reasons import headline, reasons
from airis_mon.analyzer.explanation.wording import clock, moment, number, plural, scored, span
from airis_mon.report import document

SHOWN = 500
"""Rows of the table of episodes; a browser has to scroll through them."""


def page(account: Account) -> str:
    """Return the page."""
    script = resources.files("airis_mon.analyzer.explanation").joinpath("page.js").read_text(encoding="utf-8")
    samples = f'<script type="application/json" id="samples">{_samples(account)}</script>'
    return document(account.name, [*_body(account), samples], style=style(), script=script)


def style() -> str:
    """Return what charts look like, upon the look of every report."""
    return resources.files("airis_mon.analyzer.explanation").joinpath("page.css").read_text(encoding="utf-8")


def _body(account: Account) -> Iterator[str]:
    course, why = account.course, account.why
    yield f"<p>{_text(_about(account))}</p>"
    yield _tiles(account)
    picture = Picture(course, account.episodes, account.marked, account.query.unit, account.incidents)
    yield f'<div class="wide">{svg(picture, account.name, description(account))}</div>'
    yield f'<p id="readout" role="status">{_text(_readout(account, account.marked))}</p>'
    yield legend(account)
    if why is not None:
        yield from _moment(why)
    yield f"<h2>{_text(plural(len(account.episodes), 'episode'))}</h2>"
    yield episode_table(account)


def _moment(why: Grounds) -> Iterator[str]:
    yield f'<h2 id="why">Why, at {_text(moment(why.at))} UTC</h2>'
    yield _why(why)
    if why.threshold is not None and why.ready:
        departure = why.departure if np.isfinite(why.departure) else 0.0
        yield "<h3>The days that are remembered, and how far off each was at most</h3>"
        yield f'<div class="wide">{bars(why.threshold, why.query.unit, departure)}</div>'


_LEGEND = (
    ("l-value", "measured"),
    ("l-expected", "expected"),
    ("l-band", "usual: scores below 1"),
    ("l-anomalous", "anomalous"),
    ("l-page", "page"),
    ("l-ticket", "ticket"),
)


def legend(account: Account) -> str:
    """Return what the marks of a chart mean."""
    shown = [*_LEGEND]
    if account.why is not None:
        shown.append(("l-marked", "explained below"))
    if account.incidents:
        shown.append(("l-incident", "known incident"))
    if account.course.left_out.any():
        shown.append(("l-maintenance", "maintenance, not learnt from"))
    entries = "".join(f'<span class="{kind}">{said}</span>' for kind, said in shown)
    return f'<p class="legend">{entries}</p>'


def _about(account: Account) -> str:
    course, query = account.course, account.query
    who = " and ".join(f"a {severity} after {span(wait)}" for severity, wait in account.waits.items())
    counted = {"up": "Only rises count. ", "down": "Only falls count. ", "both": ""}[query.direction]
    return (
        f"{moment(course.timestamps[0])} to {moment(course.timestamps[-1])} UTC, a value each "
        f"{span(course.step)}, judged as the analyzer judges it live. {counted}"
        f"What stays anomalous would have been {who}; nothing was sent."
    )


def description(account: Account) -> str:
    """Return what a chart of the account shows, for who does not see it."""
    told = ", ".join(plural(len(account.told(severity)), severity) for severity in account.waits)
    happened = f"{plural(len(account.episodes), 'episode')}, {told}."
    why = "" if account.why is None else f" {headline(account.why)}"
    return (
        "Measured values, what was expected, the band of what is usual, and the score below it. "
        f"{happened}{why}"
    )


def _tiles(account: Account) -> str:
    budget = account.query.false_pages_per_week
    tiles = [_tile(f"{len(account.episodes)}", "episode" if len(account.episodes) == 1 else "episodes")]
    for severity in account.waits:
        weekly = account.weekly(severity)
        kind = "over" if weekly > budget else "within"
        false = "" if not account.incidents else f" {len(account.false(severity))} false,"
        count = len(account.told(severity))
        several = "" if count == 1 else "s"
        said = f"{severity}{several}:{false} {weekly:.2g} a week, {budget:g} false ones accepted"
        tiles.append(_tile(f"{count}", said, kind))
    at, ready = account.course.timestamps, np.flatnonzero(account.course.ready)
    warm = span(int(at[ready[0]] - at[0])) if len(ready) else "never"
    tiles.append(_tile(warm, "until the first judgement"))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _tile(figure: str, what: str, kind: str = "") -> str:
    return f'<div class="tile {kind}"><b>{_text(figure)}</b>{_text(what)}</div>'


def _why(why: Grounds) -> str:
    kind = "anomalous" if why.score >= 1 else "usual"
    rows = "".join(f"<dt>{_text(one.title)}</dt><dd>{_text(one.text)}</dd>" for one in reasons(why))
    return f'<p class="{kind}"><strong>{_text(headline(why))}</strong></p><dl>{rows}</dl>'


def episode_table(account: Account) -> str:
    """Return the episodes as a table, the newest first, with the reasons of those that have some."""
    if not account.episodes:
        return "<p>The score never reached 1.</p>"
    columns = ("begins", "lasts", "peak score", "value", "expected", "would be told")
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    rows = "".join(_row(account, episode) for episode in reversed(account.episodes[-SHOWN:]))
    rest = len(account.episodes) - SHOWN
    more = f"<p>And {_text(plural(rest, 'earlier one'))}.</p>" if rest > 0 else ""
    some = account.whys and len(account.episodes) > REASONED
    less = f"<p>Reasons are told of the newest {REASONED}.</p>" if some else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}{less}"


def _row(account: Account, episode: Episode) -> str:
    course, unit = account.course, account.query.unit
    told = ", ".join(f"{one.severity} at {clock(one.at)}" for one in episode.told) or "nobody"
    cells = (
        ("begins", moment(episode.begin)),
        ("lasts", span(episode.end - episode.begin)),
        ("peak score", scored(float(course.score[episode.peak]))),
        ("value", number(float(course.values[episode.peak]), unit)),
        ("expected", number(float(course.expected[episode.peak]), unit)),
        ("would be told", told),
    )
    line = "".join(f'<td data-label="{name}">{_text(said)}</td>' for name, said in cells)
    why = account.whys.get(episode.peak)
    if why is None:
        return f"<tr>{line}</tr>"
    more = f"<details><summary>Why, at {_text(moment(why.at))}</summary>{_why(why)}</details>"
    return f'<tr>{line}</tr><tr class="more"><td colspan="{len(cells)}">{more}</td></tr>'


def _samples(account: Account) -> str:
    """Return where each drawn sample is and what is said of it; safe inside of a script element."""
    at = drawn(account.course)
    picture = Picture(account.course, (), account.marked)
    peaks = {episode.peak for episode in account.episodes}
    found = {
        "x": [picture.x(account.course.timestamps[one]) for one in at],
        "said": [_readout(account, int(one)) for one in at],
        "marked": int(np.searchsorted(at, account.marked)),
        "peaks": [index for index, one in enumerate(at.tolist()) if one in peaks],
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _readout(account: Account, sample: int) -> str:
    course, unit = account.course, account.query.unit
    value, expected, lower, upper = (
        float(part[sample]) for part in (course.values, course.expected, course.lower, course.upper)
    )
    when = moment(course.timestamps[sample])
    measured = number(value, unit) if np.isfinite(value) else "no value"
    if not course.ready[sample]:
        return f"{when}: {measured}, warming up"
    usual = f"expected {number(expected, unit)}, usual {number(lower, unit)} to {number(upper, unit)}"
    score = float(course.score[sample])
    whose = ", not of its level" if score >= 1 and lower <= value <= upper else ""
    out = ", left out of learning" if course.left_out[sample] else ""
    return f"{when}: {measured}, {usual}, score {scored(score)}{whose}{out}"


def _text(text: str) -> str:
    return html.escape(text, quote=True)
