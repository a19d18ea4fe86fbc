"""Models of cars: a body with wheel arches, a cabin of glass on it, and four wheels below."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vasgen.car_textures import AXLES, BARE, BELT, ENDS, HALF_END, ROOF, SCREENS, SIDES, SILL
from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.forms import Solid, box, loft
from vasgen.citygen.geometry.solids import Array, Finish
from vasgen.citygen.life.bodies import BODIES, COLOURS, Body
from vasgen.citygen.materials import FAMILIES
from vasgen.semantics import SemanticClass

_WIDEST_M = 0.64  # level of the widest line of a body
_SUNK_M = 0.01

#: How far bumpers bulge beyond the section before, and how far the sill lies inwards.
_BULGE_M, _TUCK_M = 0.07, 0.05

#: Width of the gap between a tyre and its arch; directions of the arch's corners from its middle.
_GAP_M = 0.05
_ARCH_RAD = (0.45, 0.95)

#: Corners of a wheel; how far its face lies behind the widest line; where its tip is.
_WHEEL_CORNERS = 20
_INSET_M, _AXLE_END_M = 0.025, 0.85

#: Width of the room that wheels stand in, metres.
_WELL_M = 0.26

#: Wheels of the outline: half width at the foot and the top, and height, metres.
_STUMP_M = (0.17, 0.38, 0.36)


def car(variant: int, lod: Lod) -> list[Solid]:
    """The solids of a car, x forward.

    Args:
        variant: body times ``COLOURS`` plus colour.
        lod: 3: bodywork with arches, lamps, mirrors and plates on four wheels, else an outline
            with windows and the feet of wheels.
    """
    body = BODIES[variant // COLOURS]
    paint = _finish("paint", variant % COLOURS)
    if lod == 3:
        cabin = [] if body.van else [_cabin(body, paint)]
        parts = [_bodywork(body, paint), *cabin, *_mirrors(body, paint)]
        return [_on_texture(body, part) for part in parts] + [
            *_wheels(body),
            _well(body),
            *_ends(body),
        ]
    lower, lid = (_on_texture(body, part) for part in _outline(body, paint))
    return [_with_ends(body, lower), lid, *_stumps(body)]


def _finish(family: str, colour: int, radio: str = "metal") -> Finish:
    return Finish(SemanticClass.VEHICLE, FAMILIES[family][colour], radio)


_TRIM, _WHEEL, _PLATE = _finish("rubber", 0), _finish("rim", 0), _finish("plate", 0)
_GLASS = _finish("car-glass", 0, "glass")
_LAMPS = _finish("tail-lamp", 0), _finish("headlamp", 0)


def _bodywork(body: Body, paint: Finish) -> Solid:
    """Up to the deck: rings of sill, widest line, belt and deck's edge of both sides."""
    lines = _deck(body)
    arches = [_arch(body, axle) for axle in body.axles]
    low = np.concatenate(arches)
    middle = (arches[0][-1, 0] + arches[1][0, 0]) / 2
    tail, nose = body.sections[0][0], body.sections[-1][0]
    inner = [x for x, *_ in body.sections[1:-1]]
    if not body.van:
        inner = [x for x in inner if not low[0, 0] - 0.03 < x < low[-1, 0] + 0.03]
    at = sorted([tail, tail + _BULGE_M, *inner, *low[:, 0], middle, nose - _BULGE_M, nose])
    rings = [_ring(body, lines, x, float(np.interp(x, *_lifted(low, body)))) for x in at]
    rings[0], rings[-1] = _bulged(rings[0]), _bulged(rings[-1])
    count = len(rings[0])
    sides: list[list[Finish | None]] = [[*[None] * (count - 1), _TRIM] for _ in at[1:]]
    # Lamps go around the corners.
    for gap in (0, 1, -2, -1):
        sides[gap][1] = sides[gap][count - 3] = _LAMPS[gap < 0]
    if body.van:
        _glaze(body, sides, np.array(at))
    return loft(rings, paint, sides=sides)


def _glaze(body: Body, sides: list[list[Finish | None]], at: Array) -> None:
    """The windows of a van: doors and windscreen."""
    lines = np.array(body.sections)[:, 0]
    gaps = np.searchsorted(lines, (at[1:] + at[:-1]) / 2) - 1
    for side, gap in zip(sides, gaps.tolist(), strict=True):
        if gap in body.glass:
            side[2] = side[6] = _GLASS
        if gap in body.screens:
            side[3:6] = [_GLASS] * 3


