"""What the decoder accepts and Alertmanager would refuse, or would accept and then tell nobody.

That names are unique and references resolve is the Bundle's own promise.
"""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import (
    Bundle,
    Email,
    EscalationPolicy,
    Origin,
    Problem,
    Receiver,
    Step,
    Webhook,
    format_duration,
)

URL_FILE_SINCE = (0, 26)


def problems(bundle: Bundle, target: tuple[int, int]) -> list[Problem]:
    """Return every obstacle in the receivers and policies of a bundle, located."""
    return [
        *(problem for receiver in bundle.receivers for problem in _receiver(receiver, target)),
        *(problem for policy in bundle.policies for problem in _policy(policy)),
    ]


def _problem(origin: Origin, path: str, message: str, hint: str) -> Problem:
    return Problem(message, path, origin.locate(path), hint)


def _receiver(receiver: Receiver, target: tuple[int, int]) -> Iterator[Problem]:
    origin = receiver.origin
    if receiver.name == UNROUTED:
        yield _problem(
            origin, "metadata.name", f"`{UNROUTED}` is the receiver that tells nobody", "choose another name"
        )
    for index, webhook in enumerate(receiver.webhooks):
        yield from _webhook(origin, f"spec.webhooks[{index}]", webhook, target)
    for index, email in enumerate(receiver.emails):
        yield from _email(origin, f"spec.emails[{index}]", email)


def _webhook(origin: Origin, path: str, webhook: Webhook, target: tuple[int, int]) -> Iterator[Problem]:
    yield from _plain(origin, f"{path}.url", webhook.url)
    if webhook.url_file is None:
        return
    if target < URL_FILE_SINCE:
        yield _problem(
            origin,
            f"{path}.url_file",
            f"Alertmanager {_version(target)} cannot read a webhook's URL from a file",
            f"write `url`, or, where Alertmanager is that new, build with"
            f" --alertmanager-version {_version(URL_FILE_SINCE)}",
        )
    yield from _absolute(origin, f"{path}.url_file", webhook.url_file)


def _email(origin: Origin, path: str, email: Email) -> Iterator[Problem]:
    written = {"to": email.to, "from": email.sender, "smarthost": email.smarthost, "username": email.username}
    for key, value in written.items():
        yield from _plain(origin, f"{path}.{key}", value)
    if email.username is not None and email.password_file is None:
        yield _problem(
            origin,
            f"{path}.username",
            "a username without a password cannot log in",
            "name the file that holds the password: `password_file: /etc/alertmanager/smtp-password`",
        )
    if email.password_file is not None:
        yield from _absolute(origin, f"{path}.password_file", email.password_file)


def _plain(origin: Origin, path: str, value: str | None) -> Iterator[Problem]:
    # Alertmanager executes most fields of a receiver as Go templates; a person's text has to stay text.
    if value is not None and "{{" in value:
        yield _problem(
            origin, path, "Alertmanager would execute `{{` as a template", "write the value itself"
        )


def _absolute(origin: Origin, path: str, file: str) -> Iterator[Problem]:
    # Alertmanager opens these relative to wherever it was started, and only when it has something to send.
    if not file.startswith("/"):
        yield _problem(
            origin,
            path,
            f"Alertmanager would look for `{file}` in the folder that it was started in",
            "write the path from the root, such as /etc/alertmanager/smtp-password",
        )


def _policy(policy: EscalationPolicy) -> Iterator[Problem]:
    for severity, steps in (("page", policy.page), ("ticket", policy.ticket)):
        for index in range(1, len(steps)):
            yield from _step(policy, f"spec.{severity}[{index}].after", steps[index], steps[index - 1])


def _step(policy: EscalationPolicy, path: str, step: Step, below: Step) -> Iterator[Problem]:
    # A step that is told at once still gathers alerts for `group_wait`; the next must not overtake it.
    earliest = below.after or policy.group_wait
    if step.after <= earliest:
        yield _problem(
            policy.origin,
            path,
            f"the step before is told after {format_duration(earliest)}, so this one would not be later",
            "write `after` with a longer duration, or a shorter `group_wait`",
        )


def _version(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
