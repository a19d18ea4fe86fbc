"""The shapes of cars, from hatchbacks to vans, and how often they and their colours are seen."""

from __future__ import annotations

from dataclasses import dataclass

from vasgen.citygen.materials import FAMILIES

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
        sections: from tail to nose; lamps are between the first two and the last two.
        glass: numbers of the gaps between sections with windows at the sides.
        screens: numbers of the gaps with windows on top: rear window and windscreen. A van has
            but one, and no cabin apart from its body.
    """

    name: str
    half_m: float
    sill_m: float
    wheel_m: float
    axles: tuple[float, float]
    sections: tuple[_Section, ...]
    glass: tuple[int, ...]
    screens: tuple[int, ...]

    @property
    def van(self) -> bool:
        """Whether the body reaches up to the roof."""
        return len(self.screens) == 1


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
            (1.14, 1.10, 0.94, 2.02, 0.80),
            (2.04, 1.06, 0.93, 1.16, 0.80),
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
