"""What would make Alertmanager refuse the configuration, or accept it and tell nobody.

Bundles come from the decoder, which resolves names, or from Python, where nothing has been checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import Bundle, Email, EscalationPolicy, Origin, Problem, Receiver, Step, Webhook

URL_FILE_SINCE = (0, 26)


def problems(bundle: Bundle, target: tuple[int, int]) -> list[Problem]:
    """Return every obstacle in the receivers, policies and references of a bundle, located."""
    return [
        *(problem for receiver in bundle.receivers for problem in _receiver(receiver, target)),
        *(problem for policy in bundle.policies for problem in _policy(policy, bundle)),
        *_references(bundle),
    ]


def _problem(origin: Origin, path: str, message: str, hint: str) -> Problem:
    return Problem(message, path, origin.locate(path), hint)


def _receiver(receiver: Receiver, target: tuple[int, int]) -> Iterator[Problem]:
    origin = receiver.origin
    if receiver.name == UNROUTED:
        yield _problem(
            origin, "metadata.name", f"`{UNROUTED}` is the receiver that tells nobody", "choose another name"
        )
    if not receiver.webhooks and not receiver.emails:
        yield _problem(
            origin,
            "spec",
            f"receiver `{receiver.name}` reaches nobody",
            "give it an entry under `webhooks` or `emails`",
        )
    yield from _plain(origin, "metadata.name", receiver.name)
    for index, webhook in enumerate(receiver.webhooks):
        yield from _webhook(origin, f"spec.webhooks[{index}]", webhook, target)
    for index, email in enumerate(receiver.emails):
        yield from _email(origin, f"spec.emails[{index}]", email)


def _webhook(origin: Origin, path: str, webhook: Webhook, target: tuple[int, int]) -> Iterator[Problem]:
    yield from _plain(origin, f"{path}.url", webhook.url)
    if (webhook.url is None) == (webhook.url_file is None):
        yield _problem(origin, path, "a webhook has one address", "give exactly one of `url` and `url_file`")
    elif webhook.url_file is not None:
        if target < URL_FILE_SINCE:
            yield _problem(
                origin,
                f"{path}.url_file",
                f"Alertmanager {_version(target)} cannot read a webhook's URL from a file",
                f"give `url`, or build for Alertmanager {_version(URL_FILE_SINCE)} or later",
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
    # Alertmanager executes most receiver fields as Go templates; a person's text must stay text.
    if value is not None and "{{" in value:
        yield _problem(
            origin, path, "`{{` would be executed by Alertmanager as a template", "write the value itself"
        )


def _absolute(origin: Origin, path: str, file: str) -> Iterator[Problem]:
    # Alertmanager opens these relative to wherever it was started, and only when it has something to send.
    if not file.startswith("/"):
        yield _problem(
            origin,
            path,
            f"`{file}` would be looked for in the folder that Alertmanager was started in",
            "write the path from the root: `/etc/alertmanager/...`",
        )


def _policy(policy: EscalationPolicy, bundle: Bundle) -> Iterator[Problem]:
    if not policy.page:
        yield _problem(
            policy.origin,
            "spec.page",
            f"escalation policy `{policy.name}` tells nobody of pages",
            "give `page` at least one step: `page: [{receivers: [oncall]}]`",
        )
    intervals: dict[str, Any] = {
        "group_interval": policy.group_interval,
        "repeat_interval": policy.repeat_interval,
    }
    for key, seconds in intervals.items():
        if seconds <= 0:
            yield _problem(
                policy.origin, f"spec.{key}", f"`{key}` has to be longer than 0", f"write `{key}: 5m`"
            )
    known = {receiver.name for receiver in bundle.receivers}
    for severity, steps in (("page", policy.page), ("ticket", policy.ticket)):
        for index, step in enumerate(steps):
            yield from _step(policy, f"spec.{severity}[{index}]", step, steps[:index], known)


def _step(
    policy: EscalationPolicy, path: str, step: Step, lower: tuple[Step, ...], known: set[str]
) -> Iterator[Problem]:
    if not step.receivers:
        yield _problem(policy.origin, path, "this step tells nobody", "name who is told: `receivers: [lead]`")
    for index, name in enumerate(step.receivers):
        if name not in known:
            yield _problem(
                policy.origin,
                f"{path}.receivers[{index}]",
                f"there is no receiver `{name}`",
                f"receivers are: {', '.join(sorted(known)) or 'none'}",
            )
    if lower:
        # The first step speaks after `group_wait`; a later one must not be ahead of it.
        earliest = max(lower[-1].after, policy.group_wait)
        if step.after <= earliest:
            yield _problem(
                policy.origin,
                f"{path}.after",
                f"this step is told no later than the one below it, which is told after {earliest:g} s",
                "let `after` grow from step to step, beginning above `group_wait`",
            )


def _references(bundle: Bundle) -> Iterator[Problem]:
    names = {policy.name for policy in bundle.policies}
    for monitor in bundle.monitors:
        name = monitor.alerting.escalation
        if name is not None and name not in names:
            yield _problem(
                monitor.origin,
                "spec.alerting.escalation",
                f"there is no escalation policy `{name}`",
                f"policies are: {', '.join(sorted(names)) or 'none'}",
            )


def _version(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
