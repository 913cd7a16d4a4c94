"""What other people's programs make of a message, and how a text stays a text there.

Slack reads `<!channel>`, Markdown reads `[link](url)`, wherever they stand: in a label of an alert, too.
Everything that comes from an alert goes through `line` or `paragraph`: cut to a bound, then escaped. Go's
templates know `reReplaceAll` (RE2) in every version; its patterns are written in quotes with two backslashes.
"""

from __future__ import annotations

from dataclasses import dataclass

LINE = 200
"""Characters of one value in a line; a label may have thousands."""
PARAGRAPH = 500
"""Characters of a description."""

_UNSAFE_IN_URLS = {
    '"': "%22",
    "<": "%3C",
    ">": "%3E",
    "|": "%7C",
    "(": "%28",
    ")": "%29",
    "[": "%5B",
    "]": "%5D",
    "`": "%60",
    r"\s": "",
}
"""What could end a URL before its end, in any of the dialects, and what is written for it."""


def _replace(pattern: str, replacement: str) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return f"| reReplaceAll {quoted(pattern)} {quoted(replacement)}"


def _url(value: str) -> str:
    """Return the action that writes a URL that an alert carries."""
    steps = " ".join(
        _replace(character if len(character) > 1 else f"[{_escaped(character)}]", code)
        for character, code in _UNSAFE_IN_URLS.items()
    )
    return f"{{{{ {value} {steps} }}}}"


def _escaped(character: str) -> str:
    return f"\\{character}" if character in "[]" else character


@dataclass(frozen=True)
class Dialect:
    """How one integration reads text."""

    name: str
    escapes: tuple[tuple[str, str], ...]
    """Patterns and replacements, in order, after which nothing of a text is markup."""
    link: str
    """A link: `{label}` and `{url}`."""
    new_line: str = "\n"
    """What begins a new line."""
    between: str = "  "
    """Between two links."""
    shown: int = 5
    """Alerts that are spelled out; of a chat that takes 4,000 characters fewer."""
    heading: int = LINE
    """Characters of one value in the title."""

    def words(self) -> dict[str, str]:
        """Return what chat.tmpl leaves to the dialect."""
        escapes = [_replace(pattern, replacement) for pattern, replacement in self.escapes]
        return {
            "dialect": self.name,
            "few": str(self.shown),
            "heading": " ".join([_replace(r"\s+", " "), _cut(self.heading), *escapes]),
            "line": " ".join([_replace(r"\s+", " "), _cut(LINE), *escapes]),
            "paragraph": " ".join([_cut(PARAGRAPH), *escapes]),
            "break": '{{ "' + self.new_line.replace("\n", "\\n") + '" }}',
            "between": '{{ "' + self.between.replace("\n", "\\n") + '" }}',
            "silence": self._link("Silence", '{{ template "airis-mon.silence" . }}'),
            "alerts": self._link("Alerts", "{{ .ExternalURL }}"),
            "to_dashboard": self._link("Dashboard", '{{ template "airis-mon.dashboard" (index .Alerts 0) }}'),
            "to_runbook": self._link("Runbook", _url(".CommonAnnotations.runbook_url")),
            "to_graph": self._link("Graph", _url("(index .Alerts 0).GeneratorURL")),
        }

    def _link(self, label: str, url: str) -> str:
        return self.link.format(label=label, url=url)


def _cut(length: int) -> str:
    return _replace(f"(?s)^(.{{{length}}}).+$", "${1}…")


SLACK = Dialect("slack", (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")), "<{url}|{label}>")
"""Slack's control sequences begin with `<`; of the rest it makes nothing where Markdown is switched off."""

TEAMS = Dialect(
    "teams",
    (
        (r"([\\`*_\[\]()#~>])", r"\${1}"),
        (r"(?m)^(\s*)([-+])", r"${1}\${2}"),
        # `{{DATE(...)}}` is a macro of adaptive cards.
        (r"\{\{", "{\u200b{"),
    ),
    "[{label}]({url})",
    new_line="\n\n",
)
"""The Markdown of adaptive cards: emphasis, lists and links; one line break alone is none."""

DISCORD = Dialect(
    "discord",
    ((r"([\\`*_\[\]()#~>|<:-])", r"\${1}"), ("@", "@\u200b")),
    "[{label}]({url})",
    shown=3,
)
"""Discord's Markdown. Mentions in an embed call nobody; the space of no width keeps it so elsewhere."""

TELEGRAM = Dialect("telegram", ((r"([@#/])(\w)", "${1}\u200b${2}"),), "{label}: {url}", between="\n", shown=3)
"""Plain text, since what Alertmanager cuts in the middle of a tag Telegram refuses. `@name` would call."""

PLAIN = Dialect("plain", (), "{label}: {url}", between="\n", shown=10)
"""Text that is shown as it is."""

SNS = Dialect("sns", (("[^ -~]", "?"),), "{label}: {url}", between="\n", heading=70)
"""A title as SNS takes it: ASCII in one line, fewer than 100 characters, or the message is refused."""

JIRA = Dialect(
    "jira",
    ((r"\\", "&#92;"), (r"([{}\[\]*_^~+!|?-])", r"\${1}")),
    "[{label}|{url}]",
    shown=10,
)
"""Jira's wiki markup; two backslashes would be a line break."""

DIALECTS = (SLACK, TEAMS, DISCORD, TELEGRAM, PLAIN, SNS, JIRA)
