"""The alerts of docs/analyzer.md fire on what they say, and on nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.analyzer import series
from airis_mon.analyzer.commands import ACTIONS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "analyzer.md").read_text(encoding="utf-8")
(RULES,) = (text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "alert:" in text)
FOR = "{for='ttft',monitor='chat'}"


@pytest.mark.parametrize(
    ("alert", "name", "quiet", "loud"),
    [
        # By the minute, from 0 on: a cycle each minute, or none after the first ten.
        ("AnalyzerBehind", series.LAST_CYCLE, "0+60x60", "0+60x10 600x50"),
        ("AnalyzerMissesEvaluations", series.MISSED, "0x30 2x30", "0x30 9x30"),
        ("AnalyzerWorkerDown", series.WORKER_UP, "1x20 0x3 1x40", "1x10 0x60"),
        ("AnalyzerDropsSamples", series.DROPPED, "0x30 7x30", "0+1x60"),
        ("AnalyzerModelStale", f"{series.MODEL_AGE}{FOR}", "600x60", "0+100x60"),
    ],
)
def test_alerts_fire_on_what_they_say(
    promtool: Any, tmp_path: Path, alert: str, name: str, quiet: str, loud: str
) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    (rule,) = (
        rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"] if rule["alert"] == alert
    )
    labels = {"for": "ttft", "monitor": "chat"} if FOR in name else {}
    fires = {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": rule["annotations"]}
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values}],
            "alert_rule_test": [{"eval_time": "60m", "alertname": alert, "exp_alerts": expected}],
        }
        for values, expected in ((quiet, []), (loud, [fires]))
    ]
    file = tmp_path / "test.yaml"
    file.write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests})
    )
    done = subprocess.run(
        [str(promtool.path), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_of_the_page_is_tried() -> None:
    tried = {mark[0] for mark in test_alerts_fire_on_what_they_say.pytestmark[0].args[1]}
    assert {rule["alert"] for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]} == tried


def test_the_page_tells_of_every_action_and_names_series_that_there_are() -> None:
    names = {value for value in vars(series).values() if isinstance(value, str)}
    assert set(re.findall(r"airis_analyzer_[a-z_]+", PAGE)) <= names
    assert {"run", "once", "backfill"} <= set(ACTIONS)
