"""The real helm renders the chart; tests read what it rendered.

helm is the one that tests/servers/build.py built, else the one on PATH.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "airis-mon"

Object = dict[str, Any]
Helm = Callable[..., subprocess.CompletedProcess[str]]


def _built() -> Path | None:
    spec = importlib.util.spec_from_file_location("servers_build", ROOT / "tests" / "servers" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = build  # dataclasses look their module up by name
    spec.loader.exec_module(build)
    (recipe,) = (recipe for recipe in build.RECIPES if recipe.name == "helm")
    path: Path = build.binary(recipe, build.default_cache())
    return path if path.exists() else None


@pytest.fixture(scope="session")
def helm() -> Helm:
    """Return a function that runs helm on the chart with arguments and gives back what it said."""
    program = _built() or shutil.which("helm")
    if program is None:
        pytest.skip("no helm: `python tests/servers/build.py helm` builds it with Go")

    def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        before = ["release"] if command == "template" else []
        return subprocess.run(
            [program, command, *before, str(CHART), *arguments], capture_output=True, text=True, timeout=60
        )

    return run


@pytest.fixture(scope="session")
def render(helm: Helm) -> Callable[[str], list[Object]]:
    """Return a function from a values file of ci/ (`default` for none) to the objects that helm renders."""
    rendered: dict[str, list[Object]] = {}

    def objects(values: str) -> list[Object]:
        if values not in rendered:
            chosen = () if values == "default" else ("--values", str(CHART / "ci" / f"{values}-values.yaml"))
            done = helm("template", "--namespace", "models", *chosen)
            assert done.returncode == 0, done.stderr
            rendered[values] = [document for document in yaml.safe_load_all(done.stdout) if document]
        return rendered[values]

    return objects


@pytest.fixture(scope="session")
def container() -> Callable[[list[Object], str], Mapping[str, Any]]:
    """Return a function that finds the one container of a component."""

    def find(objects: list[Object], component: str) -> Mapping[str, Any]:
        (deployment,) = (
            item
            for item in objects
            if item["kind"] in ("Deployment", "StatefulSet")
            and item["metadata"]["name"].endswith(f"-{component}")
        )
        (found,) = deployment["spec"]["template"]["spec"]["containers"]
        return dict(found)

    return find
