"""Plans: the shape of a building whose area is given, on the room its lot has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Polygon

from vasgen.citygen.architecture import footprints
from vasgen.citygen.architecture.footprints import (
    Rect,
    areas_below,
    cut_corner,
    inscribed,
    inset,
    outline,
    room_on,
)
from vasgen.citygen.geometry import plane
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.plots.lots import Lot
from vasgen.citygen.profiles import Use

_YARD_M = 6.0  # a narrower court is a shaft
_WING_M = 9.0  # around a court
_LEAST_FILLED = 0.3
_STEPS = 5

#: Forms by use, with relative weights: a wing or two in a box, or one shaped by the lot.
_FORMS: dict[Use, tuple[tuple[str, float], ...]] = {
    "highrise": (
        ("filled", 0.28),
        ("court", 0.16),
        ("rectangle", 0.14),
        ("chamfered", 0.10),
        ("ell", 0.09),
        ("you", 0.06),
        ("aitch", 0.06),
        ("cross", 0.05),
        ("rounded", 0.03),
        ("tee", 0.03),
    ),
    "perimeter": (
        ("street", 0.45),
        ("court", 0.20),
        ("ell", 0.12),
        ("you", 0.10),
        ("filled", 0.08),
        ("aitch", 0.05),
    ),
    "estate": (
        ("rectangle", 0.45),
        ("you", 0.15),
        ("aitch", 0.12),
        ("ell", 0.12),
        ("tee", 0.08),
        ("cross", 0.08),
    ),
    "houses": (("rectangle", 0.72), ("ell", 0.20), ("tee", 0.08)),
    "works": (("rectangle", 0.80), ("ell", 0.20)),
}

#: Distance of a box from the sides of its lot; its proportions; its narrowest wing, metres.
_BOX: dict[Use, tuple[float, tuple[float, float], float]] = {
    "highrise": (0.6, (0.8, 1.5), 8.0),
    "perimeter": (0.0, (1.0, 2.0), 7.0),
    "estate": (2.0, (1.2, 4.0), 8.0),
    "houses": (1.2, (0.9, 1.7), 3.5),
    "works": (2.0, (0.8, 2.2), 8.0),
}


@dataclass(frozen=True, eq=False)
class Plan:
    """The plan of a building.

    Attributes:
        form: how it was shaped, e.g. "ell", "court".
        rings: (N, 2) outline counter-clockwise, the edge at the street first, then at most
            one clockwise court, metres.
    """

    form: str
    rings: tuple[Array, ...]

    @property
    def area_m2(self) -> float:
        """Area without the court."""
        return sum(_area(ring) for ring in self.rings)

    @property
    def narrow_m(self) -> float:
        """A measure of its breadth: the shorter side around it, or the root of its area."""
        corners = shapely.get_coordinates(shapely.oriented_envelope(Polygon(self.rings[0])))
        shorter = float(plane.length(np.diff(corners[:3], axis=0)).min())
        return min(shorter, float(np.sqrt(self.area_m2)))


class Drawing:
    """A lot on which a plan of any area up to that of its room can be drawn.

    Args:
        lot: the lot.
        rng: draws the form.
    """

    def __init__(self, lot: Lot, rng: np.random.Generator) -> None:
        room = room_on(lot.polygon, lot.front)
        if room is None:
            raise ValueError(f"lot {lot.index} has no room for a building")
        self.lot, self.room, self.room_m2 = lot, room, _area(room)
        self.along = plane.unit(lot.front[1] - lot.front[0])
        names, weights = zip(*_FORMS[lot.use], strict=True)
        order = rng.choice(len(names), len(names), replace=False, p=weights)
        self.forms = [names[k] for k in order]
        self.share, self.aside, self.behind, self.proportion = rng.random(4)
        self.cut_m = float(rng.uniform(2.5, 4.5)) if rng.random() < 0.6 else 0.0
        margin, _, _ = _BOX[lot.use]
        self.box = inscribed(Polygon(room).buffer(-margin, join_style="mitre"), self.along)

    def plan(self, area_m2: float) -> Plan:
        """A plan with about this area: exactly, but for what rounding and cut corners take."""
        if area_m2 < 0.97 * self.room_m2:
            for form in [*self.forms, "rectangle", "filled", "strip"]:
                rings = self._draw(form, area_m2)
                if rings is not None:
                    return Plan(form, tuple(np.round(ring, 3) for ring in rings))
        return Plan("filled", (np.round(self.room, 3),))

    def _draw(self, form: str, area_m2: float) -> list[Array] | None:
        shaped: dict[str, Callable[[float], list[Array] | None]] = {
            "filled": self._filled,
            "court": self._court,
            "street": self._street,
            "strip": self._strip,
        }
        if form not in shaped:
            return self._boxed(_shape(form, self.share), area_m2)
        rings = shaped[form](area_m2)
        if rings is not None and self.lot.corner is not None and self.cut_m:
            rings[0] = cut_corner(rings[0], self.lot.corner, self.cut_m)
        return rings

    def _filled(self, area_m2: float) -> list[Array] | None:
        """The room, narrower all around; none where it would stand lost in the middle."""
        if area_m2 < _LEAST_FILLED * self.room_m2:
            return None
        ring = _shrunk(self.room, area_m2)
        wide = ring is not None and inset(ring, _BOX[self.lot.use][2] / 2) is not None
        return [ring] if ring is not None and wide else None

    def _court(self, area_m2: float) -> list[Array] | None:
        """The room around a court; none if wings or court would be too narrow."""
        if area_m2 < _WING_M * _length(self.room) / 2:
            return None
        hole = _shrunk(self.room, self.room_m2 - area_m2)
        if hole is None or inset(hole, _YARD_M / 2) is None:
            return None
        wing = float(shapely.distance(Polygon(self.room).exterior, Polygon(hole).exterior))
        return [self.room, hole[::-1]] if wing > _WING_M else None

    def _street(self, area_m2: float) -> list[Array] | None:
        """The part of the room along the street, of a usual depth."""
        _, _, wing_m = _BOX[self.lot.use]
        return self._strip(area_m2, wing_m, 24.0)

    def _strip(
        self, area_m2: float, least_m: float = 0.0, most_m: float = np.inf
    ) -> list[Array] | None:
        axes = self.along, plane.left_of(self.along)
        ring = plane.along(np.concatenate([self.room, self.room[:1]]), *axes)
        (left, low), (right, high) = ring.min(axis=0), ring.max(axis=0)
        levels = np.linspace(low, high, 33)
        level = round(float(np.interp(area_m2, areas_below(ring, levels), levels)), 3)
        if not least_m <= level - low <= most_m:
            return None
        frame = np.array([[left, low], [right, low], [right, level], [left, level]])
        half = Polygon(plane.across(frame + [[-1, -1], [1, -1], [1, 0], [-1, 0]], *axes))
        part = shapely.intersection(Polygon(self.room), half, grid_size=0.001)
        found = outline(part, self.lot.front) if isinstance(part, Polygon) else None
        return None if found is None else [found]

    def _boxed(self, shape: Callable[[float, float], Array], area_m2: float) -> list[Array] | None:
        """A form in a rectangle that stands where its use wants it."""
        box = self.box
        if box is None:
            return None
        _, (low, high), wing_m = _BOX[self.lot.use]
        proportion = low + (high - low) * self.proportion
        filled = 1.0
        for _ in range(_STEPS):
            covered = area_m2 / filled
            width = float(
                np.clip(np.sqrt(covered * proportion), covered / box.depth_m, box.width_m)
            )
            depth = covered / width
            filled = _area(shape(width, depth)) / covered
        if width > box.width_m or depth > box.depth_m:
            return None
        ring = shape(width, depth)
        # Wings as deep as their width may ask for more depth than there is.
        if ring.min() < 0.0 or (ring > (width, depth)).any():
            return None
        if len(ring) > 4 and inset(ring, wing_m / 2) is None:
            return None
        place = box.part(self._left(box, width), self._setback(box, depth), width, depth)
        return [place.place(ring)]

    def _left(self, box: Rect, width_m: float) -> float:
        return float(self.aside * (box.width_m - width_m))

    def _setback(self, box: Rect, depth_m: float) -> float:
        """Houses keep a front garden, perimeter buildings none, others stand freely."""
        spare = box.depth_m - depth_m
        if self.lot.use == "perimeter":
            return 0.0
        if self.lot.use == "houses":
            return float(min(spare, 2.0 + 3.0 * self.behind))
        return float(0.5 * self.behind * spare)


def _shape(form: str, share: float) -> Callable[[float, float], Array]:
    """A form in a box of any width and depth; ``share`` in [0, 1] sets its proportions."""
    if form == "rectangle":
        return footprints.rectangle
    if form == "rounded":
        return footprints.rounded
    builder, low, high = {
        "chamfered": (footprints.chamfered, 0.12, 0.28),
        "cross": (footprints.cross, 0.12, 0.25),
        "ell": (footprints.ell, 0.42, 0.60),
        "tee": (footprints.tee, 0.42, 0.60),
        "you": (footprints.you, 0.24, 0.32),
        "aitch": (footprints.aitch, 0.24, 0.30),
    }[form]
    return lambda w, d: builder(w, d, low + (high - low) * share)


def _area(ring: Array) -> float:
    """Signed area of an open ring: positive if counter-clockwise."""
    x, y = ring.T
    inner = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
    return (inner + float(x[-1] * y[0] - x[0] * y[-1])) / 2


def _length(ring: Array) -> float:
    """Length of an open ring."""
    return float(plane.length(ring - np.roll(ring, 1, axis=0)).sum())


def _shrunk(ring: Array, area_m2: float) -> Array | None:
    """The ring inset to an area, by Newton's rule: the area falls with the outline's length."""
    distance, found = 0.0, ring
    for _ in range(_STEPS):
        distance += (_area(found) - area_m2) / _length(found)
        moved = inset(ring, distance) if distance > 0.0 else ring
        if moved is None:
            return None
        found = moved
    return found
