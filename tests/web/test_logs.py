from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from airis_mon.web import configure_logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_record_is_one_json_object(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log = configure_logs("thing", "info")
    log.info(
        "two\nlines of %s",
        "\ud800",
        extra={
            "address": "127.0.0.1:1",
            "other": {
                1,
            },
        },
    )
    (line,) = lines(capsys)
    assert (line["level"], line["logger"], line["msg"]) == ("info", "thing", "two\nlines of \ud800")
    assert (line["address"], line["other"]) == ("127.0.0.1:1", "{1}")
    assert datetime.fromisoformat(line["time"]).tzinfo is not None
    assert "request_id" not in line


def test_an_exception_is_part_of_its_line(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log = configure_logs("thing", "INFO")
    try:
        raise KeyError("gone")
    except KeyError:
        log.exception("failed")
    (line,) = lines(capsys)
    assert "KeyError: 'gone'" in line["exception"]


def test_a_second_call_does_not_say_everything_twice(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("thing", "info")
    log = configure_logs("thing", "warning")
    log.info("quiet")
    log.warning("loud")
    assert [line["msg"] for line in lines(capsys)] == ["loud"]
