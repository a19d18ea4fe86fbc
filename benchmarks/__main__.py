"""Measure everything: ``python -m benchmarks [NAME …]``; names: see the table's headings."""

from __future__ import annotations

import sys

from rich.console import Console

from benchmarks import (
    city,
    closed_form,
    closed_form_cost,
    command,
    radio,
    render,
    solvers,
)
from benchmarks.clock import show_table

SECTIONS = {
    "command": command.measure,
    "city": city.measure,
    "large-city": city.measure_large,
    "render": render.measure,
    "radio": radio.measure,
    "closed-form": closed_form.measure,
    "closed-form-cost": closed_form_cost.measure,
    "solvers": solvers.measure,
    "demo": command.measure_demo,
}


def main(names: list[str]) -> int:
    """Run the named sections, or all.

    Returns:
        Exit status: 2 for an unknown name.
    """
    console = Console()
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        console.print(f"unknown section {unknown[0]!r}; allowed: {', '.join(SECTIONS)}.")
        return 2
    for name in names or SECTIONS:
        show_table(console, name, SECTIONS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
