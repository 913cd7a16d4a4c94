"""The arrows, the doors, and where each library may live.

One function per rule takes a module and yields what is wrong with it in words; the same functions are held
against the tree and against planted violations, so that a rule that has gone blind is a failing test.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ROOMS = {
    "spec": ("spec",),
    "runtime": ("http", "web", "journal", "remote_write", "remote_read", "report"),
    "exporters": ("instrument", "sidecar", "exporters"),
    "analyzer": ("analyzer",),
    "rules": ("rules",),
    "alertmanager": ("alertmanager",),
    "grafana": ("grafana",),
    "cli": ("cli", "stack", "demo", "traces"),
}
"""Folder to the packages that live in it."""

UPSTREAM = {
    "spec": (),
    "runtime": (),
    "exporters": ("spec", "runtime"),
    "analyzer": ("spec", "runtime", "exporters"),
    "rules": ("spec", "exporters", "analyzer"),
    "alertmanager": ("spec", "exporters", "analyzer", "rules"),
    "grafana": ("spec", "exporters", "analyzer", "rules"),
    "cli": ("spec", "runtime", "exporters", "analyzer", "rules", "alertmanager", "grafana"),
}
"""Room to the rooms that it may import from: data flows downstream, imports point upstream."""

FACES = (
    "spec",
    "analyzer.access",
    "analyzer.capacity",
    "analyzer.causes",
    "analyzer.query",
    "analyzer.rightsizing",
    "http",
    "web",
    "journal",
    "remote_write",
    "remote_read",
    "rules.adoption",
    "instrument",
    "exporters.contracts",
    "rules.replay",
    "report",
    "alertmanager.replay",
    "rules.cost",
    "rules.expressions",
    "rules.live",
    "analyzer.comparison",
    "analyzer.trends",
    "analyzer.versions",
)
"""What another room may import beside `series`: the names that these list in `__all__`."""
CLI_ONLY = ("compile", "service", "claims")
"""Modules of a package that `cli` alone may import: documents to files, the processes, what files claim."""

HOMES = {
    "aiohttp": {"web", "sidecar", "stack", "demo", "traces"},
    "aiosmtpd": {"demo"},
    "bcrypt": {"web"},
    "cramjam": {"remote_read", "remote_write", "sidecar"},
    "google": {"remote_write", "sidecar"},
    "grafana_foundation_sdk": {"grafana"},
    "matplotlib": {"analyzer"},
    "msgspec": {"analyzer", "sidecar"},
    "numpy": {"analyzer", "demo", "traces"},
    "opentelemetry": {"sidecar"},  # the messages of OTLP; no SDK
    "prometheus_client": {"instrument", "sidecar", "analyzer", "web", "remote_write", "demo"},
    "promql_parser": {"rules"},
    "psycopg": {"sidecar"},
    "re2": {"rules", "sidecar"},
    "requests": {"remote_read", "remote_write", "analyzer", "cli", "stack", "demo", "traces"},
    "rich": {"cli", "stack", "demo", "traces"},
    "sklearn": {"demo"},
    "statsmodels": {"analyzer"},  # candidates of forecasts, imported where a document asks for them
    "threadpoolctl": {"analyzer"},  # with statsmodels
    "urllib3": {"remote_write", "traces"},  # requests' own transport: which errors left nothing behind
    "uvloop": {"sidecar"},
    "yaml": {"spec", "analyzer", "cli", "stack", "web", "sidecar"},
}
"""Library to the packages that may import it; a library that is not listed has no home yet."""

PURE = ("spec", "rules", "alertmanager", "grafana", "exporters.contracts", "analyzer.compile")
"""Values in, values out: no files, no sockets, no clock, no chance."""
IMPURE_MODULES = {
    "aiohttp", "asyncio", "http", "os", "random", "requests", "shutil", "socket", "subprocess",
    "tempfile", "threading", "time", "urllib",
}  # fmt: skip
IMPURE_CALLS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "exists",
    "iterdir", "glob", "now", "today", "utcnow",
}  # fmt: skip

SHAPELESS = {
    "utils", "util", "common", "helpers", "helper", "base", "manager", "constants", "misc", "shared",
    "tools",
}  # fmt: skip
"""Names that say nothing of what is inside."""
LONGEST = 400
"""Lines of a module; at 200 it is worth a look."""
ENTRANCES = frozenset(("main", "__main__", "command", "service"))
"""Modules that hold a `main`, the one place that reads the environment."""


@dataclass(frozen=True)
class Module:
    """One module as text."""

    name: str
    """Dotted, without `airis_mon.`: `rules.compile`; a package is named by itself."""
    source: str
    is_package: bool = False

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def room(self) -> str:
        return next(room for room, packages in ROOMS.items() if self.package in packages)

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    def imports(self) -> Iterator[tuple[str, str | None]]:
        """Yield every import as (module, name), with name None for `import module`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, None
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports relatively"
                for alias in node.names:
                    yield node.module or "", alias.name


