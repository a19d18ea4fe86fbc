"""Models of street furniture: lamps, traffic lights, benches and bus stops."""

from __future__ import annotations

import numpy as np

from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.forms import Solid, box, lathe, loft
from vasgen.citygen.geometry.solids import Array, Finish
from vasgen.citygen.materials import FAMILIES
from vasgen.semantics import SemanticClass

#: Height of the mast and reach of the arm of each lamp, metres: main and minor streets.
LAMPS = ((8.6, 1.9), (6.0, 1.1))
#: Reach of the arm of each traffic light, metres: wide and narrow streets.
SIGNALS = (4.6, 2.2)
#: Length and depth of a shelter and of a bench, metres.
SHELTER_M = (4.2, 1.4)
BENCH_M = (1.8, 0.62)

_SUNK_M = 0.3


def _finish(family: str, colour: int, radio: str = "metal") -> Finish:
    return Finish(SemanticClass.FURNITURE, FAMILIES[family][colour], radio)


_STEEL, _GALVANISED = _finish("pole", 0), _finish("pole", 1)
_BLACK = _finish("rubber", 0)
_TIMBER = _finish("timber", 0, "wood")
_PANE = _finish("pane", 0, "glass")
_GLASS = _finish("lens", 3, "glass")
_POSTER = _finish("sign", 0)

#: Lights of a signal from the top down, lit and not, and which one is lit on wide and narrow
#: streets.
_LIT = tuple(_finish("lens", colour, "glass") for colour in (0, 1, 2))
_UNLIT = tuple(_finish("lens", colour, "glass") for colour in (4, 5, 6))
_SHOWN = (2, 0)

#: Corners of round things: with rounded shading, enough for a pole.
_ROUND = 8


def lamp(variant: int, lod: Lod) -> list[Solid]:
    """A street lamp whose arm reaches forward."""
    height, reach = LAMPS[variant]
    if lod != 3:
        tip = np.array([(reach, -0.16, height), (reach, 0.16, height), (reach, 0.0, height + 0.3)])
        foot = np.tile([0.0, 0.0, height - 0.3], (3, 1))
        return [_needle(0.11, height), loft([foot, tip], _GALVANISED)]
    mast = [(0.11, -_SUNK_M), (0.11, 0.9), (0.075, 1.0), (0.045, height - 0.4)]
    bend = [(0.0, 0.048, -0.46), (0.06, 0.044, -0.28), (0.32, 0.036, -0.06), (0.62, 0.03, 0.05)]
    arm = [_tube_ring(share * reach, half, height + at) for share, half, at in bend]
    arm.append(_tube_ring(reach - 0.5, 0.028, height + 0.085))
    shell = [
        (reach - 0.66, 0.045, 0.04, 0.08, 0.12),
        (reach - 0.46, 0.13, 0.02, 0.05, 0.15),
        (reach - 0.12, 0.15, 0.02, 0.05, 0.14),
        (reach, 0.10, 0.04, 0.06, 0.11),
    ]
    head = [_shell_ring(x, wide, *(height + z for z in levels)) for x, wide, *levels in shell]
    glow: list[list[Finish | None]] = [[None] * 6, [*[None] * 5, _GLASS], [None] * 6]
    return [
        lathe(mast, _ROUND, _GALVANISED),
        loft(arm, _GALVANISED),
        loft(head, _GALVANISED, sides=glow),
    ]


