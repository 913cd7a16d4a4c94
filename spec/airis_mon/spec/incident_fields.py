"""The keys of what turns a message into an incident or an issue: PagerDuty, Opsgenie, Jira."""

from __future__ import annotations

from airis_mon.spec.integration_record import integration
from airis_mon.spec.integrations import Jira, Opsgenie, PagerDuty
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field
from airis_mon.spec.scalars import Duration, Text
from airis_mon.spec.words import DAY, ENDPOINT, LINE, MAILBOX, SECRET_FILE

_PROJECT = Text(
    wanted="the key of a Jira project",
    pattern=r"^[A-Z][A-Z0-9_]*$",
    hint="write it as OPS; it stands before the number of each issue",
    longest=100,
)


def _reopened_within_a_time(jira: Jira, path: str, reading: Reading) -> None:
    where = reading.places.get(f"{path}.reopen_duration")
    if where is not None and jira.reopen_transition is None:
        message = "nothing opens an issue again without `reopen_transition`"
        reading.refuse(where, f"{path}.reopen_duration", message, "write `reopen_transition`, or remove this")


PAGERDUTY = integration(
    "PagerDuty",
    PagerDuty,
    (
        Field(
            "routing_key_file",
            SECRET_FILE,
            "File that holds the integration key (Events API v2) of the service.",
            required=True,
        ),
        Field(
            "url",
            ENDPOINT,
            "Where events are posted, where that is not `https://events.pagerduty.com/v2/enqueue`;"
            " in Europe `https://events.eu.pagerduty.com/v2/enqueue`.",
        ),
    ),
    {"routing_key": "routing_key_file", "service_key": "routing_key_file"},
)

OPSGENIE = integration(
    "Opsgenie",
    Opsgenie,
    (
        Field(
            "api_key_file",
            SECRET_FILE,
            "File that holds the key of an API integration, which knows its team. Before Alertmanager 0.28 it"
            " must not end in a line break.",
            required=True,
        ),
        Field("api_url", ENDPOINT, "Root of the API; in Europe `https://api.eu.opsgenie.com/`."),
    ),
    {"api_key": "api_key_file"},
)

JIRA = integration(
    "Jira",
    Jira,
    (
        Field(
            "url",
            ENDPOINT,
            "Root of Jira, such as `https://example.atlassian.net`, without `/rest/api`.",
            required=True,
        ),
        Field("project", _PROJECT, "Key of the project.", required=True),
        Field("issue_type", LINE, "Name of the type of issue, such as `Task`.", required=True),
        Field(
            "token_file",
            SECRET_FILE,
            "File that holds an API token of `username` (Jira Cloud), or a personal access token.",
            required=True,
        ),
        Field("username", MAILBOX, "Mail address of the account, on Jira Cloud."),
        Field(
            "resolve_transition",
            LINE,
            "Transition that ends the issue when its alerts are over; without it the issue stays as it is.",
        ),
        Field(
            "reopen_transition",
            LINE,
            "Transition that opens an ended issue again; without it another issue begins.",
        ),
        Field(
            "reopen_duration",
            Duration(60, 30 * DAY),
            "How long after its end an issue is opened again.",
            default="1d",
        ),
    ),
    {"token": "token_file", "api_token": "token_file", "password": "token_file"},
    check=_reopened_within_a_time,
)
