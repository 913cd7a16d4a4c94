"""What the log says to type, typed: the same servers, files and shares, and no secrets."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

import pytest

from airis_mon.analyzer.commands import ACTIONS, advice, spans

MISSED = 1_700_000_040


def parsed(action: str, words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    ACTIONS[action].add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--remote-write.url=http://receiver:9/write", "--remote-write.version=2.0"],
        ["--interval=30s", "--step=1m", "--fit.interval=5m", "--query.max-series=7", "--query.timeout=3s"],
        ["--shard.index=1", "--shard.count=3", "--prometheus.http-config=who am i.yaml"],
    ],
)
def test_what_is_advised_asks_and_writes_as_the_process_does(flags: list[str]) -> None:
    given = ["--config.file", "a folder/analyzer's.yaml", "--prometheus.url", "http://p:9090/a?b", *flags]
    words = shlex.split(advice.backfill(parsed("run", [*given, "--workers=2"])))
    assert words[:3] == ["airis-mon", "analyzer", "backfill"]
    typed = vars(parsed("backfill", [*words[3:], "--since=1h"]))
    expected = vars(parsed("backfill", [*given, "--since=1h"]))
    assert typed == {**expected, "prometheus_url": "http://p:9090/a"}


def test_what_is_advised_has_no_secrets() -> None:
    given = ["--config.file=a.yaml", "--prometheus.url=http://me:secret@p:9090"]
    told = advice.backfill(parsed("run", [*given, "--prometheus.header=Authorization: Bearer secret"]))
    assert "secret" not in told
    assert "--prometheus.url http://p:9090 --prometheus.header 'Authorization: ...'" in told


def test_one_time_that_was_missed_is_a_span() -> None:
    assert spans.checked(MISSED, MISSED, MISSED + 600.0, 60) == (MISSED, MISSED)
    with pytest.raises(ValueError, match="is empty: no time of evaluation, every 1m, lies in it"):
        spans.checked(MISSED + 1, MISSED + 1, MISSED + 600.0, 60)
