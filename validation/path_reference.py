"""Single paths: those that the closed-form solver knows, matched with others and checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.vas.reference import FoundPaths
from validation.theory import SPEED_OF_LIGHT
from vasgen.bundle import SceneBundle
from vasgen.raycast import RayCaster
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.closed_form.closed_form_solver import ClosedFormSolver
from vasgen.vas.paths.path_field import material_table, path_fields
from vasgen.vas.paths.paths import Event, Paths
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.solver import Powers
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Two paths to one point may be one if they differ by less than this: ten times what the
#: solvers may differ by, so that a difference shows as an error and not as a missing path.
_DELAY_S, _ANGLE_RAD = 1e-9, np.radians(1.0)
_PLACE_M = 0.2  # and their vertices by less than this: along a grazing mirror they slide

#: A vertex lies on a surface within this, metres, and this share of its distance from the camera.
_ON_M = 0.05


def solve(
    scene: SceneBundle,
    spec: RadioSpec,
    surface: ReceiverSurface,
    transmitters: Sequence[Transmitter],
    *,
    seed: int = 0,
) -> Powers:
    """What the closed-form solver finds for one surface, paths kept."""
    solver = ClosedFormSolver(scene, spec.model_copy(update={"store_paths": True}))
    return solver.solve([surface], transmitters, seed=seed, advance=lambda share: None)[0]


def one_point_each(paths: Paths, pixels: Index, random: np.random.Generator) -> Index:
    """A row of the points of each pixel, drawn at random where it has several."""
    first = np.searchsorted(paths.points.pixel, pixels)
    last = np.searchsorted(paths.points.pixel, pixels, side="right")
    if (first == last).any():
        raise ValueError("a pixel has no point")
    return np.asarray(first + (random.random(len(pixels)) * (last - first)).astype(np.int64))


def paths_to(
    radio: RadioScene, scene: SceneBundle, spec: RadioSpec, paths: Paths, rows: Index
) -> FoundPaths:
    """The solver's paths to some of its points, none diffracted, and all that is known of each.

    Args:
        radio: the scene with the transmitter of the paths set.
        scene: the same scene.
        spec: frequency.
        paths: of the solver.
        rows: (K,) of its points, each once; the result numbers them from zero.
    """
    number = np.full(len(paths.points), -1)
    number[rows] = np.arange(len(rows))
    chosen = paths.take(np.flatnonzero(number[paths.point] >= 0))
    chosen = chosen.take(np.argsort(number[chosen.point], kind="stable"))
    fields = path_fields(radio, material_table(scene.radio_materials, spec), chosen)
    field = np.array(fields.field, np.float64)
    departure, arrival = (
        np.array(way, np.float64).T for way in (fields.legs.departure, fields.legs.arrival)
    )
    events = chosen.chains.event[chosen.chain]
    return FoundPaths(
        number[chosen.point],
        (field**2).sum(axis=0),
        np.array(fields.length) / SPEED_OF_LIGHT,
        departure,
        arrival,
        events,
        unfolded(chosen),
    )


def unfolded(paths: Paths) -> Array:
    """Where each path meets its planes, (N, D, 3) world metres; NaN behind the last.

    The image method once more, in numpy: the point is mirrored in the planes, last first; the
    ray from the transmitter towards the image is followed from plane to plane.
    """
    events, planes = paths.chains.event[paths.chain], paths.chains.element[paths.chain]
    depth = events.shape[1]
    image = paths.points.target.point[paths.point].copy()
    for column in reversed(range(depth)):
        mirrored = events[:, column] == Event.REFLECTION
        normal, offset = _plane(paths, planes[:, column])
        height = np.einsum("ij,ij->i", normal, image) - offset
        image -= np.where(mirrored, 2 * height, 0.0)[:, None] * normal
    place = np.broadcast_to(paths.source, image.shape).copy()
    way = image - place
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    vertices = np.full((*events.shape, 3), np.nan)
    for column in range(depth):
        met = events[:, column] != Event.NONE
        normal, offset = _plane(paths, planes[:, column])
        across = np.einsum("ij,ij->i", normal, way)
        ahead = (offset - np.einsum("ij,ij->i", normal, place)) / np.where(met, across, 1.0)
        place = np.where(met[:, None], place + ahead[:, None] * way, place)
        vertices[met, column] = place[met]
        turned = way - 2 * across[:, None] * normal
        way = np.where((events[:, column] == Event.REFLECTION)[:, None], turned, way)
    return vertices


def _plane(paths: Paths, number: NDArray[Any]) -> tuple[Array, Array]:
    number = np.maximum(number, 0)
    return paths.planes.normal[number], paths.planes.offset[number]


def exist(caster: RayCaster, source: Array, points: Array, paths: FoundPaths) -> Mask:
    """Whether each path, not diffracted, is there: every leg free, every vertex on a surface.

    Args:
        caster: the scene for rays, independent of the radio scenes.
        source: (3,) transmitter.
        points: (K, 3) that the paths' ``point`` numbers.
        paths: of any solver.
    """
    there = np.ones(len(paths.point), bool)
    place = np.broadcast_to(source, (len(there), 3)).copy()
    going = np.ones(len(there), bool)
    for column in range(paths.events.shape[1] + 1):
        last = np.ones(len(there), bool)
        if column < paths.events.shape[1]:
            last = paths.events[:, column] == Event.NONE
        vertex = points[paths.point]
        if column < paths.events.shape[1]:
            vertex = np.where(last[:, None], vertex, paths.vertices[:, column])
        there &= ~going | ~caster.blocked(place, vertex)
        on = going & ~last
        there[on] &= _on_surface(caster, place[on], vertex[on])
        going, place = on, vertex
    return there


def _on_surface(caster: RayCaster, start: Array, place: Array) -> Mask:
    """Whether a ray through a place, begun shortly before it, meets the scene just there."""
    way = place - start
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    hits = caster.intersect(place - 2 * _ON_M * way, way)
    return np.asarray(np.abs(hits.distance - 2 * _ON_M) < 2 * _ON_M)


class Matches(NamedTuple):
    """Paths that two solvers have in common.

    Attributes:
        one: (M,) rows of the first.
        other: (M,) rows of the second, each at most once.
        delay_s: (M,) difference of the delays.
        departure_deg: (M,) angle between the directions they leave in.
        arrival_deg: (M,) the same at the end.
    """

    one: Index
    other: Index
    delay_s: Array
    departure_deg: Array
    arrival_deg: Array

    def within(self, delay_s: float, angle_deg: float) -> Mask:
        """Which agree this well."""
        worst = np.maximum(self.departure_deg, self.arrival_deg)
        return np.asarray((np.abs(self.delay_s) <= delay_s) & (worst <= angle_deg))


def match(one: FoundPaths, other: FoundPaths) -> Matches:
    """Pairs of paths to the same point that can only be the same; the nearest in turn."""
    mine, theirs = _pairs(one.point, other.point)
    late = one.delay_s[mine] - other.delay_s[theirs]
    out = _angle(one.departure[mine], other.departure[theirs])
    come = _angle(one.arrival[mine], other.arrival[theirs])
    alike = (np.abs(late) < _DELAY_S) & (out < _ANGLE_RAD) & (come < _ANGLE_RAD)
    depth = min(one.events.shape[1], other.events.shape[1])
    alike &= (one.events[mine, :depth] == other.events[theirs, :depth]).all(axis=1)
    moved = np.nan_to_num(one.vertices[mine, :depth] - other.vertices[theirs, :depth])
    alike &= (np.linalg.norm(moved, axis=2) < _PLACE_M).all(axis=1)
    apart = np.abs(late) / _DELAY_S + (out + come) / _ANGLE_RAD
    order = np.argsort(np.where(alike, apart, np.inf), kind="stable")[: alike.sum()]
    taken_one, taken_other = np.zeros(len(one.point), bool), np.zeros(len(other.point), bool)
    kept = []
    for pair in order:
        if not taken_one[mine[pair]] and not taken_other[theirs[pair]]:
            taken_one[mine[pair]] = taken_other[theirs[pair]] = True
            kept.append(pair)
    kept = np.array(kept, np.int64)
    return Matches(
        mine[kept], theirs[kept], late[kept], np.degrees(out[kept]), np.degrees(come[kept])
    )


def _pairs(one: Index, other: Index) -> tuple[Index, Index]:
    """All pairs of rows with the same number; ``other`` is sorted."""
    begin = np.searchsorted(other, one)
    count = np.searchsorted(other, one, side="right") - begin
    run = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(one)), count), np.repeat(begin, count) + run


def _angle(a: Array, b: Array) -> Array:
    # From the chord: a cosine near one has no digits left.
    angle: Array = 2 * np.arcsin(np.minimum(np.linalg.norm(a - b, axis=1) / 2, 1.0))
    return angle
