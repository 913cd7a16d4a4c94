"""What only a contract can tell of a monitor."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from airis_mon.exporters import contracts
from airis_mon.spec import (
    Anomaly,
    Forecast,
    Latency,
    Model,
    Monitor,
    Objective,
    Source,
    decode,
    parse_duration,
)

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def monitor(
    contract: str,
    of: str,
    below: float,
    buckets: Mapping[str, tuple[float, ...]] | None = None,
    anomalies: tuple[Anomaly, ...] = (),
    forecasts: tuple[Forecast, ...] = (),
) -> Monitor:
    """Build a monitor as a program does, without any text."""
    return Monitor(
        "a",
        Model("m"),
        Source(contract, {"job": "a"}, buckets or {}),
        (Objective("latency", 0.99, 30 * 86400, Latency(of, below)),),
        anomalies,
        forecasts,
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_nothing_is_wrong_with_the_examples(path: Path) -> None:
    (example,) = decode({path.name: path.read_text(encoding="utf-8")}).bundle.monitors

    assert contracts.problems(example) == []


@pytest.mark.parametrize(
    ("profile", "contract"), [("llm-serving", "vllm"), ("llm-serving", "otel-genai"), ("classifier", "airis")]
)
def test_profiles_fit_their_contracts(profile: str, contract: str) -> None:
    text = f"""\
apiVersion: airis.dev/v1alpha1
kind: ModelMonitor
metadata: {{name: a}}
spec: {{profile: {profile}, model: {{name: m}}, source: {{contract: {contract}, selector: {{job: a}}}}}}
"""
    (plain,) = decode({"a.yaml": text}).bundle.monitors

    assert contracts.problems(plain) == []


@pytest.mark.parametrize("contract", contracts.CONTRACTS.values(), ids=lambda contract: contract.name)
def test_every_boundary_of_every_duration_can_be_promised(contract: contracts.Contract) -> None:
    for name, distribution in contract.distributions.items():
        if distribution.unit == "seconds":
            for boundary in distribution.buckets:
                assert contracts.problems(monitor(contract.name, name, boundary)) == []


@pytest.mark.parametrize("contract", contracts.CONTRACTS.values(), ids=lambda contract: contract.name)
def test_what_is_suggested_in_place_of_a_latency_is_accepted(contract: contracts.Contract) -> None:
    for name, distribution in contract.distributions.items():
        if distribution.unit != "seconds":
            continue
        for boundary in distribution.buckets:
            (problem,) = contracts.problems(monitor(contract.name, name, boundary * 1.01))
            assert problem.hint is not None
            suggested = [part.split("`")[0] for part in problem.hint.split("below: ")[1:]]
            assert suggested
            for text in suggested:
                assert contracts.problems(monitor(contract.name, name, parse_duration(text))) == []


@pytest.mark.parametrize(
    "contract",
    [contract for contract in contracts.CONTRACTS.values() if contract.signals()],
    ids=lambda contract: contract.name,
)
def test_every_signal_can_be_watched(contract: contracts.Contract) -> None:
    anomalies = tuple(Anomaly(signal) for signal in contract.signals())
    forecasts = tuple(Forecast(signal, 86400) for signal in contract.signals())

    boundary = contract.distributions["request_duration"].buckets[0]
    watching = monitor(contract.name, "request_duration", boundary, None, anomalies, forecasts)

    assert len(anomalies) >= 10
    assert contracts.problems(watching) == []


def test_declared_buckets_replace_those_of_the_contract() -> None:
    declared = {"time_to_first_token": (0.1, 0.3, 0.9)}

    assert contracts.problems(monitor("vllm", "time_to_first_token", 0.3, declared)) == []
    (problem,) = contracts.problems(monitor("vllm", "time_to_first_token", 0.5, declared))
    assert problem.hint is not None
    assert problem.hint.startswith("write `below: 300ms` or `below: 900ms`")


def test_monitor_without_a_text_is_told_its_paths() -> None:
    (problem,) = contracts.problems(monitor("vllm", "time_to_first_token", 0.3))

    assert problem.location is None
    assert problem.path == "spec.objectives[0].latency.below"


def test_unknown_contract_is_the_only_problem_told() -> None:
    (problem,) = contracts.problems(monitor("otel-gen-ai", "nothing", 0.3, {"nothing": (2, 1)}))

    assert problem.message == "unknown contract `otel-gen-ai`"
    assert problem.hint == "did you mean `otel-genai`?"
