"""How built-up a city is: the figures urban radio models and street studies ask for."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray

from vasgen.citygen.architecture.buildings import Building
from vasgen.citygen.config import District
from vasgen.citygen.groundwork.ground import Patch
from vasgen.citygen.plots.blocks import Block, district_areas
from vasgen.citygen.targets import Targets
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.citygen.city import City

Array = NDArray[np.float64]

#: Bins of street bearings, each ten degrees wide, the first around north.
BEARINGS = 36

_GREEN = ("lawn", "meadow", "field", "bed", "verge")
_GRID_ENTROPY = math.log(4.0)  # of streets in two directions at a right angle


@dataclass(frozen=True)
class Morphology:
    """Figures of a city or of one of its districts.

    Attributes:
        land_m2: area of the land, square metres; all shares are of this.
        buildings: how many there are.
        built_up_ratio: share covered by buildings (ITU-R P.1410's alpha).
        buildings_per_km2: its beta.
        height_scale_m: its gamma, the most likely scale of a Rayleigh law of the heights.
        height_scale_error_m: standard error of this.
        height_distance: Kolmogorov-Smirnov distance of the heights from that law, [0, 1].
        mean_height_m: mean height, weighted by footprint, metres.
        max_height_m: height of the highest building, metres.
        floor_area_ratio: floor area over land area.
        street_share, pavement_share, green_share: shares of carriageways, of pavements, and
            of lawns and parks; the rest is built up or paved.
        street_width_m: mean width of the carriageways by kind of street, metres.
        street_width_percentiles_m: 10th, 50th and 90th percentile, by length, metres.
        height_bins_m: (bins + 1) limits of the height histogram, metres.
        height_counts: (bins,) buildings in each bin.
        bearing_shares: (36,) share of the street length with each bearing; every street
            counts in both directions; clockwise from north.
        orientation_entropy: their entropy, nats (Boeing 2019).
        orientation_order: 1 for a grid, 0 for streets in all directions alike (his phi).
        targets: what was to be hit, or None.
        deviations: relative deviations of alpha, beta and gamma from the targets, or None.
    """

    land_m2: float
    buildings: int
    built_up_ratio: float
    buildings_per_km2: float
    height_scale_m: float
    height_scale_error_m: float
    height_distance: float
    mean_height_m: float
    max_height_m: float
    floor_area_ratio: float
    street_share: float
    pavement_share: float
    green_share: float
    street_width_m: dict[str, float]
    street_width_percentiles_m: tuple[float, float, float]
    height_bins_m: tuple[float, ...]
    height_counts: tuple[int, ...]
    bearing_shares: tuple[float, ...]
    orientation_entropy: float
    orientation_order: float
    targets: Targets | None = None
    deviations: tuple[float, float, float] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)


def measure_city(city: City, district: int | None = None) -> Morphology:
    """Measure a city within its outline, or one of its districts.

    Args:
        city: the city.
        district: number of the district as in ``city.land.districts``: those of the
            configuration, then the rest of the city. None: the whole city. A district that
            got no land has zeros.

    Raises:
        InputError: if there is no such district.
    """
    districts = city.land.districts
    if district is None:
        everywhere = district_areas(city.land, city.streets).sum()
        chosen, land_m2 = set(range(len(districts))), float(everywhere)
    elif _is_number_of(district, len(districts)):
        chosen = {district}
        land_m2 = float(district_areas(city.land, city.streets)[district])
        if len(districts) > 1 and all(q.district != district for q in city.streets.quarters):
            land_m2 = 0.0  # not what rounding has left for the rest of the city
    else:
        raise InputError(f"district is {district!r}; allowed: 0 to {len(districts) - 1}.")
    blocks = [block for block in city.blocks if block.district in chosen]
    numbers = {block.index for block in blocks}
    return measure(
        [b for b in city.buildings if city.lots[b.lot].block in numbers],
        blocks,
        [patch for patch in city.ground if patch.owner in numbers],
        _streets_in(city, chosen),
        land_m2,
        _targets_of(districts, district),
    )


def _is_number_of(district: object, count: int) -> bool:
    is_whole = isinstance(district, Integral) and not isinstance(district, bool)
    return is_whole and district in range(count)


def _targets_of(districts: Sequence[District], district: int | None) -> Targets | None:
    if district is None:  # the figures of a whole are no one's target if its parts differ
        return districts[0].targets if len(districts) == 1 else None
    return districts[district].targets


def _streets_in(city: City, districts: set[int]) -> nx.Graph:
    """Streets whose middle is within the outline and lies in these districts."""
    edges = list(city.streets.graph.edges)
    middles = shapely.line_interpolate_point(city.streets.lines, 0.5, normalized=True)
    inside = shapely.within(middles, city.land.outline)
    number = city.streets.district_at(shapely.get_coordinates(middles))
    inside &= np.isin(number, sorted(districts))
    return city.streets.graph.edge_subgraph(
        edge for edge, is_in in zip(edges, inside.tolist(), strict=True) if is_in
    )


def measure(
    buildings: Sequence[Building],
    blocks: Sequence[Block],
    ground: Sequence[Patch],
    streets: nx.Graph,
    land_m2: float,
    targets: Targets | None = None,
) -> Morphology:
    """Measure a piece of land.

    Args:
        buildings: those on it.
        blocks: those on it; what is no block is street.
        ground: patches of the ground within it.
        streets: streets of it, a subgraph of ``Streets.graph``.
        land_m2: its area, square metres; 0: there is none, and all shares are zero.
        targets: what was to be hit.
    """
    footprints = np.array([b.footprint for b in buildings], dtype=object)
    area = shapely.area(footprints)
    height = np.array([b.height_m for b in buildings], dtype=float)
    storeys = np.array([b.storeys for b in buildings], dtype=float)
    built, count = float(area.sum()), len(buildings)
    scale, error, distance = rayleigh_fit(height)
    bins = height_bins(height)
    kerbs, inner = (sum(getattr(b, name).area for b in blocks) for name in ("kerb", "inner"))
    shares = bearing_shares([line for _, _, line in streets.edges(data="line")])
    entropy, order = orientation(shares)
    widths, percentiles = _widths(streets)
    land = land_m2 if land_m2 > 0 else math.inf  # of no land, all shares are zero
    alpha, beta = built / land, count / land * 1e6
    return Morphology(
        land_m2=land_m2,
        buildings=count,
        built_up_ratio=alpha,
        buildings_per_km2=beta,
        height_scale_m=scale,
        height_scale_error_m=error,
        height_distance=distance,
        mean_height_m=float((area * height).sum()) / built if built else 0.0,
        max_height_m=float(height.max(initial=0.0)),
        floor_area_ratio=float((area * storeys).sum()) / land,
        street_share=max(0.0, 1.0 - kerbs / land) if land_m2 > 0 else 0.0,
        pavement_share=(kerbs - inner) / land,
        green_share=_green(ground, footprints) / land,
        street_width_m=widths,
        street_width_percentiles_m=percentiles,
        height_bins_m=tuple(bins.tolist()),
        height_counts=tuple(np.histogram(height, bins)[0].tolist()),
        bearing_shares=tuple(shares.tolist()),
        orientation_entropy=entropy,
        orientation_order=order,
        targets=targets,
        deviations=None
        if targets is None
        else (alpha / targets.alpha - 1, beta / targets.beta - 1, scale / targets.gamma - 1),
    )


def rayleigh_fit(heights: Array) -> tuple[float, float, float]:
    """The Rayleigh law that is most likely to have given some heights.

    Args:
        heights: (N,) metres.

    Returns:
        Its scale and the scale's standard error, metres, and the Kolmogorov-Smirnov distance
        between the law and the heights; zeros without heights.
    """
    count = len(heights)
    scale = float(np.sqrt((heights**2).mean() / 2)) if count else 0.0
    if scale == 0.0:
        return 0.0, 0.0, 0.0
    law = 1.0 - np.exp(-((np.sort(heights) / scale) ** 2) / 2)
    steps = np.arange(count + 1) / count
    distance = max(float((steps[1:] - law).max()), float((law - steps[:-1]).max()))
    # The squares are exponentially distributed: their mean has a relative error of 1/sqrt(N).
    return scale, scale / (2 * math.sqrt(count)), distance


def height_bins(heights: Array) -> Array:
    """(bins + 1,) whole metres, about as many bins as a histogram of the heights can bear."""
    top = max(float(heights.max(initial=0.0)), 1.0)
    wanted = top / float(np.clip(math.sqrt(len(heights)), 6, 30))
    steps = (step * 10**power for power in itertools.count() for step in (1, 2, 5))
    width = next(step for step in steps if step >= wanted)
    return np.arange(0.0, top + width, width)


def bearing_shares(lines: Sequence[shapely.LineString]) -> Array:
    """(36,) share of the length of lines with each bearing, counted in both directions."""
    counts = np.zeros(BEARINGS)
    if lines:
        points, owner = shapely.get_coordinates(np.array(lines, dtype=object), return_index=True)
        step = np.diff(points, axis=0)[np.diff(owner) == 0]
        # Hundredths of a degree: rounding errors at the limit of a bin do not count.
        degrees = np.round(np.degrees(np.arctan2(step[:, 0], step[:, 1])), 2)
        width = 360.0 / BEARINGS
        for turn in (0.0, 180.0):
            bins = np.floor((degrees + turn + width / 2) % 360.0 / width).astype(int)
            np.add.at(counts, bins, np.hypot(*step.T))
        counts /= counts.sum()
    return counts


def orientation(shares: Array) -> tuple[float, float]:
    """Entropy of bearings, nats, and the order it means: 1 for a grid, 0 for no order."""
    used = shares[shares > 0]
    if not len(used):
        return 0.0, 0.0
    entropy = float(-(used * np.log(used)).sum())
    most = math.log(len(shares))
    return entropy, 1.0 - ((entropy - _GRID_ENTROPY) / (most - _GRID_ENTROPY)) ** 2


def _widths(streets: nx.Graph) -> tuple[dict[str, float], tuple[float, float, float]]:
    """Mean widths by kind, and percentiles of all widths, weighted by length."""
    edges = list(streets.edges(data=True))
    if not edges:
        return {}, (0.0, 0.0, 0.0)
    kinds = np.array([data["kind"] for *_, data in edges])
    width = np.array([data["width_m"] for *_, data in edges])
    length = np.array([data["length_m"] for *_, data in edges])
    means = {
        kind: float(np.average(width[kinds == kind], weights=length[kinds == kind]))
        for kind in sorted(set(kinds.tolist()))
    }
    order = np.argsort(width, kind="stable")
    below = np.cumsum(length[order]) / length.sum()
    p10, p50, p90 = (float(width[order][np.searchsorted(below, p)]) for p in (0.1, 0.5, 0.9))
    return means, (p10, p50, p90)


def _green(ground: Sequence[Patch], footprints: NDArray[np.object_]) -> float:
    """Area of green ground that no building stands on, square metres."""
    green = np.array([p.polygon for p in ground if p.surface in _GREEN], dtype=object)
    if not len(green):
        return 0.0
    one, two = shapely.STRtree(green).query(footprints, predicate="intersects")
    covered = shapely.area(shapely.intersection(footprints[one], green[two], grid_size=0.001))
    return float(shapely.area(green).sum() - covered.sum())
