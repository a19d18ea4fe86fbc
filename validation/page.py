"""The page: all cases as Markdown, with tables and pictures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from validation.case import Case, Check, Outcome

_LIBRARIES = ("sionna-rt", "mitsuba", "drjit", "numpy", "scipy")

_INTRODUCTION = """\
# Validation

Someone who distrusts ray tracers should: a map of plausible colours proves nothing. So here the
maps that `vasgen` makes are held against formulas that anybody can check, written from the
literature in plain numpy ([theory.py](../validation/theory.py)) without calling the tracer or
Sionna RT; and, where no formula reaches, against a solver that looks for each path by itself.

Each case says what is expected, what was measured, how far apart they may be, and why. A deviation
is measured minus expected in decibels unless a unit is given. All maps are made by the same
`Tracer` that labels datasets. `make validate` repeats everything and writes this page;
`python -m validation --short` is a quick form of it, which `make test` runs;
`python -m validation NAME` runs one case.
"""

_LIMITS = """\
## What this does not prove

The maps do what their model says. Where the model itself is weak:

- **Powers add.** Paths are summed as |a|², so there is no fast fading: near a lone strong
  reflection the true field swings by several dB about the label over half a wavelength.
- **Diffraction is of first order**, at straight edges of one material, and is not combined with
  reflections. Behind two roofs, or round a corner and off a wall, the truth is higher. The theory
  of concrete wedges is a heuristic, well tried but no solution; only that of metal is exact far
  from the edge.
- **Slabs are thin**: reflections and transmissions are those of an infinite plate at one point,
  whatever lies behind it; rays pass unshifted, and a building is two plates and air.
- **Surfaces are smooth** unless a scattering coefficient is given, and materials are those of
  ITU-R P.2040, which real walls follow loosely.
- **Receivers are ideal**: isotropic, of both polarisations.
- Two solvers that share material models agree on a wrong model. Sionna RT's path solver is
  independent in how it finds paths, not in what they carry; what they carry is tested by the closed
  forms above it. They found one fault: the diffraction matrix of Sionna RT 2.2.0 has the
  reflection at the lit face with the wrong sign, which on metal exchanges fields along and across
  the edge (3 to 18 dB wrong 10° from the shadowed face of a corner, more in the lit region).
  `vasgen` replaces it by the recommendation's own form
  ([wedge_coefficients.py](../vas/scene/wedge_coefficients.py)), in this page's path solver too.
- Nothing here is a measurement in a real street.
"""


def write_page(
    path: Path, outcomes: Sequence[tuple[Case, Outcome]], seconds: float, *, short: bool
) -> None:
    """Write the page, and its pictures into ``images`` beside it.

    Args:
        path: Markdown file, replaced if it exists.
        outcomes: cases in their order, and what they found.
        seconds: how long they took together.
        short: whether it was the short form.
    """
    images = path.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    for case, outcome in outcomes:
        outcome.figure.savefig(images / _picture(case), facecolor=outcome.figure.get_facecolor())
    parts = [_INTRODUCTION, _run_of(seconds, short), _summary(outcomes)]
    parts += [_section(case, outcome) for case, outcome in outcomes]
    path.write_text("\n".join([*parts, _LIMITS]), encoding="utf-8")


def _picture(case: Case) -> str:
    return f"validation-{case.name}.png"


def _run_of(seconds: float, short: bool) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    form = "short" if short else "full"
    return (
        f"This is the {form} form, run in {seconds / 60:.0f} minutes on {os.cpu_count()} CPU cores "
        f"with Python {platform.python_version()}, {libraries}.\n"
    )


def _summary(outcomes: Sequence[tuple[Case, Outcome]]) -> str:
    rows = [
        "## Summary",
        "",
        "The worst check of a case is the one nearest to its tolerance.",
        "",
        "| case | checks | worst check | deviation | tolerance | |",
        "|---|---:|---|---:|---:|---|",
    ]
    for case, outcome in outcomes:
        worst = outcome.worst
        rows.append(
            f"| [{case.title}](#{_anchor(case.title)}) | {len(outcome.checks)} | "
            f"{worst.setting}: {worst.statistic} | {_number(worst.deviation, worst.unit)} | "
            f"{worst.tolerance:g} {worst.unit} | {_verdict(outcome.passed)} |"
        )
    return "\n".join([*rows, ""])


def _section(case: Case, outcome: Outcome) -> str:
    return "\n".join(
        [
            f"## {case.title}",
            "",
            case.what,
            "",
            f"**Setting.** {case.setting}",
            "",
            f"**Tolerance.** {case.why}",
            "",
            f"![{case.title}](images/{_picture(case)})",
            "",
            f"*{case.caption}*",
            "",
            _by_statistic(outcome.checks),
            "",
            "<details><summary>every check</summary>",
            "",
            _every(outcome.checks),
            "",
            "</details>",
            "",
        ]
    )


def _by_statistic(checks: Sequence[Check]) -> str:
    """The settings of each statistic in one row."""
    rows = [
        "| compared | settings | points | middle deviation | worst | in | tolerance | |",
        "|---|---:|---:|---:|---:|---|---:|---|",
    ]
    for statistic in dict.fromkeys(check.statistic for check in checks):
        alike = [check for check in checks if check.statistic == statistic]
        worst = max(alike, key=lambda check: abs(check.deviation))
        sizes = sorted(abs(check.deviation) for check in alike)
        rows.append(
            f"| {statistic} | {len(alike)} | {sum(check.points for check in alike)} | "
            f"{_number(sizes[len(sizes) // 2], worst.unit)} | "
            f"{_number(worst.deviation, worst.unit)} | {worst.setting} | "
            f"{worst.tolerance:g} {worst.unit} | "
            f"{_verdict(all(check.passed for check in alike))} |"
        )
    return "\n".join(rows)


def _every(checks: Sequence[Check]) -> str:
    rows = [
        "| setting | compared | points | deviation | tolerance | |",
        "|---|---|---:|---:|---:|---|",
    ]
    rows += [
        f"| {c.setting} | {c.statistic} | {c.points} | {_number(c.deviation, c.unit)} | "
        f"{c.tolerance:g} {c.unit} | {_verdict(c.passed)} |"
        for c in checks
    ]
    return "\n".join(rows)


def _verdict(passed: bool) -> str:
    return "pass" if passed else "**FAIL**"


def _number(value: float, unit: str) -> str:
    digits = 1 if unit == "%" else 3
    # No negative zero.
    return f"{round(value, digits) + 0.0:.{digits}f} {unit}"


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -")
    return kept.replace(" ", "-")
