"""The plan of a city as a picture: PNG, or SVG to scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely import Point, Polygon, affinity

from vasgen.artefact import atomic_file
from vasgen.citygen.city import City
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.life.crowns import SPECIES
from vasgen.errors import unknown_choice

_PAPER = "#f7f4ee"
_INK = "#3b3a3f"
_SURFACES = {
    "road": "#ffffff",
    "junction": "#ffffff",
    "pavement": "#e9e4da",
    "plaza": "#f0e6d2",
    "yard": "#e6ddce",
    "drive": "#e6ddce",
    "path": "#efe8d8",
    "lawn": "#d3dfbd",
    "meadow": "#bdd3a2",
}
_HEIGHTS = LinearSegmentedColormap.from_list(
    "heights", ["#dfc9ad", "#cf9d74", "#b4634f", "#7d3550", "#3c1f47"]
)
#: Larger cities show trees only, metres.
_DETAIL_M = 800.0
#: Size in metres (None: as wide as the model), colour and opacity of props by kind.
_PROPS: dict[str, tuple[tuple[float, float] | None, str, float]] = {
    "car": ((4.4, 1.8), "#9d9aa0", 0.7),
    "lamp": ((0.9, 0.9), "#c9a25c", 0.9),
    "tree": (None, "#7fa064", 0.75),
}

_CANVASES = {".png": FigureCanvasAgg, ".svg": FigureCanvasSVG}
#: Without a salt and without "no date", no two SVG files are the same. Text stays text.
_SVG: dict[Any, str] = {"svg.hashsalt": "vasgen", "svg.fonttype": "none"}
_UNDATED = {"Date": None}


def draw_plan(city: City, path: Path | str, *, size_px: int = 1600) -> Path:
    """Draw roofs shaded by height over streets, pavements and greens.

    The map is 0.92 of the picture's width. It shows a square as long as the city's longer
    extent around the middle of the outline's bounding box, with world coordinates along its
    frame. In an SVG, whose width is 720 points, the layers are groups with the ids
    "ground-road", "ground-lawn" and so on, "tree" and other kinds of props, and "buildings".

    Args:
        city: the city.
        path: PNG or SVG file, by its suffix; replaced if it exists.
        size_px: width of the picture, pixels; an SVG has none.

    Returns:
        The path.

    Raises:
        InputError: if the file's suffix is another.
        StorageError: if the disk refuses.
    """
    path = Path(path)
    if path.suffix not in _CANVASES:
        raise unknown_choice("suffix of a plan", path.suffix, _CANVASES)
    figure = Figure(figsize=(10.0, 10.9), dpi=size_px / 10.0, facecolor=_PAPER)
    _CANVASES[path.suffix](figure)
    axes = figure.add_axes((0.04, 0.085, 0.92, 0.844))
    x, y = city.land.middle.tolist()
    half = city.config.extent_m / 2
    axes.set(xlim=(x - half, x + half), ylim=(y - half, y + half), aspect="equal")
    axes.spines[:].set_color(_INK)
    _label_coordinates(axes, x, y, city.config.extent_m)
    _draw_ground(axes, city)
    _draw_props(axes, city)
    _draw_buildings(axes, city)
    _furnish(figure, axes, city)
    undated = _UNDATED if path.suffix == ".svg" else None
    with atomic_file(path) as scratch, rc_context(_SVG):
        figure.savefig(scratch, format=path.suffix[1:], facecolor=_PAPER, metadata=undated)
    return path


def _patch(polygon: Polygon) -> PathPatch:
    oriented = shapely.orient_polygons(polygon)
    rings = [oriented.exterior, *oriented.interiors]
    return PathPatch(
        Outline.make_compound_path(*(Outline(np.array(ring.coords), closed=True) for ring in rings))
    )


def _draw_ground(axes: Axes, city: City) -> None:
    for surface, colour in _SURFACES.items():
        patches = [_patch(p.polygon) for p in city.ground if p.surface == surface]
        # The thin edge closes the hairlines that antialiasing leaves between patches.
        layer = PatchCollection(patches, facecolor=colour, edgecolor=colour, lw=0.3)
        layer.set_gid(f"ground-{surface}")
        axes.add_collection(layer)


def _draw_props(axes: Axes, city: City) -> None:
    """Crowns; cars and lamps in small, discreet marks where they are large enough to see."""
    for kind in ("car", "lamp", "tree") if city.config.extent_m <= _DETAIL_M else ("tree",):
        size, colour, alpha = _PROPS[kind]
        marks = [_patch(outline) for outline in _outlines(city, kind, size)]
        layer = PatchCollection(marks, facecolor=colour, edgecolor="none", alpha=alpha)
        layer.set_gid(kind)
        axes.add_collection(layer)


def _outlines(city: City, kind: str, size: tuple[float, float] | None) -> list[Polygon]:
    """Plans of all props of a kind: rectangles of a size, else circles of the models' width."""
    found = []
    for prop in city.props:
        if prop.kind != kind:
            continue
        if size is None:
            radius = SPECIES[prop.variant].radius_m * prop.scale[0]
            found.append(Point(prop.x, prop.y).buffer(radius, quad_segs=4))
        else:
            box = shapely.box(-size[0] / 2, -size[1] / 2, size[0] / 2, size[1] / 2)
            turned = affinity.rotate(box, prop.yaw_rad, origin=(0, 0), use_radians=True)
            found.append(affinity.translate(turned, prop.x, prop.y))
    return found