def _deck(body: Body) -> Array:
    """Sections without their cabin, (N, 5): from windscreen to rear window up to the belt only."""
    lines = np.array(body.sections)
    covered = slice(min(body.screens) + 1, max(body.screens) + 1)
    lines[covered, 3] = lines[covered, 1] + 0.02
    lines[covered, 4] = lines[covered, 2] - 0.12
    return lines


def _arch(body: Body, axle: float) -> Array:
    """Corners of a wheel arch from tail to nose, (7, 2): x and z."""
    radius, centre = body.wheel_m + _GAP_M, body.wheel_m - _SUNK_M
    foot = math.asin((body.sill_m - centre) / radius)
    half = [foot, *_ARCH_RAD, math.pi / 2]
    angle = np.array([*(math.pi - np.array(half)), *half[-2::-1]])
    return np.column_stack([axle + radius * np.cos(angle), centre + radius * np.sin(angle)])


def _lifted(low: Array, body: Body) -> tuple[Array, Array]:
    """The lower edge of a body along x: its sill, arches, and ends that rise a little."""
    tail, nose = body.sections[0][0], body.sections[-1][0]
    end = body.sill_m + 0.06
    return np.array([tail, *low[:, 0], nose]), np.array([end, *low[:, 1], end])


def _ring(body: Body, lines: Array, x: float, low: float) -> Array:
    belt, half_belt, top, half_top = (np.interp(x, lines[:, 0], line) for line in lines.T[1:])
    # Bumpers taper with the belt.
    wide = body.half_m - lines[:, 2].max() + half_belt
    tuck = _TUCK_M * max(0.2, 1 - (low - body.sill_m) / 0.3)
    widest = min(max(_WIDEST_M, low + 0.05), belt - 0.08)
    half = [(wide - tuck, low), (wide, widest), (half_belt, belt), (half_top, top)]
    if body.van:
        edge = 0.3 * min(0.3, top - belt)
        half[3:] = [(half_top, top - edge), (half_top - edge, top)]
    return _both_sides(x, half)


def _both_sides(x: float, half: list[tuple[float, float]]) -> Array:
    """A ring across the way forward from y and z of its left half, from the bottom up."""
    return np.array([*((x, -y, z) for y, z in half), *((x, y, z) for y, z in half[::-1])])


def _bulged(ring: Array) -> Array:
    """The face of a bumper: narrower and lower than the section behind it."""
    middle = np.array([ring[0, 0], 0.0, 0.55])
    return np.asarray(middle + (ring - middle) * [1.0, 0.86, 0.80])


def _cabin(body: Body, paint: Finish) -> Solid:
    """From the belt up: rings of base, upper edge of the panes, roof's edge and crown."""
    first, last = min(body.screens), max(body.screens) + 1
    rings = []
    for number in range(first, last + 1):
        x, belt, half_belt, top, half_top = body.sections[number]
        foot = 0.05 if number in (first, last) else 0.03
        rise = top - belt
        half = [
            (half_belt - 0.015, belt - foot),
            (half_top + 0.16 * (half_belt - half_top), top - 0.14 * rise),
            (half_top - 0.06, top),
            (0.4 * half_top, top + 0.03 * min(1.0, rise / 0.3)),
        ]
        rings.append(_both_sides(x, half))
    sides: list[list[Finish | None]] = []
    for gap in range(first, last):
        pane = _GLASS if gap in body.glass else _TRIM if _pillar(body, gap) else None
        screen = _GLASS if gap in body.screens else None
        sides.append([pane, None, screen, screen, screen, None, pane, _TRIM])
    return loft(rings, paint, sides=sides)


def _pillar(body: Body, gap: int) -> bool:
    """Whether a gap is the dark pillar between two side windows."""
    return gap - 1 in body.glass and gap + 1 in body.glass


