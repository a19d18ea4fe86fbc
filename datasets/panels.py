"""Panels: how each layer is coloured on a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LogNorm, Normalize, to_rgb
from numpy.typing import NDArray

from vasgen.datasets.layer_pictures import (
    CLASS_TABLE,
    DEPTH_COLOURS,
    SKY_COLOUR,
    Pixels,
    depth_scale_of,
    mapped,
    paint_layer,
    with_colour,
)
from vasgen.datasets.store import Sample
from vasgen.semantics import SemanticClass

#: It does not occur in the colour maps below.
UNREACHED_COLOUR = "#8b919b"
LIT_COLOUR = "#ffc53d"
SHADOW_COLOUR = "#32406b"


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
        step = 10 if high - low <= 40 else 20 if high - low <= 100 else 50
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
        Panel(
            "Depth", "depth", "m", DEPTH_COLOURS, depth_scale_of([s.image.depth for s in samples])
        ),
        Panel("Normal", "normal", note="red east · green north · blue up"),
    ]
    if any(sample.radio is None for sample in samples):
        shown = sorted({int(c) for sample in samples for c in np.unique(sample.image.semantic)})
        names = tuple((SemanticClass(c).name.lower(), _hex(CLASS_TABLE[c])) for c in shown if c)
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
    if not panel.radio:
        return paint_layer(sample.image, panel.layer, panel.norm)
    valid = sample.image.valid
    if sample.radio is None:
        raise ValueError(f"view {sample.name} has no layer {panel.layer}")
    values = getattr(sample.radio, panel.layer)[transmitter]
    reached = sample.radio.reached[transmitter]
    if panel.layer == "line_of_sight":
        lit = np.where(values[..., None], to_rgb(LIT_COLOUR), to_rgb(SHADOW_COLOUR))
        return with_colour(lit, ~valid, SKY_COLOUR)
    colours = with_colour(_mapped(panel, values), valid & ~reached, UNREACHED_COLOUR)
    return with_colour(colours, ~valid, SKY_COLOUR)


def _mapped(panel: Panel, values: NDArray[Any]) -> Pixels:
    if panel.colours is None or panel.norm is None:
        raise ValueError(f"panel {panel.title} has no colour map")
    return mapped(values, panel.colours, panel.norm)


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
