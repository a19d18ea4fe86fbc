"""The picture of a top-down map: path gain in the streets of the scene's plan."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from scipy import ndimage

from vasgen.artefact import atomic_file
from vasgen.bundle import SceneBundle
from vasgen.orchestrate.glance import is_class
from vasgen.orchestrate.page import Page
from vasgen.orchestrate.scene_plan import INK, PAPER, ScenePlan, survey_plan
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING, WALKABLE
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import TopDownMap

Array = NDArray[np.float64]

_COLOURS = colormaps["turbo"]
_FAINT = "#7d7a77"
_UNREACHED = "#ffffff"  # no roof and no value of the colour map is so bright

#: Width of the page and of the map on it; height above and below the map, inches.
_WIDTH, _MAP, _HEAD, _FOOT = 10.0, 9.2, 0.95, 0.9
_HEIGHT = _HEAD + _MAP + _FOOT

#: Width of the soft shade at the foot of buildings, metres, and its darkness.
_SHADE_M, _SHADE = 1.5, 0.35

#: Beneath all gains but these few, percent, and above all but those few, the scale ends.
_SCALE_PERCENT = (2.0, 99.7)


class Subject(NamedTuple):
    """What is drawn, whichever transmitter.

    Attributes:
        scene: its name.
        plan: of the land that the grid covers.
        found: the maps.
        frequency_hz: carrier, Hz.
    """

    scene: str
    plan: ScenePlan
    found: TopDownMap
    frequency_hz: float

    @classmethod
    def of(cls, bundle: SceneBundle, found: TopDownMap, spec: RadioSpec) -> Subject:
        """The maps of a scene, that were traced like this."""
        (west, south), (east, north) = found.grid.bounds.tolist()
        plan = survey_plan(RayCaster(bundle), (west, east, south, north))
        return cls(bundle.name, plan, found, spec.frequency_hz)


def draw_topdown(subject: Subject, row: int, transmitter: Transmitter, path: Path) -> None:
    """Draw the path gain of one transmitter.

    Args:
        subject: what is drawn.
        row: number of the transmitter in the maps.
        transmitter: that transmitter.
        path: PNG file, replaced if it exists.

    Raises:
        StorageError: if the disk refuses.
    """
    page = Page(Figure(figsize=(_WIDTH, _HEIGHT), dpi=150), _WIDTH, _HEIGHT)
    FigureCanvasAgg(page.figure)
    west, east, south, north = subject.plan.extent
    axes = page.box((_WIDTH - _MAP) / 2, _FOOT, _MAP, _MAP)
    scale = _scale(subject.found, row)
    axes.imshow(
        _pixels(subject.plan, subject.found, row, scale),
        extent=subject.plan.extent,
        origin="lower",
        interpolation="antialiased",
    )
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.spines[:].set_color(INK)
    _mark(axes, subject.found, transmitter)
    _draw_head(page, subject, transmitter)
    _draw_key(page, scale)
    page.draw_scale((_WIDTH + _MAP) / 2, 0.55, _MAP / (east - west), _MAP / 5, from_left=False)
    with atomic_file(path) as scratch:
        page.figure.savefig(scratch, format="png", facecolor=PAPER)


def _scale(found: TopDownMap, row: int) -> Normalize:
    """Limits at multiples of 10 dB that hold nearly all reached cells."""
    values = found.radio.path_gain_db[row][found.radio.reached[row]]
    low, high = np.percentile(values, _SCALE_PERCENT) if len(values) else (-100.0, 0.0)
    bottom, top = 10 * np.floor(low / 10), 10 * np.ceil(high / 10)
    return Normalize(bottom, max(top, bottom + 10), clip=True)


def _pixels(plan: ScenePlan, found: TopDownMap, row: int, scale: Normalize) -> Array:
    """The plan of the buildings, and the map between them, row by row from south to north."""
    cells = np.ix_(*(np.arange(n) * found.grid.size // n for n in plan.semantic.shape))
    built = _built(plan, found.building_mask[::-1][cells])
    streets = _cell_colours(found, row, scale)[::-1][cells]
    blur = _SHADE_M * built.shape[1] / (found.grid.size * found.grid.cell_m)
    near = np.minimum(2 * ndimage.gaussian_filter(built.astype(np.float64), blur), 1.0)
    streets = streets * (1 - _SHADE * near)[..., None]
    picture: Array = np.where(built[..., None], plan.colours(), streets)
    return picture


def _built(plan: ScenePlan, indoors: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where the plan shows a building, or what stands on its roof."""
    above = ~is_class(plan.semantic, WALKABLE) & (plan.semantic > 0)
    built: NDArray[np.bool_] = is_class(plan.semantic, BUILDING) | (indoors & above)
    return built


def _cell_colours(found: TopDownMap, row: int, scale: Normalize) -> Array:
    """Colour of every cell, (N, N, 3); cells in buildings take the nearest: walls cut some."""
    radio = found.radio
    values = np.nan_to_num(radio.path_gain_db[row])
    colours = _COLOURS(scale(values))[..., :3]
    colours[~radio.reached[row]] = to_rgb(_UNREACHED)
    nearest = ndimage.distance_transform_edt(
        found.building_mask, return_distances=False, return_indices=True
    )
    filled: Array = colours[tuple(nearest)]
    return filled


def _mark(axes: Axes, found: TopDownMap, transmitter: Transmitter) -> None:
    if found.grid.cell_of(transmitter.position) is None:
        return
    x, y, _ = transmitter.position
    edge = withStroke(linewidth=3.2, foreground=INK)
    axes.plot(x, y, "*", ms=20, mfc="white", mec=INK, mew=1.4, path_effects=[edge])


def _draw_head(page: Page, subject: Subject, transmitter: Transmitter) -> None:
    """What is shown, and north."""
    left, grid = (_WIDTH - _MAP) / 2, subject.found.grid
    title = f"{subject.scene}   ·   {transmitter.name}"
    page.write(left, page.height - 0.37, title, fontsize=21, weight="bold")
    x, y, z = transmitter.position
    facts = (
        f"path gain {grid.height_m:g} m above the ground",
        f"{subject.frequency_hz / 1e9:g} GHz",
        f"{grid.size} × {grid.size} cells of {grid.cell_m:g} m",
        f"transmitter at ({x:.0f}, {y:.0f}, {z:.1f}) m",
    )
    page.write(left, page.height - 0.7, "   ·   ".join(facts), fontsize=11, color=_FAINT)
    page.draw_north()


def _draw_key(page: Page, scale: Normalize) -> None:
    """The colour bar, and the colour of cells that no path reaches."""
    left, width = (_WIDTH - _MAP) / 2, 4.2
    axes = page.box(left, 0.52, width, 0.16)
    bar = page.figure.colorbar(ScalarMappable(scale, _COLOURS), cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=10.5, colors=INK, length=3)
    page.write(left + width + 0.15, 0.6, "dB")
    patch = Rectangle(
        ((left + width + 0.75) / _WIDTH, 0.52 / page.height),
        0.2 / _WIDTH,
        0.16 / page.height,
        facecolor=_UNREACHED,
        edgecolor=_FAINT,
        lw=0.8,
    )
    page.figure.add_artist(patch)
    page.write(left + width + 1.05, 0.6, "not reached")
