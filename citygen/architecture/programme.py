"""The programme: how large and how high each building is to be, so that a district hits its
targets."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vasgen.citygen.architecture.buildings import Site
from vasgen.citygen.architecture.plans import Drawing, Plan
from vasgen.citygen.geometry.solids import Array
from vasgen.citygen.profiles import Use
from vasgen.citygen.targets import LOWEST_BUILDING_M, Targets
from vasgen.errors import InputError

SLENDEREST = 10.0  # no building is more times as high as it is broad
_SMALLEST_M2 = 18.0
_ROUNDS = 5
_EXACT = 5e-4

#: How unequal buildings of one use are, and how much sooner they are given height.
_SPREAD: dict[Use, float] = {"houses": 0.22, "works": 0.3, "estate": 0.25, "perimeter": 0.15}
_RANK: dict[Use, float] = {"highrise": 0.4, "estate": 0.2, "houses": -0.1, "works": -0.5}


@dataclass(frozen=True, eq=False)
class Brief:
    """What is to be built on a lot.

    Attributes:
        plan: the shape on the ground.
        height_m: height over the lot.
    """

    plan: Plan
    height_m: float


def programme(targets: Targets, land_m2: float, sites: Sequence[Site]) -> list[Brief]:
    """A brief for each site of a district.

    Args:
        targets: what the district is to hit.
        land_m2: its area, square metres.
        sites: its lots, one building each.

    Raises:
        InputError: if the lots cannot carry so much, or buildings would be too slender.
    """
    plans = _plans(targets, land_m2, sites)
    heights = _heights(targets, sites, plans)
    return [Brief(plan, height) for plan, height in zip(plans, heights.tolist(), strict=True)]


def _plans(targets: Targets, land_m2: float, sites: Sequence[Site]) -> list[Plan]:
    """Plans that add up to the built-up share."""
    drawings = [Drawing(site.lot, site.rng("plan")) for site in sites]
    wanted = targets.alpha * land_m2
    most = np.array([drawing.room_m2 for drawing in drawings])
    if wanted > most.sum():
        raise InputError(
            f"alpha is {targets.alpha:g}; allowed: at most "
            f"{math.floor(most.sum() / land_m2 * 100) / 100:g} on the lots of this city; give a "
            "smaller alpha or a profile with narrower streets."
        )
    weights = np.array(
        [
            site.lot.polygon.area
            * math.exp(site.rng("size").normal(0.0, _SPREAD.get(site.lot.use, 0.12)))
            for site in sites
        ]
    )
    areas = _shared(wanted, weights, most)
    plans = [drawing.plan(area) for drawing, area in zip(drawings, areas.tolist(), strict=True)]
    for _ in range(_ROUNDS):
        built = np.array([plan.area_m2 for plan in plans])
        missing = wanted - float(built.sum())
        if abs(missing) <= _EXACT * wanted:
            break
        # Room still to be had, or area to be given up, is taken in proportion.
        slack = most - built if missing > 0 else np.maximum(built - _SMALLEST_M2, 0.0)
        areas = built + missing * slack / slack.sum()
        plans = [drawing.plan(area) for drawing, area in zip(drawings, areas.tolist(), strict=True)]
    return plans


def _shared(total: float, weights: Array, most: Array) -> Array:
    """Areas in proportion to weights within their limits that add up to a total."""
    low, high = 0.0, float((most / weights).max()) + _SMALLEST_M2 / float(weights.min())
    for _ in range(60):
        scale = (low + high) / 2
        areas = np.clip(scale * weights, np.minimum(_SMALLEST_M2, most), most)
        low, high = (scale, high) if areas.sum() < total else (low, scale)
    return np.asarray(areas)


def _heights(targets: Targets, sites: Sequence[Site], plans: Sequence[Plan]) -> Array:
    """(N,) heights: a Rayleigh sample, the highest where the city is to be high."""
    limit = np.array([SLENDEREST * plan.narrow_m for plan in plans])
    heights = rayleigh_sample(targets.gamma, len(sites))
    feasible = np.minimum(heights, np.sort(limit))
    if np.sqrt((feasible**2).mean() / 2) < 0.98 * targets.gamma:
        ratio = float((np.sort(limit) / heights).min())
        raise InputError(
            f"gamma is {targets.gamma:g}; allowed: at most "
            f"{math.floor(ratio * targets.gamma * 10) / 10:g} m with buildings so narrow; give a "
            "smaller gamma or beta, or a larger alpha."
        )
    result = np.empty(len(sites))
    by_limit = np.lexsort((np.arange(len(limit)), -limit)).tolist()
    wish = _wish(sites, plans)
    open_sites: list[tuple[float, int]] = []
    reached = 0
    for height in feasible[::-1].tolist():
        while reached < len(by_limit) and limit[by_limit[reached]] >= height:
            number = by_limit[reached]
            heapq.heappush(open_sites, (-wish[number], number))
            reached += 1
        result[heapq.heappop(open_sites)[1]] = height
    return result


def _wish(sites: Sequence[Site], plans: Sequence[Plan]) -> list[float]:
    """How much each site wants to be high: by place, size and use, and by chance."""
    prominence = np.array([site.prominence for site in sites])
    order = np.argsort(np.argsort(prominence, kind="stable"), kind="stable")
    place = order / max(1, len(sites) - 1)
    area = np.array([plan.area_m2 for plan in plans])
    chance = np.array([site.rng("rank").normal(0.0, 0.3) for site in sites])
    use = np.array([_RANK.get(site.lot.use, 0.0) for site in sites])
    court = np.array([0.3 * (len(plan.rings) > 1) for plan in plans])
    wish = place + 0.25 * np.log(area / area.mean()) + chance + use - court
    return [float(value) for value in np.round(wish, 9)]


def rayleigh_sample(gamma: float, count: int) -> Array:
    """(count,) heights at even quantiles of a Rayleigh law, rising, whole centimetres.

    None is below the lowest building; the others make up for those that are raised, so that
    the scale fitted to the sample is ``gamma``.
    """
    quantile = (np.arange(count) + 0.5) / count
    base = np.sqrt(-2.0 * np.log(1.0 - quantile))
    scale = gamma
    for _ in range(40):
        heights = np.maximum(scale * base, LOWEST_BUILDING_M)
        scale *= gamma / float(np.sqrt((heights**2).mean() / 2))
    return np.asarray(np.round(heights, 2), dtype=np.float64)
