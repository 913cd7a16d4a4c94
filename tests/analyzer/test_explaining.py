"""`airis-mon analyzer explain`, as a person types it, on a real Prometheus and in a real browser."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from airis_mon.analyzer import explanation
from airis_mon.analyzer.config import Query, load
from airis_mon.analyzer.explanation import picture
from airis_mon.analyzer.explanation.account import Account, account, reasoned
from airis_mon.analyzer.explanation.overview import overview
from airis_mon.analyzer.explanation.page import page
from airis_mon.analyzer.methods.cells import DAY, HOUR
from airis_mon.analyzer.query import HttpQuerier
from airis_mon.analyzer.recording import of_samples
from airis_mon.analyzer.schedule import fitted_at
from airis_mon.analyzer.service import main
from airis_mon.analyzer.watch import Watch
from airis_mon.spec import Window
from tests.browser import Browser

STEP = 60
PODS = ("a", 'b"$1')
CONFIG = """
queries:
  - {monitor: chat, model: llama, for: ttft, expr: 'latency + 0', unit: seconds, history: 3d, by: [pod],
     alerts: {ticket: 10m, page: 30m}}
  - {monitor: chat, model: llama, for: mean, expr: 'avg(latency)', history: 3d, direction: up}
"""


def usual(at: float) -> float:
    return 10 + 4 * float(np.sin(2 * np.pi * at / DAY)) + 0.3 * float(np.sin(at * 12.9898))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "analyzer.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def stored(promtool: Any, prometheus_server: Callable[..., Any], tmp_path: Path) -> tuple[str, int]:
    """Four days of two pods, one of which has had an hour of trouble, up to a moment ago."""
    now = int(time.time()) // STEP * STEP
    lines = ["# TYPE latency gauge"]
    for pod in PODS:
        label = pod.replace('"', '\\"')
        for at in range(now - 4 * DAY, now + 1, STEP):
            off = 8 if pod == "a" and now - 3 * HOUR <= at < now - 2 * HOUR else 0
            lines.append(f'latency{{pod="{label}"}} {usual(at) + off:.6f} {at}')
    text = tmp_path / "latency.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    data = tmp_path / "data"
    command = [str(promtool.path), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True, cwd=promtool.cwd, timeout=60)
    return prometheus_server(data=data).url, now


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["explain", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_series_of_prometheus_is_explained_by_the_service_s_own_bits(
    capsys: pytest.CaptureFixture[str], stored: tuple[str, int], config: Path, tmp_path: Path
) -> None:
    url, now = stored
    flags = [f"--config.file={config}", f"--prometheus.url={url}", "--since=6h"]
    html, table = tmp_path / "a.html", tmp_path / "a.csv"
    code, out, err = said(capsys, 'chat/ttft{pod="a"}', *flags, f"--output={html}", f"--csv={table}")
    assert (code, out, err) == (0, "", "")
    assert "chat/ttft{pod=&quot;a&quot;}" in html.read_text()
    rows = list(csv.DictReader(table.read_text().splitlines()))
    scores = {row["timestamp"]: float(row["score"]) for row in rows}
    watch = Watch(load(config).queries[0], STEP)
    querier = HttpQuerier(url)
    judged = 0
    for at in range(now - 200 * STEP, now - STEP, 1260):
        watch.fit(querier, fitted_at(at, 600))
        written = [
            one.value
            for one in watch.evaluate(querier, at).samples
            if one.labels["__name__"] == "anomaly_score" and one.labels["pod"] == "a"
        ]
        assert written == [scores[f"{np.datetime64(at, 's')}Z"]]
        judged += written[0] >= 1
    querier.close()
    assert judged >= 2
    assert sum(score >= 1 for score in scores.values()) == 60

    code, out, _ = said(capsys, 'chat/ttft{pod="a"}', *flags)
    assert code == 0
    assert "Anomalous: " in out
    assert out.count("episode ") == 1
    assert "; ticket at " in out.splitlines()[-1]
    assert ", page at " in out.splitlines()[-1]

    # A quote and a dollar in a label's value reach Prometheus as they are.
    code, out, _ = said(capsys, 'chat/ttft{pod="b\\"$1"}', *flags)
    assert code == 0
    assert "As usual: " in out
    code, out, _ = said(capsys, "chat/mean", *flags, f"--at={np.datetime64(now - 9000, 's')}Z")
    assert code == 0
    assert out.startswith("chat/mean at ")
    assert "Anomalous: " in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chat/ttft"], '2 series are chat/ttft; write one of\n  chat/ttft{pod="a"}\n'),
        (["chta/ttft"], "no monitor is called `chta`; did you mean `chat`?"),
        (["chat/ttft", "--since=900d"], "up to 366d are judged at once"),
        (["chat/ttft", "--until=30d", "--since=31d"], "chat/ttft has no value in that time"),
        (["chat"], "`chat` is no series"),
        ([], "which series?"),
    ],
)
def test_what_is_no_series_is_refused_with_what_to_write(
    capsys: pytest.CaptureFixture[str],
    prometheus_server: Callable[..., Any],
    tmp_path: Path,
    words: list[str],
    told: str,
) -> None:
    file = tmp_path / "two.yaml"
    both = 'label_replace(vector(1), "pod", "a", "", "") or label_replace(vector(1), "pod", "b", "", "")'
    late = f"({both}) and on () vector(time()) > {int(time.time()) - 10 * DAY}"
    file.write_text(
        f"queries:\n  - {{monitor: chat, model: x, for: ttft, expr: '{late}', by: [pod], history: 2h}}\n"
    )
    server = prometheus_server()
    code, out, err = said(capsys, *words, f"--config.file={file}", f"--prometheus.url={server.url}")
    assert (code, out) == (1, "")
    assert told in err


def test_without_a_past_nothing_is_explained(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    code, _, err = said(capsys, "chat/ttft")
    assert code == 1
    assert "--config.file FILE and --prometheus.url URL, or --values FILE.csv are needed" in err
    flags = [f"--config.file={config}", "--prometheus.url=http://127.0.0.1:9"]
    code, _, err = said(capsys, "chat/ttft", *flags)
    assert code == 1
    assert "is not reachable" in err


def own(folder: Path) -> Path:
    at = 1_700_006_400 + 300 * np.arange(6 * 288)
    values = [usual(float(one)) for one in at]
    for place in range(1500, 1510):
        values[place] += 12
    file = folder / "queue <depth>.csv"
    lines = [f"{one},{value!r}" for one, value in zip(at.tolist(), values, strict=True)]
    file.write_text("time,value\n" + "\n".join(lines))
    return file


def test_a_series_of_ones_own_needs_no_server(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = said(capsys, f"--values={own(tmp_path)}", "--direction=up", "--history=3d")
    assert (code, err) == (0, "")
    assert out.startswith("queue <depth> at Mon 2023-11-20 05:")
    assert "(of 3d asked for)" in out
    short = tmp_path / "short.csv"
    short.write_text("5,1\n6,2\n")
    assert "2 values are too few to be judged" in said(capsys, f"--values={short}")[2]
    missing = tmp_path / "none.csv"
    assert f"cannot read {missing}: No such file or directory\n" in said(capsys, f"--values={missing}")[2]


@pytest.mark.parametrize("at", ["2023-11-14T23:59:59Z", "2023-11-20T23:55:01Z", "7d"])
def test_a_moment_that_a_file_does_not_hold_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, at: str
) -> None:
    code, out, err = said(capsys, f"--values={own(tmp_path)}", f"--at={at}")
    assert (code, out) == (1, "")
    assert "lies outside of the values, 2023-11-15T00:00:00Z to 2023-11-20T23:55:00Z; write a time" in err


def test_what_is_judged_follows_the_moment_to_explain(
    capsys: pytest.CaptureFixture[str], stored: tuple[str, int], config: Path, tmp_path: Path
) -> None:
    url, now = stored
    table = tmp_path / "a.csv"
    flags = [f"--config.file={config}", f"--prometheus.url={url}", f"--csv={table}"]
    # A day's course of two days ago: as long a past before it as is judged where nobody says.
    at = now - 2 * DAY
    wanted = f"{np.datetime64(at, 's')}Z"
    code, out, _ = said(capsys, "chat/mean", *flags, f"--at={wanted}")
    assert code == 0
    assert wanted[:16].replace("T", " ") in out.splitlines()[0]
    rows = table.read_text().splitlines()[1:]
    assert rows[0].startswith(f"{np.datetime64(at - 7 * DAY, 's')}Z,")
    assert rows[-1].startswith(f"{np.datetime64(at + HOUR, 's')}Z,")
    for given in (["--since=1d"], ["--until=3d"], ["--since=4d", "--until=3d"]):
        code, out, err = said(capsys, "chat/mean", *flags, f"--at={wanted}", *given)
        assert (code, out) == (1, "")
        assert f"--at: {wanted} lies outside of what is judged, " in err
        assert "leave out --since and --until, and that follows --at" in err
    code, _, err = said(capsys, "chat/mean", *flags, "--at=2999-01-01T00:00:00Z")
    assert code == 1
    assert "--at: 2999-01-01T00:00:00Z lies in the future; now it is " in err
    for given, told in (
        (
            ["--since=2026-11-01T00:00:30Z", "--until=2026-11-01T00:00:30Z"],
            "is empty: no time of evaluation, every 1m, lies in it; write an earlier --since",
        ),
        (["--since=1h", "--until=2h"], "--since has to be before --until: they are "),
        (["--since=900d"], "--since and --until are 900d apart; up to 366d are judged at once"),
    ):
        code, out, err = said(capsys, "chat/mean", *flags, *given)
        assert (code, out) == (1, "")
        assert told in err


def test_what_is_read_is_never_written_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    values = own(tmp_path)
    known = tmp_path / "known.csv"
    known.write_text("1700006400,1700006500\n")
    config = tmp_path / "analyzer.yaml"
    config.write_text(CONFIG)
    page = tmp_path / "page.html"
    for source, read in (("--values", values), ("--incidents", known), ("--config.file", config)):
        before = read.read_bytes()
        table = tmp_path / f"linked-{read.stem}.csv"
        table.symlink_to(read)
        page.unlink(missing_ok=True)
        page.hardlink_to(read)
        flags = [f"--values={values}", f"--incidents={known}", f"--config.file={config}"]
        for flag, output in (("--csv", table), ("--output", page)):
            code, out, err = said(capsys, *flags, f"{flag}={output}")
            assert (code, out) == (1, "")
            assert f"{flag} {output} is what {source} reads: it would be overwritten" in err
        assert main(["replay", *flags, f"--html={page}"]) == 1
        assert f"--html {page} is what {source} reads" in capsys.readouterr().err
        assert read.read_bytes() == before
    assert said(capsys, f"--values={values}", f"--csv={values}")[0] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["explain", "--csv=why.html"], "--csv: `why.html` is no table; write FILE.csv"),
        (["explain", "--csv=/nowhere/at/all.csv"], "--csv: there is no folder /nowhere/at"),
        (["explain", "-o", "/nowhere/why.html"], "--output: there is no folder /nowhere"),
        (["explain", "-o", "why.jpg"], "`why.jpg` is no page and no picture; write FILE.html or FILE.png"),
        (["replay", "--html=past.csv"], "--html: `past.csv` is no page; write FILE.html"),
        (["replay", "--html=/nowhere/past.html"], "--html: there is no folder /nowhere"),
    ],
)
def test_an_output_that_cannot_be_meant_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--values=nothing.csv"])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_what_cannot_be_written_is_named_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values = own(tmp_path)
    for action, flag, kind in (
        ("explain", "--csv", "csv"),
        ("explain", "--output", "html"),
        ("explain", "--output", "png"),
        ("replay", "--html", "html"),
    ):
        file = Path(f"/proc/airis-mon.{kind}")
        assert main([action, f"--values={values}", f"{flag}={file}"]) == 1
        assert f"{flag}: cannot write {file}: No such file or directory\n" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        said(capsys, f"--values={values}", f"--output={folder(tmp_path)}")
    assert "is a folder; write the name of a file in it" in capsys.readouterr().err


def folder(parent: Path) -> Path:
    made = parent / "reports.html"
    made.mkdir()
    return made


HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)> $body "' + "long" * 30


def hostile() -> Account:
    at = 1_700_006_400 + 300 * np.arange(6 * 288, dtype=np.int64)
    values = np.array([usual(float(one)) for one in at])
    values[1500:1510] += 12
    recording = of_samples(at, values)
    assert recording is not None
    maintenance = (Window(float(at[900]), float(at[930])),)
    query = Query(HOSTILE, "x", HOSTILE, "", unit="seconds", maintenance=maintenance)
    found = account(HOSTILE, recording, query, incidents=[(int(at[1490]), int(at[1512]))])
    return reasoned(found, recording)


def test_text_of_others_stays_text_and_one_script_alone_may_run() -> None:
    text = page(hostile())
    assert "<script>alert" not in text
    assert "<img" not in text
    assert text.count("</script>") == 2
    assert "script-src 'sha256-" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_a_page_counts_what_would_have_been_told() -> None:
    text = page(hostile())
    assert "would have been a page after" in text
    assert "; nothing was sent.</p>" in text
    assert "<b>1</b>episode</div>" in text
    assert re.search(r"<b>1</b>page: ", text)


def test_a_heading_of_many_words_stays_inside_of_the_picture(tmp_path: Path) -> None:
    at = 1_700_006_400 + 300 * np.arange(9 * 288, dtype=np.int64)
    values = 1e6 + np.random.default_rng(1).normal(0, 1, len(at))
    values[-80:] = 1e6
    frozen = of_samples(at, values)
    assert frozen is not None
    name = "chat/ttft{" + ", ".join(f'pod_{n}="value-{n}"' for n in range(20)) + "}"
    query = Query("m", "x", name, "", unit="requests in flight in each replica")
    found = reasoned(account(name, frozen, query), frozen)
    assert found.why is not None
    assert found.why.by_shape
    picture.write(found, tmp_path / "why.png")
    assert (imread(tmp_path / "why.png")[:, -10:, :3] > 0.99).all()


def test_a_past_of_less_than_a_day_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        said(capsys, f"--values={own(tmp_path)}", "--history=1s")
    told = capsys.readouterr().err
    assert "`1s`: nothing is judged by less than a day of the past; write 1d or more, such as 28d" in told


def test_a_picture_holds_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "why.png"
    assert said(capsys, f"--values={own(tmp_path)}", f"--output={file}") == (0, "", "")
    seen = imread(file)
    assert seen.shape[:2] == (1056, 1320)
    colours = {"measured": "#1f5fbf", "usual": "#cfe0f7", "page": "#b3261e", "ticket": "#8a5a00"}
    for meaning, colour in colours.items():
        near = np.abs(seen[:, :, :3] - np.array(to_rgb(colour))).max(axis=2) < 0.01
        assert near.sum() > 30, meaning
    # What others wrote is no formula, and no account is too empty to be drawn.
    picture.write(hostile(), file)
    at = 1_700_006_400 + 300 * np.arange(40, dtype=np.int64)
    nothing = of_samples(at, np.full(40, np.nan))
    assert nothing is not None
    empty = account("empty", nothing, Query("m", "x", "s", ""))
    picture.write(reasoned(empty, nothing), file)
    assert "The score never reached 1." in page(reasoned(empty, nothing))


def test_without_matplotlib_a_picture_is_refused_with_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(explanation, "picture")
    monkeypatch.delitem(sys.modules, "airis_mon.analyzer.explanation.picture")
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    code, _, err = said(capsys, f"--values={own(tmp_path)}", f"--output={tmp_path / 'why.png'}")
    assert code == 1
    assert 'pip install "airis-mon[charts]"; or write a page, FILE.html' in err


@pytest.mark.slow
def test_a_reader_sees_the_page_and_moves_through_it(browser: Browser, tmp_path: Path) -> None:
    text = page(hostile())
    # The page allows its own script alone; what looks at it is the test's.
    text = text.replace("Content-Security-Policy", "x-lifted")
    keys = """<script>
      const press = key => chart.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
      press("PageUp"); press("End"); press("PageUp");
      document.body.append(`at peak: ${readout.textContent}`);
      press("Home");
      document.body.append(`at first: ${readout.textContent}`);
      const seen = chart.getBoundingClientRect();
      chart.dispatchEvent(new PointerEvent("pointermove", {clientX: seen.left + seen.width / 2}));
      document.body.append(`at middle: ${readout.textContent}`);
    </script>"""
    file = tmp_path / "page.html"
    file.write_text(text + keys, encoding="utf-8")
    for size in ((1280, 1800), (360, 3000)):
        seen = browser.seen(file, size)
        assert seen["width"] <= size[0], "nobody scrolls a page sideways"
        shown = seen["text"]
        assert "<script>alert(1)</script>" in shown
        for told in ("Anomalous: ", "Expectation", "Threshold", "known incident", "1 episode", "warming up"):
            assert told in shown
        peak, first, middle = (shown.partition(f"at {name}: ")[2] for name in ("peak", "first", "middle"))
        assert peak.startswith("Mon 2023-11-20 0")
        assert "score " in peak.partition("at first")[0]
        assert first.startswith("Wed 2023-11-15 00:00: ")
        assert "warming up" in first.partition("at middle")[0]
        assert middle.startswith(("Fri 2023-11-17", "Sat 2023-11-18"))
        shot = tmp_path / f"page-{size[0]}.png"
        browser.run(file, size, f"--screenshot={shot}")
        assert shot.stat().st_size > 20_000


@pytest.mark.slow
def test_a_narrow_screen_opens_a_chart_at_the_explained_moment_or_its_newest_end(
    browser: Browser, tmp_path: Path
) -> None:
    looking = """<script>
      const inside = (mark, around) => {
        const [one, all] = [mark, around].map(each => each.getBoundingClientRect());
        return all.left <= one.left && one.right <= all.right;
      };
      const [first, last] = [...document.querySelectorAll(".wide")].map(each => [
        each.scrollWidth > each.clientWidth,
        Math.round(each.getBoundingClientRect().right - each.firstElementChild.getBoundingClientRect().right),
        inside(each.querySelector("circle.marked") ?? each, each),
      ]);
      document.body.append(`found: ${JSON.stringify([first, last])}`);
    </script>"""
    early = hostile()
    assert early.marked is not None
    middle = replace(early, marked=len(early.course.values) // 2)
    many = overview([early])
    file = tmp_path / "page.html"
    for text, places in ((page(early), None), (page(middle), None), (many, 0)):
        file.write_text(text.replace("Content-Security-Policy", "x-lifted") + looking, encoding="utf-8")
        shown = browser.seen(file, (500, 1200))["text"]
        (scrolls, beyond, inside), *_ = json.loads(shown.partition("found: ")[2].replace("null", "[0, 0, 0]"))
        assert scrolls
        assert inside
        assert places is None or beyond == places
