"""Curves of cost, drawn as small multiples on logarithmic axes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

_PAPER = "#f7f4ee"
_INK = "#3b3a3f"
_FAINT = "#a9a49a"
_COLOURS = {
    "total": "#7d3550",
    "counted rays": "#cf9d74",
    "closed form": "#6f8f9b",
    "finding paths": "#6f8f9b",
    "diffraction": "#8a9a5b",
    "fields and statistics": "#b98cb0",
    "remainder": "#cf9d74",
}

_LEAST_S = 1e-3


class Curve(NamedTuple):
    """Seconds against one thing.

    Attributes:
        name: of the thing.
        at: how much of it there was, ascending; if it starts at zero it is drawn on a linear
            axis.
        seconds: of each part of the work, ``total`` among them.
    """

    name: str
    at: list[float]
    seconds: dict[str, list[float]]

    @property
    def linear(self) -> bool:
        """Whether it starts at zero, so that no power of it can tell its growth."""
        return self.at[0] == 0

    def power(self) -> float:
        """The p of seconds ~ at^p, or ~ e^(p at) if linear; by least squares on logarithms."""
        return float(self._fit()[0])

    def law(self) -> str:
        """How it grows, in the words of mathematics."""
        if self.linear:
            return f"{np.exp(self.power()):.2f}^{self.name}"
        return f"{self.name}^{self.power():.2f}"

    def fitted(self) -> NDArray[np.float64]:
        """Seconds by that law at the first and last."""
        ends = np.array([self.at[0], self.at[-1]])
        fitted: NDArray[np.float64] = np.exp(
            np.polyval(self._fit(), ends if self.linear else np.log(ends))
        )
        return fitted

    def _fit(self) -> NDArray[np.float64]:
        at = np.array(self.at)
        slope, level = np.polyfit(
            at if self.linear else np.log(at), np.log(self.seconds["total"]), 1
        )
        return np.array([slope, level])


def draw_curves(curves: list[Curve], path: Path, title: str, base: str) -> None:
    """Draw them.

    Args:
        curves: six at most, of the same parts.
        path: PNG file.
        title: above all.
        base: what the seconds are of, and the setting that all but the thing itself have in
            common.
    """
    figure = Figure(figsize=(12.0, 7.8), dpi=130, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    figure.text(0.045, 0.945, title, fontsize=22, color=_INK, weight="bold")
    figure.text(0.045, 0.905, base, fontsize=11, color=_INK)
    axes = figure.subplots(2, 3, sharey=True).ravel()
    figure.subplots_adjust(left=0.07, right=0.975, top=0.81, bottom=0.08, hspace=0.42, wspace=0.12)
    for curve, place in zip(curves, axes, strict=False):
        _draw(place, curve)
    for place in axes[::3]:
        place.set_ylabel("seconds", color=_INK)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0.035, 0.893), ncols=len(labels),
        frameon=False, fontsize=11, labelcolor=_INK,
    )  # fmt: skip
    figure.savefig(path, facecolor=_PAPER)


def _draw(axes: Axes, curve: Curve) -> None:
    for part, seconds in curve.seconds.items():
        wide = 2.6 if part == "total" else 1.6
        # What takes no time has no place on a logarithmic axis.
        there = np.where(np.array(seconds) > _LEAST_S, seconds, np.nan)
        axes.plot(curve.at, there, color=_COLOURS[part], lw=wide, marker="o", ms=5, label=part)
    ends = [curve.at[0], curve.at[-1]]
    axes.plot(ends, curve.fitted(), color=_INK, lw=0.9, ls=(0, (4, 3)))
    axes.set(xscale="linear" if curve.linear else "log", yscale="log")
    axes.set_title(curve.name, loc="left", fontsize=13, color=_INK, weight="bold")
    power = f"{np.exp(curve.power()):.2f}$^n$" if curve.linear else f"n$^{{{curve.power():.2f}}}$"
    axes.set_title(f"total ~ {power}", loc="right", fontsize=11, color=_INK)
    _plain(axes, curve.at)


def _plain(axes: Axes, at: list[float]) -> None:
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=9, which="both")
    axes.set_xticks(at, [_short(value) for value in at])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.yaxis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="y", color=_FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)


def _short(value: float) -> str:
    """A number with at most three digits: 1.2 M, 307 k, 8."""
    for unit, name in ((1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:g}"
