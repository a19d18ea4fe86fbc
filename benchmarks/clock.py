"""Timing and the table of results."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Row(NamedTuple):
    """One measured figure.

    Attributes:
        what: what was measured.
        ours: the figure, with its unit.
        peer: the same by what one would use instead, or empty.
        note: the ratio, the target, or how it was counted.
    """

    what: str
    ours: str
    peer: str = ""
    note: str = ""


def median_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median duration of ``work`` after one run that is not counted."""
    work()
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def show_table(console: Console, title: str, rows: list[Row]) -> None:
    """Print results."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading, side in (("", "left"), ("ours", "right"), ("instead", "right"), ("", "left")):
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*row)
    console.print(table)
