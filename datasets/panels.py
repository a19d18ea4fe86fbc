"""Panels: how each layer is coloured on a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LogNorm, Normalize, to_rgb
from numpy.typing import NDArray

from vasgen.datasets.store import Sample
from vasgen.semantics import CLASS_COLOURS, SemanticClass

Pixels = NDArray[np.float64]

#: Neither colour occurs in the colour maps below.
SKY_COLOUR = "#eef0f3"
UNREACHED_COLOUR = "#8b919b"
LIT_COLOUR = "#ffc53d"
SHADOW_COLOUR = "#32406b"

_CLASS_TABLE = np.array([CLASS_COLOURS[c] for c in SemanticClass], np.float64) / 255


@dataclass(frozen=True, eq=False)
class Panel:
    """One column of the sheet.

    Attributes:
        title: heading.
        unit: what the colour bar counts; empty without one.
        layer: name of the layer.
        colours: colour map; None for layers that are colours or classes themselves.
        norm: value to [0, 1], the same for all rows.
        key: patches below the column instead of a colour bar: text to colour.
        note: line below the column, if it has neither.
        radio: whether the layer belongs to a transmitter.
    """

    title: str
    layer: str
    unit: str = ""
    colours: Colormap | None = None
    norm: Normalize | None = None
    key: tuple[tuple[str, str], ...] = ()
    note: str = ""
    radio: bool = False

    def ticks(self) -> list[float]:
        """Round values for the colour bar."""
        if self.norm is None:
            return []
        low, high = float(self.norm.vmin or 0), float(self.norm.vmax or 0)
        if isinstance(self.norm, LogNorm):
            decades = [10.0**n for n in range(-2, 6)]
            return [m * d for d in decades for m in (1, 2, 5) if low <= m * d <= high]
        step = 10 if high - low <= 70 else 20 if high - low <= 160 else 50
        first = int(np.ceil(low / step)) * step
        return [float(tick) for tick in range(first, int(high) + 1, step)]


def choose_panels(rows: Sequence[tuple[Sample, int]]) -> list[Panel]:
    """The columns for these rows: radio layers if all have them, else classes.

    Args:
        rows: sample and number of the transmitter whose radio layers are shown; colour
            scales are shared by all rows.
    """
    samples = [sample for sample, _ in rows]
    picture = all(sample.image.rgb is not None for sample in samples)
    panels = [
        Panel("Picture", "rgb") if picture else Panel("Albedo", "albedo"),
        Panel("Depth", "depth", "m", colormaps["magma_r"], _depth_norm(samples)),
        Panel("Normal", "normal", note="red east · green north · blue up"),
    ]
    if any(sample.radio is None for sample in samples):
        shown = sorted({int(c) for sample in samples for c in np.unique(sample.image.semantic)})
        names = tuple((SemanticClass(c).name.lower(), _hex(_CLASS_TABLE[c])) for c in shown if c)
        return [*panels, Panel("Class", "semantic", key=names[:4])]
    gain, sinr = (_decibel_norm(rows, layer) for layer in ("path_gain_db", "sinr_db"))
    key = (("line of sight", LIT_COLOUR), ("shadow", SHADOW_COLOUR))
    return [
        *panels,
        Panel("Path gain", "path_gain_db", "dB", colormaps["turbo"], gain, radio=True),
        Panel("SINR", "sinr_db", "dB", colormaps["viridis"], sinr, radio=True),
        Panel("Line of sight", "line_of_sight", key=key, radio=True),
    ]


def paint(panel: Panel, sample: Sample, transmitter: int) -> Pixels:
    """Display colours of a layer, (H, W, 3) in [0, 1].

    Args:
        panel: the column.
        sample: the row.
        transmitter: whose radio layers.
    """
    image, valid = sample.image, sample.image.valid
    if panel.layer in ("albedo", "normal"):
        values = getattr(image, panel.layer)
        colours = _display(values) if panel.layer == "albedo" else 0.5 + 0.5 * values
        return _with(colours, ~valid, SKY_COLOUR)
    if panel.layer == "semantic":
        return _with(_CLASS_TABLE[image.semantic], ~valid, SKY_COLOUR)
    if panel.layer == "depth":
        return _with(_mapped(panel, image.depth), ~valid, SKY_COLOUR)
    if sample.radio is None:
        raise ValueError(f"view {sample.name} has no layer {panel.layer}")
    values = getattr(sample.radio, panel.layer)[transmitter]
    reached = sample.radio.reached[transmitter]
    if panel.layer == "line_of_sight":
        lit = np.where(values[..., None], to_rgb(LIT_COLOUR), to_rgb(SHADOW_COLOUR))
        return _with(lit, ~valid, SKY_COLOUR)
    colours = _with(_mapped(panel, values), valid & ~reached, UNREACHED_COLOUR)
    return _with(colours, ~valid, SKY_COLOUR)


def _mapped(panel: Panel, values: NDArray[Any]) -> Pixels:
    if panel.colours is None or panel.norm is None:
        raise ValueError(f"panel {panel.title} has no colour map")
    scaled = np.ma.filled(panel.norm(np.ma.masked_invalid(values)), 0.0)
    colours: Pixels = panel.colours(np.clip(scaled, 0, 1))[..., :3]
    return colours


def _with(colours: NDArray[Any], where: NDArray[np.bool_], colour: str) -> Pixels:
    result: Pixels = np.where(where[..., None], to_rgb(colour), np.nan_to_num(colours))
    return result


def _display(linear: NDArray[Any]) -> Pixels:
    """Linear to sRGB (IEC 61966-2-1)."""
    x = np.clip(np.nan_to_num(linear.astype(np.float64)), 0, 1)
    curve: Pixels = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    return curve


def _depth_norm(samples: Sequence[Sample]) -> Normalize:
    depths = np.concatenate([s.image.depth[s.image.valid] for s in samples])
    low, high = np.percentile(depths, [0.5, 99.5]) if len(depths) else (1.0, 10.0)
    return LogNorm(low, max(high, 1.01 * low))


def _decibel_norm(rows: Sequence[tuple[Sample, int]], layer: str) -> Normalize:
    """Limits at multiples of 10 dB that hold nearly all reached pixels."""
    values = np.concatenate(
        [
            getattr(sample.radio, layer)[k][sample.radio.reached[k]]
            for sample, k in rows
            if sample.radio is not None
        ]
    )
    low, high = np.percentile(values, [2, 99.5]) if len(values) else (-100.0, 0.0)
    bottom, top = 10 * np.floor(low / 10), 10 * np.ceil(high / 10)
    return Normalize(bottom, max(top, bottom + 10))


def _hex(colour: NDArray[np.float64]) -> str:
    return "#" + "".join(f"{round(255 * float(channel)):02x}" for channel in colour)
