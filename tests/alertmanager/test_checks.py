from __future__ import annotations

import pytest

from airis_mon.alertmanager.compile import artefacts
from airis_mon.spec import SpecError
from tests.alertmanager.documents import LEAD, ONCALL, bundle, monitor, policy, receiver

MAIL = "to: lead@example.com, from: am@example.com, smarthost: 'localhost:25'"


def refused(*documents: str, target: tuple[int, int] = (0, 25)) -> str:
    with pytest.raises(SpecError) as caught:
        artefacts(bundle(*documents), target=target)
    assert all(problem.location and problem.hint for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        "{webhooks: [{url: 'http://host/{{.CommonLabels.token}}'}]}",
        "{emails: [{to: '{{x}}@example.com', from: am@example.com, smarthost: 'localhost:25'}]}",
        "{emails: [{to: a@example.com, from: '{{x}}@example.com', smarthost: 'localhost:25'}]}",
        f"{{emails: [{{{MAIL}, username: '{{{{ .Receiver }}}}', password_file: /etc/pw}}]}}",
        "{emails: [{to: a@example.com, from: b@example.com, sendgrid: {api_key_file: '/etc/{{x}}'}}]}",
        "{slack: [{api_url_file: '/etc/{{ .Receiver }}'}]}",
        "{pagerduty: [{routing_key_file: /etc/pd, url: 'http://host/{{.Receiver}}'}]}",
    ],
)
def test_user_text_never_becomes_a_template(spec: str) -> None:
    assert "Alertmanager would execute `{{` as a template" in refused(receiver("oncall", spec))


def test_problem_points_at_the_field() -> None:
    text = refused(ONCALL, receiver("chat", "{webhooks: [{url: 'http://host/{{x}}'}]}"))
    assert "spec.webhooks[0].url" in text
    assert "^" in text


def test_url_file_is_refused_below_the_version_that_reads_it() -> None:
    chat = receiver("chat", "{webhooks: [{url_file: /etc/alertmanager/chat-url}]}")
    assert "Alertmanager 0.25 cannot read a webhook's URL from a file" in refused(chat)
    assert artefacts(bundle(chat), target=(0, 26))


JIRA = "{url: 'https://%s/', project: OPS, issue_type: Task, token_file: /etc/token}"


@pytest.mark.parametrize(
    ("spec", "since", "place", "instead"),
    [
        ("teams: [{webhook_url_file: /etc/url}]", (0, 28), "teams[0].webhook_url_file", "`webhooks`"),
        ("discord: [{webhook_url_file: /etc/url}]", (0, 27), "discord[0].webhook_url_file", "/slack at its"),
        ("telegram: [{bot_token_file: /etc/t, chat_id: 1}]", (0, 26), "telegram[0].bot_token", "`webhooks`"),
        (
            "telegram: [{bot_token_file: /etc/t, chat_id: 1, message_thread_id: 2}]",
            (0, 28),
            "telegram[0].message_thread_id",
            "remove it",
        ),
        (f"jira: [{JIRA % 'jira.example.com'}]", (0, 28), "jira[0].project", "`webhooks`"),
        (f"jira: [{JIRA % 'example.atlassian.net'}]", (0, 29), "jira[0].url", "`webhooks`"),
    ],
)
def test_what_an_older_alertmanager_does_not_know_is_refused_with_both_ways_out(
    spec: str, since: tuple[int, int], place: str, instead: str
) -> None:
    chat = receiver("chat", f"{{{spec}}}")
    text = refused(chat, target=(0, since[1] - 1))
    assert f"spec.{place}" in text
    assert instead in text
    assert f"build with --alertmanager-version 0.{since[1]}" in text
    assert artefacts(bundle(chat), target=since)


def test_username_needs_a_password() -> None:
    text = refused(receiver("lead", f"{{emails: [{{{MAIL}, username: u}}]}}"))
    assert "a username without a password cannot log in" in text


def test_name_of_the_silent_receiver_is_taken() -> None:
    text = refused(receiver("airis-mon-unrouted", "{webhooks: [{url: 'http://host/'}]}"))
    assert "the receiver that tells nobody" in text


def test_step_does_not_overtake_the_gathering_of_the_first() -> None:
    hasty = policy(
        "standard", "{page: [{receivers: [oncall]}, {receivers: [lead], after: 1m}], group_wait: 5m}"
    )
    text = refused(monitor("chat"), ONCALL, LEAD, hasty)
    assert "the step before is told after 5m" in text
    assert "spec.page[1].after" in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("group_interval: 10m, repeat_interval: 5m", "looks at a group only every 10m"),
        ("repeat_interval: 6d", "remembers for 5d what it told"),
    ],
)
def test_what_alertmanager_forgets_before_it_looks_again_is_refused(given: str, message: str) -> None:
    hasty = policy("standard", f"{{page: [{{receivers: [oncall]}}], {given}}}")
    text = refused(monitor("chat"), ONCALL, hasty)
    assert message in text
    assert "spec.repeat_interval" in text


def test_all_problems_are_told_at_once() -> None:
    text = refused(
        receiver("a", "{webhooks: [{url: 'http://host/{{x}}'}]}"),
        receiver("b", f"{{emails: [{{{MAIL}, username: u}}]}}"),
    )
    assert text.count("error:") == 2
