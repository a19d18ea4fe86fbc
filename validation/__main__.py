"""Validate the maps: ``python -m validation [NAME …] [--short] [--out PAGE]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from validation.case import Case, Outcome
from validation.cities import CALIBRATION, PIXELS, SURFACES
from validation.diffraction import EDGES
from validation.free_space import FREE_SPACE, ROOM
from validation.page import write_page
from validation.path_cities import PATHS
from validation.path_forms import FORMS
from validation.path_recall import RECALL
from validation.path_sum import SUM
from validation.reflection import CANYON, MIRROR, TWO_RAY
from validation.transmission import SLABS

CASES = (
    FREE_SPACE,
    ROOM,
    TWO_RAY,
    MIRROR,
    SLABS,
    EDGES,
    CANYON,
    PIXELS,
    SURFACES,
    CALIBRATION,
    FORMS,
    PATHS,
    SUM,
    RECALL,
)


def main(arguments: list[str]) -> int:
    """Run the named cases, or all and write the page.

    Returns:
        Exit status: 1 if a case fails, 2 for an unknown name.
    """
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--short", action="store_true", help="fewer settings and rays")
    parser.add_argument(
        "--out", type=Path, help="the page to write; docs/validation.md if all cases run in full"
    )
    given = parser.parse_args(arguments)
    unknown = [name for name in given.names if name not in names]
    console = Console()
    if unknown:
        console.print(f"unknown case {unknown[0]!r}; allowed: {', '.join(names)}.")
        return 2
    start = time.perf_counter()
    chosen = [case for case in CASES if not given.names or case.name in given.names]
    outcomes = [(case, _run(console, case, given.short)) for case in chosen]
    out = given.out
    if out is None and not given.names and not given.short:
        out = Path("docs/validation.md")
    if out is not None:
        write_page(out, outcomes, time.perf_counter() - start, short=given.short)
        console.print(f"wrote {out}")
    return 0 if all(outcome.passed for _, outcome in outcomes) else 1


def _run(console: Console, case: Case, short: bool) -> Outcome:
    start = time.perf_counter()
    outcome = case.run(short)
    failed = [check for check in outcome.checks if not check.passed]
    verdict = f"[red]{len(failed)} failed" if failed else "[green]passed"
    console.print(
        f"{case.title}: {len(outcome.checks)} checks, {verdict}[/], "
        f"{time.perf_counter() - start:.0f} s"
    )
    if failed:
        table = Table("setting", "statistic", "deviation", "tolerance")
        for check in failed:
            limit = f"{check.tolerance:g} {check.unit}"
            table.add_row(check.setting, check.statistic, f"{check.deviation:.3g}", limit)
        console.print(table)
    return outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
