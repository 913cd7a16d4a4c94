"""The keys of what carries a message on: webhooks, e-mail and its relays, Amazon SNS."""

from __future__ import annotations

from airis_mon.spec.integration_record import integration
from airis_mon.spec.integrations import Email, SendGrid, Ses, Sns, Webhook
from airis_mon.spec.reading import Reading
from airis_mon.spec.records import Field
from airis_mon.spec.scalars import Flag, Text
from airis_mon.spec.words import ENDPOINT, HOST_PORT, LINE, MAILBOX, SECRET_FILE

_AWS_REGION = Text(
    wanted="a region of AWS",
    pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$",
    hint="write it as eu-west-1",
    longest=40,
)
_TOPIC = Text(
    wanted="the ARN of an SNS topic",
    pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$",
    hint="write it as arn:aws:sns:eu-west-1:123456789012:alerts",
    longest=400,
)
_ROLE = Text(
    wanted="the ARN of a role",
    pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$",
    hint="write it as arn:aws:iam::123456789012:role/alerts",
    longest=600,
)


def _known_to_the_webhook(webhook: Webhook, path: str, reading: Reading) -> None:
    if webhook.username is not None and webhook.token_file is not None:
        where = reading.places.get(f"{path}.token_file")
        message = "`username` and `token_file` exclude each other"
        reading.refuse(where, f"{path}.token_file", message, "keep one of them")
    if (webhook.username is None) != (webhook.password_file is None):
        given, other = "username", "password_file"
        if webhook.username is None:
            given, other = other, given
        where = reading.places.get(f"{path}.{given}")
        message = f"`{given}` stands without `{other}`"
        reading.refuse(where, f"{path}.{given}", message, f"write `{other}` beside it")


def _relay_knows_its_own(email: Email, path: str, reading: Reading) -> None:
    relay = "sendgrid" if email.sendgrid is not None else "ses"
    if email.smarthost is not None:
        return
    for key in ("username", "password_file", "require_tls"):
        where = reading.places.get(f"{path}.{key}")
        if where is not None:
            message = f"`{key}` is of a `smarthost`; `{relay}` knows its own"
            reading.refuse(where, f"{path}.{key}", message, "remove it")


WEBHOOK = integration(
    "Webhook",
    Webhook,
    (
        Field("url", ENDPOINT, "Where Alertmanager posts its webhook payload."),
        Field("url_file", SECRET_FILE, "File that holds the URL, where the URL is a secret."),
        Field("username", LINE, "User of basic authentication."),
        Field("password_file", SECRET_FILE, "File that holds the user's password."),
        Field("token_file", SECRET_FILE, "File that holds a bearer token."),
    ),
    {"password": "password_file", "token": "token_file", "bearer_token": "token_file"},
    exactly_one=("url", "url_file"),
    check=_known_to_the_webhook,
)

SENDGRID = integration(
    "SendGrid",
    SendGrid,
    (
        Field(
            "api_key_file",
            SECRET_FILE,
            "File that holds an API key with the right to send mail (`SG....`).",
            required=True,
        ),
    ),
    {"api_key": "api_key_file"},
)

SES = integration(
    "SES",
    Ses,
    (
        Field("region", _AWS_REGION, "AWS's region in which the sender is verified.", required=True),
        Field("username", LINE, "SMTP user name of SES; not that of an IAM user.", required=True),
        Field(
            "password_file",
            SECRET_FILE,
            "File that holds the SMTP password of SES; not an IAM secret key.",
            required=True,
        ),
    ),
    {"password": "password_file", "secret_key": "password_file"},
)

EMAIL = integration(
    "Email",
    Email,
    (
        Field("to", MAILBOX, "Who is written to.", required=True),
        Field("from", MAILBOX, "Who writes.", required=True, attribute="sender"),
        Field("smarthost", HOST_PORT, "host:port of the SMTP server."),
        Field("username", LINE, "User of the SMTP server."),
        Field(
            "password_file",
            SECRET_FILE,
            "File that holds the user's password; before Alertmanager 0.27 without a line break at its end.",
        ),
        Field(
            "require_tls",
            Flag(),
            "Refuse to send over a plain connection; on port 465 there is none.",
            default=True,
        ),
        Field("sendgrid", SENDGRID, "In place of `smarthost`: SendGrid's relay, always over TLS."),
        Field("ses", SES, "In place of `smarthost`: the relay of Amazon SES, always over TLS."),
    ),
    {"password": "password_file", "auth_password": "password_file"},
    exactly_one=("smarthost", "sendgrid", "ses"),
    check=_relay_knows_its_own,
)

SNS = integration(
    "SNS",
    Sns,
    (
        Field("topic_arn", _TOPIC, "The topic.", required=True),
        Field("role_arn", _ROLE, "The role that is assumed to publish."),
        Field(
            "profile",
            LINE,
            "Section of AWS's credentials file where Alertmanager runs. Without it the credentials are those"
            " that AWS's tools find there: variables, the default section, the machine's role.",
        ),
        Field("api_url", ENDPOINT, "An endpoint of your own, such as a VPC's."),
    ),
    {"access_key": "profile", "secret_key": "profile"},
    literal_hint="put it into AWS's credentials file where Alertmanager runs and write profile: its section",
)
