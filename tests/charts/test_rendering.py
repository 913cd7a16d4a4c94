from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from airis_mon.spec import crd

CHART = Path(__file__).resolve().parents[2] / "charts" / "airis-mon"
VALUES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))

pytestmark = pytest.mark.slow

WORKLOADS = ("Deployment", "StatefulSet")
Object = dict[str, Any]
Render = Callable[[str], list[Object]]
Helm = Callable[..., subprocess.CompletedProcess[str]]


def kinds(objects: list[Object]) -> set[tuple[str, str]]:
    return {(item["kind"], item["metadata"]["name"]) for item in objects}


def pods(objects: list[Object]) -> Iterator[Object]:
    for item in objects:
        if item["kind"] in WORKLOADS:
            yield item["spec"]["template"]["spec"]


@pytest.mark.parametrize("values", ["default", *VALUES])
def test_lints_strictly(helm: Helm, values: str) -> None:
    chosen = () if values == "default" else ("--values", str(CHART / "ci" / f"{values}-values.yaml"))
    done = helm("lint", "--strict", *chosen)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            "default",
            {
                ("ServiceAccount", "release-airis-mon"),
                ("StatefulSet", "release-airis-mon-sidecar"),
                ("Service", "release-airis-mon-sidecar"),
                ("Deployment", "release-airis-mon-analyzer"),
                ("Service", "release-airis-mon-analyzer"),
                ("ConfigMap", "release-airis-mon-analyzer"),
            },
        ),
        (
            "sidecar-only",
            {
                ("ServiceAccount", "release-airis-mon"),
                ("StatefulSet", "release-airis-mon-sidecar"),
                ("Service", "release-airis-mon-sidecar"),
                ("PodDisruptionBudget", "release-airis-mon-sidecar"),
            },
        ),
        ("remote-write", {("Deployment", "watch-analyzer"), ("Service", "watch-analyzer")}),
    ],
)
def test_renders(render: Render, values: str, expected: set[tuple[str, str]]) -> None:
    assert kinds(render(values)) == expected


def test_operator_values_add_monitors_and_policies(render: Render) -> None:
    added = kinds(render("operator")) - kinds(render("default"))
    assert added == {
        (kind, f"release-airis-mon-{component}")
        for kind in ("ServiceMonitor", "NetworkPolicy")
        for component in ("sidecar", "analyzer")
    }


