"""Tables of figures within written pages: what was measured here, beside what others have published.

A page holds `<!-- figures: NAME -->` and `<!-- end -->`, each on a line of its own; what stands between them
is derived from `benchmarks/measured` and `benchmarks/published.json`, the rest is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.record import MEASURED
from docs import markdown

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("docs/accuracy.md", "docs/analyzer.md", "docs/forecasts.md")
"""Pages with such tables."""
ACCURACY = "benchmarks/measured/accuracy.json"
ANALYZER = "benchmarks/measured/analyzer.json"
CANDIDATES = "benchmarks/measured/candidates.json"
DAY = "benchmarks/measured/day.json"
PUBLISHED = "benchmarks/published.json"
_BLOCK = re.compile(
    r"(?P<begin>^<!-- figures: (?P<name>[a-z ]+) -->\n).*?(?P<end>^<!-- end -->$)", re.DOTALL | re.MULTILINE
)
_SETS = ("NAB", "MS")


def text(page: str) -> str:
    """Return a page with its tables as the figures have them; KeyError for a table that there is not."""
    written = (ROOT / page).read_text(encoding="utf-8")
    return _BLOCK.sub(lambda found: found["begin"] + TABLES[found["name"]]() + found["end"], written)


def paging() -> str:
    """Return the table of how well the analyzer pages."""
    found = _read(ACCURACY)
    rows = [
        ["Page-F1", *(f"**{_fixed(found['page_f1'][name], 3)}**" for name in _SETS)],
        [
            "Page-F1 of every other series (even / odd)",
            *(
                " / ".join(_fixed(found[f"page_f1_{half}"][name], 3) for half in ("even", "odd"))
                for name in _SETS
            ),
        ],
        [
            "precision / recall",
            *(
                f"{_fixed(found['precision'][name], 2)} / {_fixed(found['recall'][name], 2)}"
                for name in _SETS
            ),
        ],
        *(
            [title, *(_fixed(found[key][name], 2) for name in _SETS)]
            for title, key in (
                ("false pages a week on each series", "false_pages_per_series_week"),
                ("pages a week on each series without an incident", "clean_pages_per_series_week"),
            )
        ),
        [
            "NAB's own score, standard / low false positives",
            f"{_fixed(found['nab_standard'], 1)} / {_fixed(found['nab_low_fp'], 1)}",
            "",
        ],
    ]
    return markdown.table(["", *_SETS], rows)


def detectors() -> str:
    """Return the table of how other detectors page."""
    ours = _read(ACCURACY)
    rows = []
    for each in ({"name": "**airis-mon**", **ours}, *_read(PUBLISHED)["detectors"]):
        scores, wrong = each["page_f1"], each["false_pages_per_series_week"]
        rows.append(
            [
                each["name"],
                *(_fixed(scores.get(name), 3) for name in _SETS),
                " / ".join(f"{wrong[name]:.2g}" for name in _SETS if name in wrong),
            ]
        )
    return markdown.table(["detector", *_SETS, "false pages a week on each series (NAB / MS)"], rows)


def forecasters() -> str:
    """Return the table of how well M4's hourly series are forecast, here and by others."""
    ours = _read(ACCURACY)
    rows = [
        [
            each["name"],
            *(_fixed(each.get(f"m4_{key}"), digits) for key, digits in _M4.items()),
            each.get("coverage", ""),
        ]
        for each in (
            {"name": "**airis-mon**", "coverage": _fixed(ours["coverage95"], 3), **ours},
            *_read(PUBLISHED)["forecasters"],
        )
    ]
    columns = ["", "OWA", "sMAPE", "MASE", "MSIS", "coverage of the 95 % band"]
    return markdown.table(columns, rows)


_M4 = {"owa": 3, "smape": 2, "mase": 3, "msis": 2}


def candidates() -> str:
    """Return the table of what statsmodels' forecasters are worth beside the analyzer's own."""
    found = _read(CANDIDATES)
    rows = [
        [
            name,
            kind,
            str(each["forecasts"]),
            _fixed(each["error"], 2),
            f"{_fixed(each['coverage'], 2)} / {_fixed(each['coverage_without'], 2)}",
            _fixed(each["seconds"], 2),
        ]
        for name, kinds in found.items()
        if isinstance(kinds, dict) and name != MEASURED
        for kind, each in kinds.items()
    ]
    columns = ["set", "past", "forecasts", "error", "coverage with / without", "CPU seconds"]
    return markdown.table(columns, rows)


def speed() -> str:
    """Return the table of how fast series are fitted and scored, and what a fleet takes."""
    found = _read(ANALYZER)
    rows = [
        ["series fitted in a second, band included", _grouped(found["fit_series_per_second"])],
        ["times as many as statsmodels' `ExponentialSmoothing`", _grouped(found["ratio_statsmodels"])],
        ["points scored in a second by fitted models", _grouped(found["score_points_per_second"])],
        ["exponent of the time of fits over series", _fixed(found["fit_growth_exponent"], 2)],
        [f"series of the fleet, with {found['fleet_days']} days of history", _grouped(found["fleet_series"])],
        ["seconds of its slowest cycle", _fixed(found["fleet_seconds"], 1)],
        ["seconds until a process that knew nothing had scored all", _fixed(found["cold_seconds"], 0)],
        ["MiB of memory, at most", _grouped(found["fleet_rss_mib"])],
        [
            "processor seconds of a cycle, "
            + ", ".join(_grouped(size) for size in found["growth_series"])
            + " series",
            ", ".join(_fixed(seconds, 2) for seconds in found["growth_seconds"]),
        ],
        ["exponent of that", _fixed(found["growth_exponent"], 2)],
    ]
    return markdown.table(["", f"on {found['cores']} cores"], rows)


def day() -> str:
    """Return the table of what servers say of a day that was judged and written to them."""
    servers = _read(DAY)["servers"]
    cells: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
        ("series", lambda one: f"{one['readback']['series']}"),
        ("values written", lambda one: _grouped(one["readback"]["values"])),
        ("not read back", lambda one: f"{one['readback']['missing']}"),
        ("largest difference, as a share", lambda one: f"{one['readback']['largest']:.1g}"),
        ("read back, and not written", lambda one: f"{one['readback']['added']}"),
        ("series that ended", lambda one: f"{one['readback']['ended']}"),
        ("of these, shown after their end", lambda one: f"{one['readback']['outlived']}"),
        ("minutes of the day that have all", lambda one: f"{min(one['times'].values()):.1%}"),
        ("outcomes in the band told 1h before", lambda one: f"{one['held']['1h']:.1%}"),
        ("outcomes in the band told 6h before", lambda one: f"{one['held']['6h']:.1%}"),
        ("minutes of the incident that score 1 or more", lambda one: f"{one['incident']:.0%}"),
        ("other minutes that do", lambda one: f"{one['elsewhere']}"),
    )
    rows = [[title, *map(cell, servers)] for title, cell in cells]
    return markdown.table(["", *(one["server"] for one in servers)], rows)


def line(path: str) -> str:
    """Return the figures as they are kept."""
    return f"```json\n{(ROOT / path).read_text(encoding='utf-8').rstrip()}\n```\n"


TABLES: Mapping[str, Callable[[], str]] = {
    "paging": paging,
    "detectors": detectors,
    "forecasters": forecasters,
    "candidates": candidates,
    "speed": speed,
    "day": day,
    "accuracy as json": partial(line, ACCURACY),
    "analyzer as json": partial(line, ANALYZER),
}


def _read(path: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return found


def _fixed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _grouped(value: float) -> str:
    return f"{value:,.0f}"
