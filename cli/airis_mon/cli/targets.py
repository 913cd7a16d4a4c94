"""What the derived files have to fit: the oldest servers that read them, the Grafana they link to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from airis_mon.alertmanager import compile as alertmanager
from airis_mon.rules import compile as rules
from airis_mon.spec import Bundle


@dataclass(frozen=True)
class Target:
    """Where the derived files go."""

    alertmanager: tuple[int, int] = alertmanager.OLDEST
    """Oldest version that has to accept them."""
    grafana_url: str | None = None
    """Root of the Grafana that messages link to; without it they carry no such link."""
    ruler: rules.Ruler = field(default_factory=rules.Ruler)
    """What evaluates the rules."""
    operator: rules.Operator | None = None
    """How prometheus-operator finds objects of them; without it none are written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options from which `target` is read."""
    add = parser.add_argument
    oldest, oldest_ruler = _dotted(alertmanager.OLDEST), _dotted(rules.OLDEST)
    add("--alertmanager-version", type=_version(alertmanager.OLDEST, "0.27"), default=alertmanager.OLDEST,
        metavar="MAJOR.MINOR",
        help=f"oldest Alertmanager that has to accept the routes (default: {oldest})")  # fmt: skip
    add("--grafana-url", type=_url, metavar="URL", help="root of the Grafana that messages link to")
    add("--prometheus-version", type=_version(rules.OLDEST, "2.53"), default=rules.OLDEST,
        metavar="MAJOR.MINOR",
        help=f"oldest Prometheus that has to accept the rules (default: {oldest_ruler})")  # fmt: skip
    add("--mimir", action="store_true", help="Mimir evaluates the rules: refuse more than a tenant may have")
    add("--mimir.max-rule-groups", dest="mimir_groups", type=_count, metavar="N",
        help=f"groups that a tenant may have (default: {rules.MIMIR_GROUPS}); implies --mimir")  # fmt: skip
    add("--mimir.max-rules-per-group", dest="mimir_rules", type=_count, metavar="N",
        help=f"rules that a group may have (default: {rules.MIMIR_RULES_PER_GROUP}); implies --mimir",
        )  # fmt: skip
    add("--operator", action="store_true",
        help="write objects for prometheus-operator too, below kubernetes/")  # fmt: skip
    add("--operator.rule-label", dest="operator_labels", action="append", type=_label, metavar="KEY=VALUE",
        help="a label of each PrometheusRule, such as release=kube-prometheus-stack; may be repeated; "
        "implies --operator")  # fmt: skip
    add("--operator.namespace", dest="operator_namespace", type=_namespace, metavar="NAMESPACE",
        help="namespace that is written into the objects; implies --operator")  # fmt: skip


def target(arguments: argparse.Namespace) -> Target:
    """Return what the options say."""
    return Target(
        arguments.alertmanager_version, arguments.grafana_url, _ruler(arguments), _operator(arguments)
    )


def _operator(arguments: argparse.Namespace) -> rules.Operator | None:
    labels, namespace = arguments.operator_labels, arguments.operator_namespace
    if not arguments.operator and labels is None and namespace is None:
        return None
    return rules.Operator(tuple(dict(labels or ()).items()), namespace)


def _ruler(arguments: argparse.Namespace) -> rules.Ruler:
    groups, in_group = arguments.mimir_groups, arguments.mimir_rules
    if not arguments.mimir and groups is None and in_group is None:
        return rules.Ruler(arguments.prometheus_version)
    return rules.Ruler(
        arguments.prometheus_version,
        rules_per_group=rules.MIMIR_RULES_PER_GROUP if in_group is None else in_group,
        groups=rules.MIMIR_GROUPS if groups is None else groups,
    )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _version(oldest: tuple[int, int], example: str) -> Callable[[str], tuple[int, int]]:
    def parsed(text: str) -> tuple[int, int]:
        match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?", text, re.ASCII)
        if match is None:
            raise argparse.ArgumentTypeError(f"`{text}` is no version; write one such as {example}")
        found = int(match[1]), int(match[2])
        if found < oldest:
            raise argparse.ArgumentTypeError(
                f"`{text}` is too old; {_dotted(oldest)} is the oldest that is supported"
            )
        return found

    return parsed


def _count(text: str) -> int:
    if re.fullmatch(r"[1-9]\d{0,6}", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of groups or rules; write one such as 100")
    return int(text)


_PART = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/"


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    sound = re.fullmatch(f"(?:{_PREFIX})?{_PART}", key, re.ASCII) and re.fullmatch(
        f"(?:{_PART})?", value, re.ASCII
    )
    if not equals or sound is None:
        raise argparse.ArgumentTypeError(
            f"`{text}` is no label of Kubernetes; write KEY=VALUE, such as release=kube-prometheus-stack"
        )
    return key, value


def _namespace(text: str) -> str:
    if re.fullmatch(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?", text, re.ASCII) is None:
        raise argparse.ArgumentTypeError(f"`{text}` is no namespace; write one such as monitoring")
    return text


def _url(text: str) -> str:
    try:
        alertmanager.artefacts(Bundle(), grafana_url=text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