@pytest.mark.parametrize("values", ["default", *VALUES])
def test_every_object_has_the_namespace_and_says_whose_it_is(render: Render, values: str) -> None:
    for item in render(values):
        assert item["metadata"]["namespace"] == "models"
        assert item["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"


@pytest.mark.parametrize("values", ["default", *VALUES])
def test_pods_meet_the_restricted_standard_and_hold_no_token(render: Render, values: str) -> None:
    found = list(pods(render(values)))
    assert found
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("values", ["default", *VALUES])
def test_services_and_monitors_select_pods_that_are_there(render: Render, values: str) -> None:
    objects = render(values)
    labels = [item["spec"]["template"]["metadata"]["labels"] for item in objects if item["kind"] in WORKLOADS]
    services = [item for item in objects if item["kind"] == "Service"]
    for service in services:
        assert [pod for pod in labels if service["spec"]["selector"].items() <= pod.items()]
    for item in objects:
        if item["kind"] == "ServiceMonitor":
            wanted = item["spec"]["selector"]["matchLabels"].items()
            matched = [service for service in services if wanted <= service["metadata"]["labels"].items()]
            assert len(matched) == 1
            ports = {port["name"] for port in matched[0]["spec"]["ports"]}
            assert {endpoint["port"] for endpoint in item["spec"]["endpoints"]} <= ports
            (endpoint,) = item["spec"]["endpoints"]
            assert endpoint.get("honorLabels", False) == item["metadata"]["name"].endswith("-sidecar")


def test_labels_of_the_team_reach_objects_and_monitors(render: Render) -> None:
    for item in render("operator"):
        assert item["metadata"]["labels"]["team"] == "ml-platform"
        if item["kind"] == "ServiceMonitor":
            assert item["metadata"]["labels"]["release"] == "kube-prometheus-stack"


def test_policy_names_who_may_send_and_who_may_scrape(render: Render) -> None:
    policies = {
        item["metadata"]["name"]: item["spec"]
        for item in render("operator")
        if item["kind"] == "NetworkPolicy"
    }
    scrapers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    senders = [{"namespaceSelector": {"matchLabels": {"monitored": "true"}}}]
    assert policies["release-airis-mon-sidecar"]["ingress"][0]["from"] == senders + scrapers
    assert policies["release-airis-mon-sidecar"]["egress"] == []
    assert policies["release-airis-mon-analyzer"]["ingress"][0]["from"] == scrapers


def test_new_configuration_is_a_new_pod(helm: Helm) -> None:
    def checksum(config: str) -> str:
        done = helm("template", "--set-string", f"analyzer.config={config}")
        assert done.returncode == 0, done.stderr
        return next(line for line in done.stdout.splitlines() if "checksum/config" in line)

    assert checksum("queries: []") == checksum("queries: []")
    assert checksum("queries: []") != checksum("queries: [1]")


def test_analyzers_are_one_or_a_pair(helm: Helm, render: Render) -> None:
    (analyzer,) = (
        item["spec"]
        for item in render("default")
        if item["kind"] == "Deployment" and item["metadata"]["name"].endswith("-analyzer")
    )
    assert analyzer["replicas"] == 1
    assert "replicas: 2" in helm("template", "--set", "analyzer.replicas=2").stdout
    assert helm("template", "--set", "analyzer.replicas=3").returncode != 0


def sidecar(objects: list[Object]) -> Object:
    (found,) = (item["spec"] for item in objects if item["kind"] == "StatefulSet")
    return dict(found)


def test_each_replica_has_a_volume_of_its_own_and_keeps_its_journal_on_it(render: Render) -> None:
    found = sidecar(render("postgresql"))
    (claim,) = found["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "20Gi"}},
    }
    (container,) = found["template"]["spec"]["containers"]
    (path,) = (text.partition("=")[2] for text in container["args"] if text.startswith("--storage.path="))
    (mount,) = (one for one in container["volumeMounts"] if one["name"] == claim["metadata"]["name"])
    assert path.startswith(mount["mountPath"] + "/")
    # The cluster's own class is asked for by saying nothing.
    (claim,) = sidecar(render("default"))["volumeClaimTemplates"]
    assert "storageClassName" not in claim["spec"]


def test_what_the_analyzer_writes_lies_on_a_volume_that_has_the_room(render: Render) -> None:
    deployments = (item for item in render("default") if item["kind"] == "Deployment")
    (pod,) = (item["spec"]["template"]["spec"] for item in deployments)
    (container,) = pod["containers"]
    flags = dict(text.split("=", 1) for text in container["args"] if "=" in text)
    (mount,) = (one for one in container["volumeMounts"] if one["name"] == "learnt")
    for flag in ("--storage.path", "--remote-write.queue-path"):
        assert flags[flag].startswith(mount["mountPath"] + "/")
    (volume,) = (one for one in pod["volumes"] if one["name"] == "learnt")
    assert volume["emptyDir"]["sizeLimit"] == "2Gi"
    assert int(flags["--remote-write.queue-max-bytes"]) * 4 <= 2 * 1024**3
    assert flags["--workers"] == "1"


def test_without_a_volume_nothing_is_said_to_be_kept(render: Render) -> None:
    found = sidecar(render("sidecar-only"))
    assert "volumeClaimTemplates" not in found
    (container,) = found["template"]["spec"]["containers"]
    assert not [text for text in container["args"] if text.startswith("--storage.path")]


def test_postgresql_is_reached_with_a_password_that_no_object_holds(render: Render) -> None:
    objects = render("postgresql")
    (container,) = sidecar(objects)["template"]["spec"]["containers"]
    assert "--events.store=postgresql://airis@postgresql.data.svc:6432/airis" in container["args"]
    assert container["env"] == [
        {
            "name": "PGPASSWORD",
            "valueFrom": {"secretKeyRef": {"name": "airis-postgresql", "key": "password"}},
        }
    ]
    (policy,) = (item["spec"] for item in objects if item["kind"] == "NetworkPolicy")
    (egress,) = policy["egress"]
    assert {port["port"] for port in egress["ports"]} == {53, 6432}


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("sidecar.persistence.size=big", "/sidecar/persistence/size"),
        ("sidecar.eventStore.url=postgresql://me:secret@db/x", "/sidecar/eventStore/url"),
        ("sidecar.eventStore.url=mysql://db/x", "/sidecar/eventStore/url"),
        ("sidecar.replica=2", "replica"),
        ("sidecar.port=80", "/sidecar/port"),
        ("analyzer.interval=60", "interval"),
        ("analyzer.prometheus.url=prometheus:9090", "url"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("sidecar.extraArgs[0]=serve", "extraArgs"),
    ],
)
def test_values_that_cannot_work_are_refused(helm: Helm, setting: str, told: str) -> None:
    done = helm("template", "--set", setting)
    assert done.returncode != 0
    assert told in done.stderr


def test_crd_is_the_one_of_the_documents(helm: Helm) -> None:
    done = helm("template", "--include-crds")
    assert done.returncode == 0, done.stderr
    crds = [item for item in yaml.safe_load_all(done.stdout) if item["kind"] == "CustomResourceDefinition"]
    assert crds == [crd()]


def test_version_is_the_projects() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], chart["appVersion"]) == (version("airis-mon"), version("airis-mon"))
