"""The configuration as prometheus-operator takes it: the Secret that `Alertmanager.spec.configSecret` names.

AlertmanagerConfig objects cannot hold it: the operator makes each of them one route of many, all with
`continue`, adds a matcher on the namespace to routes and inhibitions, and has no place for message templates.
"""

from __future__ import annotations

from collections.abc import Sequence

from airis_mon.alertmanager import message
from airis_mon.spec import Artefact, yaml_text

MOUNTED = "/etc/alertmanager/config"
"""Where the operator mounts the Secret. The configuration itself is copied elsewhere, so that what it names
by a relative path is not found."""


def secret(artefacts: Sequence[Artefact], namespace: str | None) -> Artefact:
    """Return the Secret that holds the configuration and its template."""
    texts = {artefact.path.rpartition("/")[2]: artefact.text for artefact in artefacts}
    relative, absolute = f"templates:\n- {message.FILE}\n", f"templates:\n- {MOUNTED}/{message.FILE}\n"
    if relative not in texts["alertmanager.yaml"]:
        raise ValueError("the configuration names its template otherwise than it did")
    metadata = {"name": "airis-mon-alertmanager"} | ({} if namespace is None else {"namespace": namespace})
    content = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {
            "alertmanager.yaml": texts["alertmanager.yaml"].replace(relative, absolute),
            message.FILE: texts[message.FILE],
        },
    }
    return Artefact("kubernetes/alertmanager.secret.yaml", yaml_text(content, source="all documents"))
