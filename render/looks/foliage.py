"""Foliage: which faces belong to which crown, and how crowns differ in colour.

Facets of a crown stand for leaves in clumps. What light does among them is in
:mod:`vasgen.render.tracing.leaves`; here is where the crowns are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.render.textures.plan import recipe_of
from vasgen.seeding import stream

Array = NDArray[np.float64]

#: A larger object is no tree but a wood or a hedge, and its facets are taken as they are, metres.
_LARGEST_M = 30.0

#: Share of trees that have begun to turn, and the factor on red, green and blue of one that
#: has turned most.
_TURNED, _GOLD = 0.07, np.array([2.8, 1.4, 0.6])

#: Least blue over green of needles.
_BLUISH = 0.35


class Crowns(NamedTuple):
    """The crowns of a scene.

    Attributes:
        of_face: (F,) uint32, 1 + crown of every face; 0: of none.
        centre: (K, 3) float64 middle of each crown, world metres.
        half: (K, 3) float64 half of its length, width and height, metres.
        instance: (K,) int32 object.
    """

    of_face: NDArray[np.uint32]
    centre: Array
    half: Array
    instance: NDArray[np.int32]


def find_crowns(bundle: SceneBundle) -> Crowns:
    """The leaves of each object: all its faces that look like foliage."""
    table = bundle.face_table
    leafy = np.array([recipe_of(material) == "foliage" for material in bundle.visual_materials])
    face = np.flatnonzero(leafy[table.visual] & (table.instance > 0))
    instance, crown = np.unique(table.instance[face], return_inverse=True)
    corners = table.triangles[face]
    low, high = np.full((len(instance), 3), np.inf), np.full((len(instance), 3), -np.inf)
    np.minimum.at(low, crown, corners.min(axis=1))
    np.maximum.at(high, crown, corners.max(axis=1))
    half = (high - low) / 2
    small = (half.max(axis=1, initial=0) < _LARGEST_M / 2) & (half.min(axis=1, initial=np.inf) > 0)
    number = np.cumsum(small) * small
    of_face = np.zeros(len(table.visual), np.uint32)
    of_face[face] = number[crown]
    return Crowns(of_face, ((low + high) / 2)[small], half[small], instance[small])


def leaf_tint(instance: int, colour: tuple[float, float, float]) -> Array:
    """Factor on the colour of a tree's leaves, (3,): green to yellowish, a few golden.

    Args:
        instance: number of the tree.
        colour: of its kind; bluish ones are evergreen.
    """
    random = stream(0, "leaves", instance)
    evergreen = colour[2] > _BLUISH * colour[1]
    bright, yellow = random.uniform(0.90, 1.25), random.uniform(-0.25, 0.25)
    tint = bright * np.array([1 + yellow, 1 + 0.25 * yellow, 1 - 0.5 * yellow])
    turned = random.uniform(0.25, 1.0) if random.random() < _TURNED and not evergreen else 0.0
    return np.asarray(tint * _GOLD**turned)
