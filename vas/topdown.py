"""Top-down maps: the radio signal at a height above the ground, seen from above.

Radio maps as RadioMapSeer and its successors have them (Yapar et al. 2022), from the same
scenes, solvers and link budgets as the labels of camera views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.errors import InputError
from vasgen.layers import Bool, Float, RadioLayers
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.slab import grid_surface
from vasgen.vas.solver import Advance
from vasgen.vas.surfaces.grid import Grid
from vasgen.vas.surfaces.ground_plan import GroundPlan, survey
from vasgen.vas.tracer import Tracer

#: What a grid may reach beyond the scene, metres.
_SLACK_M = 0.01


@dataclass(frozen=True, eq=False)
class TopDownMap:
    """Radio layers of a grid, and what stands on it; row 0 is north, column 0 west.

    Attributes:
        grid: the cells.
        radio: layers of T x N x N cells; NaN, and not reached, in buildings.
        transmitter_mask: (T, N, N) bool, the cell each transmitter is above; none if it is
            above none.
        building_mask: (N, N) bool, more of the cell is in buildings than not.
        building_height_m: (N, N) float32, height of the highest part of a building above the
            ground at the cell's middle, metres; 0 for none.
        ground_m: (N, N) float32, height of the ground at the cell's middle, world metres.
    """

    grid: Grid
    radio: RadioLayers
    transmitter_mask: Bool
    building_mask: Bool
    building_height_m: Float
    ground_m: Float


def trace_topdown(
    bundle: SceneBundle,
    spec: RadioSpec,
    transmitters: Sequence[Transmitter],
    grid: Grid,
    *,
    seed: int = 0,
    advance: Advance = lambda share: None,
) -> TopDownMap:
    """The radio signal above the cells of a grid, at an antenna that receives from all sides.

    Args:
        bundle: the scene.
        spec: propagation and effort.
        transmitters: all transmitters; those of one group are on at the same time.
        grid: the cells.
        seed: seed of the estimator.
        advance: called with the share of the work done since the last call.

    Raises:
        InputError: if the grid reaches beyond the scene or is all buildings, or as
            :class:`vasgen.vas.tracer.Tracer` says.
    """
    _check_grid(bundle, grid)
    caster = RayCaster(bundle)
    tracer = Tracer(bundle, spec, caster=caster)
    plan = survey(caster, grid)
    valid = plan.outdoors
    if not valid.any():
        raise InputError(
            f"all {grid.size} x {grid.size} cells of the grid are inside buildings; "
            "move its centre, or make it larger."
        )
    surfaces = [grid_surface(grid, plan)]
    (radio,) = tracer.trace_surfaces(surfaces, [valid], transmitters, seed=seed, advance=advance)
    return TopDownMap(
        grid,
        radio,
        _transmitter_mask(transmitters, grid),
        ~valid,
        _building_height(plan),
        plan.ground_m.astype(np.float32),
    )


def _check_grid(bundle: SceneBundle, grid: Grid) -> None:
    low, high = bundle.bounds[:, :2]
    west_south, east_north = grid.bounds
    if (west_south < low - _SLACK_M).any() or (east_north > high + _SLACK_M).any():
        spans = (
            f"x {a:g} to {b:g}, y {c:g} to {d:g}"
            for a, b, c, d in (
                (west_south[0], east_north[0], west_south[1], east_north[1]),
                (low[0], high[0], low[1], high[1]),
            )
        )
        raise InputError(
            f"the grid covers {next(spans)} m, but scene {bundle.name!r} only {next(spans)} m; "
            "move its centre, or give fewer or smaller cells."
        )


def _transmitter_mask(transmitters: Sequence[Transmitter], grid: Grid) -> Bool:
    mask = np.zeros((len(transmitters), grid.size, grid.size), bool)
    for row, transmitter in enumerate(transmitters):
        cell = grid.cell_of(transmitter.position)
        if cell is not None:
            mask[(row, *cell)] = True
    return mask


def _building_height(plan: GroundPlan) -> NDArray[np.float32]:
    height = np.where(np.isnan(plan.roof_m), 0.0, plan.roof_m - plan.ground_m)
    return np.maximum(height, 0.0).astype(np.float32)
