"""The document as others see it: JSON Schema in editors, CustomResourceDefinition in Kubernetes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from airis_mon.spec import Anomaly, EscalationPolicy, Monitor, Receiver, crd, decode, json_schema

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted((ROOT / "examples").glob("*.yaml")),
    *sorted((ROOT / "spec/airis_mon/spec/profiles").glob("*.yaml")),
]

# https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
# #specifying-a-structural-schema
STRUCTURAL = {
    "additionalProperties", "anyOf", "description", "enum", "format", "items", "maxItems", "maxLength",
    "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "not", "oneOf",
    "pattern", "properties",
    "required", "type", "x-kubernetes-list-map-keys", "x-kubernetes-list-type",
}  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_examples_and_profiles_are_valid(path: Path) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))

    assert documents
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []


def test_schema_is_valid_itself_and_the_same_every_time() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())

    assert json_schema() == json_schema()
    assert crd() == crd()


def test_what_is_returned_is_the_callers_own() -> None:
    crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].clear()
    json_schema()["$defs"].clear()

    assert crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    assert json_schema()["$defs"]


def test_every_key_is_described() -> None:
    properties = [
        (key, value)
        for node in _walk(json_schema())
        for key, value in node.get("properties", {}).items()
        if isinstance(node.get("properties"), dict) and "additionalProperties" in node
    ]

    assert len(properties) > 60
    assert [key for key, value in properties if not value.get("description")] == []


def test_schema_tells_the_slip_in_the_kind_that_is_written() -> None:
    document = {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "Receiver",
        "metadata": {"name": "oncall"},
        "spec": {"webhook": []},
    }
    messages = [
        error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(document)
    ]

    assert any("'webhook' was unexpected" in message for message in messages)
    assert not any("model" in message for message in messages)


def test_defaults_in_the_schema_are_those_of_the_values() -> None:
    written: dict[str, Any] = {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "ModelMonitor",
        "metadata": {"name": "a"},
        "spec": {
            "model": {"name": "m"},
            "source": {"contract": "vllm", "selector": {"job": "a"}},
            "objectives": [{"name": "a", "target": "99%", "errors": {}}],
            "anomalies": [{"of": "request_rate"}],
            "forecasts": [{"of": "request_rate", "horizon": "1d"}],
            "alerting": {},
        },
    }
    receiver: dict[str, Any] = {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "Receiver",
        "metadata": {"name": "oncall"},
        "spec": {"emails": [{"to": "a@example.com", "from": "b@example.com", "smarthost": "example.com:25"}]},
    }
    policy: dict[str, Any] = {
        "apiVersion": "airis.dev/v1alpha1",
        "kind": "EscalationPolicy",
        "metadata": {"name": "standard"},
        "spec": {"page": [{"receivers": ["oncall"]}]},
    }
    plain = [written, receiver, policy]
    full = [_filled(document, json_schema()["$defs"][document["kind"]]) for document in plain]

    assert full[0]["spec"]["anomalies"][0] == {
        "of": "request_rate",
        "window": "5m",
        "direction": "both",
        "severity": "ticket",
    }
    assert _values(plain) == _values(full)


def test_definition_is_of_a_namespaced_kind_with_status_and_columns() -> None:
    definition = crd()
    (version,) = definition["spec"]["versions"]

    assert definition["apiVersion"] == "apiextensions.k8s.io/v1"
    assert definition["metadata"]["name"] == "modelmonitors.airis.dev"
    assert definition["spec"]["scope"] == "Namespaced"
    assert definition["spec"]["names"]["shortNames"] == ["mm"]
    assert version["name"] == "v1alpha1"
    assert version["subresources"] == {"status": {}}
    assert {column["name"] for column in version["additionalPrinterColumns"]} >= {"Model", "Ready", "Age"}


def test_definition_is_structural() -> None:
    (version,) = crd()["spec"]["versions"]

    assert list(_unstructural(version["schema"]["openAPIV3Schema"], "$")) == []


def test_definition_accepts_the_monitors_of_the_examples() -> None:
    (version,) = crd()["spec"]["versions"]
    validator = jsonschema.Draft4Validator(version["schema"]["openAPIV3Schema"])
    monitors = [
        document
        for path in DOCUMENTS
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if document["kind"] == "ModelMonitor"
    ]

    assert len(monitors) == 4
    assert [error.message for monitor in monitors for error in validator.iter_errors(monitor)] == []


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    if isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _unstructural(schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield what Kubernetes would refuse in a schema."""
    if "type" not in schema:
        yield f"{path} has no type"
    yield from (f"{path} has the keyword {keyword}" for keyword in schema.keys() - STRUCTURAL)
    if "properties" in schema and "additionalProperties" in schema:
        yield f"{path} is closed and open"
    for keyword in ("anyOf", "oneOf"):
        for branch in schema.get(keyword, []):
            yield from (f"{path}.{keyword} has {key}" for key in branch.keys() - {"required"})
    yield from (f"{path}.not has {key}" for key in schema.get("not", {}).keys() - {"enum"})
    for name, inner in schema.get("properties", {}).items():
        yield from _unstructural(inner, f"{path}.{name}")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _unstructural(schema["additionalProperties"], f"{path}.*")
    if "items" in schema:
        yield from _unstructural(schema["items"], f"{path}[]")
        for key in schema.get("x-kubernetes-list-map-keys", []):
            if key not in schema["items"].get("required", []):
                yield f"{path} is keyed by {key}, which is not required"


def _filled(value: Any, schema: dict[str, Any]) -> Any:
    """Return a document with every default of the schema written out."""
    if isinstance(value, list):
        return [_filled(item, schema["items"]) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    filled = {}
    for key, inner in schema["properties"].items():
        if key in value:
            filled[key] = _filled(value[key], inner)
        elif "default" in inner:
            filled[key] = inner["default"]
    return filled


def _values(documents: list[dict[str, Any]]) -> tuple[Monitor, Receiver, EscalationPolicy]:
    decoded = decode({"a.yaml": yaml.safe_dump_all(documents)})
    assert decoded.problems == ()
    bundle = decoded.bundle
    assert isinstance(bundle.monitors[0].anomalies[0], Anomaly)
    return bundle.monitors[0], bundle.receivers[0], bundle.policies[0]
