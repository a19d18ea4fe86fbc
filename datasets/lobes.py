"""Lobes: antenna patterns as three-dimensional pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import TriMesh
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from vasgen.antenna import Antenna
from vasgen.antenna_pattern import AntennaPatterns, directions
from vasgen.artefact import atomic_file
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]

_INK = "#1d2433"
_FAINT = "#667085"
_GRID = "#a7b0bf"
_COLOURS = colormaps["turbo"]
_DPI = 120

#: Gain in the middle of a picture, and at radius 1 unless an antenna has more, dBi.
_FLOOR_DBI, _RIM_DBI = -15.0, 10.0

#: The eye: azimuth and elevation, degrees; boresights at zero yaw point to its right.
_EYE_DEG = (-52.0, 24.0)

#: Towards the light, in the eye's axes: right, up, nearer.
_LIGHT = np.array([-0.45, 0.65, 0.61])

#: Lines are drawn as if this much nearer, so that they lie on a surface they coincide with.
_LINE_LIFT = 0.006

_PANELS_A_ROW = 4
_MOST_PANELS = 12

#: Names of transmitters above a picture; more would not fit.
_MOST_NAMES = 4

#: Sizes of the page, inches.
_WIDTH, _HEAD, _FOOT = 4.4, 1.1, 0.95

#: Half the width that a panel shows.
_SPAN = 1.32


class _Panel(NamedTuple):
    """Transmitters of one antenna and orientation.

    Attributes:
        members: transmitters.
        gain_dbi: (E, A) gain.
    """

    members: list[Transmitter]
    gain_dbi: Array


class _Patches(NamedTuple):
    """Quadrilaterals in the eye's axes, their colours blending from corner to corner.

    Attributes:
        corners: (N, 4, 3) right, up, nearer.
        colour: (N, 4, 3).
    """

    corners: Array
    colour: Array


class _Page(NamedTuple):
    """Where panels lie on the page; rectangles as shares of it.

    Attributes:
        panels: number of panels.
        tall: height of a panel's picture, in its own units.
    """

    panels: int
    tall: float

    @property
    def columns(self) -> int:
        return min(self.panels, _PANELS_A_ROW)

    @property
    def row_height(self) -> float:
        return _HEAD + _WIDTH * self.tall / (2 * _SPAN)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, inches."""
        rows = -(-self.panels // self.columns)
        return _WIDTH * self.columns, self.row_height * rows + _FOOT

    def share(self, left: float, top: float, width: float, height: float) -> Box:
        """A rectangle given in inches from the left and top."""
        across, down = self.size
        return left / across, 1 - (top + height) / down, width / across, height / down

    def panel(self, number: int) -> Box:
        row, column = divmod(number, self.columns)
        top = self.row_height * row + _HEAD
        return self.share(_WIDTH * column, top, _WIDTH, self.row_height - _HEAD)


def draw_patterns(
    patterns: AntennaPatterns, transmitters: Sequence[Transmitter], path: Path | str
) -> int:
    """Draw power patterns side by side: gain as radius and as colour, both in dBi.

    Args:
        patterns: the patterns.
        transmitters: whose they are. Those of equal antenna and orientation share a picture.
        path: PNG file, replaced if it exists.

    Returns:
        Number of pictures on the page.

    Raises:
        StorageError: if the disk refuses.
    """
    panels = _panels(patterns, transmitters)
    shown = panels[:_MOST_PANELS]
    top = max(float(panel.gain_dbi.max()) for panel in shown)
    scale = Normalize(_FLOOR_DBI, max(top, _RIM_DBI))
    bodies = [_body(panel.gain_dbi, patterns, scale) for panel in shown]
    lower, upper = _extent(bodies)
    page = _Page(len(shown), upper - lower)
    figure = Figure(figsize=page.size, facecolor="white")
    FigureCanvasAgg(figure)
    for number, (panel, body) in enumerate(zip(shown, bodies, strict=True)):
        axes = figure.add_axes(page.panel(number))
        axes.set(xlim=(-_SPAN, _SPAN), ylim=(lower, upper))
        axes.axis("off")
        _draw_panel(axes, body, scale, upper)
        _write_head(axes, panel, patterns)
    _draw_bar(figure, page, scale)
    if len(panels) > len(shown):
        note = f"{len(shown)} of {len(panels)} antennas"
        figure.text(0.99, 0.02, note, ha="right", fontsize=10, color=_FAINT)
    with atomic_file(Path(path)) as scratch:
        figure.savefig(scratch, format="png", dpi=_DPI)
    return len(shown)


def _panels(patterns: AntennaPatterns, transmitters: Sequence[Transmitter]) -> list[_Panel]:
    panels: dict[object, _Panel] = {}
    for gain, transmitter in zip(patterns.gain, transmitters, strict=True):
        look = (transmitter.antenna, transmitter.orientation_deg)
        if look not in panels:
            decibels = 10 * np.log10(np.maximum(gain.astype(np.float64), 1e-12))
            panels[look] = _Panel([], decibels)
        panels[look].members.append(transmitter)
    return list(panels.values())


def _body(gain_dbi: Array, patterns: AntennaPatterns, scale: Normalize) -> _Patches:
    """The surface whose radius is the gain, lit from above; hollows are darker."""
    radius = np.clip(np.asarray(scale(gain_dbi)), 0.004, None)
    points = _seen(radius[..., None] * directions(patterns.elevation_deg, patterns.azimuth_deg))
    corners = _corners(points)
    normal = np.cross(corners[:, :, 2] - corners[:, :, 0], corners[:, :, 3] - corners[:, :, 1])
    ours = normal[..., 2] > 0  # of a closed surface nothing else is seen
    colour = _lit(radius, _smooth_normals(normal))
    return _Patches(corners[ours], _corners(colour)[ours])


def _corners(grid: Array) -> Array:
    """Values at the corners of every cell of the globe, (E - 1, A, 4, 3), from (E, A, 3)."""
    after = np.roll(grid, -1, axis=1)
    return np.stack([grid[:-1], after[:-1], after[1:], grid[1:]], axis=2)


def _smooth_normals(cells: Array) -> Array:
    """Unit normals at the directions of the globe, (E, A, 3), from those of its cells."""
    rows = np.pad(cells, ((1, 1), (0, 0), (0, 0)))
    total = rows[1:] + rows[:-1]
    total += np.roll(total, 1, axis=1)
    total[[0, -1]] = total[[0, -1]].sum(axis=1, keepdims=True)
    unit: Array = total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-30)
    return unit


