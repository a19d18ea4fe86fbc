"""The map of cameras: where they stand and look in the plan of a scene, and how they move."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.orchestrate.page import Page
from vasgen.orchestrate.scene_plan import INK, PAPER, Extent, built_frame, survey_plan
from vasgen.orchestrate.trajectory import Trajectory
from vasgen.raycast import RayCaster

Array = NDArray[np.float64]

_ACCENT = "#d7263d"
_SPEEDS = colormaps["plasma"]

#: Width of the page and of the map on it; height above and below the map, inches; height of
#: the diagram of a trajectory.
_WIDTH, _MAP, _HEAD, _FOOT, _STRIP = 10.0, 9.2, 0.95, 0.75, 1.5

#: Length of the wedge that shows what a camera sees, as a share of the map.
_WEDGE = 0.055

#: Cameras whose wedges are drawn along a trajectory, and land shown around it, metres.
_WEDGES, _AROUND_M = 9, 120.0


def draw_cameras(bundle: SceneBundle, cameras: Sequence[Camera], path: Path | str) -> Path:
    """Draw cameras as dots with the wedge that they see, on the plan of their scene.

    Args:
        bundle: the scene.
        cameras: at least one.
        path: PNG file, replaced if it exists.

    Raises:
        StorageError: if the disk refuses.
    """
    places = np.array([camera.position for camera in cameras])
    page, axes, extent = _lay_out(bundle, built_frame(bundle, places), _FOOT)
    _draw_wedges(axes, cameras, _WEDGE * (extent[1] - extent[0]))
    size = float(np.clip(900.0 / len(cameras) ** 0.6, 10.0, 70.0))
    axes.scatter(
        places[:, 0], places[:, 1], s=size, c=_ACCENT, edgecolors="white", lw=1.0, zorder=4
    )
    number = len(cameras)
    fact = f"{number} view{'s' if number > 1 else ''}   ·   {_span(places[:, 2])} m high"
    _write_head(page, bundle.name, fact)
    return _save(page, Path(path))


def draw_trajectory(bundle: SceneBundle, trajectory: Trajectory, path: Path | str) -> Path:
    """Draw a trajectory on the plan of its scene, coloured by speed, above height over time.

    Args:
        bundle: the scene.
        trajectory: in it.
        path: PNG file, replaced if it exists.

    Raises:
        StorageError: if the disk refuses.
    """
    places = np.array([camera.position for camera in trajectory.cameras])
    foot = _FOOT + _STRIP + 0.35
    page, axes, extent = _lay_out(bundle, _around(bundle, places), foot)
    speed = np.linalg.norm(trajectory.velocity_m_s, axis=1)
    scale = Normalize(0.0, max(float(speed.max()), 1e-3))
    some = np.unique(np.linspace(0, len(places) - 1, _WEDGES).round().astype(int))
    _draw_wedges(axes, [trajectory.cameras[i] for i in some], _WEDGE * (extent[1] - extent[0]))
    for width, colour in ((6.6, INK), (4.2, None)):
        axes.add_collection(_line(places[:, :2], speed, scale, width, colour))
    for (x, y, _), face, edge in ((places[0], "white", INK), (places[-1], INK, "white")):
        axes.scatter(x, y, s=95, c=face, edgecolors=edge, lw=1.6, zorder=5)
    _draw_strip(page, trajectory, speed, scale)
    facts = (
        f"{len(places)} frames in {trajectory.seconds:g} s",
        f"{trajectory.length_m:.0f} m",
        f"up to {speed.max():.1f} m/s",
        f"at least {trajectory.clearance_m:g} m from everything",
    )
    _write_head(page, bundle.name, "   ·   ".join(facts))
    return _save(page, Path(path))


def _lay_out(bundle: SceneBundle, extent: Extent, foot: float) -> tuple[Page, Axes, Extent]:
    plan = survey_plan(RayCaster(bundle), extent)
    west, east, south, north = extent
    tall = _MAP * (north - south) / (east - west)
    height = tall + _HEAD + foot
    page = Page(Figure(figsize=(_WIDTH, height), dpi=160), _WIDTH, height)
    FigureCanvasAgg(page.figure)
    axes = page.box((_WIDTH - _MAP) / 2, foot, _MAP, tall)
    axes.imshow(plan.colours(), extent=extent, origin="lower", interpolation="antialiased")
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.spines[:].set_color(INK)
    left = (_WIDTH - _MAP) / 2
    page.draw_scale(left, foot - 0.45, _MAP / (east - west), _MAP / 5, from_left=True)
    return page, axes, extent


def _around(bundle: SceneBundle, places: Array) -> Extent:
    """The land around a path, no more than there is: west, east, south, north, metres."""
    low, high = places[:, :2].min(axis=0), places[:, :2].max(axis=0)
    half = float((high - low).max()) / 2 + _AROUND_M
    middle, floor, top = (low + high) / 2, *bundle.bounds[:, :2]
    low = np.minimum(np.maximum(middle - half, floor), low - 5.0)
    high = np.maximum(np.minimum(middle + half, top), high + 5.0)
    (west, south), (east, north) = low, high
    return float(west), float(east), float(south), float(north)


def _draw_wedges(axes: Axes, cameras: Sequence[Camera], length_m: float) -> None:
    """What each camera sees in plan: from its place to both sides of the picture."""
    wedges = []
    for camera in cameras:
        sides = camera.rays([[0.0, camera.height / 2], [camera.width, camera.height / 2]])[:, :2]
        sides = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-9)
        eye = camera.position[:2]
        wedges.append(np.concatenate([[eye], eye + length_m * sides]))
    axes.add_collection(
        PolyCollection(wedges, facecolors=_ACCENT, edgecolors=_ACCENT, alpha=0.38, lw=0.8, zorder=3)
    )


def _line(
    points: Array, values: Array, scale: Normalize, width: float, colour: str | None
) -> LineCollection:
    """A line whose pieces have the colour of a value, or one colour."""
    pieces = np.stack([points[:-1], points[1:]], axis=1)
    line = LineCollection(list(pieces), linewidths=width, zorder=4, capstyle="round")
    if colour is not None:
        line.set_color(colour)
        return line
    line.set_array((values[:-1] + values[1:]) / 2)
    line.set_cmap(_SPEEDS)
    line.set_norm(scale)
    return line


def _draw_strip(page: Page, trajectory: Trajectory, speed: Array, scale: Normalize) -> None:
    """Height above the ground over time, in the colours of the speed, and their key."""
    axes = page.box(1.05, 0.55, _MAP - 3.4, _STRIP - 0.45)
    time, height = trajectory.time_s, trajectory.altitude_m
    axes.add_collection(_line(np.column_stack([time, height]), speed, scale, 3.0, None))
    low, high = np.nanmin(height), np.nanmax(height)
    room = max(0.15 * float(high - low), 0.5)
    axes.set(xlim=(0, max(float(time[-1]), 1e-3)), ylim=(max(0.0, low - room), high + room))
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(labelsize=9.5, colors=INK, length=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_facecolor(PAPER)
    page.write(1.05, _STRIP + 0.27, "height above the ground (m) over time (s)", fontsize=10)
    bar = page.box(_WIDTH - 2.5, 0.75, 2.0, 0.12)
    page.figure.colorbar(ScalarMappable(scale, _SPEEDS), cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=9.5, colors=INK, length=2)
    bar.spines[:].set_visible(False)
    page.write(_WIDTH - 2.5, 1.08, "speed (m/s)", fontsize=10)


def _write_head(page: Page, name: str, facts: str) -> None:
    left, top = (_WIDTH - _MAP) / 2, page.height
    page.write(left, top - 0.37, name, fontsize=22, weight="bold")
    page.write(left, top - 0.7, facts, fontsize=11)
    page.draw_north()


def _span(values: Array) -> str:
    low, high = f"{values.min():.0f}", f"{values.max():.0f}"
    return low if low == high else f"{low} to {high}"


def _save(page: Page, path: Path) -> Path:
    with atomic_file(path) as scratch:
        page.figure.savefig(scratch, format="png", facecolor=PAPER)
    return path
