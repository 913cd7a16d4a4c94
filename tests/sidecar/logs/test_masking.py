from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airis_mon.sidecar.logs.expressions import expression
from airis_mon.sidecar.logs.masking import LONGEST_TEXT, Masking

MASKING = Masking()
CARDS = ("4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005")
TOKENS = (
    "sk-abcdefghijklmnopqrst",
    "Bearer abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijk",
    "ghp_abcdefghijklmnopqrstuvwx",
)

digits = st.text("0123456789 -.+():", max_size=40)
pieces = st.one_of(
    st.text(max_size=20),
    digits,
    st.emails(),
    st.ip_addresses().map(str),
    st.sampled_from(CARDS + TOKENS + ("+49 30 1234567", "[email]", "::", "@", "sk-", "eyJ")),
)
texts = st.lists(pieces, max_size=8).map("".join)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mail ann.lee+x@mail.example.com now", "mail [email] now"),
        ("card 4111 1111 1111 1111 declined", "card [card] declined"),
        ("card 4111-1111-1111-1111, 2 tries", "card [card], 2 tries"),
        ("Authorization: Bearer abcdefghijklmnop", "Authorization: [token]"),
        ("key sk-proj-abcdefghijklmnop", "key [token]"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("from 10.1.2.3:8080", "from [ip]:8080"),
        ("from 2001:db8::1.", "from [ip]."),
        ("from ::ffff:ffff:fffa, std::add<int>", "from [ip], std::add<int>"),
        ("call +49 30 1234567", "call [phone]"),
        ("call (555) 123-4567", "call [phone]"),
        ("2024-01-01T12:30:45 took 1704067200123 ns in std::vector", None),
        ("order 1234567890123456 of a@b", None),
    ],
)
def test_personal_data_is_replaced_and_the_rest_stays(text: str, kept: str | None) -> None:
    assert MASKING.text(text) == (text if kept is None else kept)


@given(texts)
def test_a_masked_text_stays_as_it_is_and_is_bounded(text: str) -> None:
    masked = MASKING.text(text)
    assert MASKING.text(masked) == masked
    assert len(masked) <= 3 * len(text)


@given(texts, st.emails().filter(lambda mail: re.fullmatch(r"[\w.+-]{1,60}@[\w.-]+", mail) is not None))
def test_no_mail_address_remains(around: str, mail: str) -> None:
    assert mail not in MASKING.text(f"{around} {mail} {around}")


@given(texts, st.sampled_from(CARDS + TOKENS))
def test_no_card_and_no_token_remains(around: str, secret: str) -> None:
    assert f"; {secret};" not in MASKING.text(f"{around}; {secret}; {around}")


@given(texts, st.ip_addresses())
def test_no_address_remains(around: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if str(address) != "::":
        assert f"; {address};" not in MASKING.text(f"{around}; {address}; {around}")


@pytest.mark.parametrize(
    "text", ["@" * 99, "1" * 10**6, "eyJ" * 10**5, "a" * 10**5 + "@", "1:" * 10**5, "+1 " * 10**5]
)
def test_a_hostile_text_is_cut_and_masked(text: str) -> None:
    assert len(MASKING.text(text)) <= 3 * LONGEST_TEXT


def test_a_field_is_masked_dropped_or_left_as_it_is_declared() -> None:
    masking = Masking({"raw": "off", "user": "drop"})
    given = {"raw": "a@b.example", "user": "ann", "deep": {"user": "x", "to": ["a@b.example"]}, "n": 5}
    assert masking.mapping(given) == {"raw": "a@b.example", "deep": {"to": ["[email]"]}, "n": 5}


def test_own_expressions_are_not_asked_about_what_is_masked_already() -> None:
    masking = Masking({}, {"word": expression("[a-z]+"), "customer": expression("C-[0-9]+")})
    masked = masking.text("abc C-1234 a@b.example")
    assert masked == "[word] [customer] [email]"
    assert masking.text(masked) == masked
