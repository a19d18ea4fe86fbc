"""Transmitters: sampled on the ground, on roofs or on lamp posts, or given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.inside import check_transmitters
from vasgen.orchestrate.glance import Glance, glances, lit_shares
from vasgen.orchestrate.sites import NEAR_M, Sites, ground_sites, lamp_sites, roof_sites
from vasgen.orchestrate.spread import spread
from vasgen.orchestrate.transmitter_file import read_transmitters
from vasgen.raycast import RayCaster
from vasgen.seeding import stream
from vasgen.spec import TransmittersSpec
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]

#: Height of the antenna above what a transmitter stands on, metres: a mobile agent (SynthRM),
#: a short mast on a roof, a small cell on a lamp post.
HEIGHTS_M = {"ground": 1.6, "rooftop": 3.0, "lamp-post": 0.5}

#: Sites that are judged: so many, and for each transmitter to place some more.
_SITES, _SITES_EACH = 256, 4

#: A given position farther from the scene than this is a slip of units, metres.
_FARTHEST_M = 20_000.0

#: What is missing if there are too few sites.
_LACKING = {
    "ground": "too little walkable ground under open sky",
    "rooftop": "too few roofs with free space above",
    "lamp-post": "too few lamp posts with free space above",
}


def place_transmitters(
    bundle: SceneBundle,
    spec: TransmittersSpec,
    cameras: Sequence[Camera] = (),
    seed: int = 0,
    *,
    area: Array | None = None,
) -> list[Transmitter]:
    """Choose transmitter positions, or check the given ones.

    Args:
        bundle: the scene.
        spec: number, placement, height and power, or positions, or a file.
        cameras: views to light: transmitters on the ground stand where these see it.
            Without any, they spread over the built-up ground of the scene.
        seed: the same seed gives the same positions.
        area: (2, 2) lowest and highest x and y between which positions are chosen, metres.

    Raises:
        InputError: if a given position is inside something, the file cannot be used, or
            there are too few places to stand.
    """
    caster = RayCaster(bundle)
    if spec.file is not None:
        transmitters = read_transmitters(spec.file, spec)
    elif spec.positions is not None:
        transmitters = _deal(spec, spec.positions, ["given"] * len(spec.positions))
    else:
        places, contexts = _choose(caster, spec, cameras, seed, area)
        return _deal(spec, places.tolist(), contexts)
    _check_positions(caster, transmitters)
    return transmitters


def _deal(
    spec: TransmittersSpec, places: Iterable[Sequence[float]], contexts: Sequence[str]
) -> list[Transmitter]:
    """Transmitters at those places; antennas and groups are dealt in turn."""
    return [
        Transmitter(
            f"tx-{index}",
            (float(x), float(y), float(z)),
            spec.power_dbm,
            spec.orientation_deg,
            spec.antennas[index % len(spec.antennas)],
            index % spec.groups,
            context,
        )
        for index, ((x, y, z), context) in enumerate(zip(places, contexts, strict=True))
    ]


def _choose(
    caster: RayCaster,
    spec: TransmittersSpec,
    cameras: Sequence[Camera],
    seed: int,
    area: Array | None,
) -> tuple[Array, list[str]]:
    """Positions (count, 3) and their contexts."""
    rng = stream(seed, "transmitters")
    looks = list(glances(caster, cameras))
    sites = _sites(caster, spec, looks, rng, area)
    if area is not None:
        sites = _within(sites, area)
    if len(sites.places) < spec.count:
        raise _too_few(caster.bundle, spec, len(sites.places))
    lit = lit_shares(caster, sites.places, [look.some_points(rng, NEAR_M) for look in looks])
    chosen = spread(sites, lit, spec.count)
    return sites.places[chosen], [str(sites.contexts[index]) for index in chosen]


def _sites(
    caster: RayCaster,
    spec: TransmittersSpec,
    looks: Sequence[Glance],
    rng: np.random.Generator,
    area: Array | None,
) -> Sites:
    height = HEIGHTS_M[spec.placement] if spec.height_m is None else spec.height_m
    wanted = _SITES + _SITES_EACH * spec.count
    if spec.placement == "rooftop":
        return roof_sites(caster, rng, height, wanted)
    if spec.placement == "lamp-post":
        return lamp_sites(caster, height)
    return ground_sites(caster, looks, rng, height, wanted, spec.count, area)


def _within(sites: Sites, area: Array) -> Sites:
    """The sites in an area, not on its border."""
    xy = sites.places[:, :2]
    inside = np.all((xy > area[0]) & (xy < area[1]), axis=1)
    return Sites(sites.places[inside], sites.contexts[inside], sites.worth[inside])


def _too_few(bundle: SceneBundle, spec: TransmittersSpec, found: int) -> InputError:
    if spec.placement == "lamp-post" and not found:
        return InputError(
            f"scene {bundle.name!r} has no lamp posts to place transmitters on; choose "
            "placement ground or rooftop, or give transmitters.positions."
        )
    return InputError(
        f"scene {bundle.name!r} has {found} places for a transmitter, not {spec.count}: "
        f"{_LACKING[spec.placement]}. Give transmitters.positions, or ask for fewer."
    )


def _check_positions(caster: RayCaster, transmitters: Sequence[Transmitter]) -> None:
    places = np.array([transmitter.position for transmitter in transmitters])
    low, high = caster.bundle.bounds
    away = np.linalg.norm(places - np.clip(places, low, high), axis=1)
    for transmitter, distance in zip(transmitters, away, strict=True):
        if distance > _FARTHEST_M:
            raise InputError(
                f"transmitter {transmitter.name!r} is {distance / 1000:.4g} km away from the "
                f"scene; allowed: up to {_FARTHEST_M / 1000:g} km. Positions are in metres."
            )
    check_transmitters(caster, transmitters)