def _mirrors(body: Body, paint: Finish) -> list[Solid]:
    """Wing mirrors in front of the doors, their glass to the rear."""
    x, belt, half_belt, *_ = body.sections[max(body.screens) + 1]
    solids = []
    for side in (-1.0, 1.0):
        rings = [
            np.array(
                [
                    (x - 0.36 + along, side * (half_belt - 0.06 + inner), belt + 0.03),
                    (x - 0.36 + along, side * (half_belt + outer), belt + 0.05),
                    (x - 0.36 + along, side * (half_belt + outer), belt + top),
                    (x - 0.36 + along, side * (half_belt - 0.02 + inner), belt + top),
                ]
            )
            for along, inner, outer, top in ((0.0, 0.0, 0.11, 0.17), (0.10, 0.03, 0.08, 0.13))
        ]
        solids.append(loft(rings, paint, caps=([_GLASS] * 2, ())))
    return solids


def _wheels(body: Body) -> list[Solid]:
    """Wheels that taper inwards, where nobody sees them; tyre and rim are a texture."""
    angle = (np.arange(_WHEEL_CORNERS) + 0.5) * 2 * np.pi / _WHEEL_CORNERS
    around = np.column_stack([np.cos(angle), np.zeros(len(angle)), np.sin(angle)])
    radius = body.wheel_m
    wheels = []
    for axle in body.axles:
        centre = np.array([axle, 0.0, radius - _SUNK_M])
        for side in (-1.0, 1.0):
            face = side * (body.half_m - _INSET_M)
            rim = centre + radius * around + [0.0, face, 0.0]
            tip = np.tile(centre + [0.0, face - side * _AXLE_END_M, 0.0], (len(angle), 1))
            wheel = loft([rim, tip], _TRIM, caps=([_WHEEL] * (len(angle) - 2), ()))
            turned = (wheel.points[wheel.faces] - centre)[..., [0, 2]]
            wheels.append(wheel._replace(uv=0.5 + turned / (2 * radius)))
    return wheels


def _well(body: Body) -> Solid:
    """The dark between the wheels, behind the arches."""
    half = body.half_m - _WELL_M
    tail, nose = body.sections[0][0] + 0.25, body.sections[-1][0] - 0.25
    return box((tail, -half, body.sill_m - 0.03), (nose, half, 0.58), _TRIM)


def _ends(body: Body) -> list[Solid]:
    """Grille, air intake and plates."""
    tail, nose = body.sections[0], body.sections[-1]
    front, sill = nose[0], body.sill_m
    half, shoulder = 0.86 * nose[2], 0.55 + 0.8 * (nose[1] - 0.55)
    plate = min(0.72, 0.55 * (sill + tail[1]) + 0.1)
    panels = [
        (front, 0.8 * half, sill + 0.10, sill + 0.19, _TRIM),
        (front, 0.62 * half, shoulder - 0.11, shoulder - 0.02, _TRIM),
        (front + 0.008, 0.26, sill + 0.21, sill + 0.32, _PLATE),
        (tail[0], 0.8 * half, sill + 0.09, sill + 0.19, _TRIM),
        (tail[0] - 0.008, 0.26, plate, plate + 0.11, _PLATE),
    ]
    return [_panel(*panel) for panel in panels]


def _panel(x: float, wide: float, low: float, high: float, finish: Finish) -> Solid:
    """A thin box across; its picture fills its face."""
    panel = box((x - 0.012, -wide, low), (x + 0.012, wide, high), finish)
    _, y, z = np.moveaxis(panel.points[panel.faces], -1, 0)
    right = 0.5 + np.sign(x) * y / np.ptp(y)
    return panel._replace(uv=np.stack([right, (z - z.min()) / np.ptp(z)], axis=-1))


