"""Independent answers: Sionna's path solver at single points."""

from typing import NamedTuple

import numpy as np

from vasgen.vas.paths.paths import Event

DIFFRACTION = 8  # sionna.rt.InteractionType

_EVENTS = {0: Event.NONE, 1: Event.REFLECTION, 4: Event.TRANSMISSION, 8: Event.DIFFRACTION}

_SPEED_OF_LIGHT = 299_792_458.0

_BATCH = 100  # all receivers share one buffer of candidate paths, which drops what overflows

#: Paths of the same interactions and of lengths and directions this near are one: metres, and
#: chord of unit vectors.
_SAME_M, _SAME_CHORD = 1e-3, 3e-4


class FoundPaths(NamedTuple):
    """Distinct paths to points, ordered by point.

    Attributes:
        point: (N,) number of the point each ends in.
        gain: (N,) path gain at an isotropic receiver of both polarisations.
        delay_s: (N,) seconds.
        departure: (N, 3) unit direction in which the wave leaves.
        arrival: (N, 3) unit direction in which it travels in the end.
        events: (N, D) of :class:`vasgen.vas.paths.paths.Event`, as met; -1 behind the last.
        vertices: (N, D, 3) where they happen, world metres; NaN behind the last.
    """

    point: np.ndarray
    gain: np.ndarray
    delay_s: np.ndarray
    departure: np.ndarray
    arrival: np.ndarray
    events: np.ndarray
    vertices: np.ndarray

    def take(self, index):
        """Some of the paths."""
        return FoundPaths(*(values[index] for values in self))


def path_solver_gain(radio, points, normals, spec, *, only=None, samples=500_000):
    """Sum of |a|^2 over the paths that arrive on the visible side of each point, (N,).

    Arguments as of :func:`path_solver_paths`.
    """
    found = path_solver_paths(radio, points, normals, spec, only=only, samples=samples)
    return np.bincount(found.point, found.gain, len(points))


def path_solver_paths(radio, points, normals, spec, *, only=None, samples=500_000):
    """Paths that arrive on the visible side of each point.

    Paths that mix diffraction with another mechanism are left out, as in radio maps.

    Args:
        radio: radio scene with its transmitter set, of one port.
        points: (N, 3) world metres.
        normals: (N, 3) unit normals on the visible side; zero for all sides.
        spec: mechanisms and depth.
        only: "diffraction" to leave out all other paths.
        samples: rays by which the solver looks for candidate paths.
    """
    rt, scene = radio.rt, radio.scene
    scene.rx_array = rt.PlanarArray(
        num_rows=1,
        num_cols=1,
        vertical_spacing=0.5,
        horizontal_spacing=0.5,
        pattern="iso",
        polarization="VH",
    )
    parts = []
    for begin in range(0, len(points), _BATCH):
        part = slice(begin, begin + _BATCH)
        found = _batch(radio, points[part], normals[part], spec, only, samples)
        parts.append(found._replace(point=found.point + begin))
    return FoundPaths(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def _batch(radio, points, normals, spec, only, samples):
    rt, scene = radio.rt, radio.scene
    for number, point in enumerate(points - radio.centre):
        scene.add(rt.Receiver(name=f"receiver-{number}", position=point.tolist()))
    paths = rt.PathSolver()(
        scene,
        max_depth=spec.max_depth,
        samples_per_src=samples,
        max_num_paths_per_src=20_000_000,
        los=only is None,
        specular_reflection=only is None and spec.specular_reflection,
        refraction=only is None and spec.refraction,
        diffuse_reflection=False,
        diffraction=spec.diffraction,
        synthetic_array=True,
        seed=1,
    )
    for name in list(scene.receivers):
        scene.remove(name)
    count = len(points)
    real, imaginary = (np.array(part, np.float64) for part in paths.a)
    power = (real**2 + imaginary**2).reshape(count, 2, -1).sum(axis=1)
    each = power.shape[1]
    kinds = np.array(paths.interactions)
    depth = len(kinds)
    kinds = kinds.reshape(depth, count, each).transpose(1, 2, 0)
    vertices = np.array(paths.vertices, np.float64).reshape(depth, count, each, 3)
    vertices = np.where(kinds[..., None] != 0, vertices.transpose(1, 2, 0, 3), np.nan)
    departure, towards = (
        _directions(*(np.array(angle, np.float64).reshape(count, each) for angle in angles))
        for angles in ((paths.theta_t, paths.phi_t), (paths.theta_r, paths.phi_r))
    )
    delay = np.array(paths.tau, np.float64).reshape(count, each)
    visible = np.einsum("npc,nc->np", towards, normals) >= 0
    bends = (kinds == DIFFRACTION).any(axis=2)
    mixed = bends & ((kinds != 0).sum(axis=2) > 1)
    wanted = visible & ~mixed & (bends if only == "diffraction" else True) & (power > 0)
    for i in range(count):
        ends = np.concatenate([departure[i], towards[i]], axis=1) / _SAME_CHORD
        length = delay[i, :, None] * _SPEED_OF_LIGHT / _SAME_M
        _keep_distinct(wanted[i], kinds[i], np.concatenate([ends, length], axis=1))
    point, path = np.nonzero(wanted)
    events = np.full((count, each, spec.max_depth), Event.NONE, np.int8)
    for kind, event in _EVENTS.items():
        events[..., :depth][kinds == kind] = event
    places = np.full((*events.shape, 3), np.nan)
    places[..., :depth, :] = vertices + radio.centre
    values = (power, delay, departure, -towards, events, places)
    return FoundPaths(point, *(value[point, path] for value in values))


def _directions(theta, phi):
    """Unit vectors from zenith angles and azimuths."""
    x, y = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)
    return np.stack([x, y, np.cos(theta)], axis=-1)


def _keep_distinct(wanted, kinds, ways):
    """Keep but one of what the solver lists for several triangles of a plane.

    Args:
        wanted: (N,) which paths to look at; changed.
        kinds: (N, D) interactions.
        ways: (N, K) numbers that differ by less than one for the same path.
    """
    index = np.flatnonzero(wanted)
    kinds, ways = kinds[index], ways[index]
    apart = np.abs(ways[:, None] - ways[None]).max(axis=2)
    alike = (kinds[:, None] == kinds[None]).all(axis=2) & (apart < 1)
    wanted[index] = ~np.tril(alike, -1).any(axis=1)
