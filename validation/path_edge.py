"""Single paths over an edge against the uniform theory of diffraction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.vas.reference import FoundPaths
from validation import theory
from validation.path_measured import CONCRETE, METAL, Measured, measured
from validation.path_reference import paths_to, solve
from validation.scenes import (
    FAR,
    NOTHING,
    ORIGIN,
    Eye,
    look,
    place_name,
    rectangle,
    scene_of,
    transmitters,
    wedge_mesh,
)
from vasgen.vas.paths.paths import Event
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface

Array = NDArray[np.float64]

_EAST, _NORTH, _UP = np.eye(3)

_BENT = NOTHING.model_copy(update={"diffraction": True, "rays": 1000})


def bent_paths(short: bool) -> list[tuple[str, Measured]]:
    """A vertical right-angled corner: the floor around it receives what its edge bends."""
    found = []
    for slab in (CONCRETE,) if short else (METAL, CONCRETE):
        for frequency in (3.5e9,) if short else (0.7e9, 3.5e9, 28e9):
            for shift in (FAR,) if short else (ORIGIN, FAR):
                for pol, one in _around_edge(slab, frequency, shift).items():
                    setting = (
                        f"edge, {slab.material}, {frequency / 1e9:g} GHz, {pol}, "
                        f"{place_name(shift)}"
                    )
                    found.append((setting, one))
    return found


def _around_edge(slab: theory.Slab, frequency_hz: float, shift: Array) -> dict[str, Measured]:
    wedge = theory.Wedge(np.zeros(3), _UP, -_NORTH, _EAST, slab)
    walls = wedge_mesh(np.zeros(3), 200 * _UP, (-120 * _EAST, 120 * _NORTH), slab)
    floor = [(-30, -30, 0), (30, -30, 0), (30, 30, 0), (-30, 30, 0)]
    scene = scene_of([walls, rectangle("floor", floor, CONCRETE)], [slab, CONCRETE], shift)
    spec = _BENT.model_copy(update={"frequency_hz": frequency_hz})
    source = np.array([-16.0, -19.0, 12.0])
    caster, view = look(scene, Eye((8, -8, 55), (0.5, -0.5, 0), 60, 60, 34.0).moved(shift))
    surface = visible_surface(*view, spec.surface, caster)
    senders = transmitters(source + shift, "VH")
    powers = solve(scene, spec, surface, senders)
    radio = RadioScene(scene, spec, np.round(np.median(surface.quad_centres, axis=0)))
    found = {}
    for sender, paths in zip(senders, powers.paths, strict=True):
        radio.set_transmitter(sender)
        point = paths.points.target.point - shift
        angle, off = np.degrees(wedge.angle(point)), np.hypot(point[:, 0], point[:, 1])
        rows = np.flatnonzero((off > 1.0) & (angle > 1.0) & (angle < 269.0))
        place = point[rows]
        ours = paths_to(radio, scene, spec, paths, rows)
        ours = ours._replace(vertices=np.full_like(ours.vertices, np.nan))
        expected = _over_edge(wedge, source, place, frequency_hz, sender.name)
        found[sender.name] = measured(ours, expected, place)
    return found


def _over_edge(
    wedge: theory.Wedge, source: Array, place: Array, frequency_hz: float, polarization: str
) -> FoundPaths:
    """The one path over the edge, the z axis, to each point."""
    count = len(place)
    off_in, off = np.hypot(*source[:2]), np.hypot(place[:, 0], place[:, 1])
    # Unfolded about the edge the path is straight.
    height = source[2] + (place[:, 2] - source[2]) * off_in / (off_in + off)
    bend = np.column_stack([np.zeros((count, 2)), height])
    first, second = bend - source, place - bend
    length, on = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    return FoundPaths(
        np.arange(count),
        theory.wedge_gain(wedge, source, place, frequency_hz, polarization),
        (length + on) / theory.SPEED_OF_LIGHT,
        first / length[:, None],
        second / on[:, None],
        np.full((count, 1), Event.DIFFRACTION, np.int8),
        np.full((count, 1, 3), np.nan),
    )
