"""Models of cars: a skin over cross-sections from tail to nose, on four wheels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.forms import Solid, loft
from vasgen.citygen.geometry.solids import Array, Finish
from vasgen.citygen.materials import FAMILIES
from vasgen.semantics import SemanticClass

COLOURS = len(FAMILIES["paint"])

#: Cross-sections from tail to nose: x; z and half width of the belt; z and half width of the
#: top edge, which is the roof, or the bonnet's shoulder; metres.
_Section = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Body:
    """The shape of a car.

    Attributes:
        name: what it is called.
        half_m: half its width.
        sill_m: height of its underside.
        wheel_m: radius of its wheels.
        axles: x of the rear and the front axle, metres.
        sections: from tail to nose; the second and the last but one bound the lamps.
        glass: numbers of the gaps between sections with windows at the sides.
        screens: numbers of the gaps with windows on top: rear window and windscreen.
    """

    name: str
    half_m: float
    sill_m: float
    wheel_m: float
    axles: tuple[float, float]
    sections: tuple[_Section, ...]
    glass: tuple[int, ...]
    screens: tuple[int, ...]


BODIES: tuple[Body, ...] = (
    Body(
        "hatchback",
        0.89,
        0.2,
        0.31,
        (-1.26, 1.28),
        (
            (-2.05, 0.92, 0.72, 1.00, 0.64),
            (-1.93, 0.95, 0.84, 1.04, 0.72),
            (-1.58, 0.96, 0.85, 1.42, 0.58),
            (-0.22, 0.94, 0.86, 1.47, 0.61),
            (-0.14, 0.94, 0.86, 1.47, 0.61),
            (0.30, 0.92, 0.86, 1.44, 0.60),
            (1.05, 0.88, 0.86, 0.98, 0.72),
            (1.86, 0.74, 0.82, 0.82, 0.66),
            (2.05, 0.64, 0.66, 0.70, 0.56),
        ),
        (2, 4, 5),
        (1, 5),
    ),
    Body(
        "saloon",
        0.91,
        0.19,
        0.32,
        (-1.36, 1.40),
        (
            (-2.33, 0.88, 0.74, 0.96, 0.62),
            (-2.20, 0.93, 0.85, 1.02, 0.70),
            (-1.70, 0.94, 0.87, 1.05, 0.72),
            (-0.98, 0.94, 0.87, 1.40, 0.57),
            (-0.20, 0.93, 0.87, 1.45, 0.60),
            (-0.12, 0.93, 0.87, 1.45, 0.60),
            (0.26, 0.92, 0.87, 1.43, 0.60),
            (1.06, 0.88, 0.87, 0.98, 0.73),
            (2.10, 0.72, 0.83, 0.80, 0.68),
            (2.33, 0.62, 0.67, 0.68, 0.57),
        ),
        (2, 3, 5, 6),
        (2, 6),
    ),
    Body(
        "estate",
        0.91,
        0.2,
        0.32,
        (-1.36, 1.40),
        (
            (-2.35, 0.92, 0.76, 1.00, 0.66),
            (-2.24, 0.95, 0.86, 1.04, 0.74),
            (-1.92, 0.96, 0.87, 1.45, 0.60),
            (-0.20, 0.94, 0.87, 1.49, 0.62),
            (-0.12, 0.94, 0.87, 1.49, 0.62),
            (0.28, 0.92, 0.87, 1.46, 0.61),
            (1.08, 0.88, 0.87, 0.98, 0.73),
            (2.10, 0.73, 0.83, 0.81, 0.68),
            (2.33, 0.63, 0.67, 0.69, 0.57),
        ),
        (2, 4, 5),
        (1, 5),
    ),
    Body(
        "offroader",
        0.94,
        0.27,
        0.36,
        (-1.32, 1.36),
        (
            (-2.25, 1.02, 0.80, 1.10, 0.70),
            (-2.14, 1.06, 0.89, 1.15, 0.78),
            (-1.86, 1.07, 0.90, 1.63, 0.64),
            (-0.22, 1.06, 0.90, 1.69, 0.67),
            (-0.14, 1.06, 0.90, 1.69, 0.67),
            (0.26, 1.05, 0.90, 1.66, 0.66),
            (0.94, 1.02, 0.90, 1.13, 0.78),
            (2.04, 0.92, 0.87, 1.02, 0.74),
            (2.25, 0.80, 0.74, 0.88, 0.64),
        ),
        (2, 4, 5),
        (1, 5),
    ),
    Body(
        "van",
        0.97,
        0.24,
        0.34,
        (-1.55, 1.60),
        (
            (-2.62, 1.10, 0.92, 2.00, 0.82),
            (-2.52, 1.10, 0.94, 2.06, 0.84),
            (0.50, 1.10, 0.94, 2.08, 0.84),
            (1.20, 1.10, 0.94, 2.02, 0.80),
            (1.98, 1.06, 0.93, 1.16, 0.80),
            (2.44, 0.92, 0.90, 1.02, 0.74),
            (2.62, 0.80, 0.78, 0.88, 0.66),
        ),
        (2, 3),
        (3,),
    ),
)

#: How often each body and each colour is seen, relative weights.
BODY_WEIGHTS = (0.32, 0.22, 0.16, 0.20, 0.10)
COLOUR_WEIGHTS = (0.26, 0.18, 0.17, 0.15, 0.10, 0.08, 0.04, 0.02)

_WIDEST_M = 0.64  # level of the widest line of a body
_RIM_SHARE = 0.64
_AXLE_END_M = 0.5
_SUNK_M = 0.01


def car(variant: int, lod: Lod) -> list[Solid]:
    """The solids of a car, x forward.

    Args:
        variant: body times ``COLOURS`` plus colour.
        lod: 3: bodywork with lamps on four wheels, else an outline with its windows.
    """
    body = BODIES[variant // COLOURS]
    paint = _finish("paint", variant % COLOURS)
    if lod == 3:
        return [_bodywork(body, paint), *_wheels(body)]
    return [_outline(body, paint)]


def _finish(family: str, colour: int, radio: str = "metal") -> Finish:
    return Finish(SemanticClass.VEHICLE, FAMILIES[family][colour], radio)


def _bodywork(body: Body, paint: Finish) -> Solid:
    """Rings of eight corners: sill, widest line, belt and top edge of both sides."""
    trim, window = _finish("rubber", 0), _finish("car-glass", 0, "glass")
    lamps = {0: _finish("lens", 0), len(body.sections) - 2: _finish("lens", 3)}
    sides: list[list[Finish | None]] = []
    for gap in range(len(body.sections) - 1):
        lamp = lamps.get(gap)
        pane = window if gap in body.glass else None
        screen = window if gap in body.screens else None
        sides.append([None, lamp, pane, screen, pane, lamp, None, trim])
    grille: list[Finish | None] = [None, None, trim, trim, None, None]
    rings = [_ring(body, number) for number in range(len(body.sections))]
    return loft(rings, paint, sides=sides, caps=((), grille))


def _ring(body: Body, number: int) -> Array:
    x, belt, half_belt, top, half_top = body.sections[number]
    # Bumpers taper with the belt.
    narrow = body.half_m - max(s[2] for s in body.sections) + half_belt
    low = body.sill_m + (0.04 if number in (0, len(body.sections) - 1) else 0.0)
    half = [
        (narrow - 0.04, low),
        (narrow, min(_WIDEST_M, belt - 0.1)),
        (half_belt, belt),
        (half_top, top),
    ]
    right = [(x, -y, z) for y, z in half]
    return np.array([*right, *[(x, y, z) for y, z in half[::-1]]])


def _wheels(body: Body) -> list[Solid]:
    """Wheels that taper inwards, where nobody sees them."""
    tyre, rim = _finish("rubber", 0), _finish("rim", 0)
    wheels = []
    for axle in body.axles:
        for side in (-1.0, 1.0):
            face = side * (body.half_m + 0.006)
            rings = [
                _wheel_ring(axle, face, body.wheel_m, _RIM_SHARE),
                _wheel_ring(axle, face, body.wheel_m, 1.0),
                _wheel_ring(axle, face - side * _AXLE_END_M, body.wheel_m, 0.0),
            ]
            wheels.append(loft(rings, tyre, caps=([rim] * 6, ())))
    return wheels


def _wheel_ring(x: float, y: float, radius: float, share: float) -> Array:
    angle = (np.arange(8) + 0.5) * np.pi / 4
    centre = np.array([x, y, radius * np.cos(np.pi / 8) - _SUNK_M])
    around = np.column_stack([np.cos(angle), np.zeros(8), np.sin(angle)])
    return np.asarray(centre + share * radius * around)


def _outline(body: Body, paint: Finish) -> Solid:
    """The side view with a slanted nose, narrower at the roof: 16 triangles."""
    window = _finish("car-glass", 0, "glass")
    tail, nose = body.sections[0], body.sections[-1]
    rear, front = min(body.screens), max(body.screens)
    back = body.sections[rear + 1] if rear != front else tail
    roof, cowl = body.sections[front], body.sections[front + 1]
    points = [
        (roof[0], roof[3], roof[4] + 0.1),
        (nose[0] - 0.15, (nose[3] + cowl[3]) / 2, body.half_m - 0.1),
        (nose[0], -_SUNK_M, body.half_m - 0.06),
        (tail[0], -_SUNK_M, body.half_m - 0.06),
        ((back[0] + tail[0]) / 2, back[3] - 0.04, roof[4] + 0.1),
    ]
    rings = [np.array([(x, side * y, z) for x, z, y in points]) for side in (-1.0, 1.0)]
    panes: list[Finish | None] = [window if rear != front else None, None, None]
    screens: list[Finish | None] = [window, None, None, None, None]
    return loft(rings, paint, sides=[screens], caps=(panes, panes))
