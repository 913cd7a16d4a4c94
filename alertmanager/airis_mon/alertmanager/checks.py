"""What the decoder accepts and Alertmanager would refuse, or would accept and then tell nobody.

That names are unique and references resolve is the Bundle's own promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from airis_mon.alertmanager import ladders
from airis_mon.alertmanager.integrations import INTEGRATIONS, Integration
from airis_mon.alertmanager.receivers import FINGERPRINT
from airis_mon.alertmanager.routes import UNROUTED
from airis_mon.spec import Bundle, Origin, Problem, Receiver


def problems(bundle: Bundle, target: tuple[int, int]) -> list[Problem]:
    """Return every obstacle in the receivers and policies of a bundle, located."""
    return [
        *(problem for receiver in bundle.receivers for problem in _receiver(receiver, target)),
        *ladders.problems(bundle),
    ]


def _problem(origin: Origin, path: str, message: str, hint: str) -> Problem:
    return Problem(message, path, origin.locate(path), hint)


def _receiver(receiver: Receiver, target: tuple[int, int]) -> Iterator[Problem]:
    origin = receiver.origin
    if receiver.name == UNROUTED:
        yield _problem(
            origin, "metadata.name", f"`{UNROUTED}` is the receiver that tells nobody", "choose another name"
        )
    if receiver.name.startswith(FINGERPRINT):
        message = f"names that begin with `{FINGERPRINT}` stand for what a configuration holds"
        yield _problem(origin, "metadata.name", message, "choose another name")
    for integration in INTEGRATIONS:
        for index, way in enumerate(getattr(receiver, integration.key)):
            path = f"spec.{integration.key}[{index}]"
            yield from _texts(origin, path, way)
            yield from _known(origin, path, integration, way, target)
    for index, email in enumerate(receiver.emails):
        if email.username is not None and email.password_file is None:
            yield _problem(
                origin,
                f"spec.emails[{index}].username",
                "a username without a password cannot log in",
                "name the file that holds the password: `password_file: /etc/alertmanager/smtp-password`",
            )


def _texts(origin: Origin, path: str, way: Any) -> Iterator[Problem]:
    # Alertmanager executes most fields of a receiver as Go templates; a person's text has to stay text.
    for known in fields(way):
        value = getattr(way, known.name)
        if is_dataclass(value):
            yield from _texts(origin, f"{path}.{known.name}", value)
        elif isinstance(value, str) and "{{" in value:
            key = "from" if known.name == "sender" else known.name
            message = "Alertmanager would execute `{{` as a template"
            yield _problem(origin, f"{path}.{key}", message, "write the value itself")


def _known(
    origin: Origin, path: str, integration: Integration, way: Any, target: tuple[int, int]
) -> Iterator[Problem]:
    for limit in integration.limits:
        if limit.stops(way, target):
            yield _problem(
                origin,
                f"{path}.{limit.field}",
                f"Alertmanager {_version(target)} {limit.lack}",
                f"{limit.instead}, or, where Alertmanager is that new, build with"
                f" --alertmanager-version {_version(limit.since)}",
            )


def _version(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
