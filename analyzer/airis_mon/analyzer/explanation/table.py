"""The course of a series as CSV: every number to the bit."""

from __future__ import annotations

import csv
from typing import TextIO

import numpy as np

from airis_mon.analyzer.explanation.course import Course

HEADINGS = ("timestamp", "value", "expected", "lower", "upper", "score", "ready", "left_out")


def write(out: TextIO, course: Course) -> None:
    """Write a line for each sample; a number that there is none of is empty."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    times = np.datetime_as_string(course.timestamps.astype("datetime64[s]"), unit="s")
    columns = (course.values, course.expected, course.lower, course.upper, course.score)
    flags = zip(course.ready.tolist(), course.left_out.tolist(), strict=True)
    for at, *numbers, (ready, left_out) in zip(
        times, *(part.tolist() for part in columns), flags, strict=True
    ):
        cells = ["" if number != number else repr(number) for number in numbers]
        writer.writerow([f"{at}Z", *cells, int(ready), int(left_out)])
