"""One HTML document that needs nothing beside it: no font, script or picture comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable
from importlib import resources
from string import Template


def document(title: str, body: Iterable[str], *, style: str = "", script: str = "") -> str:
    """Return the document: `title` as text, the parts of `body` as HTML, `style` upon the common look.

    A browser runs `script` and no other one, and fetches nothing, by the document's own policy.
    """
    texts = resources.files("airis_mon.report")
    parts, policy = [*body], ""
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = f"; script-src 'sha256-{digest}'"
        parts.append(f"<script>{script}</script>")
    return Template(texts.joinpath("document.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        style=texts.joinpath("look.css").read_text(encoding="utf-8") + style,
        policy=policy,
        body="\n".join(parts),
    )
