"""What an outsider can send is bounded, and refused with a problem."""

import time

import pytest

from airis_mon.spec import decode

HEAD = "apiVersion: airis.dev/v1alpha1\nkind: ModelMonitor\nmetadata: {name: a}\nspec:\n"


def messages(text: str) -> list[str]:
    """Return what is wrong with one file."""
    return [problem.message for problem in decode({"a.yaml": text}).problems]


def test_file_of_more_than_a_mebibyte() -> None:
    assert messages("#" * (1 << 20) + "\n") == ["the file is larger than 1 MiB"]


def test_file_of_too_many_documents() -> None:
    assert messages("---\n" * 1001) == ["the file holds more than 1000 documents"]


def test_billion_laughs() -> None:
    text = HEAD + "  a0: &a0 [x]\n"
    text += "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))

    assert messages(text) == ["the document holds more than 20000 values"]


def test_list_of_too_many_items() -> None:
    assert "51 objectives are too many; 50 are allowed" in messages(HEAD + f"  objectives: [{'x, ' * 50}x]\n")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_that_would_exhaust_the_stack(opening: str) -> None:
    assert messages(opening * 100_000) == ["mappings and lists are nested deeper than 32 levels"]


def test_problems_of_one_document_are_bounded_and_quickly_told() -> None:
    begin = time.monotonic()
    told = messages(HEAD + "".join(f"  objectivs{n}: x\n" for n in range(9000)))

    assert len(told) == 101
    assert told[-1] == "8902 more problems follow in this file"
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("text", ["\x00", "a: \x1b[0m", "a: \ud800", "\ufffe"])
def test_characters_that_yaml_forbids(text: str) -> None:
    (message,) = messages(text)

    assert message.endswith("is not allowed in YAML")


def test_quantities_of_many_digits() -> None:
    spec = f"  objectives: [{{name: a, target: {'9' * 5000}%, errors: {{}}}}]\n"
    spec += (
        f"  anomalies: [{{of: a, window: {'9' * 5000}d}}]\n  forecasts: [{{of: a, horizon: {'9' * 15}d}}]\n"
    )
    told = messages(HEAD + spec)

    assert all(len(message) < 200 for message in told)
    assert any(message.endswith("is too long here") for message in told)
