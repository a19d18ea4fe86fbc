"""Props: trees, street furniture and cars, each an instance of a model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vasgen.citygen.config import Lod
from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.citygen.life.archetypes import model

#: Kinds of props in the order of their rank: whoever comes first keeps its place.
KINDS = ("traffic-light", "bus-stop", "lamp", "tree", "bench", "car")


@dataclass(frozen=True, slots=True)
class Prop:
    """A model set up in the city.

    A point of the model stands at ``(x, y, z) + Rz(yaw_rad) (scale * point)``, to the
    millimetre.

    Attributes:
        kind: one of ``KINDS``.
        variant: number of the model among those of its kind.
        x, y, z: where the model's origin is, metres.
        yaw_rad: direction of the model's x axis, counter-clockwise from east.
        scale: factors along the model's axes.
    """

    kind: str
    variant: int
    x: float
    y: float
    z: float
    yaw_rad: float
    scale: tuple[float, float, float]


def prop_surface(props: Sequence[Prop], lod: Lod, shell: int, first_id: int) -> Surface:
    """Triangles of props, model by model.

    Args:
        props: the props.
        lod: level of detail of the models.
        shell: shell number of the first prop; each prop is a shell of its own.
        first_id: object id of the first prop.
    """
    groups = {
        key: np.array([number for _, number in group])
        for key, group in itertools.groupby(
            sorted(((prop.kind, prop.variant), number) for number, prop in enumerate(props)),
            key=lambda entry: entry[0],
        )
    }
    places = np.array(
        [(p.x, p.y, p.z, p.yaw_rad, *p.scale) for p in props], dtype=np.float64
    ).reshape(-1, 7)
    copies = [
        _copies(model(kind, variant, lod), places[numbers], numbers, shell, first_id)
        for (kind, variant), numbers in groups.items()
    ]
    start, moved = 0, []
    for copy in copies:
        moved.append(copy.faces + start)
        start += len(copy.vertices)
    empty = model("car", 0, 1)
    names = ("shell", "semantic", "visual", "radio", "instance", "uv")
    return Surface(
        np.concatenate([empty.vertices, *(copy.vertices for copy in copies)]),
        np.concatenate([empty.faces, *moved]),
        *(
            np.concatenate([getattr(empty, name), *(getattr(copy, name) for copy in copies)])
            for name in names
        ),
    )


def _copies(one: Surface, places: Array, numbers: Ints, shell: int, first_id: int) -> Surface:
    """A model at each place, (N, 7): position, yaw and scale."""
    count, corners = len(places), len(one.vertices)
    scaled = one.vertices[None] * places[:, None, 4:7]
    cos, sin = np.cos(places[:, 3])[:, None], np.sin(places[:, 3])[:, None]
    x, y, z = np.moveaxis(scaled, -1, 0)
    turned = np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=-1)
    faces = one.faces[None] + corners * np.arange(count)[:, None, None]
    each = np.repeat(numbers, len(one.faces))
    return Surface(
        np.round(turned + places[:, None, :3], 3).reshape(-1, 3),
        faces.reshape(-1, 3),
        shell + each,
        np.tile(one.semantic, count),
        np.tile(one.visual, count),
        np.tile(one.radio, count),
        first_id + each,
        np.tile(one.uv, (count, 1, 1)),
    )
