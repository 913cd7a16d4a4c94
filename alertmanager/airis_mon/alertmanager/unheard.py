"""Alerts that nobody hears: no mistake by itself, and seldom what somebody wants."""

from __future__ import annotations

from collections.abc import Iterator

from airis_mon.spec import Bundle, EscalationPolicy, Monitor, Problem

MOST = 20
"""Monitors that are told one by one; of a fleet without a ladder the first few say enough."""
_POLICIES = 5
"""Policies that a hint names."""


def warnings(bundle: Bundle) -> Iterator[Problem]:
    """Yield a warning at each monitor without an escalation policy, and at each policy without tickets."""
    found = [monitor for monitor in bundle.monitors if monitor.alerting.escalation is None]
    shown = found if len(found) <= MOST + 1 else found[:MOST]
    for monitor in shown:
        yield _warning(monitor, [policy.name for policy in bundle.policies])
    if len(shown) < len(found):
        yield Problem(
            f"nobody hears of the alerts of {len(found) - len(shown)} more monitors", severity="warning"
        )
    named = {monitor.alerting.escalation for monitor in bundle.monitors}
    yield from (
        _ticketless(policy) for policy in bundle.policies if policy.name in named and not policy.ticket
    )


def _ticketless(policy: EscalationPolicy) -> Problem:
    names = sorted(policy.receivers)
    name = names[0] if len(names) == 1 else "NAME"
    return Problem(
        f"nobody hears of the tickets of `{policy.name}`: it has no ladder for them",
        "spec.ticket",
        policy.origin.locate("spec.ticket"),
        f"write `ticket: [{{receivers: [{name}]}}]` beside `page`",
        "warning",
    )


def _warning(monitor: Monitor, policies: list[str]) -> Problem:
    path = "spec.alerting.escalation"
    place = monitor.origin.locate(path)
    foreign = place is not None and place.path  # of Sloth, of OpenSLO: they have labels for it
    name = policies[0] if len(policies) == 1 else "NAME"
    lines = [f"write `escalation: {name}` " + ("among its labels" if foreign else "in `alerting`")]
    if not policies:
        lines.append("and pass a document of kind EscalationPolicy with that name, and its Receivers")
    elif len(policies) > 1:
        more = ", ..." if len(policies) > _POLICIES else ""
        lines.append(f"policies are {', '.join(policies[:_POLICIES])}{more}")
    return Problem(
        f"nobody hears of the alerts of `{monitor.name}`: it names no EscalationPolicy",
        path,
        place,
        "\n".join(lines),
        "warning",
    )
