"""Pictures of the page: closed forms as lines, what was measured as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

PAPER = "#f7f4ee"
INK = "#3b3a3f"
FAINT = "#a9a49a"
#: Told apart by colour-blind readers, and in print by their order.
COLOURS = ("#7d3550", "#2f6f8f", "#cf8a4e", "#5d8a54", "#8b6fb0")

_MARKERS = ("o", "s", "^", "D", "v")

Array = NDArray[np.float64]


def new_figure(title: str, columns: int, *, height: float = 4.3) -> tuple[Figure, list[Axes]]:
    """A figure of panels side by side.

    Args:
        title: what the panels have in common.
        columns: number of panels.
        height: inches.
    """
    figure = Figure(
        figsize=(10.4, height),
        dpi=105,
        facecolor=PAPER,
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
    )
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.012, ha="left", fontsize=13.5, color=INK, weight="bold")
    return figure, list(figure.subplots(1, columns, squeeze=False)[0])


def dress(axes: Axes, title: str, x: str, y: str) -> None:
    """Titles, units and a quiet frame.

    Args:
        axes: the panel.
        title: its setting.
        x: quantity and unit.
        y: quantity and unit.
    """
    axes.set_facecolor(PAPER)
    axes.set_title(title, loc="left", fontsize=10.5, color=INK)
    axes.set_xlabel(x, color=INK, fontsize=9.5)
    axes.set_ylabel(y, color=INK, fontsize=9.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=8.5)
    axes.grid(color=FAINT, lw=0.4, alpha=0.55)
    axes.set_axisbelow(True)


def curve(
    axes: Axes, x: Array | Sequence[float], y: Array | Sequence[float], number: int, label: str = ""
) -> None:
    """What theory says."""
    axes.plot(x, y, color=COLOURS[number % len(COLOURS)], lw=1.5, label=label or None, zorder=2)


def points(
    axes: Axes, x: Array | Sequence[float], y: Array | Sequence[float], number: int, label: str = ""
) -> None:
    """What was measured."""
    axes.plot(
        x,
        y,
        ls="none",
        marker=_MARKERS[number % len(_MARKERS)],
        ms=4.2,
        mfc=COLOURS[number % len(COLOURS)],
        mec=PAPER,
        mew=0.5,
        label=label or None,
        zorder=3,
    )


def mark(axes: Axes, x: float, text: str, *, low: float = 0.015) -> None:
    """A place on the x axis that has a name.

    Args:
        axes: the panel.
        x: the place.
        text: its name.
        low: where the name begins, as a share of the panel's height.
    """
    axes.axvline(x, color=FAINT, lw=1.0, ls=(0, (4, 3)), zorder=1)
    axes.text(
        x,
        low,
        f" {text}",
        transform=axes.get_xaxis_transform(),
        rotation=90,
        fontsize=7.5,
        color=FAINT,
        ha="right",
        va="bottom",
    )


def legend(axes: Axes, **where: Any) -> None:
    """Names of curves and points."""
    axes.legend(frameon=False, fontsize=8.2, title_fontsize=8.2, labelcolor=INK, **where)
