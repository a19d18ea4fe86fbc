"""The morphology of a city as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vasgen.artefact import atomic_file
from vasgen.citygen.city import City
from vasgen.citygen.morphology import BEARINGS, Morphology

_PAPER = "#f7f4ee"
_INK = "#3b3a3f"
_FAINT = "#a9a49a"
_BARS = "#cf9d74"
_LAW = "#7d3550"
_LAND = (
    ("built", "#b4634f"),
    ("street", "#8b8f96"),
    ("pavement", "#c9c4ba"),
    ("paved", "#e6d5b0"),
    ("green", "#a9c48c"),
)


def draw_morphology(city: City, path: Path | str, *, district: int | None = None) -> Path:
    """Draw heights, bearings of streets, land use and the table of figures.

    Args:
        city: the city.
        path: PNG file, replaced if it exists.
        district: number of a district; None: the whole city.

    Returns:
        The path.

    Raises:
        StorageError: if the disk refuses.
    """
    figures = city.morphology(district)
    figure = Figure(figsize=(12.0, 7.6), dpi=140, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    _title(figure, city, district, figures)
    _draw_heights(figure.add_axes((0.065, 0.40, 0.49, 0.42)), figures)
    _draw_rose(figure.add_axes((0.635, 0.385, 0.31, 0.42), projection="polar"), figures)
    _draw_land(figure.add_axes((0.065, 0.235, 0.88, 0.055)), figures)
    _draw_table(figure, figures)
    with atomic_file(Path(path)) as scratch:
        figure.savefig(scratch, format="png", facecolor=_PAPER)
    return Path(path)


def _title(figure: Figure, city: City, district: int | None, figures: Morphology) -> None:
    name = city.config.title if district is None else city.land.districts[district].density
    part = "" if district is None else f"   ·   district {district}"
    figure.text(0.04, 0.945, name, fontsize=24, color=_INK, weight="bold", va="center")
    facts = (
        f"seed {city.config.seed}{part}   ·   {figures.land_m2 / 1e6:.2f} km²   ·   "
        f"{figures.buildings} buildings"
    )
    figure.text(0.04, 0.9, facts, fontsize=11, color=_INK, va="center")


def _draw_heights(axes: Axes, figures: Morphology) -> None:
    """Buildings by height, and how many a Rayleigh law of the same scale would have."""
    limits = np.array(figures.height_bins_m)
    width = limits[1] - limits[0]
    axes.bar(limits[:-1], figures.height_counts, width=0.92 * width, align="edge", color=_BARS)
    scale = figures.height_scale_m
    if scale > 0:
        height = np.linspace(0.0, limits[-1], 300)
        law = height / scale**2 * np.exp(-((height / scale) ** 2) / 2)
        label = f"Rayleigh law, γ = {scale:.1f} m"
        axes.plot(height, law * figures.buildings * width, color=_LAW, lw=2.2, label=label)
        axes.legend(frameon=False, fontsize=10, labelcolor=_INK)
    _plain(axes)
    axes.set_xlim(0.0, limits[-1])
    axes.set_xlabel("height of building (m)", color=_INK)
    axes.set_ylabel(f"buildings per {width:g} m", color=_INK)
    axes.set_title("Heights", loc="left", fontsize=13, color=_INK, weight="bold")


def _draw_rose(axes: Axes, figures: Morphology) -> None:
    """Bearings of the streets; areas of the petals are their lengths."""
    angle = np.arange(BEARINGS) * 2 * np.pi / BEARINGS
    radius = np.sqrt(np.array(figures.bearing_shares))
    axes.bar(
        angle, radius, width=0.92 * 2 * np.pi / BEARINGS, color=_BARS, edgecolor=_PAPER, lw=0.5
    )
    axes.set_theta_zero_location("N")  # type: ignore[attr-defined]
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    axes.set_xticks(angle[::9], ["N", "E", "S", "W"], color=_INK, fontsize=11)
    axes.set_yticks([])
    axes.set_facecolor(_PAPER)
    axes.spines[:].set_color(_FAINT)
    axes.grid(color=_FAINT, lw=0.4)
    axes.set_axisbelow(True)
    axes.set_title("Streets", loc="left", fontsize=13, color=_INK, weight="bold", x=-0.16, y=1.06)
    facts = f"entropy {figures.orientation_entropy:.2f}\norder φ {figures.orientation_order:.2f}"
    axes.text(1.16, -0.06, facts, transform=axes.transAxes, fontsize=10, color=_INK, ha="right")


def _draw_land(axes: Axes, figures: Morphology) -> None:
    """What the land is used for, as one bar."""
    shares = {
        "built": figures.built_up_ratio,
        "street": figures.street_share,
        "pavement": figures.pavement_share,
        "green": figures.green_share,
    }
    shares["paved"] = max(0.0, 1.0 - sum(shares.values())) if figures.land_m2 > 0 else 0.0
    left = 0.0
    for name, colour in _LAND:
        share = shares[name]
        axes.barh(0.0, share, left=left, color=colour, edgecolor=_PAPER, lw=1.5)
        if share > 0.035:
            text = f"{name}\n{share:.0%}"
            text_colour = _PAPER if name in ("built", "street") else _INK
            axes.text(
                left + share / 2, 0.0, text, ha="center", va="center", fontsize=9, color=text_colour
            )
        left += share
    axes.set(xlim=(0.0, left or 1.0), yticks=[], xticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title("Land", loc="left", fontsize=13, color=_INK, weight="bold")


def _draw_table(figure: Figure, figures: Morphology) -> None:
    """Figures, with targets and deviations below them."""
    columns = [
        ("α  built up", f"{figures.built_up_ratio:.3f}"),
        ("β  buildings / km²", f"{figures.buildings_per_km2:.0f}"),
        ("γ  height scale", f"{figures.height_scale_m:.1f} ± {figures.height_scale_error_m:.1f} m"),
        ("KS distance", f"{figures.height_distance:.3f}"),
        ("highest", f"{figures.max_height_m:.0f} m"),
        ("floor area ratio", f"{figures.floor_area_ratio:.2f}"),
        ("street width, median", f"{figures.street_width_percentiles_m[1]:g} m"),
    ]
    wanted = [""] * len(columns)
    if figures.targets is not None and figures.deviations is not None:
        goal, off = figures.targets, figures.deviations
        aims = (f"{goal.alpha:g}", f"{goal.beta:g}", f"{goal.gamma:g} m")
        wanted[:3] = [
            f"target {aim}  ({round(by, 3) + 0.0:+.1%})" for aim, by in zip(aims, off, strict=True)
        ]
    for k, ((name, value), aim) in enumerate(zip(columns, wanted, strict=True)):
        x = (0.065, 0.185, 0.33, 0.495, 0.61, 0.705, 0.82)[k]
        figure.text(x, 0.165, name, fontsize=9.5, color=_INK, va="center")
        figure.text(x, 0.115, value, fontsize=14, color=_INK, weight="bold", va="center")
        figure.text(x, 0.07, aim, fontsize=8.5, color=_LAW, va="center")


def _plain(axes: Axes) -> None:
    axes.set_facecolor(_PAPER)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.grid(axis="y", color=_FAINT, lw=0.4, alpha=0.6)
    axes.set_axisbelow(True)