def traffic_light(variant: int, lod: Lod) -> list[Solid]:
    """A traffic light that shines forward; its mast arm reaches to the right of that."""
    reach = SIGNALS[variant]
    if lod != 3:
        tip = [(0.06, -reach, 5.9), (-0.06, -reach, 5.9), (0.0, -reach, 6.05)]
        foot = np.tile([0.0, 0.0, 5.6], (3, 1))
        arm = loft([foot, np.array(tip)], _STEEL)
        return [_needle(0.13, 6.0), arm, _housing(-reach, 5.35)]
    mast = [(0.13, -_SUNK_M), (0.13, 1.0), (0.09, 1.05), (0.07, 5.75), (0.0, 5.8)]
    arm = loft([_across_ring(0.05, 0.06, 5.5), _across_ring(-reach - 0.2, 0.035, 5.85)], _STEEL)
    heads = [(0.0, 2.5), (-reach, 5.2)]
    lights = [part for y, z in heads for part in _lenses(y, z, _SHOWN[variant])]
    housings = [_housing(y, z) for y, z in heads]
    button = box((0.1, -0.06, 1.0), (0.19, 0.06, 1.22), _finish("enamel", 2))
    return [lathe(mast, _ROUND, _STEEL), arm, *housings, *lights, button]


def bench(lod: Lod) -> list[Solid]:
    """A bench; who sits on it looks forward."""
    half, depth = BENCH_M[0] / 2, BENCH_M[1]
    back = -depth / 2
    if lod != 3:
        side = [(back, -0.05), (depth / 2, -0.05), (depth / 2, 0.45), (back, 0.84)]
        return [loft([np.array([(x, y, z) for x, z in side]) for y in (-half, half)], _TIMBER)]
    solids = []
    for number in range(4):
        x = back + 0.12 + 0.125 * number
        solids.append(box((x, -half, 0.42), (x + 0.105, half, 0.46), _TIMBER))
    solids += [
        box((back + 0.02, -half, z), (back + 0.06, half, z + 0.11), _TIMBER) for z in (0.55, 0.7)
    ]
    for y in (-half + 0.18, half - 0.24):
        solids.append(box((back + 0.06, y, 0.36), (depth / 2 - 0.03, y + 0.06, 0.42), _STEEL))
        solids.append(box((back, y, -0.05), (back + 0.06, y + 0.06, 0.8), _STEEL))
        solids.append(box((depth / 2 - 0.1, y, -0.05), (depth / 2 - 0.04, y + 0.06, 0.36), _STEEL))
    return solids


def bus_stop(variant: int, lod: Lod) -> list[Solid]:
    """A stop that opens forward: 0 a glass shelter, 1 a pole with a flag."""
    if variant == 1:
        return _flag(0.0, 0.0, lod)
    half, depth = SHELTER_M[0] / 2, SHELTER_M[1]
    back, front = -depth / 2, depth / 2
    roof = box((back, -half, 2.42), (front, half, 2.5), _STEEL)
    rear = box((back + 0.06, -half + 0.1, 0.12), (back + 0.08, half - 0.1, 2.3), _PANE)
    ends = [
        box((back + 0.14, y, 0.12), (front - 0.35, y + 0.02, 2.3), _PANE)
        for y in (-half + 0.06, half - 0.08)
    ]
    if lod != 3:
        feet = [_needle(0.1, 2.45, (back + 0.12, y)) for y in (-half + 0.15, half - 0.15)]
        return [roof, rear, *ends, *feet]
    posts = [
        box((x, y, -_SUNK_M), (x + 0.08, y + 0.08, 2.46), _STEEL)
        for x in (back + 0.03, front - 0.35)
        for y in (-half + 0.03, half - 0.11)
    ]
    seat = box((back + 0.16, -1.2, 0.42), (back + 0.52, 1.0, 0.47), _TIMBER)
    legs = [
        box((back + 0.3, y, -0.05), (back + 0.36, y + 0.06, 0.44), _STEEL) for y in (-1.0, 0.75)
    ]
    sill = box((back + 0.05, -half + 0.1, 0.08), (back + 0.09, half - 0.1, 0.14), _STEEL)
    case = box((back + 0.14, half - 0.12, 0.42), (front - 0.36, half - 0.03, 2.12), _BLACK)
    bars = [
        box((back + 0.045, y, 0.1), (back + 0.095, y + 0.04, 2.44), _STEEL)
        for y in (-half / 3 - 0.02, half / 3 - 0.02)
    ]
    return [
        *(roof, rear, *ends, *posts, seat, *legs, sill, *bars, case),
        _poster(back + 0.2, front - 0.42, half - 0.125),
        *_flag(front - 0.12, -half - 0.3, lod),
    ]


