"""Build other versions of the real servers with the Go toolchain, once, into the user's cache.

`make test` uses what Debian has (Prometheus 2.42, Alertmanager 0.25); `make test-all` runs the same tests
against the versions below. Each folder beside this file is a Go module whose go.mod names the server as a
tool and whose go.sum pins every byte of what it is built from: a module of our own, because
`go install ...@version` is refused for servers whose own go.mod holds `replace` lines.

    python tests/servers/build.py                    builds all that are missing
    python tests/servers/build.py helm               builds one
    python tests/servers/build.py --print pytest     builds, then prints the options that hand them to pytest
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
GO = (1, 26)
"""Oldest Go toolchain that compiles these versions."""
TICK = 15.0
"""Seconds between two signs of life while the compiler runs."""


@dataclass(frozen=True)
class Recipe:
    """One server and how it is compiled."""

    name: str
    version: str
    module: str
    """Folder beside this file that holds go.mod and go.sum."""
    package: str
    stamps: tuple[str, ...]
    """Go variables and their values (`{}` is the version) that a release build sets."""
    tags: str = ""
    option: str | None = None
    """Option of our pytest run that takes the binary."""


_COMMON = ("github.com/prometheus/common/version.Version={}",)
_HELM = "helm.sh/helm/v3"
RECIPES = (
    # `remove_all_sd` leaves out cloud service discovery: a third of the time and two thirds of the size.
    Recipe(
        "prometheus",
        "3.14.0",
        "prometheus",
        "github.com/prometheus/prometheus/cmd/prometheus",
        _COMMON,
        tags="remove_all_sd",
        option="--prometheus",
    ),
    Recipe(
        "promtool",
        "3.14.0",
        "prometheus",
        "github.com/prometheus/prometheus/cmd/promtool",
        _COMMON,
        tags="remove_all_sd",
        option="--promtool",
    ),
    # 0.32 and later cannot be built this way: the assets of its pages are not in the module.
    Recipe(
        "alertmanager",
        "0.31.1",
        "alertmanager",
        "github.com/prometheus/alertmanager/cmd/alertmanager",
        _COMMON,
        option="--alertmanager",
    ),
    Recipe(
        "amtool",
        "0.34.0",
        "amtool",
        "github.com/prometheus/alertmanager/cmd/amtool",
        _COMMON,
        option="--amtool",
    ),
    Recipe(
        "victoria-metrics",
        "1.150.0",
        "victoria-metrics",
        "github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics",
        ("github.com/VictoriaMetrics/VictoriaMetrics/lib/buildinfo.Version=victoria-metrics-v{}",),
        option="--victoria-metrics",
    ),
    Recipe(
        "helm",
        "3.21.4",
        "helm",
        f"{_HELM}/cmd/helm",
        # The Kubernetes version that `helm template` assumes; 1.20 where it is not set.
        (
            f"{_HELM}/internal/version.version=v{{}}",
            f"{_HELM}/pkg/chartutil.k8sVersionMajor=1",
            f"{_HELM}/pkg/chartutil.k8sVersionMinor=35",
            f"{_HELM}/pkg/lint/rules.k8sVersionMajor=1",
            f"{_HELM}/pkg/lint/rules.k8sVersionMinor=35",
        ),
    ),
)


class BuildError(Exception):
    """A server could not be built; the text says what to do."""


def binary(recipe: Recipe, cache: Path) -> Path:
    """Return where a built server lies, whether it has been built or not."""
    return cache / f"{recipe.name}-{recipe.version}" / recipe.name


def toolchain() -> str:
    """Return the path of a Go toolchain that is new enough; BuildError where there is none."""
    wanted = ".".join(map(str, GO))
    go = shutil.which("go")
    if go is None:
        raise BuildError(
            f"no Go toolchain on PATH; Go {wanted} or newer is needed to build the other server versions "
            "(Debian 12's `golang` package, 1.19, is too old)"
        )
    said = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < GO:
        raise BuildError(f"{go} is too old ({said.strip()}); Go {wanted} or newer is needed")
    return go


def build(recipe: Recipe, cache: Path, go: str) -> Path:
    """Compile one server into the cache, unless it is there, and return its path.

    The binary appears under its final name in one step, so that a run that is cut short, or two runs at once,
    never leave half a server behind.
    """
    target = binary(recipe, cache)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=f".{recipe.name}-") as scratch:
        output = Path(scratch) / recipe.name
        command = [go, "build", "-trimpath", "-o", str(output)]
        stamps = [f"-X {stamp.format(recipe.version)}" for stamp in recipe.stamps]
        command += ["-ldflags", " ".join(["-s -w", *stamps])]
        command += ["-tags", recipe.tags] if recipe.tags else []
        settings = {"GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
        with _told(f"{recipe.name} {recipe.version}") as wait:
            process = subprocess.Popen(
                [*command, recipe.package],
                cwd=HERE / recipe.module,
                env={**os.environ, **settings},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            said = wait(process)
        if process.returncode:
            raise BuildError(f"building {recipe.name} {recipe.version} failed:\n{said}")
        output.chmod(0o755)
        output.replace(target)
    return target


@contextmanager
def _told(what: str) -> Iterator[_Wait]:
    """Say on stderr that a build runs, that it still runs, and how long it took."""
    began = time.monotonic()
    print(f"building {what} ...", file=sys.stderr, flush=True)
    yield _Wait(what, began)
    print(f"built {what} in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _Wait:
    """Wait for the compiler, with a sign of life every so often."""

    what: str
    began: float

    def __call__(self, process: subprocess.Popen[str]) -> str:
        while True:
            try:
                said, _ = process.communicate(timeout=TICK)
            except subprocess.TimeoutExpired:
                elapsed = time.monotonic() - self.began
                print(f"  {self.what}: {elapsed:.0f} s so far", file=sys.stderr, flush=True)
            except BaseException:
                process.kill()
                process.communicate()
                raise
            else:
                return said


def default_cache() -> Path:
    """Return the folder for built servers in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "airis-mon" / "go"


def main(argv: Sequence[str] | None = None) -> int:
    """Build what is asked for and print where it lies."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [recipe.name for recipe in RECIPES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}; all by default")
    parser.add_argument("--cache", type=Path, default=default_cache(), metavar="DIR")
    parser.add_argument(
        "--print", choices=("paths", "pytest"), default="paths", help="what to print at the end"
    )
    arguments = parser.parse_args(argv)
    unknown = sorted(set(arguments.names) - set(names))
    if unknown:
        parser.error(f"no recipe for {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = [recipe for recipe in RECIPES if not arguments.names or recipe.name in arguments.names]
    try:
        missing = [recipe for recipe in chosen if not binary(recipe, arguments.cache).exists()]
        go = toolchain() if missing else ""
        built = {recipe: build(recipe, arguments.cache, go) for recipe in chosen}
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if arguments.print == "pytest":
        print(" ".join(f"{recipe.option}={path}" for recipe, path in built.items() if recipe.option))
    else:
        for recipe, path in built.items():
            print(f"{recipe.name}\t{recipe.version}\t{path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
