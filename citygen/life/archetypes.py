"""The models of all props, by kind, variant and level of detail."""

from __future__ import annotations

from functools import cache

from vasgen.citygen.config import Lod, check_lod
from vasgen.citygen.geometry.forms import Solid, assembled
from vasgen.citygen.geometry.solids import Surface, locked
from vasgen.citygen.life import furniture
from vasgen.citygen.life.bodies import BODIES, COLOURS
from vasgen.citygen.life.cars import car
from vasgen.citygen.life.crowns import SPECIES, tree
from vasgen.errors import InputError, unknown_choice

#: Number of variants of each kind of prop.
VARIANTS: dict[str, int] = {
    "tree": len(SPECIES),
    "lamp": len(furniture.LAMPS),
    "traffic-light": len(furniture.SIGNALS),
    "bench": 1,
    "bus-stop": 2,
    "car": len(BODIES) * COLOURS,
}


def model(kind: str, variant: int, lod: Lod) -> Surface:
    """The model of a prop: closed solids around the origin, Z up, x forward, true to scale.

    At level of detail 1 only trees are there: nothing else is as large as a prism of a
    building is inexact, so the surface of any other kind is empty.

    Args:
        kind: a key of ``VARIANTS``.
        variant: 0 to ``VARIANTS[kind] - 1``.
        lod: level of detail.

    Returns:
        A surface of shell 0 and object 0, always the same object and read-only; the solids
        share no corners.

    Raises:
        InputError: if there is no such model.
    """
    if kind not in VARIANTS:
        raise unknown_choice("kind of prop", kind, VARIANTS)
    if not 0 <= variant < VARIANTS[kind]:
        raise InputError(f"variant of {kind} is {variant}; allowed: 0 to {VARIANTS[kind] - 1}.")
    check_lod(lod)
    return _made(kind, variant, lod)


@cache
def _made(kind: str, variant: int, lod: Lod) -> Surface:
    return locked(assembled(_solids(kind, variant, lod)))


def _solids(kind: str, variant: int, lod: Lod) -> list[Solid]:
    if kind == "tree":
        return tree(variant, lod)
    if lod == 1:
        return []
    if kind == "lamp":
        return furniture.lamp(variant, lod)
    if kind == "traffic-light":
        return furniture.traffic_light(variant, lod)
    if kind == "bench":
        return furniture.bench(lod)
    if kind == "bus-stop":
        return furniture.bus_stop(variant, lod)
    return car(variant, lod)
