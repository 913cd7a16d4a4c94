"""The document that every report is: what is text in it, and which script a browser may run."""

from __future__ import annotations

import base64
import hashlib
import re

from airis_mon.report import document


def test_a_title_is_text_and_a_body_is_not() -> None:
    text = document("<b>chat</b> & co", ["<p>one</p>", "<p>two</p>"], style=".mark { color: red; }\n")
    assert "<title>&lt;b&gt;chat&lt;/b&gt; &amp; co</title>" in text
    assert "<h1>&lt;b&gt;chat&lt;/b&gt; &amp; co</h1>" in text
    assert "<p>one</p>\n<p>two</p>\n</body>" in text
    # What a report adds comes after the common look, and so holds against it.
    assert text.index("body {") < text.index(".mark { color: red; }") < text.index("</style>")


def test_a_document_without_a_script_lets_none_run() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document("chat", []))
    assert policy is not None
    assert policy[1] == "default-src 'none'; style-src 'unsafe-inline'"


def test_only_the_script_that_was_given_may_run() -> None:
    script = "document.title = 'ran';"
    text = document("chat", ["<script>other()</script>"], script=script)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in text
    assert f"<script>{script}</script>\n</body>" in text


def test_what_looks_like_a_placeholder_stays_as_it_is() -> None:
    assert "<p>$style costs $5</p>" in document("$body", ["<p>$style costs $5</p>"])
