from __future__ import annotations

import pytest

from airis_mon.rules.windows import budget, live_tiers, name, recorded, tiers

DAY = 86400.0


@pytest.mark.parametrize("days", [28, 30])
def test_recorded_windows_are_those_that_sloth_records(days: int) -> None:
    assert [name(window) for window in recorded(days * DAY)] == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]


@pytest.mark.parametrize("days", [28, 30, 90])
def test_factor_is_the_rate_that_spends_the_share_in_the_long_window(days: int) -> None:
    for tier, share in zip(tiers(days * DAY), (0.02, 0.05, 0.1, 0.1), strict=True):
        assert tier.factor * tier.long / (days * DAY) == pytest.approx(share, rel=1e-6)


def test_short_periods_keep_the_factors_and_shrink_the_windows() -> None:
    found = [(name(tier.long), name(tier.short), tier.factor) for tier in tiers(3 * DAY)]
    assert found == [
        ("6m", "30s", 14.4),
        ("36m", "3m", 6.0),
        ("2h24m", "12m", 3.0),
        ("7h12m", "36m", 1.0),
    ]


@pytest.mark.parametrize("days", [1, 1.37, 7, 13, 27.99, 28, 30, 90, 365])
def test_windows_are_whole_seconds_of_ten_and_more_in_order(days: float) -> None:
    found = recorded(days * DAY)
    assert list(found) == sorted(set(found))
    assert len(found) in (7, 8)  # 6h is both a long and a short window, unless rounding parts them
    assert found[0] >= 10
    assert all(window == int(window) for window in found)


@pytest.mark.parametrize(
    ("target", "expected"), [(0.999, 0.001), (0.9999, 0.0001), (0.99999, 0.00001), (0.95, 0.05), (0.7, 0.3)]
)
def test_budget_has_no_noise_of_binary_fractions(target: float, expected: float) -> None:
    assert budget(target) == expected


@pytest.mark.parametrize(
    ("target", "factors"),
    [
        (0.999, [14.4, 6, 3, 1]),
        (0.9305, [6, 3, 1]),  # 14.4 x 0.0695 = 1.0008
        (0.931, [14.4, 6, 3, 1]),  # 14.4 x 0.069 = 0.9936
        (0.9, [6, 3, 1]),
        (0.8, [3, 1]),
        (0.5, [1]),
    ],
)
def test_a_tier_that_would_need_a_ratio_above_one_is_left_out(target: float, factors: list[float]) -> None:
    assert [tier.factor for tier in live_tiers(target, 30 * DAY)] == factors
