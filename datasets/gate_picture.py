"""Pictures of what the gate refuses: a layer in grey, its wrong pixels in a loud colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray
from scipy import ndimage

from vasgen.artefact import atomic_file
from vasgen.datasets.findings import Finding, Mask, problem
from vasgen.datasets.layer_pictures import SKY_COLOUR
from vasgen.datasets.store import Sample, gate_png
from vasgen.layers import IMAGE_LAYERS, PATH_GAIN_FLOOR_DB, PATH_LAYERS, RADIO_LAYERS

WRONG_COLOUR = "#ff00c8"

_INK, _FAINT = "#1d2433", "#667085"
_DPI = 100
_WIDTH = 9.6  # inches

#: Greys that leave room on both sides for ink and paper.
_GREYS = LinearSegmentedColormap.from_list("greys", colormaps["gray"](np.linspace(0.2, 0.88, 64)))

_LAYERS = {**IMAGE_LAYERS, **RADIO_LAYERS, **PATH_LAYERS}

#: Wrong patches smaller than this share of the picture get a ring, and so many of them.
_SMALL, _RINGS = 0.03, 12


def draw_findings(
    sample: Sample, findings: Sequence[Finding], folder: Path, prefix: str = ""
) -> None:
    """Draw a picture of each layer of a view that has wrong pixels.

    Args:
        sample: the view.
        findings: what is wrong with it.
        folder: gets ``gate-LAYER.png`` for each layer.
        prefix: comes before the names of the files.

    Raises:
        StorageError: if the disk refuses.
    """
    for layer in dict.fromkeys(f.layer for f in findings if f.layer in _LAYERS):
        wrong = [f for f in findings if f.layer == layer and f.wrong is not None and f.fails]
        if not wrong:
            continue
        figure = _draw(sample, layer, wrong)
        folder.mkdir(parents=True, exist_ok=True)
        with atomic_file(folder / f"{prefix}{gate_png(layer)}") as scratch:
            figure.savefig(scratch, format="png", dpi=_DPI)


def _draw(sample: Sample, layer: str, findings: Sequence[Finding]) -> Figure:
    masks = [np.atleast_3d(f.wrong.T).T for f in findings if f.wrong is not None]
    counts = sum(mask.sum(axis=(1, 2)) for mask in masks if len(mask) > 1)
    transmitter = int(np.argmax(counts)) if np.ndim(counts) else 0
    wrong: Mask = np.any([m[transmitter if len(m) > 1 else 0] for m in masks], axis=0)
    values, lines = _plane(sample, layer, transmitter), [problem("", f).text for f in findings]
    rows = [part for line in lines for part in _wrapped(line)]
    camera = sample.camera
    tall = (_WIDTH - 0.6) * camera.height / camera.width
    height = 0.95 + tall + 0.75 + 0.27 * len(rows)
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    _write_head(figure, height, sample, layer, transmitter)
    axes = figure.add_axes(
        (0.3 / _WIDTH, 1 - (0.95 + tall) / height, 1 - 0.6 / _WIDTH, tall / height)
    )
    axes.set_axis_off()
    norm = _norm(values)
    colours = np.array(_GREYS(norm(np.nan_to_num(values))))[..., :3]
    colours[~sample.image.valid] = to_rgb(SKY_COLOUR)
    colours[wrong] = to_rgb(WRONG_COLOUR)
    axes.imshow(colours, interpolation="nearest")
    _draw_rings(axes, wrong)
    _draw_legend(figure, height, rows, norm, layer)
    return figure


def _plane(sample: Sample, layer: str, transmitter: int) -> NDArray[np.float64]:
    """Values of a layer as one number a pixel; NaN where there is none."""
    source: Any = sample.image if layer in IMAGE_LAYERS else sample.radio
    values, axes = np.asarray(getattr(source, layer)), _LAYERS[layer].axes.split()
    if axes[0] == "mechanism":
        values = values.max(axis=0)
    if "transmitter" in axes:
        values = values[transmitter]
    values = values.astype(np.float64).reshape(*sample.image.valid.shape, -1).mean(axis=-1)
    hidden = ~np.isfinite(values) | ~sample.image.valid
    plane: NDArray[np.float64] = np.where(hidden, np.nan, values)
    return plane


def _norm(values: NDArray[np.float64]) -> Normalize:
    shown = values[np.isfinite(values) & (values > PATH_GAIN_FLOOR_DB + 50)]
    low, high = np.percentile(shown, [1, 99]) if len(shown) else (0.0, 1.0)
    return Normalize(low, max(high, low + 1e-6), clip=True)


def _write_head(
    figure: Figure, height: float, sample: Sample, layer: str, transmitter: int
) -> None:
    left, top = 0.3 / _WIDTH, 1 - 0.28 / height
    title = f"View {sample.name}: {layer}"
    figure.text(left, top, title, fontsize=19, fontweight="bold", color=_INK, va="top")
    name = "what is seen" if layer in IMAGE_LAYERS else sample.transmitters[transmitter].name
    figure.text(1 - left, top, name, fontsize=14, color=_FAINT, va="top", ha="right")


def _draw_rings(axes: Axes, wrong: Mask) -> None:
    """A ring around each patch of wrong pixels, if all are small: one pixel is easily missed."""
    patches, count = ndimage.label(wrong, structure=np.ones((3, 3)))
    spans = [(r.start, r.stop, c.start, c.stop) for r, c in ndimage.find_objects(patches)]
    small = _SMALL * wrong.shape[1]
    if count > _RINGS or any(max(y1 - y0, x1 - x0) > small for y0, y1, x0, x1 in spans):
        return
    for top, bottom, left, right in spans:
        middle = ((left + right - 1) / 2, (top + bottom - 1) / 2)
        radius = max(bottom - top, right - left) / 2 + 0.02 * wrong.shape[1]
        axes.add_patch(Circle(middle, radius, fill=False, color="white", linewidth=4.5))
        axes.add_patch(Circle(middle, radius, fill=False, color=WRONG_COLOUR, linewidth=2))


def _draw_legend(
    figure: Figure, height: float, rows: Sequence[str], norm: Normalize, layer: str
) -> None:
    """What is wrong, beside a patch of its colour, above the scale of the greys."""
    left = 0.3 / _WIDTH
    for number, row in enumerate(rows):
        bottom = (0.62 + 0.27 * (len(rows) - 1 - number)) / height
        if not row.startswith(" "):
            box = (left, bottom), 0.2 / _WIDTH, 0.16 / height
            figure.add_artist(Rectangle(*box, facecolor=WRONG_COLOUR, edgecolor="none"))
        figure.text(left + 0.3 / _WIDTH, bottom, row.strip(), fontsize=12.5, color=_INK)
    spec = _LAYERS[layer]
    if spec.dtype == "bool":
        figure.text(left, 0.3 / height, "light: true · dark: false", fontsize=11, color=_FAINT)
        return
    bar = figure.add_axes((left, 0.36 / height, 3.0 / _WIDTH, 0.12 / height))
    scale = figure.colorbar(ScalarMappable(norm, _GREYS), cax=bar, orientation="horizontal")
    scale.outline.set_visible(False)
    scale.ax.tick_params(labelsize=10, colors=_FAINT, length=2)
    figure.text(left + 3.15 / _WIDTH, 0.37 / height, spec.unit, fontsize=11, color=_FAINT)


def _wrapped(line: str, width: int = 96) -> list[str]:
    """A line in rows of bounded length; rows after the first begin with a space."""
    rows = [""]
    for word in line.split():
        if len(rows[-1]) + 1 + len(word) > width:
            rows.append("")
        rows[-1] += f" {word}" if rows[-1] or len(rows) > 1 else word
    return rows