def _lit(radius: Array, normal: Array) -> Array:
    """Colours of the surface, (E, A, 3)."""
    light = np.clip(normal @ _LIGHT, 0, 1)
    shine = np.clip(normal @ _unit(_LIGHT + [0, 0, 1]), 0, 1) ** 40
    shade = (0.5 + 0.5 * light) * (0.55 + 0.45 * (radius / radius.max()) ** 0.6)
    colour: Array = _COLOURS(radius)[..., :3] * shade[..., None] + 0.22 * shine[..., None]
    return np.clip(colour, 0, 1)


def _extent(bodies: Sequence[_Patches]) -> tuple[float, float]:
    """Lowest and highest point of all pictures, with the rings around them and a margin."""
    heights = np.concatenate([body.corners[..., 1].ravel() for body in bodies])
    ring = np.sin(np.radians(_EYE_DEG[1]))
    return min(-ring, float(heights.min())) - 0.08, max(0.62, float(heights.max()) + 0.25)


def _draw_panel(axes: Axes, body: _Patches, scale: Normalize, upper: float) -> None:
    tips = np.diag([1.14, 1.14, (upper - 0.13) / np.cos(np.radians(_EYE_DEG[1]))])
    rings = {gain: float(scale(gain)) for gain in _ring_gains(scale)}
    angle = np.radians(np.arange(0, 361, 2))
    circle = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    parts = [body]
    parts += [_ribbon(np.linspace(0, 1, 90)[:, None] * tip, 0.008, _INK) for tip in tips]
    parts += [_ribbon(radius * circle, 0.005, _GRID) for radius in rings.values()]
    axes.add_collection(_painted(parts), autolim=False)
    for name, (x, y, _) in zip(("x east", "y north", "z up"), _seen(tips), strict=True):
        away = 1 + 0.1 / np.hypot(x, y)
        axes.text(away * x, away * y, name, color=_INK, fontsize=9, ha="center", va="center")
    ((x, y, _),) = _seen(1.1 * rings[max(rings)] * directions(np.zeros(1), np.array([-115.0]))[0])
    label = axes.text(
        x, y, f"{max(rings):g} dBi", color=_FAINT, fontsize=7.5, ha="center", va="center"
    )
    label.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _painted(parts: Sequence[_Patches]) -> TriMesh:
    """All patches as triangles, from the farthest to the nearest, which covers the others."""
    corners = np.concatenate([part.corners for part in parts])
    colour = np.concatenate([part.colour for part in parts]).reshape(-1, 3)
    order = np.argsort(corners[..., 2].mean(axis=1))
    triangles = 4 * order[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
    x, y, _ = corners.reshape(-1, 3).T
    mesh = TriMesh(Triangulation(x, y, triangles.reshape(-1, 3)))
    mesh.set_facecolor(list(map(tuple, colour.tolist())))
    return mesh


def _ring_gains(scale: Normalize) -> list[float]:
    """Multiples of 10 dBi between the middle and the greatest gain."""
    low, high = (10 * int(np.floor((v or 0.0) / 10 + 1e-3)) for v in (scale.vmin, scale.vmax))
    return [float(gain) for gain in range(low + 10, high + 1, 10)]


def _ribbon(line: Array, width: float, colour: str) -> _Patches:
    """A line through world points, (N, 3), as patches that face the eye."""
    points = _seen(line)
    run = np.gradient(points[:, :2], axis=0)
    side = np.stack([-run[:, 1], run[:, 0], np.zeros(len(run))], axis=1)
    side *= width / 2 / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
    left, right = points + side, points - side
    corners = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
    corners[..., 2] += _LINE_LIFT
    return _Patches(corners, np.broadcast_to(to_rgb(colour), corners.shape))


def _seen(points: Array) -> Array:
    """World points in the eye's axes: right, up, nearer; in parallel projection."""
    azimuth = np.radians(_EYE_DEG[0])
    nearer = directions(np.array([_EYE_DEG[1]]), np.array([_EYE_DEG[0]]))[0, 0]
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    seen: Array = points @ np.stack([right, np.cross(nearer, right), nearer], axis=1)
    return seen


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.linalg.norm(vector)
    return unit


def _write_head(axes: Axes, panel: _Panel, patterns: AntennaPatterns) -> None:
    names = ", ".join(member.name for member in panel.members[:_MOST_NAMES])
    more = len(panel.members) - _MOST_NAMES
    title = f"{names} and {more} more" if more > 0 else names
    antenna, turned = panel.members[0].antenna, panel.members[0].orientation_deg
    lines = [_describe(antenna), _peak(panel.gain_dbi, patterns, turned)]
    if any(turned):
        lines.insert(1, "yaw {:g}°, pitch {:g}°, roll {:g}°".format(*turned))
    top, size = 72 * (_HEAD - 0.15), min(15.0, 480 / len(title))  # long names fit, too
    for text, down, points, weight, colour in (
        (title, 0, size, "bold", _INK),
        ("\n".join(lines), 22, 9.5, "normal", _FAINT),
    ):
        axes.annotate(
            text,
            (0.5, 1),
            (0, top - down),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=points,
            weight=weight,
            color=colour,
        )


def _describe(antenna: Antenna) -> str:
    size = f"{antenna.rows} × {antenna.columns} " if antenna.rows * antenna.columns > 1 else ""
    text = f"{size}{antenna.pattern}, {antenna.polarization}"
    if antenna.steer_deg is not None:
        text += " · steered to {:g}°, {:g}°".format(*antenna.steer_deg)
    return f"{text} · given weights" if antenna.weights is not None else text


def _peak(gain_dbi: Array, patterns: AntennaPatterns, turned: Sequence[float]) -> str:
    """The greatest gain, and where; of equal lobes the one nearest to where the array looks."""
    top = float(gain_dbi.max())
    text = f"peak {round(top, 1) + 0.0:.1f} dBi"
    if np.ptp(gain_dbi) < 0.01:
        return f"{text} in every direction"
    row, column = np.nonzero(gain_dbi > top - 0.01)
    towards = directions(patterns.elevation_deg, patterns.azimuth_deg)[row, column]
    yaw, pitch = np.radians(turned[:2])
    boresight = [np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), -np.sin(pitch)]
    best = (towards @ boresight).argmax()
    azimuth = (patterns.azimuth_deg[column[best]] + 180.0) % 360.0 - 180.0
    azimuth = 180.0 if azimuth == -180.0 else azimuth
    elevation = f"elevation {patterns.elevation_deg[row[best]]:.0f}°"
    if len(column) == gain_dbi.shape[1]:
        return f"{text} all around, {elevation}"
    return f"{text} at azimuth {azimuth:.0f}°, {elevation}"


def _draw_bar(figure: Figure, page: _Page, scale: Normalize) -> None:
    width, height = page.size
    length = min(5.0, 0.8 * width)
    bar = figure.colorbar(
        ScalarMappable(scale, _COLOURS),
        cax=figure.add_axes(page.share((width - length) / 2, height - 0.72, length, 0.14)),
        orientation="horizontal",
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=10, colors=_FAINT, length=3)
    bar.set_label("gain, dBi: colour and radius; a ring every 10 dB", fontsize=10, color=_FAINT)