def _flag(x: float, y: float, lod: Lod) -> list[Solid]:
    """The pole with the sign of the stop and, in full detail, its timetable."""
    sign = box((x - 0.02, y - 0.05, 2.3), (x + 0.42, y - 0.01, 2.75), _finish("enamel", 1))
    if lod != 3:
        return [_needle(0.08, 2.9, (x, y)), sign]
    pole = lathe([(0.035, -_SUNK_M), (0.035, 2.85)], _ROUND, _GALVANISED, centre=(x, y))
    table = box((x - 0.15, y + 0.02, 1.2), (x + 0.15, y + 0.05, 1.75), _finish("enamel", 0))
    band = box((x + 0.02, y - 0.052, 2.36), (x + 0.38, y - 0.008, 2.44), _finish("enamel", 0))
    return [pole, sign, band, table]


def _poster(back: float, front: float, y: float) -> Solid:
    """A picture in its case; half a sign fills it."""
    poster = box((back, y - 0.01, 0.5), (front, y + 0.02, 2.04), _POSTER)
    x, _, z = np.moveaxis(poster.points[poster.faces], -1, 0)
    across = (x - back) / (front - back)
    return poster._replace(uv=np.stack([across, (z - 0.5) / 1.54], axis=-1))


def _needle(radius: float, height: float, centre: tuple[float, float] = (0.0, 0.0)) -> Solid:
    """The lightest mast: four triangles."""
    return lathe([(radius, -_SUNK_M), (0.0, height)], 3, _GALVANISED, centre=centre)


def _tube_ring(x: float, half: float, z: float) -> Array:
    """Six corners around the way forward."""
    angle = np.arange(6) * np.pi / 3
    return np.column_stack([np.full(6, x), -half * np.cos(angle), z + half * np.sin(angle)])


def _shell_ring(x: float, wide: float, low: float, middle: float, high: float) -> Array:
    """Six corners across the way forward: a flat underside below a vaulted shell."""
    half = [(0.88 * wide, low), (wide, middle), (0.55 * wide, high)]
    return np.array([(x, y, z) for y, z in half] + [(x, -y, z) for y, z in half[::-1]])


def _across_ring(y: float, half: float, z: float) -> Array:
    return np.array(
        [(-half, y, z - half), (half, y, z - half), (half, y, z + half), (-half, y, z + half)]
    )


def _housing(y: float, z: float) -> Solid:
    """The case of three lights, one above the other, from level z up."""
    return box((0.1, y - 0.17, z), (0.3, y + 0.17, z + 1.0), _BLACK)


def _lenses(y: float, z: float, shown: int) -> list[Solid]:
    """Red, amber and green from the top down, one of them lit, each under a hood."""
    solids = []
    for number in range(3):
        finish = (_LIT if number == shown else _UNLIT)[number]
        at = np.array([y, z + 0.83 - 0.32 * number])
        angle = (np.arange(12) + 0.5) * np.pi / 6
        rim = np.column_stack([np.full(12, 0.315), at + 0.105 * _around(angle)])
        tip = np.tile([0.25, *at], (12, 1))
        solids += [loft([tip, rim], _BLACK, caps=((), [finish] * 10)), _hood(at)]
    return solids


def _hood(at: Array) -> Solid:
    """A bent sheet above a lens; it reaches half around."""
    angle = np.radians([-15.0, 30.0, 65.0, 115.0, 150.0, 195.0])
    arc = np.concatenate([0.132 * _around(angle), 0.120 * _around(angle[::-1])])
    # It is longer above than at its ends.
    front = 0.42 + 0.06 * np.sin(np.concatenate([angle, angle[::-1]]))
    return loft([np.column_stack([x, at + arc]) for x in (np.full(12, 0.29), front)], _BLACK)


def _around(angle: Array) -> Array:
    return np.column_stack([np.cos(angle), np.sin(angle)])
