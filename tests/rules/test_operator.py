"""Objects for prometheus-operator: the plain rules, in the form that its CRD admits."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airis_mon.rules.compile import Operator, artefacts
from airis_mon.spec import Monitor, Objective, SpecError
from airis_mon.stack.servers import Server
from tests.rules.monitors import chat, mutated

DURATION = {
    "type": "string",
    "pattern": r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "PrometheusRule"},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "labels"],
            "properties": {
                "name": {"type": "string", "maxLength": 253, "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
                "namespace": {"type": "string", "maxLength": 63},
                "labels": {
                    "type": "object",
                    "propertyNames": {
                        "pattern": r"^([a-z0-9.-]+/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
                    },
                    "additionalProperties": {"type": "string", "maxLength": 63, "pattern": LABEL_VALUE},
                },
            },
        },
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "groups": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string", "minLength": 1},
                            "interval": DURATION,
                            "query_offset": DURATION,
                            "limit": {"type": "integer"},
                            "labels": TEXTS,
                            "rules": {
                                "type": "array",
                                "items": {
                                    "type": "object",
                                    "additionalProperties": False,
                                    "required": ["expr"],
                                    "properties": {
                                        "alert": {"type": "string"},
                                        "record": {"type": "string"},
                                        "expr": {"type": ["string", "integer"]},
                                        "for": DURATION,
                                        "keep_firing_for": {**DURATION, "minLength": 1},
                                        "labels": TEXTS,
                                        "annotations": TEXTS,
                                    },
                                },
                            },
                        },
                    },
                }
            },
        },
    },
}
"""What the CRD of prometheus-operator 0.82 asks for, and Kubernetes of names and labels.

The CRD lets unknown fields of rules pass and drops them; here they are errors."""

OPERATOR = Operator((("release", "kube-prometheus-stack"),), "monitoring")


def derived(monitor: Monitor, operator: Operator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the plain rule file and the object."""
    found = {
        artefact.path: artefact.text
        for artefact in artefacts(monitor, wanted=operator)
        if not artefact.path.startswith("rules/proofs/")
    }
    rules, objects = f"rules/{monitor.name}.rules.yaml", f"kubernetes/{monitor.name}.prometheusrule.yaml"
    assert found.keys() == {rules, objects}
    return yaml.safe_load(found[rules]), yaml.safe_load(found[objects])


QUOTED = replace(chat(), source=replace(chat().source, selector={"job": 'a "b"\\c', "model_name": "x{y}\nz"}))


@pytest.mark.parametrize("monitor", [chat(), mutated(), QUOTED], ids=["chat", "mutated", "quoted"])
def test_an_object_is_admitted_and_holds_the_rules_of_the_file(
    monitor: Monitor, promtool: Server, tmp_path: Path
) -> None:
    plain, found = derived(monitor, OPERATOR)
    jsonschema.validate(found, SCHEMA)
    assert found["spec"] == plain
    names = [group["name"] for group in found["spec"]["groups"]]
    assert len(set(names)) == len(names)
    assert all(
        ("alert" in rule) != ("record" in rule) for group in plain["groups"] for rule in group["rules"]
    )
    (tmp_path / "extracted.yaml").write_text(yaml.safe_dump(found["spec"]))
    done = subprocess.run(
        [
            str(promtool.path),
            "check",
            "rules",
            "--lint=all",
            "--lint-fatal",
            str(tmp_path / "extracted.yaml"),
        ],
        cwd=promtool.cwd,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_operator_finds_objects_by_the_labels_that_were_asked_for() -> None:
    _, found = derived(chat(), OPERATOR)
    assert found["metadata"] == {
        "name": "airis-mon-support-chat",
        "namespace": "monitoring",
        "labels": {
            "airis.dev/monitor": "support-chat",
            "app.kubernetes.io/managed-by": "airis-mon",
            "release": "kube-prometheus-stack",
        },
    }
    _, bare = derived(chat(), Operator())
    assert "namespace" not in bare["metadata"]


def test_the_longest_name_of_a_monitor_is_a_name_and_a_label_of_kubernetes() -> None:
    _, found = derived(replace(chat(), name="m" * 63), OPERATOR)
    jsonschema.validate(found, SCHEMA)


def test_without_an_operator_nothing_of_kubernetes_is_written() -> None:
    assert [one.path for one in artefacts(chat()) if not one.path.startswith("rules/")] == []


def test_what_the_operator_would_leave_out_is_refused() -> None:
    first = chat().objectives[0]
    many: list[Objective] = [replace(first, name=f"o{index}") for index in range(60)]
    monitor = replace(chat(), objectives=tuple(many))
    artefacts(monitor)
    with pytest.raises(SpecError, match=re.escape("prometheus-operator takes 512 KiB of one object")):
        artefacts(monitor, wanted=OPERATOR)
