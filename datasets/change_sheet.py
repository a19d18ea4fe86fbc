"""The change sheet: the maps of a dataset before and after it was relabelled, on one page.

A row per view: the picture, the map before, the map after, and the difference of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image

from vasgen.artefact import atomic_file
from vasgen.datasets import store
from vasgen.datasets.dataset import Dataset
from vasgen.datasets.layer_pictures import SKY_COLOUR
from vasgen.datasets.panels import UNREACHED_COLOUR
from vasgen.datasets.sheet import most_present
from vasgen.datasets.store import Sample

Pixels = NDArray[np.float64]

RELABEL_PNG = "relabel.png"

_INK, _FAINT = "#1d2433", "#667085"
_DPI = 100

#: Views that are shown.
_ROWS = 4

_TITLES = {
    "path_gain_db": ("Path gain", "dB"),
    "rss_dbm": ("RSS", "dBm"),
    "sinr_db": ("SINR", "dB"),
}

#: Inches: margins, gap between cells, room above and below them, and width of the page.
_MARGIN, _GAP, _HEAD, _FOOT, _WIDTH = 0.35, 0.12, 1.5, 0.85, 20.0
_CELL = (_WIDTH - 2 * _MARGIN - 3 * _GAP) / 4


class _Pair(NamedTuple):
    """A view before and after; the transmitter whose maps are shown."""

    before: Sample
    after: Sample
    transmitter: int

    def values(self, layer: str) -> tuple[Pixels, Pixels]:
        """The maps before and after, NaN where not reached."""
        found = []
        for sample in (self.before, self.after):
            assert sample.radio is not None
            level = getattr(sample.radio, layer)[self.transmitter]
            reached = sample.radio.reached[self.transmitter]
            found.append(np.where(reached, level, np.nan).astype(np.float64))
        return found[0], found[1]


def draw_change(before: Dataset, after: Dataset, layer: str, path: Path) -> None:
    """Draw the first views of a dataset before and after, as a PNG of 2000 pixels width.

    Args:
        before: the dataset that was relabelled.
        after: what became of it.
        layer: ``path_gain_db``, ``rss_dbm`` or ``sinr_db``.
        path: PNG file to write.

    Raises:
        StorageError: if a view is damaged, or the disk refuses.
    """
    pairs = []
    for number in range(min(len(after), _ROWS)):
        old, new = before[number], after[number]
        pairs.append(_Pair(old, new, most_present(old)))
    figure = _draw(before, after, layer, pairs)
    with atomic_file(path) as scratch:
        figure.savefig(scratch, format="png", dpi=_DPI)


def _draw(before: Dataset, after: Dataset, layer: str, pairs: Sequence[_Pair]) -> Figure:
    tall = _CELL * max(p.after.camera.height / p.after.camera.width for p in pairs)
    height = _HEAD + len(pairs) * (tall + _GAP) - _GAP + _FOOT
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    _write_head(figure, height, before, after, layer)
    levels = [values for pair in pairs for values in pair.values(layer)]
    scale = _scale(levels)
    steps = [new - old for old, new in zip(levels[::2], levels[1::2], strict=True)]
    change = _balanced(steps)
    colours = colormaps["turbo"], colormaps["RdBu_r"]
    for row, pair in enumerate(pairs):
        bottom = height - _HEAD - (row + 1) * tall - row * _GAP
        images = [
            _picture(after, pair),
            *(_painted(v, scale, colours[0], pair) for v in levels[2 * row : 2 * row + 2]),
            _painted(steps[row], change, colours[1], pair),
        ]
        for column, image in enumerate(images):
            left = _MARGIN + column * (_CELL + _GAP)
            box = (left / _WIDTH, bottom / height, _CELL / _WIDTH, tall / height)
            axes = figure.add_axes(box)
            axes.set_axis_off()
            axes.imshow(image, interpolation="antialiased")
            if column == 0:
                _label(axes, pair.after.name)
            if column == 1:
                _label(axes, pair.after.transmitters[pair.transmitter].name)
    unit = _TITLES[layer][1]
    _draw_bar(figure, height, 1, ScalarMappable(scale, colours[0]), unit)
    _draw_bar(figure, height, 3, ScalarMappable(change, colours[1]), "dB")
    _draw_key(figure, height)
    return figure


def _write_head(figure: Figure, height: float, before: Dataset, after: Dataset, layer: str) -> None:
    left = _MARGIN / _WIDTH
    title = f"{after.manifest.name}, relabelled"
    figure.text(
        left, 1 - 0.28 / height, title, fontsize=24, fontweight="bold", color=_INK, va="top"
    )
    changes = (after.manifest.relabelled or {}).get("changes", {})
    line = "   ·   ".join(_told(key, *values) for key, values in changes.items())
    figure.text(left, 1 - 0.75 / height, line, fontsize=13, color=_FAINT, va="top")
    name = _TITLES[layer][0]
    headings = ("Picture", f"{name} before", f"{name} after", "After less before")
    for column, text in enumerate(headings):
        x = (_MARGIN + column * (_CELL + _GAP)) / _WIDTH
        y = 1 - (_HEAD - 0.1) / height
        figure.text(x, y, text, fontsize=15, fontweight="bold", color=_INK)


def _told(key: str, old: object, new: object) -> str:
    if key == "radio.frequency_hz":
        return f"{float(str(old)) / 1e9:g} → {float(str(new)) / 1e9:g} GHz"
    if isinstance(new, dict) and isinstance(old, dict):  # a material
        name = key.removeprefix("materials.")
        return f"{name}: " + ", ".join(
            f"{old[part]} → {new[part]}" for part in new if new[part] != old[part]
        )
    if isinstance(new, list) and new and isinstance(new[0], dict):  # antennas
        return f"antenna {_arrays(old)} → {_arrays(new)}"
    return f"{key.rpartition('.')[2]} {_short(old)} → {_short(new)}"


def _arrays(antennas: object) -> str:
    """Sizes and patterns of antennas, e.g. "8x4 tr38901"."""
    assert isinstance(antennas, list)
    return ", ".join(f"{a['rows']}x{a['columns']} {a['pattern']}" for a in antennas)


def _short(value: object) -> str:
    if isinstance(value, list):
        return "(" + ", ".join(_short(part) for part in value) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _picture(dataset: Dataset, pair: _Pair) -> Pixels:
    if pair.after.image.rgb is None:
        shown = np.clip(np.nan_to_num(pair.after.image.albedo), 0, 1) ** (1 / 2.2)
        return np.asarray(shown, np.float64)
    with Image.open(dataset.folder / pair.after.name / store.RGB_PNG) as picture:
        return np.asarray(picture.convert("RGB"), np.float64) / 255


def _painted(values: Pixels, norm: Normalize, colours: Colormap, pair: _Pair) -> Pixels:
    image = np.asarray(colours(np.nan_to_num(np.clip(norm(values), 0, 1))))[..., :3]
    image[~np.isfinite(values)] = to_rgb(UNREACHED_COLOUR)
    image[~pair.after.image.valid] = to_rgb(SKY_COLOUR)
    return image


def _scale(levels: Sequence[Pixels]) -> Normalize:
    """Limits at multiples of 10 dB that hold nearly all reached pixels."""
    shown = _finite(levels)
    low, high = np.percentile(shown, [2, 99.5]) if len(shown) else (-100.0, 0.0)
    bottom = 10 * np.floor(low / 10)
    return Normalize(bottom, max(10 * np.ceil(high / 10), bottom + 10))


def _balanced(steps: Sequence[Pixels]) -> Normalize:
    """Limits alike on both sides of zero, at a multiple of 5 dB."""
    shown = np.abs(_finite(steps))
    most = max(5.0, 5 * np.ceil(np.percentile(shown, 98) / 5)) if len(shown) else 5.0
    return Normalize(-most, most)


def _finite(maps: Sequence[Pixels]) -> Pixels:
    return np.concatenate([values[np.isfinite(values)] for values in maps])


def _label(axes: Axes, text: str) -> None:
    axes.text(
        0.025,
        0.965,
        text,
        va="top",
        transform=axes.transAxes,
        color="white",
        fontsize=12,
        fontweight="bold",
        path_effects=[withStroke(linewidth=2.5, foreground=_INK)],
    )


def _draw_bar(
    figure: Figure, height: float, column: int, mappable: ScalarMappable, unit: str
) -> None:
    left = _MARGIN + column * (_CELL + _GAP)
    box = (left / _WIDTH, (_FOOT - 0.3) / height, (_CELL - 0.9) / _WIDTH, 0.16 / height)
    bar = figure.colorbar(mappable, cax=figure.add_axes(box), orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=12, colors=_FAINT, length=3)
    x = (left + _CELL - 0.7) / _WIDTH
    figure.text(x, (_FOOT - 0.3) / height, unit, fontsize=13, color=_FAINT)


def _draw_key(figure: Figure, height: float) -> None:
    entries = (("sky", SKY_COLOUR), ("not reached", UNREACHED_COLOUR))
    for index, (text, colour) in enumerate(entries):
        left = _MARGIN + 1.2 * index
        spot = (left / _WIDTH, (_FOOT - 0.3) / height)
        figure.add_artist(
            Rectangle(spot, 0.2 / _WIDTH, 0.16 / height, facecolor=colour, edgecolor="none")
        )
        x = (left + 0.28) / _WIDTH
        figure.text(x, (_FOOT - 0.28) / height, text, fontsize=13, color=_FAINT)
