"""The map of transmitters: where they stand in the plan of a scene, and in what context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.bundle import SceneBundle
from vasgen.orchestrate.contexts import LAMP_POST, ROOFTOP
from vasgen.orchestrate.glance import is_class
from vasgen.orchestrate.page import Page
from vasgen.orchestrate.scene_plan import HEIGHTS, INK, PAPER, ScenePlan, built_frame, survey_plan
from vasgen.raycast import RayCaster
from vasgen.semantics import BUILDING
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]

#: Name of the map in a dataset folder.
TRANSMITTERS_PNG = "transmitters.png"

#: Colour of the dots by context, in the order of the legend; others are in ink.
_COLOURS = {
    "square": "#f5a300",
    "canyon": "#0a7cc4",
    "junction": "#d7263d",
    "courtyard": "#2e9e5b",
    "open": "#8a55c8",
    ROOFTOP: "#e2589d",
    LAMP_POST: "#12a5a5",
}

#: Width of the page and of the map on it; height above and below the map, inches.
_WIDTH, _MAP, _HEAD, _FOOT = 10.0, 9.2, 0.95, 0.95

#: Names are written beside so many transmitters; more would cover the map.
_NAMED = 12

#: Area of a dot, square points: for many transmitters, and for few.
_DOT = (12.0, 120.0)

#: Distance of the entries of the legend, inches.
_LEGEND_STEP = 1.35


def draw_transmitters(
    bundle: SceneBundle, transmitters: Sequence[Transmitter], path: Path | str
) -> Path:
    """Draw transmitters as dots, coloured by context, on the plan of their scene.

    The plan is what rays from above meet, so any scene has one.

    Args:
        bundle: the scene.
        transmitters: in it, at least one; few have their names beside.
        path: PNG file, replaced if it exists.

    Returns:
        The path.

    Raises:
        StorageError: if the disk refuses.
    """
    places = np.array([t.position for t in transmitters], np.float64)
    plan = survey_plan(RayCaster(bundle), built_frame(bundle, places))
    west, east, south, north = plan.extent
    tall = _MAP * (north - south) / (east - west)
    height = tall + _HEAD + _FOOT
    page = Page(Figure(figsize=(_WIDTH, height), dpi=160), _WIDTH, height)
    FigureCanvasAgg(page.figure)
    axes = page.box((_WIDTH - _MAP) / 2, _FOOT, _MAP, tall)
    axes.imshow(plan.colours(), extent=plan.extent, origin="lower", interpolation="antialiased")
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.spines[:].set_color(INK)
    _draw_dots(axes, transmitters, places)
    _draw_head(page, bundle, transmitters)
    _draw_legend(page, transmitters)
    page.draw_scale((_WIDTH - _MAP) / 2, 0.3, _MAP / (east - west), _MAP / 5, from_left=True)
    _draw_heights(page, plan)
    with atomic_file(Path(path)) as scratch:
        page.figure.savefig(scratch, format="png", facecolor=PAPER)
    return Path(path)


def _draw_dots(axes: Axes, transmitters: Sequence[Transmitter], places: Array) -> None:
    size = float(np.clip(1000.0 / len(transmitters) ** 0.6, *_DOT))
    colours = [_COLOURS.get(t.context, INK) for t in transmitters]
    axes.scatter(
        places[:, 0], places[:, 1], s=size, c=colours, edgecolors="white", lw=0.11 * size**0.5
    )
    for transmitter in transmitters if len(transmitters) <= _NAMED else ():
        axes.annotate(
            transmitter.name,
            transmitter.position[:2],
            xytext=(0, -5 - size**0.5 / 2),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color=INK,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _draw_head(page: Page, bundle: SceneBundle, transmitters: Sequence[Transmitter]) -> None:
    """Name of the scene, and north."""
    left, top = (_WIDTH - _MAP) / 2, page.height
    page.write(left, top - 0.37, bundle.name, fontsize=22, weight="bold")
    number = len(transmitters)
    lowest, highest = (f([t.power_dbm for t in transmitters]) for f in (min, max))
    power = f"{lowest:g} dBm" if lowest == highest else f"{lowest:g} to {highest:g} dBm"
    facts = f"{number} transmitter{'s' if number > 1 else ''}   ·   {power}"
    page.write(left, top - 0.7, facts, fontsize=11)
    page.draw_north()


def _draw_legend(page: Page, transmitters: Sequence[Transmitter]) -> None:
    """Colour and number of each context."""
    numbers = Counter(transmitter.context for transmitter in transmitters)
    known = [context for context in _COLOURS if context in numbers]
    shown = known + sorted(numbers.keys() - _COLOURS.keys())
    left = (_WIDTH - _MAP) / 2
    step = min(_LEGEND_STEP, _MAP / len(shown))
    for column, context in enumerate(shown):
        axes = page.box(left + column * step, 0.56, 0.18, 0.18)
        axes.axis("off")
        axes.scatter(0.5, 0.5, s=85, c=_COLOURS.get(context, INK), edgecolors="white", lw=1.0)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        page.write(left + column * step + 0.24, 0.645, f"{context}  {numbers[context]}")


def _draw_heights(page: Page, plan: ScenePlan) -> None:
    """Colours of the buildings."""
    if not is_class(plan.semantic, BUILDING).any():
        return
    axes = page.box(_WIDTH - 3.4, 0.3, 3.0, 0.1)
    page.figure.colorbar(ScalarMappable(plan.heights, HEIGHTS), cax=axes, orientation="horizontal")
    axes.tick_params(labelsize=9.5, colors=INK, length=2)
    axes.spines[:].set_visible(False)
    page.write(_WIDTH - 3.55, 0.35, "building height (m)", ha="right")
