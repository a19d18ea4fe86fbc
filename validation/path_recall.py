"""What the search for paths finds, against a search of ten times its rays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from validation import theory
from validation.case import Case, Check, Outcome
from validation.path_cities import MIRRORS, Place, place_in
from validation.path_reference import solve
from validation.plot import COLOURS, curve, dress, legend, mark, new_figure, points
from vasgen.spec import RadioSpec
from vasgen.vas.paths.path_field import material_table, path_gains
from vasgen.vas.paths.paths import Paths
from vasgen.vas.scene.radio_scene import RadioScene

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Labels as they are made by default, but for what does not depend on the search.
_SEARCHED = RadioSpec(diffraction=False, rays=1000)

#: Share of a point's power that makes a path a strong one.
_STRONG = 0.01

#: Levels of path gain between which the search is judged, dB.
_LEVELS_DB = (-80.0, -100.0, -120.0, -140.0)


class _Recall(NamedTuple):
    """What one search finds of what another does.

    Attributes:
        strong: (S,) whether each path with a hundredth of its point's power or more is found.
        level_db: (K,) path gain of each pixel.
        share: (K,) share of that power that is found.
    """

    strong: Mask
    level_db: Array
    share: Array

    def missed(self, high_db: float) -> tuple[int, float]:
        """Number of the pixels in the 20 dB below a level, and their mean share missed, %."""
        inside = (self.level_db <= high_db) & (self.level_db > high_db - 20)
        share = self.share[inside]
        return len(share), 100 * float(1 - share.mean()) if len(share) else 0.0

    def checks(self, setting: str) -> list[Check]:
        """What is missed, of paths and of power."""
        lost = 100 * float(1 - self.strong.mean())
        checks = [Check(setting, "strong paths missed", len(self.strong), lost, 30.0, "%")]
        for level, limit in zip(_LEVELS_DB[:2], (6.0, 25.0), strict=True):
            count, share = self.missed(level)
            name = f"power missed, {level - 20:g} to {level:g} dB"
            checks.append(Check(setting, name, count, share, limit, "%"))
        return checks


def _recalls(short: bool) -> Outcome:
    names = ("mix",) if short else ("downtown", "mix", "margin", "munich")
    most = 2_000_000 if short else 10 * _SEARCHED.search_rays
    checks: list[Check] = []
    shown: dict[str, dict[int, _Recall]] = {}
    for name in names:
        place = place_in(name, far=False)
        for spec, through in ((MIRRORS, "mirrors"), (_SEARCHED, "mirrors and slabs")):
            setting = f"{name}, {through}"
            radio = RadioScene(place.scene, spec, np.zeros(3))
            radio.set_transmitter(place.transmitter)
            truth = _searched(place, spec, most, seed=1)
            gain = path_gains(radio, material_table(place.scene.radio_materials, spec), truth)
            for rays in (most // 10,) if short else (most // 100, most // 30, most // 10):
                recall = _recall(_searched(place, spec, rays, seed=2), truth, gain)
                shown.setdefault(setting, {})[rays] = recall
            checks += shown[setting][most // 10].checks(f"{setting}, {most / 1e7:g} M rays")
    return Outcome(checks, _recall_figure(shown))


def _searched(place: Place, spec: RadioSpec, rays: int, seed: int) -> Paths:
    spec = spec.model_copy(update={"search_rays": rays})
    return solve(place.scene, spec, place.surface, [place.transmitter], seed=seed).paths[0]


def _recall(found: Paths, truth: Paths, gain: Array) -> _Recall:
    """What one search finds of another, at the points that both have asked.

    Args:
        found: paths of the one.
        truth: paths of the other.
        gain: (N,) path gains of ``truth``.
    """
    common, keys = _common_keys(found, truth)
    there = np.isin(keys[1], keys[0])[common[1]]
    gain, rows = gain[common[1]], truth.point[common[1]]
    own = gain / np.bincount(rows, gain, len(truth.points))[rows]
    pixel, count = truth.points.pixel[rows], int(truth.points.pixel.max()) + 1
    gain = gain * truth.points.weight[rows]
    total = np.bincount(pixel, gain, count)
    reached = total > 0
    share = np.bincount(pixel[there], gain[there], count)[reached] / total[reached]
    return _Recall(there[own > _STRONG], theory.decibels(total[reached]), share)


def _common_keys(one: Paths, other: Paths) -> tuple[tuple[Mask, Mask], tuple[Index, Index]]:
    """Which paths end in a point of both, and a number of each: alike where the paths are."""
    places = np.concatenate([one.points.target.point, other.points.target.point])
    place = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)
    places_of = place[: len(one.points)], place[len(one.points) :]
    width = max(one.chains.event.shape[1], other.chains.event.shape[1])
    rows = np.concatenate([_meetings(paths, width) for paths in (one, other)])
    names, chain = np.unique(rows, axis=0, return_inverse=True)
    chains_of = chain.reshape(-1)[: len(one.chains)], chain.reshape(-1)[len(one.chains) :]
    shared = np.intersect1d(*places_of)
    ends = [where[paths.point] for where, paths in zip(places_of, (one, other), strict=True)]
    keys = [
        end * len(names) + number[paths.chain]
        for end, number, paths in zip(ends, chains_of, (one, other), strict=True)
    ]
    return (np.isin(ends[0], shared), np.isin(ends[1], shared)), (keys[0], keys[1])


def _meetings(paths: Paths, width: int) -> NDArray[np.int32]:
    """What each chain meets, (C, 2 width)."""
    empty = ((0, 0), (0, width - paths.chains.event.shape[1]))
    event, element = (
        np.pad(part.astype(np.int32), empty, constant_values=-1)
        for part in (paths.chains.event, paths.chains.element)
    )
    return np.concatenate([event, element], axis=1)


def _recall_figure(shown: dict[str, dict[int, _Recall]]) -> Figure:
    figure, panels = new_figure("What the search misses, against ten times its rays", 3)
    for axes, through in zip(panels[:2], ("mirrors", "mirrors and slabs"), strict=True):
        recalls = {name: part for name, part in shown.items() if name.endswith(f", {through}")}
        for number, (name, by_rays) in enumerate(recalls.items()):
            rays = [count / 1e6 for count in by_rays]
            missed = [100 * (1 - float(one.strong.mean())) for one in by_rays.values()]
            curve(axes, rays, missed, number)
            points(axes, rays, missed, number, name.split(",")[0])
        axes.set_xscale("log")
        axes.set_ylim(0, None)
        mark(axes, _SEARCHED.search_rays / 1e6, "default", low=0.7)
        dress(axes, through, "rays of the search (millions)", "strong paths missed (%)")
    legend(panels[0], loc="lower left")
    _level_panel(panels[2], shown)
    return figure


def _level_panel(axes: Axes, shown: dict[str, dict[int, _Recall]]) -> None:
    """The power that the default misses, by the level of the pixel."""
    wide = 0.8 / max(len(shown), 1)
    for number, (name, by_rays) in enumerate(shown.items()):
        recall = by_rays[max(by_rays)]
        through = name.endswith("slabs")
        axes.bar(
            np.arange(len(_LEVELS_DB)) + (number - len(shown) / 2 + 0.5) * wide,
            [recall.missed(level)[1] for level in _LEVELS_DB],
            0.9 * wide,
            color=COLOURS[number // 2 % len(COLOURS)],
            alpha=1.0 if through else 0.45,
        )
    axes.set_xticks(range(len(_LEVELS_DB)), [f"{x - 20:g} to\n{x:g}" for x in _LEVELS_DB])
    dress(axes, "default; pale: mirrors alone", "path gain (dB)", "power missed (%)")


RECALL = Case(
    name="recall",
    title="What the search finds",
    what=(
        "The search looks for chains of mirrors with `radio.search_rays` rays. What it misses is "
        "measured against a search of another seed with ten times as many. A path is strong if "
        "it holds a hundredth of the power at its point; the power missed is the mean over "
        "pixels of the share that is not found."
    ),
    setting=(
        "The same cities and views, up to three mirrors, without and with slabs on the way; "
        "every point that both have asked for."
    ),
    why=(
        "There is no right answer: this is the measure of what more search rays would still "
        "find. The limits keep it from getting worse."
    ),
    caption=(
        "Strong paths missed against the rays of the search, without slabs and with them; and "
        "the power that the default misses, by the level of the pixel."
    ),
    run=_recalls,
)
