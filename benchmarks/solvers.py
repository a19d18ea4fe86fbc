"""The two solvers' maps at equal time, as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import converged
from benchmarks.clock import Row
from benchmarks.closed_form import LIMITS_DB, Measured, measured, seconds_law, theirs
from benchmarks.converged import Array, Truth
from benchmarks.solvers_picture import Course, Panel, Scene, draw_solvers
from vasgen.render import Renderer
from vasgen.render.picture import to_display
from vasgen.render_spec import RenderSpec

PICTURE = Path("out/solvers.png")

#: The counted map is held for true where its standard error is below this, dB.
_TRUE_DB = 1.0

_PATHS = 128  # of light, a pixel


def measure() -> list[Row]:
    """Draw both into ``out/solvers.png``, and say how wrong they are."""
    case, truth = converged.make_case(), converged.truth()
    ours, peers = measured()
    slope, fixed = seconds_law(peers)
    mine = min(ours, key=lambda one: one.errors.deep * np.sqrt(one.seconds))
    rays = max(1000, round((mine.seconds - fixed) / slope))
    other = theirs(case, truth, rays)
    camera = case.views[0].camera
    rgb = Renderer(case.bundle, RenderSpec(samples_per_pixel=_PATHS)).layers(camera).rgb
    sky = ~np.isfinite(case.views[0].depth)
    if rgb is None:
        raise RuntimeError("the renderer has drawn no picture")
    PICTURE.parent.mkdir(exist_ok=True)
    draw_solvers(
        Scene(to_display(rgb), sky, converged.NOISE_DB, LIMITS_DB[-1]),
        [_panel("Closed form", mine, truth), _panel("Coverage", other, truth), _counted(truth)],
        [_course("closed form", ours, law=False), _course("coverage", peers, law=True)],
        PICTURE,
        f"downtown of {converged.SIZE_M / 1000:g} x {converged.SIZE_M / 1000:g} km, "
        f"{camera.width} x {camera.height} pixels, one transmitter; line of sight, reflection and "
        "transmission to depth 20, without diffraction",
    )
    return [
        Row(
            f"{name}, {one.seconds:.1f} s",
            f"{one.errors.deep:.2f} dB",
            note=f"RMSE in all shadow; {one.errors.shadow:.2f} dB where known; {one.effort}",
        )
        for name, one in (("closed form", mine), ("coverage", other))
    ]


def _panel(name: str, one: Measured, truth: Truth) -> Panel:
    certain = truth.counted.error_db < _TRUE_DB
    true = np.where(certain, truth.counted.level_db, truth.closed.level_db)
    error: Array = np.abs(one.levels.level_db - true)
    return Panel(
        f"{name}, {one.seconds:.1f} s",
        one.effort.partition(": ")[2],
        one.levels.level_db,
        f"{name}: error",
        f"RMSE in shadow {one.errors.deep:.1f} dB, where known {one.errors.shadow:.1f} dB",
        error,
    )


def _counted(truth: Truth) -> Panel:
    return Panel(
        f"Converged, {truth.counted.seconds:.0f} s",
        f"coverage: {truth.rays / 1e6:g} M rays",
        truth.counted.level_db,
        "Converged: its standard error",
        f"true where below {_TRUE_DB:g} dB; else much closed form",
        truth.counted.error_db,
    )


def _course(name: str, several: list[Measured], *, law: bool) -> Course:
    seconds = [one.seconds for one in several]
    return Course(name, seconds, [one.errors.deep for one in several], law)