def _on_texture(body: Body, solid: Solid) -> Solid:
    """A solid with coordinates of the textures of cars; see :mod:`vasgen.car_textures`."""
    corners = solid.points[solid.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.sqrt((normal * normal).sum(axis=1, keepdims=True))
    x, _, z = np.moveaxis(corners, -1, 0)
    rear, front = body.axles
    ahead = np.abs(normal[:, :1]) > 0.8
    share = (np.where(ahead, z, x) - rear) / (front - rear)
    along = AXLES[0] + (AXLES[1] - AXLES[0]) * share
    glazed = np.array([[finish == _GLASS] for finish in solid.finishes])
    across = _across(body, corners, np.abs(normal[:, 1:2]) > 0.62, glazed)
    uv = np.stack([along, across], axis=-1)
    for lamp in _LAMPS:
        own = np.array([finish == lamp for finish in solid.finishes])
        if own.any():
            uv[own] = _on_lamp(corners[own])
    return solid._replace(uv=uv)


def _across(
    body: Body, corners: Array, aside: NDArray[np.bool_], glazed: NDArray[np.bool_]
) -> Array:
    """The second coordinate."""
    _, y, z = np.moveaxis(corners, -1, 0)
    _, belt, _, roof, _ = body.sections[max(body.screens)]
    up = (z - belt) / (roof - belt)
    side = SILL + (BELT - SILL) * (z - body.sill_m) / (belt - body.sill_m)
    top = BARE[0] + (BARE[1] - BARE[0]) * (y + 1) / 2
    paint = np.where(aside, np.minimum(side, SIDES), top)
    screen = SCREENS[0] + (SCREENS[1] - SCREENS[0]) * np.clip(up, 0.0, 1.0)
    pane = np.where(aside, np.clip(ROOF * up, 0.0, ROOF + 0.02), screen)
    return np.asarray(np.where(glazed, pane, paint))


def _with_ends(body: Body, outline: Solid) -> Solid:
    """An outline whose upright ends show the lamps and plates that are painted for them."""
    assert outline.uv is not None
    x, y, z = np.moveaxis(outline.points[outline.faces], -1, 0)
    uv = outline.uv.copy()
    for end, middle in zip((x.min(), x.max()), AXLES, strict=True):
        own = (x == end).all(axis=1)
        low, high = z[own].min(), z[own].max()
        uv[own, :, 0] = middle + HALF_END * y[own] / body.half_m
        uv[own, :, 1] = ENDS[0] + (ENDS[1] - ENDS[0]) * (z[own] - low) / (high - low)
    return outline._replace(uv=uv)


def _on_lamp(corners: Array) -> Array:
    """Coordinates that fill a lamp, around the corner from the side to the middle."""
    x, y, z = np.abs(np.moveaxis(corners, -1, 0))
    around = x - y
    return np.stack([(part - part.min()) / np.ptp(part) for part in (around, z)], axis=-1)


def _outline(body: Body, paint: Finish) -> list[Solid]:
    """A body with a slanted bonnet, and a cabin that narrows to the roof: 28 triangles."""
    tail, nose = body.sections[0][0], body.sections[-1]
    cowl = body.sections[max(body.screens) + 1]
    belt, half = cowl[3] - 0.04, body.half_m - 0.02
    points = [
        *((nose[0], body.sill_m), (nose[0], nose[3])),
        *((cowl[0] - 0.1, belt), (tail, belt), (tail, body.sill_m)),
    ]
    rings = [np.array([(x, y, z) for x, z in points]) for y in (-half, half)]
    return [loft(rings, paint), _lid(body, belt, paint)]


def _lid(body: Body, belt: float, paint: Finish) -> Solid:
    """The cabin of an outline, above the level of the belt."""
    rear, front = min(body.screens), max(body.screens)
    roof, cowl = body.sections[front][0], body.sections[front + 1][0]
    _, _, half_belt, top, half_top = body.sections[front]
    ends = [body.sections[0 if body.van else number][0] for number in (rear, rear + 1)]
    floor, lid = (
        np.array([(back, y, z), (ahead, y, z), (ahead, -y, z), (back, -y, z)])
        for back, ahead, y, z in (
            (ends[0], cowl, half_belt - 0.04, belt - 0.05),
            (ends[1], roof, half_top, top),
        )
    )
    pane = None if body.van else _GLASS
    return loft([floor, lid], paint, sides=[[pane, _GLASS, pane, pane]])


def _stumps(body: Body) -> list[Solid]:
    """The lower halves of the wheels of an axle, dark across the whole width."""
    foot, top, height = _STUMP_M
    solids = []
    for number, axle in enumerate(body.axles):
        # Not in one plane: they are too small to mirror radio waves one by one.
        half = body.half_m - 0.030 - 0.005 * number
        side = [(-foot, -_SUNK_M), (foot, -_SUNK_M), (top, height), (-top, height)]
        rings = [np.array([(axle + x, y, z) for x, z in side]) for y in (-half, half)]
        solids.append(loft(rings, _TRIM))
    return solids
