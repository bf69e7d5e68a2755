"""A mergeable latency histogram with a relative error below one per cent.

Owns the bucket layout. Buckets answer "what is the 95th percentile, about"; they never
decide a verdict: the count beyond the threshold is kept exactly, beside them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

# 128 sub-buckets per power of two: a bucket is at most 1/128 of its lower edge wide, so its
# midpoint is within 0.4 % of every value in it. Twice as many would double the JSON for a
# precision no latency on a shared machine has.
_SUB_BUCKET_BITS = 7


class LogHistogram:
    """Counts of durations in logarithmic buckets, plus the exact count beyond a threshold.

    Units:   whole microseconds, rounded up by the caller, so that `value > threshold` holds
             for the rounded value exactly when it held for the real one.
    Source:  the layout of HdrHistogram (G. Tene), with a fixed 128 sub-buckets.
    Cost:    a sparse dictionary; about a microsecond per record, so a sending loop keeps raw
             numbers and makes the histogram afterwards.
    """

    __slots__ = ("buckets", "count", "exceedances", "max_us", "threshold_us")

    def __init__(self, *, threshold_us: int | None = None) -> None:
        self.threshold_us = threshold_us
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.exceedances = 0
        self.max_us = 0

    def record(self, value_us: int, *, failed: bool = False) -> None:
        """Count one duration. A failed request exceeds whatever it took."""
        bucket = bucket_of(value_us)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.count += 1
        self.max_us = max(self.max_us, value_us)
        if failed or (self.threshold_us is not None and value_us > self.threshold_us):
            self.exceedances += 1

    def merge(self, other: LogHistogram) -> None:
        """Add the other's counts to this one, exactly.

        Errors:  ValueError when the thresholds differ: their exceedances do not add up.
        """
        if self.threshold_us != other.threshold_us:
            raise ValueError(
                f"histograms with thresholds {self.threshold_us} and {other.threshold_us} us cannot be merged"
            )
        for bucket, count in other.buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + count
        self.count += other.count
        self.exceedances += other.exceedances
        self.max_us = max(self.max_us, other.max_us)

    def quantile(self, q: float) -> float:
        """Return the value at rank ceil(q * count), within 0.4 %, in microseconds; 0 when empty."""
        bucket = self._bucket_at(q)
        return 0.0 if bucket is None else min(_midpoint_us(bucket), float(self.max_us))

    def edge_above(self, q: float) -> int:
        """Return the upper edge of the bucket that holds the quantile; `count_above` is exact there."""
        bucket = self._bucket_at(q)
        return 0 if bucket is None else lower_edge_us(bucket + 1) - 1

    def count_above(self, edge_us: int) -> int:
        """Count the values beyond an edge given by `edge_above`, of this or any other histogram."""
        last = bucket_of(edge_us)
        return sum(count for bucket, count in self.buckets.items() if bucket > last)

    def cumulative_points(self, points_max: int = 200) -> list[tuple[float, float]]:
        """Return (value_us, share at or below), rising, at most `points_max` points, the last at 1."""
        seen = 0
        points: list[tuple[float, float]] = []
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            points.append((min(_midpoint_us(bucket), float(self.max_us)), seen / self.count))
        if len(points) <= points_max:
            return points
        step = (len(points) - 1) / (points_max - 1)
        return [points[round(i * step)] for i in range(points_max)]

    def to_json(self) -> dict[str, Any]:
        """Return compact JSON data; buckets are [gap to the previous, count, gap, count, ...]."""
        flat: list[int] = []
        previous = 0
        for bucket in sorted(self.buckets):
            flat += [bucket - previous, self.buckets[bucket]]
            previous = bucket
        return {
            "unit": "us",
            "threshold": self.threshold_us,
            "exceedances": self.exceedances,
            "max": self.max_us,
            "buckets": flat,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> LogHistogram:
        """Rebuild what `to_json` wrote.

        Errors:  KeyError or ValueError when the data is not of that shape.
        """
        if data["unit"] != "us":
            raise ValueError(f"a histogram in {data['unit']!r} is not one of microseconds")
        histogram = cls(threshold_us=data["threshold"])
        bucket = 0
        for gap, count in zip(data["buckets"][::2], data["buckets"][1::2], strict=True):
            bucket += gap
            histogram.buckets[bucket] = count
            histogram.count += count
        histogram.exceedances = data["exceedances"]
        histogram.max_us = data["max"]
        return histogram

    def _bucket_at(self, q: float) -> int | None:
        rank = max(1, math.ceil(q * self.count))
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                return bucket
        return None


def merged(histograms: Iterable[LogHistogram], *, threshold_us: int | None = None) -> LogHistogram:
    """Return a new histogram that holds the counts of all."""
    total = LogHistogram(threshold_us=threshold_us)
    for histogram in histograms:
        total.merge(histogram)
    return total


def exact_quantile(ordered: Sequence[int], q: float) -> int:
    """Return the value at rank ceil(q * n) of sorted values, the rank `quantile` means; 0 when empty."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else 0


def bucket_of(value_us: int) -> int:
    """Return the bucket of a duration; below 256 us every microsecond has its own."""
    shift = value_us.bit_length() - (_SUB_BUCKET_BITS + 1)
    return (shift << _SUB_BUCKET_BITS) + (value_us >> shift) if shift > 0 else value_us


def lower_edge_us(bucket: int) -> int:
    """Return the smallest duration that falls into the bucket."""
    shift = (bucket >> _SUB_BUCKET_BITS) - 1
    return bucket if shift <= 0 else (bucket - (shift << _SUB_BUCKET_BITS)) << shift


def _midpoint_us(bucket: int) -> float:
    return (lower_edge_us(bucket) + lower_edge_us(bucket + 1) - 1) / 2
