"""Mirrors: the planes of a scene on the device, and legs of paths that they turn."""

from __future__ import annotations

from typing import Any

import numpy as np

from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import Facets
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.visibility import blocked
from vasgen.vas.surfaces.surface import RAY_EPSILON

#: A mirror's faces may lie this far outside its box, metres: rounding, and rays that start
#: beside an edge.
_BOX_M = 0.02


class Mirrors:
    """Planes by number, counted from one; at number zero nothing is mirrored.

    Args:
        radio: the scene that rays are traced in.
        facets: its planes.
        lookup: which of them a ray hits.
    """

    def __init__(self, radio: RadioScene, facets: Facets, lookup: PlaneLookup) -> None:
        import drjit as dr
        import mitsuba as mi

        self.facets = facets
        self.lookup = lookup
        self._radio = radio
        planes = facets.planes
        rows = np.zeros((1 + len(planes), 12))
        rows[1:, :3] = planes.normal
        rows[1:, 3] = planes.offset - planes.normal @ radio.centre
        rows[1:, 4:7] = facets.box[:, 0] - radio.centre - _BOX_M
        rows[1:, 8:11] = facets.box[:, 1] - radio.centre + _BOX_M
        self._table = mi.Float(rows.astype(np.float32).ravel())
        dr.eval(self._table)

    def image(self, number: Any, point: Any) -> Any:
        """The image of points, ``mi.Point3f`` in traced coordinates."""
        normal, offset = self._plane(number)
        return point - 2.0 * (_dot(normal, point) - offset) * normal

    def turned(self, number: Any, vector: Any) -> Any:
        """Vectors, ``mi.Vector3f``, after the reflection."""
        normal, _ = self._plane(number)
        return vector - 2.0 * _dot(normal, vector) * normal

    def crossed(self, number: Any, start: Any, image: Any) -> Any:
        """Whether the way from a start to an image crosses the box of the mirror's faces.

        ``mi.Bool``; true at number zero.
        """
        import drjit as dr
        import mitsuba as mi

        normal, offset = self._plane(number)
        low, high = (dr.gather(mi.Vector4f, self._table, 3 * number + k) for k in (1, 2))
        before, behind = (_dot(normal, point) - offset for point in (start, image))
        at = start + before / (before - behind) * (image - start)
        inside = (at >= mi.Point3f(low.x, low.y, low.z)) & (
            at <= mi.Point3f(high.x, high.y, high.z)
        )
        return (number == 0) | ((before * behind < 0) & dr.all(inside))

    def leg(self, number: Any, start: Any, image: Any, end: Any, active: Any) -> tuple[Any, Any]:
        """Whether nothing stands in the way from a start by way of a mirror to an end.

        Args:
            number: ``mi.UInt32``, of the mirror.
            start: ``mi.Point3f``, traced coordinates, like the following.
            image: of the end in the mirror; the end itself at number zero.
            end: where the leg ends.
            active: which of them to ask for; for all others the answer is False.

        Returns:
            ``mi.Bool``, and the radio material of the mirror there, ``mi.UInt32``; zero for
            those without one.
        """
        import drjit as dr
        import mitsuba as mi

        way = image - start
        reach = dr.maximum(dr.max(dr.abs(start)), dr.max(dr.abs(image)))
        share = dr.minimum(RAY_EPSILON * (1 + reach) / dr.maximum(dr.norm(way), 1e-30), 0.5)
        ray = mi.Ray3f(o=start, d=mi.Vector3f(way), maxt=1.0 - share, time=0.0, wavelengths=[])
        hit = self._radio.scene.mi_scene.ray_intersect(ray, active=active)
        met = active & hit.is_valid()
        wanted = met & (self.lookup(hit, met) + 1 == number)
        onward = hit.spawn_ray_to(end)  # off the mirror, which a grazing leg would meet again
        wanted &= ~blocked(self._radio, onward.o, end, wanted)
        material = dr.select(wanted, self.lookup.material(hit, wanted), 0)
        return dr.select(number == 0, active & ~met, wanted), material

    def _plane(self, number: Any) -> tuple[Any, Any]:
        import drjit as dr
        import mitsuba as mi

        row = dr.gather(mi.Vector4f, self._table, 3 * number)
        return mi.Vector3f(row.x, row.y, row.z), row.w


def _dot(normal: Any, point: Any) -> Any:
    """Scalar product, of points as of vectors."""
    import drjit as dr
    import mitsuba as mi

    return dr.dot(normal, mi.Vector3f(point))
