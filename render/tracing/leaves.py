"""Light among the leaves of trees.

The facets of a crown stand for leaves that hang in clumps. Their normals come from the crown's
shape, from fields of noise for clumps and twigs, and for each leaf from a lot, so that facets do
not show. Leaves let light through, and so do crowns: along the line to the light the crown
absorbs by its depth (Beer-Lambert in its ellipsoid), so that thin rims glow against the sun.
Between clumps it is dark.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import SceneBundle
from vasgen.render.chance import lot, share
from vasgen.render.looks.foliage import Crowns, find_crowns
from vasgen.render.tracing.material import Surface, evaluate, sample
from vasgen.seeding import stream

Array = NDArray[np.float64]

#: Wave numbers of clumps and twigs, radians a metre, and the size of a leaf, metres.
_CLUMP, _TWIG, _LEAF_M = 4.2, 12.0, 0.085

#: How far clumps, twigs and single leaves turn the normal, and the weight of the crown's own
#: normal; the facet's is what is left of one.
_BY_CLUMP, _BY_TWIG, _BY_LEAF, _BY_CROWN = 0.50, 0.35, 0.55, 0.78

#: Least cosine between a leaf and the line of sight: others are hidden by their neighbours.
_LEAST_COSINE = 0.15

#: What leaves let through over what they reflect: yellower; and the most of both.
_THROUGH, _MOST = (2.2, 1.75, 0.55), 0.7

#: What a crown absorbs of red, green and blue, a metre: of green least, as leaves pass it on.
_DENSITY = (0.46, 0.39, 0.50)

#: Square of the size of the ellipsoid that light leaves a crown through, over the one in the
#: crown's box: sprays and corners stand out.
_REACH = 1.25

#: How dark it is in the deepest gaps.
_DARKEST = 0.2


class Leaf(NamedTuple):
    """Leaves at points.

    Attributes:
        leafy: Bool, whether there are any.
        normal: Normal3f of the leaf.
        shade: Float share of the light that reaches it between its neighbours.
        at: Vector3f where it is, from the crown's middle in half axes.
        scale: Vector3f one over these.
    """

    leafy: Any
    normal: Any
    shade: Any
    at: Any
    scale: Any


class Leaves:
    """The leaves of a scene.

    Args:
        mi: mitsuba in its colour variant.
        crowns: at least one.
        centre: (3,) origin of the coordinates that are traced, world metres.
    """

    def __init__(self, mi: Any, crowns: Crowns, centre: Array) -> None:
        self._crown = mi.UInt32(crowns.of_face)
        place = [stream(0, "leaf", number).uniform(0, 50) for number in crowns.instance.tolist()]
        rows = np.zeros((len(crowns.instance) + 1, 8), np.float32)
        rows[1:, :3] = crowns.centre - centre
        rows[1:, 3] = place
        rows[1:, 4:7] = 1 / crowns.half
        self._rows = mi.Float(rows.ravel())

    def meet(self, mi: Any, face: Any, point: Any, normal: Any, wi: Any) -> Leaf:
        """The leaves at points on faces.

        Args:
            mi: mitsuba in its colour variant.
            face: UInt32 faces.
            point: Point3f on them.
            normal: Normal3f shading normals, towards the viewer.
            wi: Vector3f towards the viewer.
        """
        import drjit as dr

        crown = dr.gather(mi.UInt32, self._crown, face)

        def leaf(crown: Any, point: Any, normal: Any, wi: Any) -> tuple[Any, ...]:
            first, second = (dr.gather(mi.Vector4f, self._rows, 2 * crown + k) for k in range(2))
            place = point - mi.Vector3f(first.xyz)
            return _leaf(mi, place, first.w, mi.Vector3f(second.xyz), normal, wi)

        def none(crown: Any, point: Any, normal: Any, wi: Any) -> tuple[Any, ...]:
            return mi.Vector3f(normal), mi.Float(1), mi.Vector3f(0), mi.Vector3f(1)

        found, shade, at, scale = dr.if_stmt(
            (crown, mi.Vector3f(point), mi.Vector3f(normal), mi.Vector3f(wi)), crown > 0, leaf, none
        )
        return Leaf(crown > 0, mi.Normal3f(found), shade, at, scale)


def find_leaves(mi: Any, bundle: SceneBundle, centre: Array) -> Leaves | None:
    """The leaves of a scene, or None if it has no trees."""
    crowns = find_crowns(bundle)
    return Leaves(mi, crowns, centre) if len(crowns.instance) else None


def _leaf(
    mi: Any, local: Any, place: Any, scale: Any, normal: Any, wi: Any
) -> tuple[Any, Any, Any, Any]:
    """Normal, share of light, and place in the crown of leaves at points around its middle."""
    import drjit as dr

    at = local * scale
    where = local + place * mi.Vector3f(1.0, 1.7, 2.3)
    height, slope = _gyroid(mi, where * _CLUMP)
    twig = mi.Vector3f(where.y + 0.3 * where.x, where.z - 0.3 * where.y, where.x + 0.3 * where.z)
    fine, turn = _gyroid(mi, twig * _TWIG + 1.5 * slope)
    cell = dr.floor(where / _LEAF_M + 0.6 * turn)
    word = lot(*(mi.UInt32(mi.Int32(part)) for part in (cell.x, cell.y, cell.z)))
    tilt = 2 * mi.Vector3f(share(word), share(word, 1), share(word, 2)) - 1
    shape = dr.lerp(normal, dr.normalize(at * scale), _BY_CROWN)
    found = shape - _BY_CLUMP * slope - _BY_TWIG * turn.zxy + _BY_LEAF * tilt
    found = dr.normalize(found)
    found += wi * dr.maximum(_LEAST_COSINE - dr.dot(found, wi), 0) * 1.3
    found = dr.normalize(found)
    depth = dr.clip((dr.norm(at) - 0.45) / 0.4, 0, 1)
    gap = dr.clip(0.84 + 0.48 * height + 0.26 * fine, 0, 1)
    shade = dr.lerp(_DARKEST, 1, gap * dr.lerp(0.45, 1, depth))
    return found, shade, at, scale


def _gyroid(mi: Any, at: Any) -> tuple[Any, Any]:
    """A smooth field in space (Schoen 1970), -1.5 to 1.5, and its gradient."""
    import drjit as dr

    (sx, cx), (sy, cy), (sz, cz) = (dr.sincos(part) for part in (at.x, at.y, at.z))
    gradient = mi.Vector3f(cx * cy - sz * sx, cy * cz - sx * sy, cz * cx - sy * sz)
    return sx * cy + sy * cz + sz * cx, gradient


def _through(mi: Any, leaf: Leaf, material: Surface) -> Any:
    """Transmittance of leaves, Color3f; zero elsewhere."""
    import drjit as dr

    passed = dr.clip(material.diffuse * mi.Color3f(*_THROUGH), 0, _MOST - material.diffuse)
    return dr.select(leaf.leafy, dr.maximum(passed, 0), 0)


def evaluate_leaf(mi: Any, leaf: Leaf, material: Surface, wi: Any, wo: Any) -> Any:
    """Share of light from ``wo`` that is sent to ``wi`` times cosine, Color3f.

    Like :func:`~vasgen.render.tracing.material.evaluate`, and equal to it where no leaves are.
    """
    import drjit as dr

    value, _ = evaluate(mi, material, wi, wo)
    behind = _through(mi, leaf, material) * (dr.inv_pi * dr.maximum(-wo.z, 0))
    return leaf.shade * (value + behind)


def sample_leaf(
    mi: Any, leaf: Leaf, material: Surface, wi: Any, choice: Any, point: Any
) -> tuple[Any, Any]:
    """A random direction and its weight, see :func:`~vasgen.render.tracing.material.sample`."""
    import drjit as dr

    odds = dr.select(leaf.leafy, mi.Float(0.5), 0)
    crossing = choice < odds
    rest = dr.select(crossing, choice / dr.maximum(odds, 0.5), (choice - odds) / (1 - odds))
    wo, weight = sample(mi, material, wi, rest, point)
    behind = -mi.warp.square_to_cosine_hemisphere(point)
    passed = _through(mi, leaf, material) / dr.maximum(odds, 0.5)
    wo = dr.select(crossing, behind, wo)
    return wo, leaf.shade * dr.select(crossing, passed, weight / (1 - odds))


def through_crown(mi: Any, leaf: Leaf, ray: Any) -> tuple[Any, Any]:
    """Rays from leaves begin where they leave the crown, with the share that it lets through."""
    import drjit as dr

    way = ray.d * leaf.scale
    a, b = dr.squared_norm(way), dr.dot(way, leaf.at)
    c = dr.minimum(dr.squared_norm(leaf.at) - _REACH, 1 - _REACH)
    chord = (dr.sqrt(b * b - a * c) - b) / dr.maximum(a, 1e-12)
    # Never beyond the crown's box, where there may be walls.
    box = dr.min((1 - leaf.at * dr.sign(way)) / dr.maximum(dr.abs(way), 1e-6))
    chord = dr.select(leaf.leafy, dr.maximum(dr.minimum(chord, box), 0), 0)
    ray.o += ray.d * chord
    ray.maxt = dr.maximum(ray.maxt - chord, 0)
    return ray, dr.exp(-chord * mi.Color3f(*_DENSITY))


def lamp_side(mi: Any, leaf: Leaf, normal: Any, number: Any) -> tuple[Any, Any, Any]:
    """The side of a surface on which to look for a lamp: leaves are lit from either.

    Returns:
        the normal on that side, what is left of the random number, and one over the chance.
    """
    import drjit as dr

    back = leaf.leafy & (number < 0.5)
    left = dr.select(leaf.leafy, 2 * number - dr.select(back, 0.0, 1.0), number)
    side = dr.select(back, -normal, normal)
    return side, dr.clip(left, 0, 0.9999999), dr.select(leaf.leafy, mi.Float(2), 1)
