"""Reflections: two-ray ground, mirrors at all angles, and a street canyon."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome, deviation_db
from validation.plot import curve, dress, legend, mark, new_figure, points
from validation.scenes import (
    FAR,
    NOTHING,
    ORIGIN,
    Eye,
    Map,
    place_name,
    rectangle,
    scene_of,
    trace,
    transmitters,
)

Array = NDArray[np.float64]

_UP = np.array([0.0, 0.0, 1.0])
_EAST = np.array([1.0, 0.0, 0.0])
_MIRROR = NOTHING.model_copy(update={"specular_reflection": True})
_METAL = theory.Slab("metal", 0.1)
_CONCRETE = theory.Slab("concrete", 0.3)

#: Standard deviation that the counted rays leave on a bin of pixels is far below this, dB.
_BIN_DB = 0.1
#: Around Brewster's angle the power changes by this as a ray moves by a centimetre, dB.
_NULL_DB = 0.2
_SUM_DB = 0.03


class Bins(NamedTuple):
    """Power in bins of a coordinate.

    Attributes:
        middle: (B,) mean coordinate.
        measured: (B,) sum over the pixels of a bin.
        expected: the same of the closed form.
        reference: the same of free space from the image.
    """

    middle: Array
    measured: Array
    expected: Array
    reference: Array

    def checks(self, setting: str, *, worst_db: float = _BIN_DB) -> list[Check]:
        """Sum and worst bin, which may be off by ``worst_db``."""
        total = theory.decibels(self.measured.sum() / self.expected.sum())
        worst = np.abs(deviation_db(self.measured, self.expected)).max()
        return [
            Check(setting, "sum", len(self.middle), float(total), _SUM_DB),
            Check(setting, "worst bin", len(self.middle), float(worst), worst_db),
        ]


def binned(
    coordinate: Array, measured: Array, expected: Array, reference: Array, width: float
) -> Bins:
    """Pixels in bins of equal width; those with few pixels are left out."""
    number = np.floor(coordinate / width).astype(np.int64)
    parts = [np.flatnonzero(number == k) for k in np.unique(number)]
    parts = [part for part in parts if len(part) >= 8]
    return Bins(
        *(
            np.array([fold(values[part]) for part in parts])
            for values, fold in (
                (coordinate, np.mean),
                (measured, np.sum),
                (expected, np.sum),
                (reference, np.sum),
            )
        )
    )


# Two-ray ground --------------------------------------------------------------------------


def _two_ray(short: bool) -> Outcome:
    rays = 3_000_000 if short else 8_000_000
    grounds = {1e9: "very_dry_ground", 3.5e9: "very_dry_ground", 28e9: "concrete"}
    if not short:
        grounds[60e9] = "concrete"
    heights = (1.6,) if short else (1.6, 10.0)
    checks, shown = [], {}
    for shift in (FAR,) if short else (ORIGIN, FAR):
        for frequency, ground in grounds.items():
            for height in heights:
                slab = theory.Slab(ground, 1.0 if "ground" in ground else 0.3)
                found = _wall_over_ground(slab, frequency, height, shift, rays)
                for number, pol in enumerate("VH"):
                    bins = _ground_bins(found, number, slab, frequency, height, shift, pol)
                    setting = (
                        f"{frequency / 1e9:g} GHz, {ground.replace('_', ' ')}, transmitter at "
                        f"{height:g} m, {pol}, {place_name(shift)}"
                    )
                    checks += bins.checks(setting)
                    shown[frequency, height, pol] = bins
    return Outcome(checks, _two_ray_figure(shown))


def _wall_over_ground(
    slab: theory.Slab, frequency: float, height: float, shift: Array, rays: int
) -> Map:
    wall = [(8, 30, 0), (-8, 30, 0), (-8, 30, 40), (8, 30, 40)]
    floor = [(-150, -150, 0), (150, -150, 0), (150, 30, 0), (-150, 30, 0)]
    scene = scene_of(
        [rectangle("wall", wall, _CONCRETE), rectangle("floor", floor, slab)],
        [_CONCRETE, slab],
        shift,
    )
    spec = _MIRROR.model_copy(
        update={"line_of_sight": True, "frequency_hz": frequency, "rays": rays}
    )
    eye = Eye((0, -35, 20), (0, 30, 20), 30, 72, 14.0).moved(shift)
    return trace(scene, eye, spec, transmitters(np.array([0, 0, height]) + shift, "VH"))


def _ground_bins(
    found: Map,
    row: int,
    slab: theory.Slab,
    frequency: float,
    height: float,
    shift: Array,
    pol: str,
) -> Bins:
    source = np.array([0, 0, height])
    image = source * [1, 1, -1]
    pixels = found.whole() & (found.normal[:, 1] < -0.5)

    def both(place: Array) -> Array:
        here = place - shift
        mirrored = theory.image_gain(
            image, here, frequency, normal=_UP, slab=slab, polarization=pol
        )
        direct: Array = theory.friis(np.linalg.norm(here - source, axis=1), frequency)
        return direct + mirrored

    def alone(place: Array) -> Array:
        return theory.friis(np.linalg.norm(place - shift - source, axis=1), frequency)

    tall = found.centre[pixels, 2] - shift[2]
    return binned(
        tall,
        found.gain[row][pixels],
        found.mean_of(both, pixels),
        found.mean_of(alone, pixels),
        2.0,
    )


def _two_ray_figure(shown: dict[tuple[float, float, str], Bins]) -> Figure:
    heights = sorted({height for _, height, _ in shown})
    figure, panels = new_figure(
        "Ground reflection: gain over the direct path alone, up a wall 30 m away", len(heights)
    )
    for axes, height in zip(panels, heights, strict=True):
        number = 0
        for (frequency, at, pol), bins in shown.items():
            if at != height or frequency in (1e9, 60e9):
                continue
            over = theory.decibels(bins.expected / bins.reference)
            curve(axes, bins.middle, over, number)
            dots = theory.decibels(bins.measured / bins.reference)
            points(axes, bins.middle, dots, number, f"{frequency / 1e9:g} GHz, {pol}")
            number += 1
        dress(
            axes,
            f"transmitter at {height:g} m; lines: direct + Fresnel",
            "height on the wall (m)",
            "gain over direct (dB)",
        )
        legend(axes, ncol=2)
    return figure


# Mirror ----------------------------------------------------------------------------------


def _mirror(short: bool) -> Outcome:
    rays = 8_000_000 if short else 12_000_000
    slabs = [_METAL, _CONCRETE, theory.Slab("glass", 0.006)]
    if not short:
        slabs += [theory.Slab("glass", 0.03), theory.Slab("brick", 0.2)]
    checks, shown = [], {}
    for shift in (ORIGIN,) if short else (ORIGIN, FAR):
        for frequency in (3.5e9,) if short or shift.any() else (1e9, 3.5e9, 28e9):
            for slab in slabs:
                bins = _mirror_bins(slab, frequency, shift, rays)
                for pol, found in bins.items():
                    setting = (
                        f"{frequency / 1e9:g} GHz, {_name(slab)}, "
                        f"{'TM' if pol == 'V' else 'TE'}, {place_name(shift)}"
                    )
                    null = pol == "V" and slab.material != "metal"
                    checks += found.checks(setting, worst_db=_NULL_DB if null else _BIN_DB)
                    shown[frequency, slab, pol] = found
    return Outcome(checks, _mirror_figure(shown))


def _name(slab: theory.Slab) -> str:
    return f"{slab.material} {1000 * slab.thickness_m:g} mm"


def _mirror_bins(slab: theory.Slab, frequency: float, shift: Array, rays: int) -> dict[str, Bins]:
    wall = [(9, 10, 0), (-9, 10, 0), (-9, 10, 70), (9, 10, 70)]
    floor = [(-90, -90, 0), (90, -90, 0), (90, 10, 0), (-90, 10, 0)]
    scene = scene_of(
        [rectangle("wall", wall, _CONCRETE), rectangle("floor", floor, slab)],
        [_CONCRETE, slab],
        shift,
    )
    spec = _MIRROR.model_copy(update={"frequency_hz": frequency, "rays": rays})
    eye = Eye((0, -60, 35), (0, 10, 35), 30, 160, 10.8).moved(shift)
    source = np.array([0.0, 0.0, 1.6])
    found = trace(scene, eye, spec, transmitters(source + shift, "VH"))
    pixels = found.whole() & (found.normal[:, 1] < -0.5)
    image = source * [1, 1, -1]

    def alone(place: Array) -> Array:
        return theory.friis(np.linalg.norm(place - shift - image, axis=1), frequency)

    ray = found.centre[pixels] - shift - image
    angle = np.degrees(np.arccos(ray[:, 2] / np.linalg.norm(ray, axis=1)))
    bins = {}
    for row, pol in enumerate("VH"):

        def mirrored(place: Array, pol: str = pol) -> Array:
            return theory.image_gain(
                image, place - shift, frequency, normal=_UP, slab=slab, polarization=pol
            )

        bins[pol] = binned(
            angle,
            found.gain[row][pixels],
            found.mean_of(mirrored, pixels),
            found.mean_of(alone, pixels),
            3.0,
        )
    return bins


def _mirror_figure(shown: dict[tuple[float, theory.Slab, str], Bins]) -> Figure:
    figure, panels = new_figure("Reflection at a plate, 3.5 GHz", 2)
    angle = np.linspace(5, 86, 300)
    slabs = list(dict.fromkeys(slab for _, slab, _ in shown))[:4]
    for axes, pol, name in zip(panels, "VH", ("TM", "TE"), strict=True):
        for number, slab in enumerate(slabs):
            found = theory.plate(np.cos(np.radians(angle)), slab, 3.5e9)
            level = np.abs(found.r_tm if pol == "V" else found.r_te) ** 2
            curve(axes, angle, theory.decibels(level), number)
            bins = shown[3.5e9, slab, pol]
            dots = theory.decibels(bins.measured / bins.reference)
            points(axes, bins.middle, dots, number, _name(slab))
        dress(axes, f"{name}; lines: P.2040", "angle of incidence (°)", "reflected power (dB)")
        axes.set_ylim(-42, 2)
        axes.set_xlim(5, 86)
    brewster = np.degrees(np.arctan(np.sqrt(_CONCRETE.permittivity(3.5e9).real)))
    mark(panels[0], float(brewster), "Brewster, concrete")
    legend(panels[1], loc="lower right")
    return figure


# Street canyon ---------------------------------------------------------------------------

_HALF_WIDTH = 9.0
_STREET_SOURCE = np.array([3.0, 0.0, 8.0])


def _canyon(short: bool) -> Outcome:
    rays = 3_000_000 if short else 8_000_000
    orders = (0, 1, 6) if short else (0, 1, 3, 12)
    checks, shown = [], {}
    for shift in (FAR,) if short else (ORIGIN, FAR):
        for slab, frequency in ((_METAL, 3.5e9), (_CONCRETE, 3.5e9), (_CONCRETE, 28e9)):
            if short and frequency > 4e9:
                continue
            for order in orders:
                for pol, bins in _canyon_bins(slab, frequency, order, shift, rays).items():
                    setting = (
                        f"{frequency / 1e9:g} GHz, {_name(slab)}, {pol}, up to {order} "
                        f"reflections, {place_name(shift)}"
                    )
                    checks += bins.checks(setting)
                    shown[slab, frequency, order, pol] = bins
    return Outcome(checks, _canyon_figure(shown))


def _canyon_bins(
    slab: theory.Slab, frequency: float, order: int, shift: Array, rays: int
) -> dict[str, Bins]:
    w = _HALF_WIDTH
    walls = [
        rectangle(f"wall-{x:g}", [(x, -200, 0), (x, 200, 0), (x, 200, 60), (x, -200, 60)], slab)
        for x in (-w, w)
    ]
    floor = rectangle("floor", [(-w, -200, 0), (w, -200, 0), (w, 200, 0), (-w, 200, 0)], _CONCRETE)
    scene = scene_of([*walls, floor], [slab, _CONCRETE], shift)
    spec = _MIRROR.model_copy(
        update={
            "line_of_sight": True,
            "frequency_hz": frequency,
            "max_depth": order,
            "rays": rays,
        }
    )
    eye = Eye((0, 5, 55), (0, 32, 0), 36, 64, 16.0).moved(shift)
    found = trace(scene, eye, spec, transmitters(_STREET_SOURCE + shift, "VH"))
    pixels = found.whole() & (found.normal[:, 2] > 0.5)
    along = found.centre[pixels, 1] - shift[1]
    bins = {}
    for row, pol in enumerate("VH"):
        images = _canyon_images(slab, frequency, order, pol, shift)
        reference = found.mean_of(_canyon_images(slab, frequency, 0, pol, shift), pixels)
        mean = found.mean_of(images, pixels, 2)
        bins[pol] = binned(along, found.gain[row][pixels], mean, reference, 2.0)
    return bins


def _canyon_images(
    slab: theory.Slab, frequency: float, order: int, pol: str, shift: Array
) -> Callable[[Array], Array]:
    """Sum of the image sources of two parallel walls, up to an order."""

    def total(place: Array) -> Array:
        gain = np.zeros(len(place))
        for number in range(-order, order + 1):
            mirrored = _STREET_SOURCE[0] * (-1) ** number
            image = np.array([2 * _HALF_WIDTH * number + mirrored, *_STREET_SOURCE[1:]])
            gain += theory.image_gain(
                image,
                place - shift,
                frequency,
                normal=_EAST,
                slab=slab,
                polarization=pol,
                bounces=abs(number),
            )
        return gain

    return total


def _canyon_figure(shown: dict[tuple[theory.Slab, float, int, str], Bins]) -> Figure:
    figure, panels = new_figure("A street between two walls, 3.5 GHz, vertical polarisation", 2)
    for axes, slab in zip(panels, (_METAL, _CONCRETE), strict=True):
        number = 0
        for (walls, frequency, order, pol), bins in shown.items():
            if walls != slab or frequency != 3.5e9 or pol != "V":
                continue
            over = theory.decibels(bins.expected / bins.reference)
            curve(axes, bins.middle, over, number)
            dots = theory.decibels(bins.measured / bins.reference)
            points(axes, bins.middle, dots, number, f"up to {order}")
            number += 1
        dress(
            axes,
            f"{slab.material}; lines: sum of image sources",
            "distance along the street (m)",
            "gain over direct (dB)",
        )
        axes.set_ylim(-0.5, None)
        legend(axes, title="reflections", ncol=2, loc="upper left")
    return figure


TWO_RAY = Case(
    name="two-ray",
    title="Two rays over ground",
    what=(
        "Direct path plus ground reflection, added as powers: (λ / 4π)² (1/d² + |R|²/d'²), d' "
        "from the mirrored transmitter; R of a plate of the ground's thickness (ITU-R P.2040-3 "
        "equations 43 and 44), TM for the vertical, TE for the horizontal transmitter."
    ),
    setting="A wall 40 m tall, 30 m from the transmitter; flat ground before it.",
    why=(
        "Counted rays: a bin of the wall gets thousands, on an even lattice, so their spread is a "
        "few hundredths of a dB; 0.1 dB for a bin and 0.03 dB for the sum. Taking TE for TM would "
        "miss by up to 10 dB, a half space for the plate by 1 dB."
    ),
    caption="Lines: closed form. Points: pixels of the wall in bins of height.",
    run=_two_ray,
)

MIRROR = Case(
    name="mirror",
    title="Mirrors of metal, concrete, glass and brick",
    what=(
        "Friis from the image source times |R|² of a plate in air (ITU-R P.2040-3, the Airy sum "
        "of Born and Wolf 1.6), TE and TM, from 10° to 80° and through Brewster's angle."
    ),
    setting=(
        "A horizontal plate, a transmitter 1.6 m above it, a wall 70 m tall at 10 m that receives "
        "the reflection alone."
    ),
    why=(
        "As for two rays; nothing but the reflection is counted, so there is nothing to hide "
        "behind. Around Brewster's angle TM has 0.2 dB a bin: reflected rays start up to a "
        "centimetre off the plate (the step that keeps float32 rays from hitting what they leave), "
        "which is 0.03° here, and the null is so deep that this is 0.1 dB."
    ),
    caption="Lines: theory. Points: measured reflected power over Friis from the image.",
    run=_mirror,
)

CANYON = Case(
    name="canyon",
    title="Street canyon",
    what=(
        "Two parallel walls: path gain is the sum over image sources at 2wn ± x of Friis times "
        "|R|^(2n), TE and TM parts apart, for n up to the number of reflections traced."
    ),
    setting=(
        "Walls 18 m apart, 60 m tall and 400 m long; the transmitter 8 m above the street, off "
        "its middle; the street receives."
    ),
    why="Counted rays, as above. An order too many or too few would show at once.",
    caption="Lines: sums of image sources. Points: the map, in bins along the street.",
    run=_canyon,
)
