"""`make bench NAME=scale`: does an app stay as fast as it grows, and what do more processes bring?

Growth: a list page of a tenant with ten thousand to a million invoices, a page of a website with a thousand to a
hundred thousand, a look-up of one tenant among ten to ten thousand, and a start among as many. Of each, CPU (web
process and PostgreSQL together) and buffers a request; the figure is the exponent of the steeper of the two in
`cost = a * size ** exponent`, by least squares through the logarithms: 0 is no growth, 1 is in proportion.

Steps: one web process and two, one worker and two and four, on the machine that also holds PostgreSQL and the
generator; with two cores that is what limits the last of them. PostgreSQL runs with fsync, full_page_writes and
synchronous_commit on. About six minutes.
"""

from __future__ import annotations

from benchmarks.report import Figure, Report, publish
from benchmarks.scale.growth import measure_growth
from benchmarks.scale.steps import measure_steps

_BOUNDS = {
    "exponent_list": "0.15 owed",
    "exponent_page": "0.15 owed",
    "exponent_isolation": "0.15 owed",
    "exponent_start": "0.3 owed",
}


def main() -> None:
    figures: dict[str, Figure] = {**measure_growth(), **measure_steps()}
    publish(Report(name="scale", figures=figures), bounds=_BOUNDS)


if __name__ == "__main__":
    main()
