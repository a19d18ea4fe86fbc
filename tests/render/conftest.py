"""Small scenes with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
from vasgen.semantics import SemanticClass

_CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64)
_BOX = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5],  # west, east
        [0, 4, 5], [0, 5, 1], [2, 3, 7], [2, 7, 6],  # south, north
        [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],  # bottom, top
    ],
    np.int32,
)  # fmt: skip


class SceneBuilder:
    """Collects boxes and quads; every object is a mesh."""

    def __init__(self, materials):
        self.materials = tuple(materials)
        self.meshes = []

    def add(self, vertices, faces, semantic, instance, visual, uv=None, radio="concrete"):
        number = len(faces)
        uv = np.zeros((number, 3, 2)) if uv is None else uv
        self.meshes.append(
            Mesh(
                f"m{len(self.meshes)}",
                radio,
                np.asarray(vertices, np.float64),
                np.asarray(faces, np.int32),
                np.full(number, semantic, np.uint8),
                np.full(number, instance, np.int32),
                np.full(number, visual, np.uint16),
                np.asarray(uv, np.float32),
            )
        )
        return self

    def quad(self, low, high, z, *, visual=0, semantic=SemanticClass.GROUND, instance=0, at=(0, 0)):
        """A horizontal square; texture coordinates are metres from its corner."""
        (x0, y0), (x1, y1) = low, high
        corners = np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], np.float64)
        faces = np.array([[0, 1, 2], [0, 2, 3]])
        uv = corners[faces][..., :2] - np.asarray(at)
        return self.add(corners, faces, semantic, instance, visual, uv)

    def box(self, low, high, *, visual=0, semantic=SemanticClass.WALL, instance=1, **more):
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        return self.add(low + _CORNERS * (high - low), _BOX, semantic, instance, visual, **more)

    def bundle(self):
        radio = (RadioMaterial("concrete"), RadioMaterial("metal", "metal"))
        return SceneBundle("test", tuple(self.meshes), radio, self.materials)


def matte(colour=(0.5, 0.5, 0.5), name="matte", **more):
    return VisualMaterial(name, "plain", colour, more.pop("roughness", 1.0), **more)


@pytest.fixture
def builder():
    return SceneBuilder


@pytest.fixture
def material():
    return matte
