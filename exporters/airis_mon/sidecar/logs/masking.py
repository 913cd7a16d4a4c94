"""Personal data taken out of texts before anything is kept of them.

Found are e-mail addresses, payment cards (by Luhn's checksum), tokens (`sk-...`, bearer, AWS, GitHub, Slack,
JWT), IP addresses and phone numbers. In doubt a text is masked: a version like `1.2.3.4` reads as an address.
Each expression is bounded, and asked only where a character that it needs is there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from airis_mon.sidecar.items import Event
from airis_mon.sidecar.logs.expressions import LONGEST_SEARCHED, Expression

Rule = Literal["off", "mask", "drop"]
RULES: tuple[Rule, ...] = ("off", "mask", "drop")

LONGEST_TEXT = 32_768
"""Characters of one text; the rest is cut off, since nobody has looked at it."""
DEEPEST = 16
"""Levels of nested values; what lies deeper is dropped."""

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{8,}"
    r"|(?i:bearer)[ \t]{1,4}[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<![A-Za-z0-9])A[KS]IA[0-9A-Z]{16}"
    r"|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"
    r"|(?<![A-Za-z0-9])gh[oprsu]_[A-Za-z0-9]{20,}"
    r"|(?<![A-Za-z0-9])xox[abprs]-[A-Za-z0-9-]{10,}"
)
_TOKEN_SIGNS = ("sk-", "earer", "EARER", "KIA", "SIA", "eyJ", "gh", "xox")
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_DIGITS = re.compile(r"(?:\d[ -]?){13,}", re.ASCII)
_GROUP = re.compile(r"\d+", re.ASCII)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\d])(?:{_OCTET}\.){{3}}{_OCTET}(?!\d)", re.ASCII)
_IPV6 = re.compile(r"[0-9A-Fa-f:.]{3,}")
_PHONE = re.compile(r"\+\d[\d ()./-]{5,18}\d|(?<!\w)\(?\d{2,4}\)?[ ./-]\d{3,4}[ ./-]\d{3,4}(?!\w)", re.ASCII)
_HAS_DIGIT = re.compile(r"\d", re.ASCII)
_PASSES = 16
_SHORTEST = 12
"""Characters of the shortest word that a built-in expression finds, which has no punctuation but `_`."""


@dataclass(frozen=True)
class Masking:
    """What becomes of each field; the default masks every text and knows no field by name."""

    fields: Mapping[str, Rule] = field(default_factory=dict)
    """Rule by the name of a field, wherever it is nested; `mask` for those that are not named."""
    patterns: Mapping[str, Expression] = field(default_factory=dict)
    """Own expressions by the word that takes the place of what they find, in brackets."""

    def text(self, text: str) -> str:
        """Return the text without personal data. A text that was masked before stays as it is."""
        text = text[:LONGEST_TEXT]
        if not self.patterns and _plain(text):
            return text
        # What is taken out may leave behind what now stands alone and is found in its turn.
        for _ in range(_PASSES):
            masked = self._once(text)
            if masked == text:
                break
            text = masked
        return text

    def _once(self, text: str) -> str:
        text = masked(text)
        for name, pattern in self.patterns.items():
            text = _outside(text, pattern, f"[{name}]")
        return text

    def value(self, name: str, value: object, depth: int = 0) -> object:
        """Return the value of a field, masked; None where it is to be dropped."""
        rule = self.fields.get(name, "mask")
        if rule == "drop" or depth > DEEPEST:
            return None
        if rule == "off":
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return self.mapping(value, depth + 1)
        if isinstance(value, list | tuple):
            return [self.value("", one, depth + 1) for one in value]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**12:
            # A card may come as a number.
            text = str(value) if abs(value) < 10**40 else ""
            found = self.text(text)
            return value if found == text else found
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value[:LONGEST_TEXT]).decode("utf-8", "replace"))
        return value

    def mapping(self, values: Mapping[str, object], depth: int = 0) -> dict[str, object]:
        """Return the fields that stay, masked; keys as well, since somebody may have put a name there."""
        kept: dict[str, object] = {}
        for key, value in values.items():
            name = str(key)
            if self.fields.get(name) == "drop":
                continue
            # A short word is no token, card or address: nearly all keys are that.
            word = not self.patterns and len(name) < _SHORTEST and name.isidentifier()
            kept[name if word else self.text(name)] = self.value(name, value, depth)
        return kept

    def event(self, event: Event) -> Event:
        """Return an event whose message and attributes are masked."""
        if not event.message and not event.attributes:
            return event
        message = self.value("message", event.message) if event.message else ""
        return msgspec.structs.replace(
            event,
            message=message if isinstance(message, str) else "",
            attributes=self.mapping(event.attributes),
        )


def _plain(text: str) -> bool:
    """Say whether a text holds nothing that any built-in expression needs, as nearly all do."""
    # One by one: a loop over them costs ten times as much.
    return not (
        "@" in text
        or "sk-" in text
        or "earer" in text
        or "EARER" in text
        or "KIA" in text
        or "SIA" in text
        or "eyJ" in text
        or "gh" in text
        or "xox" in text
        or text.count(":") > 1
        or _HAS_DIGIT.search(text) is not None
    )


def masked(text: str) -> str:
    """Return the text with what the built-in expressions find replaced by its kind, in brackets."""
    if any(sign in text for sign in _TOKEN_SIGNS):
        text = _TOKEN.sub("[token]", text)
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if text.count(":") > 1:
        text = _IPV6.sub(_ipv6, text)
    if _HAS_DIGIT.search(text) is None:
        return text
    text = _DIGITS.sub(_cards, text)
    if text.count(".") > 2:
        text = _IPV4.sub("[ip]", text)
    return _PHONE.sub("[phone]", text)


def _cards(found: re.Match[str]) -> str:
    """Replace neighbouring groups that make a card's number together."""
    text = found[0]
    groups = list(_GROUP.finditer(text))
    parts, written, index = [], 0, 0
    while index < len(groups):
        digits = ""
        end = -1
        for last in range(index, len(groups)):
            digits += groups[last][0]
            if len(digits) > 19:
                break
            if len(digits) >= 13 and _luhn(digits):
                end = last
        if end < 0:
            index += 1
            continue
        parts += [text[written : groups[index].start()], "[card]"]
        written = groups[end].end()
        index = end + 1
    return "".join(parts) + text[written:]


