"""The contact sheet: what a dataset holds, on one page.

A row per view, a column per layer; colour scales are shared by all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator, StrMethodFormatter
from PIL import Image

from vasgen.artefact import atomic_file
from vasgen.datasets import store
from vasgen.datasets.dataset import Dataset, Views
from vasgen.datasets.layer_pictures import SKY_COLOUR, Pixels
from vasgen.datasets.panels import UNREACHED_COLOUR, Panel, choose_panels, paint
from vasgen.datasets.store import Sample
from vasgen.errors import InputError
from vasgen.transmitter import Transmitter

_INK = "#1d2433"
_FAINT = "#667085"
_DPI = 100

#: A transmitter this far behind a surface is hidden by it, metres: a pixel's depth is
#: that of its centre, the antenna may be seen beside it.
_HIDDEN_M = 0.5

DEFAULT_VIEWS = 6

#: Transmitters that the line below the title names; more would not fit.
_TRANSMITTERS_NAMED = 3

#: Distance between the entries of a key, inches.
_KEY_STEP = 1.6


class _Row(NamedTuple):
    """A row of the sheet."""

    sample: Sample
    transmitter: int


class _Layout(NamedTuple):
    """Sizes of the page, inches."""

    columns: int
    rows: int
    cell_width: float
    cell_height: float
    width: float = 24.0
    margin: float = 0.35
    gap: float = 0.09
    head: float = 1.5
    foot: float = 1.0

    @property
    def height(self) -> float:
        return self.head + self.rows * (self.cell_height + self.gap) - self.gap + self.foot

    def cell(self, row: int, column: int) -> tuple[float, float, float, float]:
        """Left, bottom, width and height as shares of the page."""
        left = self.margin + column * (self.cell_width + self.gap)
        top = self.head + row * (self.cell_height + self.gap)
        return self.share(left, self.height - top - self.cell_height, *self[2:4])

    def share(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """Inches to shares of the page."""
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def contact_sheet(
    dataset: Views,
    path: Path | str,
    *,
    views: Sequence[int] | None = None,
    transmitter: int | None = None,
) -> int:
    """Draw a contact sheet as a PNG of 2400 pixels width.

    Args:
        dataset: a dataset or a folder of views.
        path: PNG file to write.
        views: numbers of the views to show; the first six if omitted.
        transmitter: number of the transmitter whose radio layers are shown; if omitted,
            for each view the one that reaches most of it.

    Returns:
        Number of views shown.

    Raises:
        InputError: if there is no such view or transmitter.
        StorageError: if a view is damaged, or the disk refuses.
    """
    chosen = list(range(min(len(dataset), DEFAULT_VIEWS))) if not views else list(views)
    for number in chosen:
        if not 0 <= number < len(dataset):
            raise InputError(f"view is {number}; allowed: 0 to {len(dataset) - 1}.")
    samples = [dataset[number] for number in chosen]
    _check_transmitter(samples, transmitter)
    rows = [_Row(s, most_present(s) if transmitter is None else transmitter) for s in samples]
    figure = _draw(dataset, rows)
    with atomic_file(Path(path)) as scratch:
        figure.savefig(scratch, format="png", dpi=_DPI)
    return len(samples)


def _check_transmitter(samples: Sequence[Sample], transmitter: int | None) -> None:
    for sample in samples:
        if sample.radio is None or transmitter is None:
            continue
        count = len(sample.transmitters)
        if not 0 <= transmitter < count:
            allowed = f"0 to {count - 1}" if count > 1 else "0"
            raise InputError(f"transmitter is {transmitter}; allowed: {allowed}.")


def most_present(sample: Sample) -> int:
    """The transmitter in line of sight of most pixels; among equals, that reaches most."""
    if sample.radio is None:
        return 0
    lit = sample.radio.line_of_sight.sum(axis=(1, 2), dtype=float)
    reached = sample.radio.reached.mean(axis=(1, 2))
    return int(np.argmax(lit + reached))


def _draw(dataset: Views, rows: Sequence[_Row]) -> Figure:
    panels = choose_panels(rows)
    layout = _lay_out(rows, len(panels))
    figure = Figure(figsize=(layout.width, layout.height), facecolor="white")
    FigureCanvasAgg(figure)
    _write_title(figure, layout, dataset, rows)
    for number, row in enumerate(rows):
        for column, panel in enumerate(panels):
            axes = _cell(figure, layout, number, column)
            axes.imshow(_pixels(dataset, panel, row), interpolation="antialiased")
            if panel.radio or panel.layer == "rgb":
                _mark_transmitter(axes, row)
            if column == 0:
                _label(axes, row.sample.name)
            if panel.layer == "rgb" and row.sample.conditions is not None:
                _label(axes, row.sample.conditions.in_words(), top=0.88, size=10)
            if panel.layer == "path_gain_db":
                _label(axes, row.sample.transmitters[row.transmitter].name)
    for column, panel in enumerate(panels):
        _write_heading(figure, layout, column, panel)
        _draw_key(figure, layout, column, panel)
    if any(panel.radio for panel in panels):
        _draw_legend(figure, layout)
    return figure


def _lay_out(rows: Sequence[_Row], columns: int) -> _Layout:
    page = _Layout(columns, len(rows), 0, 0)
    cell = (page.width - 2 * page.margin - (columns - 1) * page.gap) / columns
    tallest = max(r.sample.camera.height / r.sample.camera.width for r in rows)
    return page._replace(cell_width=cell, cell_height=cell * tallest)


def _cell(figure: Figure, layout: _Layout, row: int, column: int) -> Axes:
    axes = figure.add_axes(layout.cell(row, column))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _pixels(dataset: Views, panel: Panel, row: _Row) -> Pixels:
    if panel.layer != "rgb":
        return paint(panel, row.sample, row.transmitter)
    # The renderer has developed the picture for display already.
    with Image.open(dataset.folder / row.sample.name / store.RGB_PNG) as picture:
        return np.asarray(picture.convert("RGB"), np.float64) / 255


def _label(axes: Axes, text: str, top: float = 0.965, size: float = 12) -> None:
    axes.text(
        0.025,
        top,
        text,
        va="top",
        transform=axes.transAxes,
        color="white",
        fontsize=size,
        fontweight="bold",
        path_effects=[withStroke(linewidth=2.5, foreground=_INK)],
    )


def _mark_transmitter(axes: Axes, row: _Row) -> None:
    """A star where the transmitter is in the picture: full if seen, hollow if hidden."""
    sample, transmitter = row
    if sample.radio is None:
        return
    pixel, depth = sample.camera.project(sample.transmitters[transmitter].position)
    u, v = (int(np.floor(x)) for x in pixel) if depth > 0 else (-1, -1)
    if not (0 <= u < sample.camera.width and 0 <= v < sample.camera.height):
        return
    surface = sample.image.depth[v, u]
    hidden = bool(depth > surface + _HIDDEN_M)  # false for the sky's NaN
    # imshow counts from pixel centres.
    axes.plot(pixel[0] - 0.5, pixel[1] - 0.5, **_star(hidden))


def _star(hidden: bool) -> dict[str, Any]:
    return {
        "marker": "*",
        "linestyle": "none",
        "markersize": 19,
        "markerfacecolor": "none" if hidden else "white",
        "markeredgecolor": "white" if hidden else _INK,
        "markeredgewidth": 1.6,
        "path_effects": [withStroke(linewidth=3.5, foreground=_INK)] if hidden else None,
    }


def _write_title(figure: Figure, layout: _Layout, dataset: Views, rows: Sequence[_Row]) -> None:
    left = layout.margin / layout.width
    name = dataset.manifest.name if isinstance(dataset, Dataset) else dataset.folder.name
    top = 1 - 0.3 / layout.height
    figure.text(left, top, name, fontsize=26, fontweight="bold", color=_INK, va="top")
    line = "   ·   ".join(_facts(dataset, rows))
    figure.text(left, 1 - 0.79 / layout.height, line, fontsize=14, color=_FAINT, va="top")


def _facts(dataset: Views, rows: Sequence[_Row]) -> list[str]:
    camera = rows[0].sample.camera
    count = f"{len(rows)} of {len(dataset)}" if len(rows) < len(dataset) else f"{len(dataset)}"
    noun = "view" if len(dataset) == 1 else "views"
    facts = [f"{count} {noun}, {camera.width} × {camera.height} pixels"]
    if isinstance(dataset, Dataset):
        facts.insert(0, f"scene {dataset.manifest.scene['name']}")
    record = store.read_record(dataset.folder / rows[0].sample.name)
    if record.radio_spec is not None:
        facts.append(f"{record.radio_spec['frequency_hz'] / 1e9:g} GHz")
        facts += [_describe(t) for t in record.transmitters[:_TRANSMITTERS_NAMED]]
        more = len(record.transmitters) - _TRANSMITTERS_NAMED
        facts += [f"{more} more"] if more > 0 else []
    return facts


def _describe(transmitter: Transmitter) -> str:
    x, y, z = transmitter.position
    place = f"({x:.0f}, {y:.0f}, {z:.1f}) m"
    return f"{transmitter.name} at {place}, {transmitter.power_dbm:g} dBm"


def _write_heading(figure: Figure, layout: _Layout, column: int, panel: Panel) -> None:
    left, bottom, _, height = layout.cell(0, column)
    above = bottom + height + 0.1 / layout.height
    title = f"{panel.title} ({panel.unit})" if panel.unit else panel.title
    figure.text(left, above, title, fontsize=15, fontweight="bold", color=_INK)


def _draw_key(figure: Figure, layout: _Layout, column: int, panel: Panel) -> None:
    left = layout.margin + column * (layout.cell_width + layout.gap)
    if panel.colours is not None:
        box = layout.share(left, layout.foot - 0.3, layout.cell_width - 0.25, 0.16)
        axes = figure.add_axes(box)
        mappable = ScalarMappable(panel.norm, panel.colours)
        bar = figure.colorbar(mappable, cax=axes, orientation="horizontal", ticks=panel.ticks())
        bar.outline.set_visible(False)
        bar.ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        bar.ax.xaxis.set_minor_locator(NullLocator())
        bar.ax.tick_params(labelsize=12, colors=_FAINT, length=3)
        _keep_inside(bar.ax)
    elif panel.key:
        _draw_patches(figure, layout, left, panel.key)
    if panel.note:
        spot = layout.share(left, layout.foot - 0.28, 0, 0)
        figure.text(*spot[:2], panel.note, fontsize=13, color=_FAINT)


def _keep_inside(axes: Axes) -> None:
    """Labels at the ends of a bar stay within it: its neighbour's begin close by."""
    low, high = axes.get_xlim()
    for label, place in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True):
        share = (place - low) / (high - low)
        label.set_horizontalalignment(
            "left" if share < 0.05 else "right" if share > 0.95 else "center"
        )


