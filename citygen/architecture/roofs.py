"""Roofs: plan cells with heights, from terraces with parapets to gables and mansards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vasgen.citygen.architecture.footprints import inset
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array, Cell, Finish

PARAPET_THICKNESS_M = 0.35


@dataclass(frozen=True)
class Look:
    """The finishes of one building.

    Attributes:
        wall: facade with windows.
        band: blank wall of parapets and gables.
        roof: roof surface.
        rim: upper face of parapets, and flat tops of mansards.
        instance: object id.
    """

    wall: Finish
    band: Finish
    roof: Finish
    rim: Finish
    instance: int


@dataclass(frozen=True, eq=False)
class Tier:
    """One storey stack of a terraced building.

    Attributes:
        rings: outline (N, 2) counter-clockwise, then clockwise holes, metres.
        top_m: level of its roof slab, world z.
        wall: facade of this tier.
        band: blank wall of its parapet.
    """

    rings: tuple[Array, ...]
    top_m: float
    wall: Finish
    band: Finish


def lift(ring: Array, z: float | Sequence[float]) -> Array:
    """(N, 3) ring with heights."""
    return np.column_stack([ring, np.broadcast_to(np.asarray(z, dtype=float), len(ring))])


def terraces(tiers: Sequence[Tier], look: Look, parapet_m: float) -> list[Cell]:
    """Flat roofs, each with a parapet; a tier stands strictly inside the one below."""
    cells: list[Cell] = []
    for tier, above in zip(tiers, [*tiers[1:], None], strict=True):
        inner = [inset(ring, PARAPET_THICKNESS_M) for ring in tier.rings]
        rims = [i for i in inner if i is not None]
        covered = [above.rings[0][::-1]] if above else []
        if len(rims) < len(inner):  # too jagged for a parapet
            rims, heights = list(tier.rings), tier.top_m
        else:
            heights = tier.top_m + parapet_m
            for ring, rim in zip(tier.rings, rims, strict=True):
                # A rim between an outline and its inset, or around a hole: the outer is first.
                pair = (ring, rim[::-1]) if ring is tier.rings[0] else (rim[::-1], ring)
                cells.append(_cell(tier, look, [lift(r, heights) for r in pair], look.rim))
        slab = [lift(r, tier.top_m) for r in (*rims, *covered)]
        cells.append(_cell(tier, look, slab, look.roof))
    return cells


def _cell(tier: Tier, look: Look, rings: Iterable[Array], top: Finish) -> Cell:
    return Cell(tuple(rings), top, tier.wall, tier.band, tier.top_m, look.instance)


def gable(
    quad: Array, eave_m: float, rise_m: float, look: Look, side: Array | None = None
) -> list[Cell]:
    """Two slopes; the ridge runs along the first edge of a (4, 2) quadrangle.

    Args:
        quad: counter-clockwise corners a, b, c, d, metres; eaves at ab and cd.
        eave_m: level of the eaves.
        rise_m: height of the ridge over the eaves.
        look: finishes.
        side: (K, 2) further corners on the first half of edge bc, where a wing is attached.
    """
    a, b, c, d = quad
    right, left = (b + c) / 2, (d + a) / 2
    extra = np.empty((0, 2)) if side is None else side
    half = float(plane.length(right - b))
    heights = [eave_m + rise_m * float(plane.length(p - b)) / half for p in extra]
    ridge = eave_m + rise_m
    front = lift(np.array([a, b, *extra, right, left]), [eave_m, eave_m, *heights, ridge, ridge])
    rear = lift(np.array([c, d, left, right]), [eave_m, eave_m, ridge, ridge])
    return [_slope(front, eave_m, look), _slope(rear, eave_m, look)]


def under_gable(quad: Array) -> Array:
    """(6, 2) plan below a gable: its ridge ends in the middle of bc and da, corners too."""
    a, b, c, d = quad
    return np.array([a, b, (b + c) / 2, c, d, (d + a) / 2])


def hip(
    quad: Array, eave_m: float, rise_m: float, look: Look, side: Array | None = None
) -> list[Cell]:
    """Four slopes; arguments as for :func:`gable`."""
    a, b, c, d = quad
    width, depth = plane.length(np.array([b - a, c - b]))
    share = min(0.48, 0.5 * depth / width)
    right, left = (b + c) / 2, (d + a) / 2
    r1, r2 = right + (left - right) * share, left + (right - left) * share
    extra = np.empty((0, 2)) if side is None else side
    ridge = eave_m + rise_m
    slopes = [
        lift(np.array([a, b, r1, r2]), [eave_m, eave_m, ridge, ridge]),
        lift(np.array([b, *extra, c, r1]), [eave_m] * (len(extra) + 2) + [ridge]),
        lift(np.array([c, d, r2, r1]), [eave_m, eave_m, ridge, ridge]),
        lift(np.array([d, a, r2]), [eave_m, eave_m, ridge]),
    ]
    return [_slope(slope, eave_m, look) for slope in slopes]


def shed(quad: Array, low_m: float, high_m: float, look: Look) -> list[Cell]:
    """One slope, from the first edge up to the third."""
    return [_slope(lift(quad, [low_m, low_m, high_m, high_m]), low_m, look)]


def mansard(
    rings: Sequence[Array], eave_m: float, run_m: float, rise_m: float, look: Look
) -> list[Cell] | None:
    """Steep slopes around a flat top, for any outline; None if the slopes do not fit."""
    tops = [inset(ring, run_m) for ring in rings]
    cells = []
    for ring, top in zip(rings, tops, strict=True):
        if top is None:
            return None
        for p, q, r, s in zip(ring, np.roll(ring, -1, 0), np.roll(top, -1, 0), top, strict=True):
            heights = [eave_m, eave_m, eave_m + rise_m, eave_m + rise_m]
            cells.append(_slope(lift(np.array([p, q, r, s]), heights), eave_m, look))
    flat = tuple(lift(top, eave_m + rise_m) for top in tops if top is not None)
    cells.append(Cell(flat, look.rim, look.wall, look.band, eave_m, look.instance))
    return cells


def _slope(ring: Array, eave_m: float, look: Look) -> Cell:
    """A pitched cell whose first edge is its eave."""
    (x, y), (dx, dy) = ring[0, :2], plane.unit(ring[1, :2] - ring[0, :2])
    eave = (float(x), float(y), float(dx), float(dy))
    return Cell((ring,), look.roof, look.wall, look.band, eave_m, look.instance, eave)
