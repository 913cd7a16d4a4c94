"""Histograms as Prometheus' classic ones, where that is exact."""

from __future__ import annotations

import math
from itertools import pairwise

from msgspec import UNSET, UnsetType

from airis_mon.sidecar.items import VALUE, ItemError
from airis_mon.sidecar.otlp import metrics as model
from airis_mon.sidecar.series import Distribution
from airis_mon.sidecar.translation import LARGEST, LARGEST_INCREMENT

MOST_BUCKETS = 256
"""Of a histogram with explicit boundaries; each is a line of every scrape."""
MOST_EXPONENTIAL_BUCKETS = 2_048
"""Of one that is exponential; SDKs send 160."""

SMALLEST_POWER, LARGEST_POWER = -10, 26
EXPONENTIAL_BOUNDS = tuple(2.0**power for power in range(SMALLEST_POWER, LARGEST_POWER + 1))
"""About a millisecond to 67 million. Powers of two are boundaries at every scale from 0 up."""
_LARGEST_SCALE = 20


def explicit(point: model.HistogramPoint) -> Distribution:
    """Return the point's state; ItemError where its parts disagree or Prometheus has no form for it."""
    bounds = point.explicit_bounds
    counts = point.bucket_counts or ((point.count,) if not bounds else ())
    if len(bounds) > MOST_BUCKETS:
        raise ItemError("explicitBounds", f"{len(bounds)} of them, at most {MOST_BUCKETS} are taken", VALUE)
    if any(not math.isfinite(bound) or bound < 0 for bound in bounds) or any(
        low >= high for low, high in pairwise(bounds)
    ):
        raise ItemError("explicitBounds", "finite numbers from 0 up, each more than the one before", VALUE)
    if len(counts) != len(bounds) + 1:
        raise ItemError(
            "bucketCounts",
            f"{len(bounds)} boundaries make {len(bounds) + 1} buckets, not {len(counts)}",
            VALUE,
        )
    return _distribution(counts, point.count, point.sum)


def exponential(point: model.ExponentialPoint) -> Distribution:
    """Return the point's state between powers of two, exact; ItemError where that cannot be."""
    if not 0 <= point.scale <= _LARGEST_SCALE:
        raise ItemError(
            "scale",
            f"0 to {_LARGEST_SCALE} are taken, not {point.scale}: below 0 a bucket spans "
            f"several powers of two; allow the histogram more buckets, or explicit ones",
            VALUE,
        )
    if any(point.negative.bucket_counts):
        raise ItemError("negative", "a histogram of negative values has no sum in Prometheus", VALUE)
    if not 0 <= point.zero_threshold <= EXPONENTIAL_BOUNDS[0]:
        raise ItemError("zeroThreshold", f"0 to {EXPONENTIAL_BOUNDS[0]:g} are taken", VALUE)
    given = point.positive.bucket_counts
    if len(given) > MOST_EXPONENTIAL_BUCKETS:
        raise ItemError("positive", f"{len(given)} buckets, {MOST_EXPONENTIAL_BUCKETS} at most", VALUE)
    counts = [0] * (len(EXPONENTIAL_BOUNDS) + 1)
    counts[0] = point.zero_count
    for index, count in enumerate(given, point.positive.offset + 1):
        # The bucket ends at 2^(index / 2^scale): the next whole power is its place.
        power = -(-index >> point.scale)
        counts[min(max(power - SMALLEST_POWER, 0), len(EXPONENTIAL_BOUNDS))] += count
    return _distribution(tuple(counts), point.count, point.sum)


def _distribution(counts: tuple[int, ...], count: int, total: float | UnsetType) -> Distribution:
    if any(number < 0 for number in counts) or count > LARGEST_INCREMENT:
        raise ItemError("count", f"counts from 0 to {LARGEST_INCREMENT:.0f} (2^53) are taken", VALUE)
    if sum(counts) != count:
        raise ItemError("count", f"{count}, and the buckets hold {sum(counts)}; one of them is wrong", VALUE)
    if total is UNSET:
        raise ItemError("sum", "there is none, and Prometheus' histograms have one; record it", VALUE)
    if not 0 <= total <= LARGEST:
        raise ItemError("sum", f"0 to {LARGEST:g} are taken, got {total:g}", VALUE)
    return Distribution(counts, total)