def _draw_buildings(axes: Axes, city: City) -> None:
    """Every piece of roof in the colour of its height: towers show on their podiums."""
    pieces = sorted(
        (float(cell.rings[0][:, 2].max()) - building.level_m, building.index, number, cell.rings)
        for building in city.buildings
        for number, cell in enumerate(building.shells[0].cells)
    )
    roofs = [_patch(Polygon(r[0][:, :2], [h[:, :2] for h in r[1:]])) for *_, r in pieces]
    heights = np.array([height for height, *_ in pieces])
    collection = PatchCollection(roofs, cmap=_HEIGHTS, edgecolor=_INK, lw=0.3)
    collection.set_gid("buildings")
    collection.set_array(heights)
    collection.set_norm(Normalize(0.0, max(12.0, float(heights.max(initial=0.0)))))
    axes.add_collection(collection)
    figure = axes.figure
    bar = figure.add_axes((0.66, 0.045, 0.30, 0.012))
    figure.colorbar(collection, cax=bar, orientation="horizontal")
    bar.tick_params(labelsize=9, colors=_INK, length=2)
    bar.set_title("building height (m)", fontsize=9, color=_INK, pad=3)
    bar.spines[:].set_visible(False)


def _furnish(figure: Figure, axes: Axes, city: City) -> None:
    """Title, scale bar and north arrow."""
    config, figures = city.config, city.morphology()
    x0, y0, x1, y1 = city.land.outline.bounds
    figure.text(0.04, 0.965, config.title, fontsize=24, color=_INK, weight="bold", va="center")
    facts = (
        f"seed {config.seed}   ·   {round(x1 - x0, 1):g} m × {round(y1 - y0, 1):g} m   ·   "
        f"{len(city.buildings)} buildings   ·   {figures.built_up_ratio:.0%} built up   ·   "
        f"mean height {figures.mean_height_m:.0f} m"
    )
    figure.text(0.04, 0.94, facts, fontsize=11, color=_INK, va="center")
    _scale_bar(figure, config.extent_m)
    arrow = {"arrowstyle": "-|>", "color": _INK, "lw": 1.6}
    axes.annotate(
        "", xy=(0.94, 0.975), xytext=(0.94, 0.945), xycoords="figure fraction", arrowprops=arrow
    )
    figure.text(0.952, 0.96, "N", fontsize=12, color=_INK, va="center", weight="bold")


def _label_coordinates(axes: Axes, x: float, y: float, size_m: float) -> None:
    """World coordinates along the inside of the frame, metres: for placing one's own things."""
    axes.set(xticks=_ticks(x, size_m), yticks=_ticks(y, size_m))
    axes.ticklabel_format(style="plain", useOffset=False)
    axes.tick_params(direction="in", length=6, pad=-16, labelsize=8, colors=_INK, zorder=5)
    axes.tick_params(axis="y", pad=-8)
    halo = [withStroke(linewidth=2.5, foreground=_PAPER)]
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        label.set(path_effects=halo, zorder=6)
    for label in axes.get_yticklabels():
        label.set_horizontalalignment("left")


def _ticks(middle: float, size_m: float) -> Array:
    """Multiples of a round length, away from the ends of the frame."""
    step = _round_length(size_m / 4)
    first, last = np.ceil((middle - size_m / 2) / step), np.floor((middle + size_m / 2) / step)
    ticks = step * np.arange(first, last + 1)
    return np.asarray(ticks[np.abs(ticks - middle) < 0.45 * size_m])


def _scale_bar(figure: Figure, size_m: float) -> None:
    length = _round_length(size_m / 5)
    width = 0.92 * length / size_m
    bar = figure.add_axes((0.04, 0.045, width, 0.012))
    bar.set(xlim=(0, 4), ylim=(0, 1), xticks=[], yticks=[])
    colours: NDArray[np.str_] = np.array([_INK, _PAPER, _INK, _PAPER])
    bar.barh(np.full(4, 0.5), np.ones(4), left=np.arange(4), height=1.0, color=colours)
    bar.spines[:].set_color(_INK)
    figure.text(0.04, 0.036, "0", fontsize=9, color=_INK, va="top")
    figure.text(0.04 + width, 0.036, f"{length:g} m", fontsize=9, color=_INK, va="top", ha="center")


def _round_length(wanted_m: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above."""
    power = 10.0 ** np.floor(np.log10(wanted_m))
    return float(max(step for step in (1, 2, 5) if step * power <= wanted_m) * power)
