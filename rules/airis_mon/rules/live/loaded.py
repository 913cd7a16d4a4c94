"""Rules as they are written, held against those that a Prometheus says it evaluates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from airis_mon.rules.promql import parse, written
from airis_mon.spec import parse_duration

_MATCHER = re.compile(r'[a-zA-Z_]\w*(?:=~|!~|!=|=)"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r'\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}')


def otherwise(groups: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of groups that are evaluated otherwise than they are written, or not at all.

    `groups` are those of rule files, `told` those of the API's `/api/v1/rules`. A server prints expressions
    in its own way, so it is their meaning that is compared. KeyError or TypeError for what is no such answer.
    """
    there: dict[str, list[list[Any]]] = {}
    for group in told:
        there.setdefault(group["name"], []).append([_told(rule) for rule in group["rules"]])
    return [
        group["name"]
        for group in groups
        if [_written(rule) for rule in group["rules"]] not in there.get(group["name"], ())
    ]


def _written(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    name = rule.get("alert") or rule["record"]
    waits = parse_duration(rule["for"]) if "for" in rule else 0.0
    return name, waits, sorted(rule.get("labels", {}).items()), _meaning(rule["expr"])


def _told(rule: Mapping[str, Any]) -> tuple[Any, ...]:
    labels = sorted((rule.get("labels") or {}).items())
    return rule["name"], float(rule.get("duration", 0)), labels, _meaning(rule["query"])


def _meaning(expression: str) -> str:
    try:
        # Servers sort the matchers of a selector.
        return _SELECTOR.sub(
            lambda found: f"{{{sorted(_MATCHER.findall(found[0]))}}}", written(parse(expression))
        )
    except (ValueError, TypeError):  # of a newer server
        return "".join(expression.split())
