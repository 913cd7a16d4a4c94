"""Write every file that is derived from sources; `--check` writes nothing and fails where one is out of date.

    python -m docs.generate

Derived files are committed: they are what a reader sees, and they are the goldens. A change of a compile is a
reviewable diff of the artefacts of examples/.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from airis_mon.cli.build import build
from airis_mon.cli.documents import load
from airis_mon.spec import crd, json_schema
from docs import cli_page, document_page, figures, series_page

ROOT = Path(__file__).resolve().parent.parent

OWNED = (
    "alertmanager/generated",
    "analyzer/generated",
    "charts/airis-mon/crds",
    "grafana/dashboards",
    "rules/generated",
    "spec/schema",
)
"""Folders that hold derived files and nothing else: what is no longer derived is removed from them."""


def artefacts() -> dict[str, str]:
    """Return what examples/ compile to, where this repository keeps it."""
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    # Relative names, as `airis-mon build examples/*.yaml` would see them.
    bundle = load([path.relative_to(ROOT) for path in examples])
    found = {}
    for artefact in build(bundle):
        room, _, rest = artefact.path.partition("/")
        place = artefact.path if room == "grafana" else f"{room}/generated/{rest}"
        found[place] = artefact.text
    return found


def schema() -> str:
    """Return the JSON Schema for editors."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def custom_resource() -> str:
    """Return the CRD as a chart carries it."""
    header = "# Generated from airis_mon.spec by `make generate`. DO NOT EDIT.\n"
    return header + yaml.safe_dump(crd(), sort_keys=False, allow_unicode=True, width=110)


def derived() -> dict[str, str]:
    """Return every derived file: path from the root, text."""
    return {
        **artefacts(),
        "charts/airis-mon/crds/modelmonitors.airis.dev.yaml": custom_resource(),
        **{page: figures.text(page) for page in figures.PAGES},
        "docs/cli.md": cli_page.text(),
        "docs/document.md": document_page.text(),
        "docs/series.md": series_page.text(),
        "spec/schema/modelmonitor.schema.json": schema(),
    }


def present(root: Path, paths: Mapping[str, str]) -> dict[str, str]:
    """Return what lies there now: derived paths that exist, and everything in the owned folders."""
    places = {root / path for path in paths}
    for folder in OWNED:
        places.update(path for path in (root / folder).rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(places)
        if path.exists()
    }


def main() -> int:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 with a diff where stale")
    parser.add_argument("--root", type=Path, default=ROOT, metavar="DIR", help="where the files lie")
    options = parser.parse_args()
    check, root = options.check, options.root
    wanted = derived()
    there = present(root, wanted)
    changed = sorted(path for path in wanted | there if wanted.get(path) != there.get(path))
    for path in changed:
        if check:
            before, after = there.get(path, ""), wanted.get(path, "")
            lines = difflib.unified_diff(
                before.splitlines(True), after.splitlines(True), path, f"{path} (derived)"
            )
            sys.stdout.writelines(lines)
        elif path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8")
            print(f"wrote {path}")
        else:
            (root / path).unlink()
            print(f"removed {path}")
    verdict = "stale; `make generate` writes them anew" if check else "written"
    print(f"{len(wanted)} derived files, {len(changed)} {verdict if changed else 'out of date'}")
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
