"""Plane lookup: which plane, and which material, a ray of a radio scene has hit."""

from __future__ import annotations

from typing import Any

import numpy as np

from vasgen.bundle import SceneBundle
from vasgen.vas.scene.planes import Facets
from vasgen.vas.scene.radio_scene import RadioScene


class PlaneLookup:
    """Numbers of the planes that rays hit.

    Args:
        radio: the scene that rays are traced in.
        bundle: the same scene.
        facets: its planes.

    Attributes:
        mirror: (N,) ``mi.Bool``, which planes mirror in closed form.
    """

    def __init__(self, radio: RadioScene, bundle: SceneBundle, facets: Facets) -> None:
        import drjit as dr
        import mitsuba as mi

        meshes = [mesh for mesh in bundle.meshes if len(mesh.faces)]
        counts = np.array([len(mesh.faces) for mesh in meshes])
        starts = dict(zip((m.name for m in meshes), np.cumsum(counts) - counts, strict=True))
        shapes = radio.scene.mi_scene.shapes()
        numbers = [int(dr.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]) for shape in shapes]
        first = np.zeros(max(numbers) + 1, np.uint32)
        for number, shape in zip(numbers, shapes, strict=True):
            first[number] = starts[shape.id().removeprefix("part-")]
        self._first = mi.UInt32(first)
        self._plane = mi.UInt32(facets.plane.astype(np.uint32))
        self._material = mi.UInt32(facets.material.astype(np.uint32))
        self.mirror = mi.Bool(facets.mirror)
        dr.eval(self._first, self._plane, self._material, self.mirror)

    def __call__(self, hit: Any, active: Any) -> Any:
        """Numbers of the planes, ``mi.UInt32``; zero where not active.

        Args:
            hit: where rays meet the scene, ``mi.SurfaceInteraction3f``.
            active: which of them do.
        """
        import drjit as dr
        import mitsuba as mi

        return dr.gather(mi.UInt32, self._plane, self._face(hit, active), active)

    def material(self, hit: Any, active: Any) -> Any:
        """Numbers of the radio materials, ``mi.UInt32``; zero where not active."""
        import drjit as dr
        import mitsuba as mi

        return dr.gather(mi.UInt32, self._material, self._face(hit, active), active)

    def _face(self, hit: Any, active: Any) -> Any:
        import drjit as dr
        import mitsuba as mi

        shape = dr.reinterpret_array(mi.UInt32, hit.shape)
        return dr.gather(mi.UInt32, self._first, shape, active) + hit.prim_index
