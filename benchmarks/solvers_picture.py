"""Two solvers' maps beside each other, with what the camera sees and a converged map."""

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
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_PAPER, _INK, _QUIET, _FAINT = "#f7f4ee", "#3b3a3f", "#77736c", "#a9a49a"
_SKY, _SILENT = "#dfe5ea", "#17131f"
_OURS, _THEIRS = "#7d3550", "#5c8494"
_LEVELS, _ERRORS = colormaps["turbo"], colormaps["magma_r"]

#: Differences of this and more have the last colour, dB.
_FAR_DB = 15.0

#: Sizes, inches.
_WIDTH, _MARGIN, _GAP, _HEAD, _TITLE, _FOOT = 16.0, 0.45, 0.22, 1.05, 0.58, 0.85


class Panel(NamedTuple):
    """One map, and how wrong it is.

    Attributes:
        title: above it.
        told: below that, e.g. how long it took.
        level_db: (H, W) path gain, dB.
        error_title: above the errors.
        error_told: below that.
        error_db: (H, W) absolute error, dB; may be infinite.
    """

    title: str
    told: str
    level_db: Array
    error_title: str
    error_told: str
    error_db: Array


class Course(NamedTuple):
    """Error against time.

    Attributes:
        name: of the solver.
        seconds: (N,) ascending.
        error_db: (N,) RMSE.
        law: whether it goes on as 1 / sqrt(time).
    """

    name: str
    seconds: Sequence[float]
    error_db: Sequence[float]
    law: bool


class Scene(NamedTuple):
    """What all maps share.

    Attributes:
        picture: (H, W, 3) uint8, what the camera sees.
        sky: (H, W), where there is nothing.
        silent_db: level that counts as nothing, dB.
        limit_db: error that is asked for, dB.
    """

    picture: NDArray[np.uint8]
    sky: Mask
    silent_db: float
    limit_db: float


def draw_solvers(
    scene: Scene, panels: Sequence[Panel], courses: Sequence[Course], path: Path, told: str
) -> None:
    """Draw them.

    Args:
        scene: what they share.
        panels: three maps.
        courses: of both solvers.
        path: PNG file.
        told: the case, below the title.
    """
    page = _Page(scene.picture.shape[0] / scene.picture.shape[1])
    figure = Figure(figsize=page.size, dpi=130, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    page.text(figure, 0.42, "Two solvers, equal time", 22, weight="bold")
    page.text(figure, 0.78, told, 11.5, colour=_QUIET)
    heard = np.concatenate([one.level_db[one.level_db > scene.silent_db] for one in panels[::2]])
    low, high = 10 * np.round(np.percentile(heard, [4, 99.8]) / 10)
    levels, errors = Normalize(low, high), Normalize(0, _FAR_DB)
    axes = page.panel(figure, 0, 0, "What the camera sees", "the transmitter lights a third")
    axes.imshow(scene.picture, interpolation="antialiased")
    for column, panel in enumerate(panels, 1):
        axes = page.panel(figure, column, 0, panel.title, panel.told)
        axes.imshow(_levels(panel.level_db, scene, levels), interpolation="nearest")
        axes = page.panel(figure, column, 1, panel.error_title, panel.error_told)
        axes.imshow(_errors(panel.error_db, scene, errors), interpolation="nearest")
    _draw_courses(page.chart(figure), courses, scene.limit_db)
    page.bar(figure, 1, _LEVELS, levels, "path gain, dB")
    page.bar(figure, 2, _ERRORS, errors, "error, dB")
    page.key(figure, 3, [("below the noise", _SILENT), ("sky", _SKY)])
    figure.savefig(path, facecolor=_PAPER)


class _Page:
    """Where things are, in inches from the left and top: four columns, two rows.

    Args:
        aspect: height of a panel over its width.
    """

    def __init__(self, aspect: float) -> None:
        self._wide = (_WIDTH - 2 * _MARGIN - 3 * _GAP) / 4
        self._high = self._wide * aspect
        self.size = _WIDTH, _HEAD + 2 * (_TITLE + self._high) + _FOOT

    def text(
        self, figure: Figure, down: float, words: str, size: float, *, left: float = _MARGIN,
        weight: str = "normal", colour: str = _INK,
    ) -> None:  # fmt: skip
        across, high = self.size
        figure.text(
            left / across, 1 - down / high, words, fontsize=size, color=colour, weight=weight,
            va="baseline",
        )  # fmt: skip

    def panel(self, figure: Figure, column: int, row: int, title: str, told: str) -> Axes:
        """A picture with its two lines above."""
        left, top = self._corner(column, row)
        self.text(figure, top - 0.25, title, 12.5, left=left, weight="bold")
        self.text(figure, top - 0.07, told, 10, left=left, colour=_QUIET)
        axes = figure.add_axes(self._box(left, top, self._wide, self._high))
        axes.set_axis_off()
        return axes

    def chart(self, figure: Figure) -> Axes:
        """Room for curves, below what the camera sees."""
        left, top = self._corner(0, 1)
        self.text(figure, top - 0.25, "RMSE in all shadow against time", 12.5, weight="bold")
        inset = 0.5
        return figure.add_axes(
            self._box(left + inset, top + 0.02, self._wide - inset - 0.1, self._high - 0.35)
        )

    def bar(
        self, figure: Figure, column: int, colours: Colormap, norm: Normalize, name: str
    ) -> None:
        """A colour scale below a column."""
        left, top = self._corner(column, 2)
        place = figure.add_axes(self._box(left, top - _TITLE + 0.2, self._wide, 0.13))
        mapped = ScalarMappable(norm, colours)
        ends = "max" if norm.vmin == 0 else "neither"
        bar = figure.colorbar(mapped, cax=place, orientation="horizontal", extend=ends)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=9, colors=_INK, length=2)
        bar.set_label(name, fontsize=10, color=_INK, labelpad=2)

    def key(self, figure: Figure, column: int, entries: Sequence[tuple[str, str]]) -> None:
        """Plain colours and their meanings below a column."""
        left, top = self._corner(column, 2)
        for number, (name, colour) in enumerate(entries):
            here = left + number * self._wide / len(entries)
            place = figure.add_axes(self._box(here, top - _TITLE + 0.18, 0.17, 0.17))
            place.set(xticks=[], yticks=[], facecolor=colour)
            place.spines[:].set_visible(False)
            self.text(figure, top - _TITLE + 0.31, name, 10, left=here + 0.24)

    def _corner(self, column: int, row: int) -> tuple[float, float]:
        left = _MARGIN + column * (self._wide + _GAP)
        return left, _HEAD + row * (_TITLE + self._high) + _TITLE

    def _box(
        self, left: float, top: float, wide: float, high: float
    ) -> tuple[float, float, float, float]:
        across, down = self.size
        return left / across, 1 - (top + high) / down, wide / across, high / down


