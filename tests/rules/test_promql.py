"""What somebody wrote is parsed within limits: no text can exhaust the parser, or end the process."""

from __future__ import annotations

import time

import pytest

from airis_mon.rules import promql
from airis_mon.rules.adoption import Wanted, adopt
from airis_mon.rules.expressions import ExpressionError, terms
from airis_mon.spec import yaml_text

HOSTILE = {
    "operators": "1+" * 4000 + "1 > 1",
    "brackets": "(" * 4000 + "x" + ")" * 4000 + " > 1",
    "signs": "-" * 9000 + "1 > 2",
    "alternatives": "(x > 1) or " * 800 + "(x > 1)",
    "aggregations": "sum(" * 2000 + "x" + ")" * 2000 + "> 1",
    "hidden in a comment": '# "\n' + "1+" * 4000 + '1 # "',
    "long": "x" * 20_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_expression_is_refused_at_once(what: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ValueError, match="are allowed"):
        promql.parse(HOSTILE[what])
    with pytest.raises(ExpressionError, match="are allowed"):
        terms(HOSTILE[what])
    rules = yaml_text(
        {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": HOSTILE[what]}]}]}, source=""
    )
    (verdict,) = adopt("rules.yaml", rules, Wanted("a", "b")).verdicts
    assert "its expression is no PromQL" in verdict.what
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "text",
    [
        "sum(" * 50 + "x" + ")" * 50,
        "+".join(["x"] * 200),
        'x{a="((((+++++----"} # ((((((((' + "(" * 100,
        "label_replace(x, 'a', \"$1\", `b`, '\\'(')",
    ],
)
def test_what_people_write_is_parsed(text: str) -> None:
    assert promql.parse(text) is not None
