"""Transmission through slabs, from steep to grazing."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome
from validation.plot import curve, dress, legend, new_figure, points
from validation.reflection import Bins, binned
from validation.scenes import (
    FAR,
    NOTHING,
    ORIGIN,
    Eye,
    place_name,
    rectangle,
    scene_of,
    trace,
    transmitters,
)
from vasgen.layers import PATH_GAIN_FLOOR_DB

Array = NDArray[np.float64]

_NORTH = np.array([0.0, 1.0, 0.0])
_CONCRETE = theory.Slab("concrete", 0.3)
_SOURCE = np.array([0.0, -3.0, 3.0])
_THROUGH = NOTHING.model_copy(update={"refraction": True})

_SLABS = (
    theory.Slab("glass", 0.006),
    theory.Slab("glass", 0.03),
    theory.Slab("brick", 0.2),
    theory.Slab("concrete", 0.1),
    theory.Slab("concrete", 0.3),
)


def _slabs(short: bool) -> Outcome:
    rays = 3_000_000 if short else 8_000_000
    checks: list[Check] = []
    shown = {}
    for shift in (FAR,) if short else (ORIGIN, FAR):
        for frequency in (3.5e9,) if short else (1e9, 3.5e9, 28e9):
            for slab in _SLABS[::2] if short else _SLABS:
                for pol, bins in _through(slab, frequency, shift, rays).items():
                    setting = (
                        f"{frequency / 1e9:g} GHz, {slab.material} "
                        f"{1000 * slab.thickness_m:g} mm, {pol}, {place_name(shift)}"
                    )
                    checks += bins.checks(setting)
                    shown[frequency, slab, pol] = bins
    return Outcome(checks, _figure(shown))


def _through(slab: theory.Slab, frequency: float, shift: Array, rays: int) -> dict[str, Bins]:
    """Power on the street behind a wall, in bins of the angle of incidence at the wall."""
    wall = rectangle("wall", [(-90, 0, -1), (90, 0, -1), (90, 0, 30), (-90, 0, 30)], slab)
    street = rectangle("street", [(-60, -1, 0), (60, -1, 0), (60, 40, 0), (-60, 40, 0)], _CONCRETE)
    scene = scene_of([wall, street], [slab, _CONCRETE], shift)
    spec = _THROUGH.model_copy(update={"frequency_hz": frequency, "rays": rays})
    eye = Eye((0, 6.5, 45), (0, 7.5, 0), 128, 24, 75.0).moved(shift)
    found = trace(scene, eye, spec, transmitters(_SOURCE + shift, "VH"))
    pixels = found.whole() & (found.normal[:, 2] > 0.5) & (found.centre[:, 1] > shift[1] + 0.3)
    ray = found.centre[pixels] - shift - _SOURCE
    angle = np.degrees(np.arccos(ray[:, 1] / np.linalg.norm(ray, axis=1)))

    def alone(place: Array) -> Array:
        return theory.friis(np.linalg.norm(place - shift - _SOURCE, axis=1), frequency)

    bins = {}
    for row, pol in enumerate("VH"):

        def passed(place: Array, pol: str = pol) -> Array:
            return theory.image_gain(
                _SOURCE,
                place - shift,
                frequency,
                normal=_NORTH,
                slab=slab,
                polarization=pol,
                through=True,
            )

        mean = found.mean_of(passed, pixels)
        # Labels end at -250 dB: thick concrete at 28 GHz passes less at grazing angles.
        held = mean > 10 * 10 ** (PATH_GAIN_FLOOR_DB / 10)
        bins[pol] = binned(
            angle[held],
            found.gain[row][pixels][held],
            mean[held],
            found.mean_of(alone, pixels)[held],
            4.0,
        )
    return bins


def _figure(shown: dict[tuple[float, theory.Slab, str], Bins]) -> Figure:
    figure, panels = new_figure("Power behind a wall over free space, 3.5 GHz", 2)
    slabs = list(dict.fromkeys(slab for _, slab, _ in shown))
    for axes, pol, name in zip(panels, "VH", ("vertical", "horizontal"), strict=True):
        for number, slab in enumerate(slabs):
            bins = shown[3.5e9, slab, pol]
            curve(axes, bins.middle, theory.decibels(bins.expected / bins.reference), number)
            dots = theory.decibels(bins.measured / bins.reference)
            label = f"{slab.material} {1000 * slab.thickness_m:g} mm"
            points(axes, bins.middle, dots, number, label)
        dress(
            axes,
            f"{name} polarisation; lines: P.2040",
            "angle of incidence (°)",
            "transmitted power (dB)",
        )
    legend(panels[0], loc="lower left")
    return figure


SLABS = Case(
    name="slabs",
    title="Slabs",
    what=(
        "Friis times |T|² of a plate (ITU-R P.2040-3 equations 43 and 44), the field split into "
        "TE and TM for each ray; with the plate's echoes, and without a shift of the ray."
    ),
    setting=(
        "A wall of glass, brick or concrete; the transmitter 3 m behind it and 3 m up; the street "
        "in front receives what passes the wall, at 20° to 85°."
    ),
    why=(
        "Counted rays, as for the mirrors. Thin glass at grazing angles and thick concrete at "
        "28 GHz differ by 80 dB; the tolerance is the same for both."
    ),
    caption="Lines: theory. Points: the map, in bins of the angle of incidence.",
    run=_slabs,
)
