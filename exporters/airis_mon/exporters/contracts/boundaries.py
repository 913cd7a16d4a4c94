"""Bucket boundaries as every exposition spells them."""

from __future__ import annotations

import re
from decimal import Decimal

from airis_mon.exporters.contracts.contract import matchers


def le_matcher(boundary: float) -> str:
    r"""Return a matcher for one bucket, however its boundary was spelled.

    Prometheus 3 stores `1.0` where Prometheus 2 keeps what the application wrote: `1` from Go, `1.0` from
    Python, `1.0E7` from Java. A matcher for one spelling is empty for the others, without an error.
    `0.5` is spelled the same by all of them; 1 becomes `le=~"1|1\\.0"`.
    """
    found = spellings(boundary)
    if len(found) == 1:
        return matchers({"le": found[0]})[1:-1]
    # A regular expression inside a string literal: the backslash of `\.` is escaped itself.
    return 'le=~"' + re.sub(r"([.+])", r"\\\\\1", "|".join(found)) + '"'


def spellings(boundary: float) -> tuple[str, ...]:
    """Return every way in which clients and servers write a boundary, the plain decimal first."""
    plain = f"{Decimal(repr(float(boundary))).normalize():f}"
    found = [plain, _with_point(plain), _go(boundary), _with_point(_go(boundary)), repr(float(boundary))]
    digits, exponent = _scientific(boundary)
    if exponent >= 6:
        # prometheus_client (Python) always writes one zero: 1e+06, and 1e+010 where Go has 1e+10.
        found.append(f"{_mantissa(digits)}e+0{exponent}")
    if exponent >= 7 or exponent < -3:
        found.append(f"{_with_point(_mantissa(digits))}E{exponent}")
    return tuple(dict.fromkeys(found))


def _with_point(text: str) -> str:
    return text if "." in text or "e" in text else f"{text}.0"


def _scientific(value: float) -> tuple[str, int]:
    """Return the significant digits and the exponent of the first one: 1280.0 -> ("128", 3)."""
    _, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # boundaries are finite
    return "".join(map(str, digits)), exponent + len(digits) - 1


def _mantissa(digits: str) -> str:
    return f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits


def _go(value: float) -> str:
    """Return `strconv.FormatFloat(value, 'g', -1, 64)`: an exponent below 1e-4 and from 1e6 on."""
    digits, exponent = _scientific(value)
    if -4 <= exponent < 6:
        return f"{Decimal(repr(float(value))).normalize():f}"
    sign = "-" if exponent < 0 else "+"
    return f"{_mantissa(digits)}e{sign}{abs(exponent):02d}"