@cache
def tree() -> dict[str, Module]:
    """Read every module of every room."""
    found = {}
    for room in ROOMS:
        for path in sorted((ROOT / room / "airis_mon").rglob("*.py")):
            parts = path.relative_to(ROOT / room / "airis_mon").with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            found[name] = Module(name, path.read_text(encoding="utf-8"), is_package)
    return found


def listed(module: Module) -> set[str]:
    """Return the names of a module's `__all__`."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def arrows(module: Module) -> Iterator[str]:
    """Imports across rooms point upstream and go through a door."""
    for target, name in module.imports():
        if not (target + ".").startswith("airis_mon."):
            continue
        path = target.removeprefix("airis_mon").lstrip(".")
        if path in FACES and path in tree() and name in listed(tree()[path]):
            name = None  # listed, even where a module has the same name
        elif name is not None and f"{path}.{name}".lstrip(".") in tree():
            path, name = f"{path}.{name}".lstrip("."), None
        there = Module(path, "")
        if there.package not in {package for packages in ROOMS.values() for package in packages}:
            yield f"{module.name} imports airis_mon.{path}, which is in no room"
        elif there.room == module.room:
            continue
        elif there.room not in UPSTREAM[module.room]:
            yield f"{module.name} must not know about {there.room} (imports airis_mon.{path})"
        else:
            yield from _door(module, path, name)


def _door(module: Module, path: str, name: str | None) -> Iterator[str]:
    last = path.rpartition(".")[2]
    if last == "series" or (module.room == "cli" and last in CLI_ONLY):
        return
    if path not in FACES:
        package = path.partition(".")[0]
        yield f"{module.name} reaches behind the door of {package} (imports airis_mon.{path})"
    elif name is not None and path in tree() and name not in listed(tree()[path]):
        yield f"{module.name} imports {name}, which airis_mon.{path} does not list"


def homes(module: Module) -> Iterator[str]:
    """Each library has its home."""
    for target, _ in module.imports():
        library = target.partition(".")[0]
        if library in sys.stdlib_module_names or library == "airis_mon":
            continue
        if library not in HOMES:
            yield f"{module.name} imports {library}, which has no home yet"
        elif module.package not in HOMES[library]:
            yield f"{library} lives in {', '.join(sorted(HOMES[library]))}, not in {module.name}"


def purity(module: Module) -> Iterator[str]:
    """What turns documents into artefacts does no I/O; package data is read through importlib.resources."""
    if not any(f"{module.name}.".startswith(f"{pure}.") for pure in PURE):
        return
    for target, _ in module.imports():
        if target != "urllib.parse" and target.partition(".")[0] in IMPURE_MODULES:
            yield f"{module.name} is pure and must not import {target}"
    imported = {f"{target}.{name or ''}".rstrip(".") for target, name in module.imports()}
    packaged = {"read_text", "read_bytes"} if "importlib.resources" in imported else set()
    if packaged and any(target.startswith("pathlib") for target in imported):
        yield f"{module.name} reads package data and must not import pathlib beside it"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            if text.rpartition(".")[2] in IMPURE_CALLS - packaged:
                yield f"{module.name} is pure and must not call {text}()"


def environment(module: Module) -> Iterator[str]:
    """Settings are parameters: only a `main` looks at the environment."""
    if module.name.rpartition(".")[2] in ENTRANCES:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {
            "os.environ",
            "os.getenv",
            "os.environb",
        }:
            yield f"{module.name} reads the environment in line {node.lineno}; make it a parameter"
    if any(target == "os" and name in {"environ", "getenv"} for target, name in module.imports()):
        yield f"{module.name} reads the environment; make it a parameter"


def shape(module: Module) -> Iterator[str]:
    """Modules are nouns, short, and packages begin with their charter."""
    if module.name.rpartition(".")[2] in SHAPELESS:
        yield f"{module.name} is named after nothing; name it after what is inside"
    lines = module.source.count("\n")
    if lines > LONGEST:
        yield f"{module.name} has {lines} lines; {LONGEST} is the most, 200 is usual"
    if ast.get_docstring(module.tree) is None and not module.name.endswith("__main__"):
        what = "a charter" if module.is_package else "a docstring"
        yield f"{module.name} does not begin with {what}"


def sdk(module: Module) -> Iterator[str]:
    """An application that instruments itself pays for prometheus-client and nothing else."""
    if module.package != "instrument":
        return
    for target, _ in module.imports():
        library = target.partition(".")[0]
        own = (f"{target}.").startswith(("airis_mon.instrument.", "airis_mon.exporters."))
        if not (own or library in sys.stdlib_module_names or library == "prometheus_client"):
            yield f"{module.name} imports {target}; the SDK stands on prometheus_client alone"


Rule = Callable[[Module], Iterator[str]]
RULES: tuple[Rule, ...] = (arrows, homes, purity, environment, shape, sdk)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_tree_keeps(rule: Rule) -> None:
    assert [problem for module in tree().values() for problem in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "name", "source", "expected"),
    [
        (arrows, "exporters.x", "from airis_mon.rules import series", "must not know about rules"),
        (arrows, "spec.x", "import airis_mon.web", "must not know about runtime"),
        (arrows, "rules.x", "from airis_mon.cli.build import build", "must not know about cli"),
        (arrows, "grafana.x", "from airis_mon.spec.monitor import Monitor", "behind the door of spec"),
        (arrows, "grafana.x", "from airis_mon.spec import monitor", "behind the door of spec"),
        (arrows, "grafana.x", "from airis_mon.spec import nothing_there", "does not list"),
        (arrows, "grafana.x", "from airis_mon.rules.compile import artefacts", "behind the door of rules"),
        (arrows, "grafana.x", "from airis_mon.rules import Anything", "behind the door of rules"),
        (arrows, "cli.x", "def late():\n    from airis_mon.sidecar import store", "door of sidecar"),
        (arrows, "cli.x", "import airis_mon.nowhere", "in no room"),
        (homes, "rules.x", "import numpy as np", "numpy lives in analyzer"),
        (homes, "spec.x", "from aiohttp import web", "aiohttp lives in"),
        (homes, "sidecar.x", "def late():\n    import pandas", "no home yet"),
        (purity, "spec.x", "text = open('a').read()", "must not call open()"),
        (purity, "rules.compile", "import pathlib\npathlib.Path('a').read_text()", "read_text()"),
        (purity, "grafana.panels.x", "import socket", "must not import socket"),
        (purity, "analyzer.compile", "import datetime\ndatetime.datetime.now()", "now()"),
        (purity, "spec.x", "from importlib import resources\nimport pathlib", "must not import pathlib"),
        (purity, "exporters.contracts.x", "from urllib import request", "must not import urllib"),
        (environment, "analyzer.x", "import os\nurl = os.environ['URL']", "reads the environment"),
        (environment, "stack.x", "from os import getenv", "reads the environment"),
        (shape, "rules.utils", '"""Things."""', "named after nothing"),
        (shape, "rules.x", '"""Things."""\n' + "x = 1\n" * LONGEST, "401 lines"),
        (shape, "rules.x", "x = 1", "docstring"),
        (sdk, "instrument.x", "import aiohttp", "stands on prometheus_client alone"),
        (sdk, "instrument.x", "from airis_mon.spec import Monitor", "stands on prometheus_client alone"),
    ],
)
def test_planted_violation_is_found(rule: Rule, name: str, source: str, expected: str) -> None:
    assert [problem for problem in rule(Module(name, source)) if expected in problem]


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (arrows, "grafana.x", "from airis_mon.rules import series\nfrom airis_mon.spec import Monitor"),
        (arrows, "cli.x", "from airis_mon.rules.compile import artefacts"),
        (
            purity,
            "spec.profiles",
            "from importlib import resources\nresources.files('a').read_text()",
        ),
        (purity, "sidecar.x", "open('a')"),
        (environment, "cli.main", "import os\nos.environ"),
        (
            sdk,
            "instrument.x",
            "import prometheus_client\nfrom airis_mon.exporters import series",
        ),
    ],
)
def test_what_is_allowed_passes(rule: Rule, name: str, source: str) -> None:
    assert list(rule(Module(name, source))) == []


def test_rooms_are_those_of_the_tree() -> None:
    packages = {room: set(names) for room, names in ROOMS.items()}
    found = {
        path.parent.name: {child.name for child in path.iterdir() if (child / "py.typed").exists()}
        for path in ROOT.glob("*/airis_mon")
    }
    assert found == packages
    assert {name for name, module in tree().items() if module.is_package and "." not in name} == {
        name for names in packages.values() for name in names
    }


def test_every_room_is_built_checked_and_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tool = project["tool"]
    assert tool["hatch"]["build"]["dev-mode-dirs"] == list(ROOMS)
    assert tool["hatch"]["build"]["targets"]["wheel"]["packages"] == [f"{room}/airis_mon" for room in ROOMS]
    assert tool["pytest"]["ini_options"]["pythonpath"] == [*ROOMS, "."]
    assert tool["mypy"]["mypy_path"] == list(ROOMS)
    assert set(ROOMS) <= set(tool["mypy"]["files"])


def test_no_room_hides_the_others() -> None:
    # An `airis_mon/__init__.py` in one root would make the namespace end there.
    assert list(ROOT.glob("*/airis_mon/__init__.py")) == []
