"""The page of a map: a square of land, what is written around it, north and a scale."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vasgen.orchestrate.scene_plan import INK, PAPER


class Page(NamedTuple):
    """A figure that is laid out in inches from its lower left corner.

    Attributes:
        figure: the figure.
        width: of the page, inches.
        height: of the page, inches.
    """

    figure: Figure
    width: float
    height: float

    def box(self, left: float, bottom: float, width: float, height: float) -> Axes:
        """Empty axes; all arguments in inches."""
        page = np.array([self.width, self.height, self.width, self.height])
        axes = self.figure.add_axes(tuple(np.array([left, bottom, width, height]) / page))
        axes.set(xticks=[], yticks=[])
        return axes

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Text, centred vertically."""
        style = {"color": INK, "va": "center", "fontsize": 10.5, **style}
        self.figure.text(x / self.width, y / self.height, text, **style)

    def draw_north(self) -> None:
        """An arrow in the upper right corner."""
        x = (self.width - 0.68) / self.width
        self.figure.axes[0].annotate(
            "",
            xy=(x, 1 - 0.22 / self.height),
            xytext=(x, 1 - 0.74 / self.height),
            xycoords="figure fraction",
            arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.6},
        )
        self.write(self.width - 0.56, self.height - 0.48, "N", fontsize=12, weight="bold")

    def draw_scale(
        self, x: float, bottom: float, inches_per_m: float, longest: float, *, from_left: bool
    ) -> None:
        """A scale bar: 1, 2 or 5 times a power of ten.

        Args:
            x: where it begins, or ends, inches.
            bottom: its lower edge, inches.
            inches_per_m: scale of the map.
            longest: it gets, inches.
            from_left: whether it begins at ``x``.
        """
        power = 10.0 ** np.floor(np.log10(longest / inches_per_m))
        length = max(n * power for n in (1, 2, 5) if n * power * inches_per_m <= longest)
        width = length * inches_per_m
        left = x if from_left else x - width
        axes = self.box(left, bottom, width, 0.1)
        axes.set(xlim=(0, 4), ylim=(0, 1))
        for quarter, colour in enumerate((INK, PAPER, INK, PAPER)):
            axes.axvspan(quarter, quarter + 1, color=colour, lw=0)
        axes.spines[:].set_color(INK)
        self.write(left, bottom - 0.16, "0")
        side = "center" if from_left else "right"
        self.write(left + width, bottom - 0.16, f"{length:g} m", ha=side)