def _luhn(digits: str) -> bool:
    if digits[0] not in "23456":
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) << (place & 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _ipv6(found: re.Match[str]) -> str:
    text = found[0]
    if text.count(":") < 2 or len(text) > 60:
        return text
    start, end = found.span()
    touched = found.string[start - 1 : start].isalnum() or found.string[end : end + 1].isalnum()
    for begin, stop in ((0, 0), (0, 1), (1, 0), (1, 1)):
        inner = text[begin : len(text) - stop]
        try:
            ipaddress.IPv6Address(inner)
        except ValueError:
            continue
        # Letters alone are an address where they stand alone, and not in `std::add`.
        if _HAS_DIGIT.search(inner) or not touched:
            return text[:begin] + "[ip]" + text[len(text) - stop :]
    return text


_PLACEHOLDER = re.compile(r"(\[[a-z][a-z0-9_-]{0,29}\])")


def _outside(text: str, pattern: Expression, replacement: str) -> str:
    """Replace what a pattern finds, but not within what has been masked already."""
    parts = _PLACEHOLDER.split(text)
    for index in range(0, len(parts), 2):
        part = parts[index]
        parts[index] = "".join(
            pattern.sub(lambda found: replacement if found[0] else "", part[at : at + LONGEST_SEARCHED])
            for at in range(0, len(part), LONGEST_SEARCHED)
        )
    return "".join(parts)