def _levels(level_db: Array, scene: Scene, norm: Normalize) -> Array:
    colours = _LEVELS(np.clip(norm(level_db), 0, 1))[..., :3]
    colours = np.where((level_db <= scene.silent_db)[..., None], to_rgb(_SILENT), colours)
    return np.where(scene.sky[..., None], to_rgb(_SKY), colours)


def _errors(error_db: Array, scene: Scene, norm: Normalize) -> Array:
    colours = _ERRORS(np.clip(norm(np.minimum(error_db, _FAR_DB)), 0, 1))[..., :3]
    return np.where(scene.sky[..., None], to_rgb(_SKY), colours)


def _draw_courses(axes: Axes, courses: Sequence[Course], limit_db: float) -> None:
    for course, colour in zip(courses, (_OURS, _THEIRS), strict=True):
        seconds, errors = np.array(course.seconds), np.array(course.error_db)
        axes.plot(seconds, errors, color=colour, lw=2.2, marker="o", ms=6, label=course.name)
        if course.law:
            # From the last measured on, as 1 / sqrt(time) down to what is asked for.
            far = seconds[-1] * (errors[-1] / limit_db) ** 2
            axes.plot([seconds[-1], far], [errors[-1], limit_db], color=colour, lw=1.4, ls=":")
            axes.annotate(
                f"{far:,.0f} s".replace(",", " "), (far, limit_db), (-16, 3),
                textcoords="offset points", color=colour, fontsize=10, ha="right",
            )  # fmt: skip
    axes.axhline(limit_db, color=_FAINT, lw=1, ls=(0, (4, 3)))
    axes.set(xscale="log", yscale="log", facecolor=_PAPER)
    axes.set_xlabel("seconds", color=_INK, fontsize=10, labelpad=1)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=9, which="both")
    low, high = axes.get_ylim()
    ticks = [tick for tick in (0.5, 1, 1.5, 2, 5, 10, 20, 40) if low <= tick <= high]
    axes.set_yticks(ticks, [f"{tick:g} dB" for tick in ticks])
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(color=_FAINT, lw=0.4, alpha=0.5)
    axes.legend(loc="upper right", frameon=False, fontsize=10, labelcolor=_INK)
