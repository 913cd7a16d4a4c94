"""A real browser, which says what a reader sees of a page."""

from __future__ import annotations

import html
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
"""Names on PATH."""


@dataclass(frozen=True)
class Browser:
    path: str

    def run(self, page: Path, size: tuple[int, int], *options: str) -> str:
        command = [
            self.path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={page.parent / 'profile'}", f"--window-size={size[0]},{size[1]}",
            *options, page.as_uri(),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def seen(self, page: Path, size: tuple[int, int]) -> dict[str, Any]:
        """Return what a reader sees: the text, where links lead, and how wide the page is."""
        asking = page.with_name("asking.html")
        script = """<script>
          const answer = {
            text: document.body.innerText,
            links: [...document.links].map(link => [link.innerText, link.href]),
            width: document.documentElement.scrollWidth,
          };
          document.documentElement.textContent = JSON.stringify(answer);
        </script>"""
        asking.write_text(page.read_text() + script)
        dom = self.run(asking, size, "--dump-dom")
        found: dict[str, Any] = json.loads(html.unescape(dom.partition("<html")[2].partition(">")[2][:-8]))
        return found
