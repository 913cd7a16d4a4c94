"""Every document of tests/bad is refused with exactly the message beside it; its name says its sin.

`python tests/spec/test_bad_documents.py` writes the messages anew: read the diff as a reader of the messages.
"""

from pathlib import Path

import jsonschema
import pytest
import yaml

from airis_mon.exporters import contracts
from airis_mon.rules import impossible
from airis_mon.spec import decode, json_schema

FOLDER = Path(__file__).parents[1] / "bad"
SINS = sorted(path.stem for path in FOLDER.glob("*.yaml"))

# What only the decoder can see: references, other documents, contracts, order, and YAML's own slips.
BEYOND_THE_SCHEMA = {
    "anomalies-that-page-too-soon",
    "boundaries-of-native-histograms",
    "buckets-out-of-order",
    "capacities-that-cannot-be-used-up",
    "dependencies-in-a-ring",
    "dependency-that-is-unknown",
    "drift-that-is-too-small-to-see",
    "drift-that-nobody-read",
    "duplicate-anomaly",
    "duplicate-key",
    "duplicate-monitor-names",
    "duplicate-objective-names",
    "email-relay-with-a-user",
    "events-of-series-that-rules-record",
    "events-that-are-no-promql",
    "events-that-are-no-sum-of-rates",
    "events-with-a-fixed-range",
    "events-with-an-intricate-expression",
    "events-without-a-good-one",
    "freshness-of-a-signal",
    "freshness-that-readings-exceed",
    "freshness-without-a-selector",
    "jira-reopened-by-nothing",
    "latency-below-the-first-bucket",
    "latency-beyond-the-last-bucket",
    "latency-of-a-signal",
    "latency-of-an-unknown-distribution",
    "latency-of-tokens",
    "latency-snapped-beyond-the-last-bucket",
    "latency-that-no-bucket-holds",
    "missing-selector",
    "maintenance-of-what-is-not-there",
    "nothing-watched-after-the-profile",
    "page-budget-of-none",
    "profile-for-another-contract",
    "profile-that-is-built-in",
    "promql-with-signals",
    "quality-that-nobody-counts",
    "rules-that-expect-too-much",
    "rules-that-try-candidates",
    "scrape-interval-that-is-too-long",
    "selector-by-bucket",
    "selector-by-what-failed",
    "slack-bot-without-a-channel",
    "step-at-unknown-times",
    "snap-of-a-native-histogram",
    "steps-that-do-not-rise",
    "target-of-nothing",
    "team-that-is-unknown",
    "team-with-an-unknown-policy",
    "threshold-of-a-past-that-is-too-short",
    "threshold-window-that-holds-too-few-readings",
    "thresholds-that-cannot-be-told-apart",
    "thresholds-that-no-value-is-beyond",
    "thresholds-without-a-quiet-value",
    "undeclared-escalation",
    "unknown-contract",
    "unknown-escalation",
    "unknown-profile",
    "unknown-receiver",
    "unknown-signal",
    "webhook-with-half-a-user",
    "webhook-with-two-users",
    "window-below-a-day",
    "windows-that-hold-too-few-readings",
    "yaml-with-merge-key",
}
NOT_LOADABLE = {
    "empty-file",
    "yaml-tag",
    "yaml-that-is-too-deep",
    "yaml-that-repeats-itself",
    "yaml-with-a-slip",
    "yaml-with-tabs",
}


def shown(sin: str) -> str:
    """Return what `airis-mon check` tells of the document."""
    file = FOLDER / f"{sin}.yaml"
    decoded = decode({file.name: file.read_text(encoding="utf-8")})
    problems = list(decoded.problems)
    for monitor in (*decoded.bundle.monitors, *decoded.sketches):
        problems += contracts.problems(monitor)
    if not problems:
        problems += [
            problem for monitor in decoded.bundle.monitors for problem in impossible.problems(monitor)
        ]
    return "\n\n".join(str(problem) for problem in problems) + "\n"


@pytest.mark.parametrize("sin", SINS)
def test_document_is_refused_with_the_message_beside_it(sin: str) -> None:
    assert shown(sin) == (FOLDER / f"{sin}.txt").read_text(encoding="utf-8")


def test_every_message_has_its_document() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == SINS


@pytest.mark.parametrize("sin", SINS)
def test_every_message_names_the_file_and_what_is_wrong(sin: str) -> None:
    message = (FOLDER / f"{sin}.txt").read_text(encoding="utf-8")

    assert message.startswith("error: ")
    assert f"--> {sin}.yaml:" in message


@pytest.mark.parametrize("sin", SINS)
def test_no_message_repeats_a_secret(sin: str) -> None:
    # What would be a secret is written as one in these documents.
    assert "s3cret" not in (FOLDER / f"{sin}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("sin", sorted(set(SINS) - BEYOND_THE_SCHEMA - NOT_LOADABLE))
def test_schema_refuses_what_a_schema_can_see(sin: str) -> None:
    assert not _valid(sin)


@pytest.mark.parametrize("sin", sorted(BEYOND_THE_SCHEMA))
def test_schema_accepts_what_only_the_decoder_can_see(sin: str) -> None:
    assert _valid(sin)


def _valid(sin: str) -> bool:
    validator = jsonschema.Draft202012Validator(json_schema())
    documents = yaml.safe_load_all((FOLDER / f"{sin}.yaml").read_text(encoding="utf-8"))
    return all(validator.is_valid(document) for document in documents)


if __name__ == "__main__":
    for each in SINS:
        (FOLDER / f"{each}.txt").write_text(shown(each), encoding="utf-8")
