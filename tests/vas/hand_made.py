"""Paths made by hand, whose fields are given."""

from types import SimpleNamespace

import numpy as np

from vasgen import runtime
from vasgen.vas.paths import channel, path_statistics
from vasgen.vas.paths.legs import Legs
from vasgen.vas.paths.path_field import PathFields
from vasgen.vas.paths.paths import Chains, Paths, Points
from vasgen.vas.scene.planes import Planes
from vasgen.vas.scene.wedges import Wedges
from vasgen.vas.surfaces.surface import Target

_NONE = np.zeros((0, 3))
NO_WEDGES = Wedges(_NONE, _NONE, np.zeros(0), _NONE, _NONE, np.zeros(0, np.int64))


def points_of(pixel, weight=None, position=None):
    """Points of pixels; one of all the weight each unless said."""
    count = len(pixel)
    position = np.zeros((count, 3)) if position is None else np.asarray(position, float)
    weight = np.ones(count) if weight is None else np.asarray(weight, float)
    # Nothing here asks for normals: they tell the number of a point, also among fewer points.
    number = np.arange(count)[:, None].repeat(3, axis=1).astype(float)
    return Points(np.asarray(pixel, np.int64), weight, Target(position, number))


def chains_of(*events):
    """Chains of events, such as "", "R", "RT" or "D", all at plane or wedge 0 of material 0."""
    depth = max(map(len, events))
    event = np.full((len(events), depth), -1, np.int8)
    element = np.full((len(events), depth), -1, np.int32)
    for row, letters in enumerate(events):
        event[row, : len(letters)] = ["RTD".index(letter) for letter in letters]
        element[row, : len(letters)] = 0
    return Chains(event, element, np.where(element < 0, -1, 0).astype(np.int32))


class Ray:
    """A path to a point by a chain, with its field and directions given.

    Args:
        point: row of the points.
        chain: row of the chains.
        length: metres.
        field: complex components along theta and phi of the arrival direction.
        departure: direction of travel.
        arrival: direction of travel.
    """

    def __init__(self, point, chain, length, field, departure=(1, 0, 0), arrival=(1, 0, 0)):
        self.point, self.chain, self.length = point, chain, length
        self.field = np.asarray(field, complex)
        self.departure, self.arrival = (
            np.asarray(v, float) / np.linalg.norm(v) for v in (departure, arrival)
        )


def azimuth(degrees, elevation=0.0):
    """Unit vector."""
    a, e = np.radians([degrees, elevation])
    return np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])


class Given:
    """Paths with given fields, and a radio of a frequency, in place of materials and antennas."""

    def __init__(self, monkeypatch, points, chains, rays, frequency_hz=3.5e9):
        runtime.radio()
        self.rays = {(ray.point, ray.chain): ray for ray in rays}
        assert len(self.rays) == len(rays)
        self.radio = SimpleNamespace(frequency_hz=frequency_hz)
        self.paths = Paths(
            np.zeros(3),
            points,
            chains,
            Planes(np.zeros((0, 3)), np.zeros(0)),
            NO_WEDGES,
            np.array([ray.point for ray in rays], np.int32),
            np.array([ray.chain for ray in rays], np.int32),
        )
        for module in (channel, path_statistics):
            monkeypatch.setattr(module, "path_fields", self._fields)

    def _fields(self, radio, table, paths, rows=slice(None)):
        import mitsuba as mi

        point = paths.points.target.normal[paths.point[rows], 0].astype(int)
        keys = zip(point.tolist(), paths.chain[rows].tolist(), strict=True)
        rays = [self.rays[key] for key in keys]
        field = np.array([[*ray.field.real, *ray.field.imag] for ray in rays], np.float32)
        departure, arrival = (
            mi.Vector3f(np.array([getattr(ray, name) for ray in rays], np.float32).T)
            for name in ("departure", "arrival")
        )
        length = mi.Float64(np.array([ray.length for ray in rays], float))
        legs = Legs(departure, arrival, departure, departure, length, mi.Float64(0.0))
        return PathFields(mi.Vector4f(field.T), length, legs)

    def statistics(self, num_pixels, strongest=0):
        return path_statistics.path_statistics(self.radio, None, self.paths, num_pixels, strongest)