def _draw_legend(figure: Figure, layout: _Layout) -> None:
    """What the colours outside the colour bars and the stars mean, below the first column."""
    key = (("sky", SKY_COLOUR), ("not reached", UNREACHED_COLOUR))
    _draw_patches(figure, layout, layout.margin, key)
    bottom = layout.foot - 0.62
    for index, text in enumerate(("transmitter", "hidden transmitter")):
        left = layout.margin + index * _KEY_STEP
        star = Line2D([0], [0], transform=figure.transFigure, **_star(hidden=index == 1))
        x, y, _, _ = layout.share(left + 0.1, bottom + 0.08, 0, 0)
        star.set_data([x], [y])
        figure.add_artist(star)
        spot = layout.share(left + 0.28, bottom, 0, 0)
        figure.text(*spot[:2], text, fontsize=13, color=_FAINT)


def _draw_patches(
    figure: Figure, layout: _Layout, left: float, key: Sequence[tuple[str, str]]
) -> None:
    bottom = layout.foot - 0.3
    for index, (text, colour) in enumerate(key):
        x = left + index * _KEY_STEP
        box = layout.share(x, bottom, 0.2, 0.16)
        figure.add_artist(Rectangle(box[:2], *box[2:], facecolor=colour, edgecolor="none"))
        spot = layout.share(x + 0.28, bottom + 0.02, 0, 0)
        figure.text(*spot[:2], text, fontsize=13, color=_FAINT)
