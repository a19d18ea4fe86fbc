"""Free space: Friis on a wall, and all that a transmitter sends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome, deviation_db
from validation.plot import curve, dress, legend, new_figure, points
from validation.scenes import (
    FAR,
    NOTHING,
    ORIGIN,
    Eye,
    Map,
    place_name,
    rectangle,
    scene_of,
    trace,
    transmitters,
)
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.spec import RadioSpec

Array = NDArray[np.float64]

_GLASS = theory.Slab("glass", 0.03)
_METAL = theory.Slab("metal", 0.1)
_WALL = np.array([(40, 0, -40), (-40, 0, -40), (-40, 0, 40), (40, 0, 40)], np.float64)
_SOURCE = np.array([10.0, -7.0, 2.0])
_EYE = Eye((0, -16, 5), (0, 0, 4.5), 160, 120, 60.0)
_DIRECT = NOTHING.model_copy(update={"line_of_sight": True})


def _wall(short: bool) -> Outcome:
    frequencies = (0.9e9, 28e9) if short else (0.9e9, 3.5e9, 28e9, 60e9)
    sizes = (0.25, 0.5) if short else (0.25, 0.5, 1.0)
    checks, shown = [], {}
    for frequency in frequencies:
        for shift in (ORIGIN, FAR):
            for size in sizes:
                for kind in ("footprint", "lattice"):
                    spec = _DIRECT.model_copy(update={"frequency_hz": frequency, "surface": kind})
                    eye = _EYE.of_size(size)
                    found = _on_wall(spec, shift, eye)
                    setting = (
                        f"{frequency / 1e9:g} GHz, {place_name(shift)}, "
                        f"{eye.width}x{eye.height}, {kind}"
                    )
                    checks += _wall_checks(setting, found, frequency, shift, kind)
                    shown[frequency] = found
    return Outcome(checks, _wall_figure(shown))


def _on_wall(spec: RadioSpec, shift: Array, eye: Eye) -> Map:
    scene = scene_of([rectangle("wall", _WALL, _GLASS)], [_GLASS], shift)
    return trace(scene, eye.moved(shift), spec, transmitters(_SOURCE + shift, "V"))


def _wall_checks(
    setting: str, found: Map, frequency: float, shift: Array, kind: str
) -> list[Check]:
    source, surface = _SOURCE + shift, found.surface
    towards = source - surface.quad_centres
    distance = np.linalg.norm(towards, axis=1)
    flux = np.abs(np.einsum("ij,ij->i", towards, surface.normal)) / distance
    energy = (found.gain[0][surface.pixel] * surface.quad_area * flux).sum()
    # A lattice ends at the outermost pixel centres; footprints fill the image.
    corners = _seen_corners(found.view.camera, shift[1], 0.5 if kind == "lattice" else 0.0)
    scale = (theory.wavelength_m(frequency) / (4 * np.pi)) ** 2
    expected = scale * theory.solid_angle(corners, source)
    whole = found.whole()
    mean = found.mean_of(lambda p: _friis(p, source, frequency), whole, 4)
    error = deviation_db(found.gain[0][whole], mean)
    return [
        Check(setting, "energy", 1, float(theory.decibels(energy / expected)), 0.02),
        Check(setting, "worst pixel", len(error), float(np.abs(error).max()), 0.02),
    ]


def _seen_corners(camera: Camera, y: float, inset: float) -> Array:
    """Where the rays through the image's corners meet the wall's plane, (4, 3).

    Args:
        camera: the view.
        y: of the plane.
        inset: of the corners, pixels.
    """
    right, bottom = camera.width - inset, camera.height - inset
    corners = [(inset, inset), (right, inset), (right, bottom), (inset, bottom)]
    pixel = np.array([(u, v, 1.0) for u, v in corners])
    ray = pixel @ np.linalg.inv(camera.intrinsics).T @ camera.rotation.T
    place: Array = camera.position + ((y - camera.position[1]) / ray[:, 1])[:, None] * ray
    return place


def _friis(points: Array, source: Array, frequency: float) -> Array:
    return theory.friis(np.linalg.norm(points - source, axis=1), frequency)


def _wall_figure(shown: dict[float, Map]) -> Figure:
    figure, (left, right) = new_figure("Free space: a wall under direct light", 2)
    for number, (frequency, found) in enumerate(shown.items()):
        whole = np.flatnonzero(found.whole())
        distance = np.linalg.norm(found.centre[whole] - (_SOURCE + FAR), axis=1)
        some = whole[np.argsort(distance)[:: max(1, len(whole) // 14)]]
        distance = np.linalg.norm(found.centre[some] - (_SOURCE + FAR), axis=1)
        line = np.linspace(distance.min(), distance.max(), 100)
        label = f"{frequency / 1e9:g} GHz"
        curve(left, line, theory.decibels(theory.friis(line, frequency)), number)
        points(left, distance, theory.decibels(found.gain[0][some]), number, label)
        error = deviation_db(found.gain[0][some], theory.friis(distance, frequency))
        points(right, distance, error, number, label)
    dress(left, "lines: Friis; points: pixels", "distance (m)", "path gain (dB)")
    dress(right, "pixels against Friis at their centre", "distance (m)", "deviation (dB)")
    right.axhline(0, color="#3b3a3f", lw=0.8)
    right.set_ylim(-0.05, 0.05)
    legend(left, ncol=2, loc="upper right")
    return figure


_ROOM = np.array([10.0, 8.0, 6.0])
_INSIDE = np.array([2.1, -1.3, 0.7])


def _room_scene(shift: Array) -> SceneBundle:
    """A closed metal box around the origin, seen from within."""
    x, y, z = _ROOM / 2
    corners = np.array([(a, b, c) for a in (-x, x) for b in (-y, y) for c in (-z, z)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    walls = [rectangle(f"wall-{k}", corners[list(quad)], _METAL) for k, quad in enumerate(quads)]
    return scene_of(walls, [_METAL], shift)


#: Cameras in the middle that together see everything; not straight up and down.
_SIDES = [
    (np.array([1.0, 0, 0]), "east"),
    (np.array([-1.0, 0, 0]), "west"),
    (np.array([0, 1.0, 0]), "north"),
    (np.array([0, -1.0, 0]), "south"),
    (np.array([1e-4, 0, 1.0]), "up"),
    (np.array([1e-4, 0, -1.0]), "down"),
]


def _room(short: bool) -> Outcome:
    size = 40 if short else 80
    rays = 1_000_000 if short else 4_000_000
    orders = (2,) if short else (1, 3)
    checks: list[Check] = []
    shown = {}
    for shift in (FAR,) if short else (ORIGIN, FAR):
        for frequency in (3.5e9,) if short else (1e9, 3.5e9, 28e9):
            spec = _DIRECT.model_copy(update={"frequency_hz": frequency, "max_depth": 0})
            maps = _around(spec, shift, size)
            setting = f"{frequency / 1e9:g} GHz, {place_name(shift)}"
            checks.append(_sent(setting, maps, frequency, shift))
        for order in orders:
            spec = _DIRECT.model_copy(
                update={"specular_reflection": True, "max_depth": order, "rays": rays}
            )
            maps = _around(spec, shift, size)
            gain, mean = _against_images(maps, spec.frequency_hz, order, shift)
            shown[order] = (gain, mean)
            setting = f"3.5 GHz, {place_name(shift)}, images up to order {order}"
            checks += [
                Check(
                    setting,
                    "energy on six walls",
                    gain.size,
                    float(theory.decibels(gain.sum() / mean.sum())),
                    0.03,
                ),
                Check(
                    setting,
                    "worst of 96 patches",
                    gain.size,
                    float(np.abs(deviation_db(gain, mean)).max()),
                    0.1,
                ),
            ]
    return Outcome(checks, _room_figure(shown))


def _around(spec: RadioSpec, shift: Array, size: int) -> list[Map]:
    scene = _room_scene(shift)
    return [
        trace(
            scene,
            Eye(shift, shift + towards, size, size, 90.0),
            spec,
            transmitters(_INSIDE + shift, "V"),
        )
        for towards, _ in _SIDES
    ]


def _sent(setting: str, maps: list[Map], frequency: float, shift: Array) -> Check:
    """All power that leaves the transmitter arrives on the six walls, once."""
    total = 0.0
    for found in maps:
        surface = found.surface
        towards = _INSIDE + shift - surface.quad_centres
        distance = np.linalg.norm(towards, axis=1)
        flux = np.abs(np.einsum("ij,ij->i", towards, surface.normal)) / distance
        total += float((found.gain[0][surface.pixel] * surface.quad_area * flux).sum())
    expected = 4 * np.pi * (theory.wavelength_m(frequency) / (4 * np.pi)) ** 2
    pixels = sum(found.surface.num_pixels for found in maps)
    return Check(setting, "all that is sent", pixels, float(theory.decibels(total / expected)), 0.1)


def _against_images(
    maps: list[Map], frequency: float, order: int, shift: Array
) -> tuple[Array, Array]:
    """Power on 4 x 4 patches of each camera's image: measured, and of all image sources."""
    images = _images(order)
    measured, expected = [], []
    for found in maps:
        surface = found.surface
        inside = np.ones(surface.num_pixels, bool)
        inside &= surface.pixel_area > 0
        facing = surface.normal[np.flatnonzero(inside[surface.pixel])]
        mean = found.mean_of(_sum_of_images(images + shift, facing, frequency), inside, 2)
        area = surface.pixel_area[inside]
        row, column = np.divmod(np.flatnonzero(inside), surface.shape[1])
        patch = 4 * (4 * row // surface.shape[0]) + 4 * column // surface.shape[1]
        measured.append(np.bincount(patch, found.gain[0][inside] * area, 16))
        expected.append(np.bincount(patch, mean * area, 16))
    return np.concatenate(measured), np.concatenate(expected)


def _sum_of_images(images: Array, facing: Array, frequency: float) -> Callable[[Array], Array]:
    """Path gain from those images that a quad's visible side faces.

    Args:
        images: (N, 3).
        facing: (Q, 3) normals of the quads that points are asked for, equally many each.
        frequency: Hz.
    """

    def total(place: Array) -> Array:
        normal = np.repeat(facing, len(place) // len(facing), axis=0)
        gain = np.zeros(len(place))
        for image in images:
            ray = place - image
            arrives = np.einsum("ij,ij->i", ray, normal) < -1e-6
            friis = theory.friis(np.linalg.norm(ray, axis=1), frequency)
            gain += np.where(arrives, friis, 0.0)
        return gain

    return total


def _images(order: int) -> Array:
    """Image sources of a closed box up to an order, the source itself first, (N, 3)."""
    span = np.arange(-order, order + 1)
    grid = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3)
    grid = grid[np.abs(grid).sum(axis=1) <= order]
    mirrored = np.where(grid % 2 == 0, 1.0, -1.0)
    images: Array = grid * _ROOM + mirrored * _INSIDE
    return images


def _room_figure(shown: dict[int, tuple[Array, Array]]) -> Figure:
    figure, (left, right) = new_figure("A closed metal room: every image source counts once", 2)
    low, high = np.inf, -np.inf
    for number, (order, (gain, mean)) in enumerate(shown.items()):
        x = theory.decibels(mean / mean.max())
        y = theory.decibels(gain / mean.max())
        points(left, x, y, number, f"images up to order {order}")
        points(right, x, y - x, number)
        low, high = min(low, x.min()), max(high, x.max())
    curve(left, [low, high], [low, high], 3)
    dress(left, "patches of the walls", "sum of images (dB, relative)", "map (dB, relative)")
    dress(right, "deviation", "sum of images (dB, relative)", "map - images (dB)")
    right.axhline(0, color="#3b3a3f", lw=0.8)
    right.set_ylim(-0.25, 0.25)
    legend(left)
    return figure


FREE_SPACE = Case(
    name="free-space",
    title="Free space",
    what=(
        "Path gain is (λ / 4πr)² (Friis 1946). On a wall the gain, weighted by area and "
        "cos θ, must add up to (λ / 4π)² times the solid angle of what the camera sees of it "
        "(Van Oosterom and Strackee 1983); on each pixel it must be the mean of Friis over its "
        "footprint."
    ),
    setting=(
        "A wide wall, a transmitter 7 m in front of it and off to the side, a camera 16 m in "
        "front; the direct path alone, on both kinds of surface."
    ),
    why=(
        "The estimator has no noise here. 0.02 dB is 0.5 %: the four points that stand for a "
        "footprint, and float32 labels; any slip in area, offset or visibility is larger."
    ),
    caption="Lines: Friis. Points: pixels of the map, 10 km from the origin.",
    run=_wall,
)

ROOM = Case(
    name="room",
    title="A closed metal room",
    what=(
        "Nothing is lost and nothing counts twice: on the six walls of a closed room all that is "
        "sent arrives, ∮ g cos θ dA = (λ / 4π)² 4π; and with reflections of a perfect mirror the "
        "gain is the sum of Friis over all image sources of the box up to the order that is "
        "traced (Allen and Berkley 1979), but for those behind the receiving wall."
    ),
    setting=(
        "A box of 10 m x 8 m x 6 m, the transmitter off its centre; six cameras in the middle "
        "see every point of the walls."
    ),
    why=(
        "0.1 dB for all that is sent: pixels that the room's edges cut are covered in ninths, "
        "which leaves a thin rim out. Reflections are counted rays: 0.03 dB and 0.1 dB are several "
        "times their spread. One lost image of the first order would cost 0.5 dB and more."
    ),
    caption="Each point is a sixteenth of a camera's image.",
    run=_room,
)
