"""One wheel, built as a release would be, and environments that hold it and nothing of the sources.

`python -m build` makes the sdist and then the wheel out of the sdist, so that both are proven by either.
Every program runs in an empty folder, with an environment of a few variables: neither the working tree nor
PYTHONPATH can help it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from airis_mon.stack.servers import Server

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
# What pip needs to reach the user's registry and cache, and what servers need to be found.
KEPT = ("HOME", "PATH", "LANG", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY")


def environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in KEPT
        or name.lower() in {"http_proxy", "https_proxy", "no_proxy"}
        or name.startswith("PIP_")
    }


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it."""

    folder: Path
    cwd: Path

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the empty folder; what it says is in the result."""
        program, *arguments = command
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.cwd,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=240,
        )

    def python(self, code: str) -> str:
        """Run code, as isolated as Python allows, and return what it prints."""
        done = self.run("python", "-I", "-W", "error", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


Install = Callable[[str], Installed]
"""From an extra (`cli`; empty for none) to an environment that has just that."""


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds sdist and wheel."""
    folder = tmp_path_factory.mktemp("release")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment(), timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(release: Path) -> Path:
    (found,) = release.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(release: Path) -> Path:
    (found,) = release.glob("*.tar.gz")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    made: dict[str, Installed] = {}

    def install(extra: str) -> Installed:
        if extra not in made:
            folder = tmp_path_factory.mktemp(f"venv-{extra}")
            where = Installed(folder, tmp_path_factory.mktemp(f"cwd-{extra}"))
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, env=environment())
            what = f"airis-mon[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
            done = where.run("python", "-m", "pip", "install", "-q", "-c", ROOT / "requirements.lock", what)
            assert done.returncode == 0, done.stdout + done.stderr
            made[extra] = where
        return made[extra]

    return install


def shipped() -> set[str]:
    """Every file that lies inside some `airis_mon/`: that, and nothing beside it, ships."""
    return {
        str(path.relative_to(root.parent))
        for root in ROOT.glob("*/airis_mon")
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_what_lies_inside_airis_mon_and_nothing_beside_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == shipped()


def test_wheel_carries_profiles_templates_and_types(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for expected in ("profiles/llm-serving.yaml", "profiles/classifier.yaml", ".tmpl", "spec/py.typed"):
        assert any(name.endswith(expected) for name in names), expected


def test_sdist_can_be_built_from_and_holds_the_licence(sdist: Path) -> None:
    # That the wheel was built from it is the proof; see conftest.
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith((".venv", "dist/"))]


def test_sdk_stands_on_prometheus_client_alone(installed: Install) -> None:
    where = installed("")
    listed = where.run("python", "-m", "pip", "list", "--format=json")
    names = {package["name"].lower().replace("_", "-") for package in json.loads(listed.stdout)}
    assert names - {"pip", "setuptools"} == {"airis-mon", "prometheus-client"}
    where.python("import airis_mon.instrument")


def test_command_without_its_extra_says_what_to_install(installed: Install) -> None:
    done = installed("").run("airis-mon", "check", "nothing.yaml")
    assert done.returncode not in (0, None)
    assert "airis-mon[cli]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("extra", "module"),
    [
        ("cli", "airis_mon.cli.build"),
        ("sidecar", "airis_mon.sidecar.service"),
        ("postgresql", "psycopg"),
        ("analyzer", "airis_mon.analyzer.service"),
        ("charts", "matplotlib"),
        ("statsmodels", "statsmodels"),
        ("stack", "airis_mon.stack"),
        ("stack", "airis_mon.traces.command"),
        ("demo", "airis_mon.demo.command"),
    ],
)
def test_extra_brings_all_that_its_package_imports(installed: Install, extra: str, module: str) -> None:
    where = installed(extra)
    path = where.python(f"import {module}; print({module}.__file__)")
    assert Path(path).is_relative_to(where.folder)


@pytest.mark.parametrize("command", [["sidecar"], ["analyzer", "run"]], ids=" ".join)
def test_process_starts_from_its_own_extra_alone(installed: Install, command: list[str]) -> None:
    # What the Dockerfile installs: no packages of the other commands.
    done = installed(command[0]).run("airis-mon", *command, "--help")
    assert done.returncode == 0, done.stderr
    assert "--web.listen-address" in done.stdout


def test_every_extra_is_tried() -> None:
    assert set(PROJECT["project"]["optional-dependencies"]) == {
        "cli",
        "sidecar",
        "postgresql",
        "analyzer",
        "charts",
        "statsmodels",
        "stack",
        "demo",
    }


def test_version_is_told(installed: Install) -> None:
    done = installed("cli").run("airis-mon", "--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"airis-mon {VERSION}")


def test_installed_command_checks_and_builds_an_example(
    installed: Install, promtool: Server, amtool: Server
) -> None:
    where = installed("cli")
    for example in sorted(path for path in (ROOT / "examples").iterdir() if path.is_file()):
        (where.cwd / example.name).write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    files = sorted(path.name for path in where.cwd.glob("*.yaml"))
    assert files
    checked = where.run("airis-mon", "check", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    built = where.run("airis-mon", "build", *files, "-o", "out")
    assert built.returncode == 0, built.stdout + built.stderr
    assert list((where.cwd / "out" / "rules").glob("*.rules.yaml"))
    assert list((where.cwd / "out" / "grafana" / "dashboards").glob("*.json"))
