"""Light paths: from the camera from surface to surface, and the light they find.

At every surface a path looks at the sun and at a street lamp, and goes on into one random
direction; what leaves the scene finds the sky, and what meets a window may find a lit room.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from vasgen.render.light.halo import FAR_M, Halo
from vasgen.render.light.illuminance import LUX_PER_UNIT
from vasgen.render.light.lamplight import lamp_colour, shine
from vasgen.render.light.lighting import Lighting
from vasgen.render.light.night import STREETS_LUX
from vasgen.render.light.sunsky import SUN_RADIUS_DEG
from vasgen.render.looks.looks import Looks
from vasgen.render.tracing.leaves import (
    Leaves,
    evaluate_leaf,
    lamp_side,
    sample_leaf,
    through_crown,
)
from vasgen.render.tracing.lens import Exposure
from vasgen.render.tracing.material import evaluate, sample, surface

#: Surfaces on a path. One path in so many goes on beyond the second one and counts as often:
#: what light does there hardly shows.
_FEW, _MANY, _ONE_IN = 2, 4, 3

#: One sample in so many looks for halos, which are smooth.
_HALO_ONE_IN = 4

#: Least GGX width of all but the first surface: sharper mirrors, met by chance, are fireflies.
_BLURRED_ALPHA = 0.1

#: Radiance that looks half as bright as white under lamps: a scale for the denoiser's guides.
_BRIGHT = STREETS_LUX / math.pi / LUX_PER_UNIT


class Guides(NamedTuple):
    """What the first surface is like, for the denoiser; of a metal, its coat's colour."""

    albedo: Any
    normal: Any
    covered: Any


class _Meeting(NamedTuple):
    """Where paths meet a surface: whether, its point, frame, looks and view direction.

    The frame's z axis is the normal on the visible side; ``wi`` points back along the path;
    ``leaf`` is None where all surfaces count as solid.
    """

    hit: Any
    si: Any
    frame: Any
    face: Any
    seen: Any
    material: Any
    wi: Any
    leaf: Any


class Paths:
    """Follows paths through one scene.

    Args:
        scene: the Mitsuba scene of one mesh.
        looks: of its faces.
        leaves: its trees, if it has any.
        lighting: what lights it.
    """

    def __init__(self, scene: Any, looks: Looks, leaves: Leaves | None, lighting: Lighting) -> None:
        self._scene = scene
        self._looks = looks
        self._leaves = leaves
        self._lighting = lighting

    def follow(
        self, mi: Any, random: Any, exposure: Exposure, samples: int, halo: Halo | None = None
    ) -> tuple[Any, Any, Guides]:
        """Random numbers after, radiance along rays, and the surfaces they meet first.

        Args:
            mi: mitsuba in its colour variant.
            random: PCG32 of every path.
            exposure: the paths.
            samples: of a pixel in all.
            halo: what lamps make of fog, if there are both.
        """
        import drjit as dr

        point = self._meet(mi, exposure.ray, True, first=True)
        emitted = self._emitted(mi, point, exposure.ray.d)
        radiance, ray, weight = self._scatter(mi, random, point, exposure.turn)
        radiance += emitted
        guides = _guides(mi, point, emitted)
        left = mi.Float(1)
        if self._lighting.fog is not None:
            left = dr.select(point.hit, self._lighting.fog.left(point.si.t), 1)
            radiance = radiance * left + self._lighting.fog.gained(left)
            guides = _fogged(guides, left)
        if halo is not None:
            radiance += self._halos(mi, halo, point, exposure, samples)
        farther = exposure.number % _ONE_IN == 0
        counts = samples / -(-samples // _ONE_IN)
        start = _Path(random, ray, weight * left, radiance, point.hit, mi.UInt32(1))

        def step(*state: Any) -> tuple[Any, ...]:
            path = _Path(*state)
            path = self._bounce(mi, path)
            weight = dr.select(path.depth == _FEW, path.weight * counts, path.weight)
            last = dr.select(farther, mi.UInt32(_MANY), _FEW)
            active = path.active & (path.depth < last) & (dr.max(weight) > 0)
            return tuple(path._replace(weight=weight, active=active))

        state = dr.while_loop(
            tuple(start), lambda *state: _Path(*state).active, step, labels=_Path._fields
        )
        end = _Path(*state)
        return end.random, end.radiance, guides

    def _halos(self, mi: Any, halo: Halo, point: _Meeting, exposure: Exposure, samples: int) -> Any:
        """Light that lamps add on the way to first surfaces; a few samples tell of it."""
        import drjit as dr

        few = -(-samples // _HALO_ONE_IN)
        many = samples / few

        def glow(ray: Any, distance: Any, pixel: Any, number: Any) -> Any:
            return many * halo.glow(mi, self._scene, ray, distance, pixel, number)

        distance = dr.select(point.hit, point.si.t, FAR_M)
        told = exposure.number < few
        state = exposure.ray, distance, exposure.pixel, exposure.turn
        return dr.if_stmt(state, told, glow, lambda *_: mi.Color3f(0))

    def _bounce(self, mi: Any, path: _Path) -> _Path:
        """The next surface of paths, and the light found there."""
        import drjit as dr

        random, ray, weight, radiance, active, depth = path
        point = self._meet(mi, ray, active, first=False)
        sky = self._lighting.daylight.indirect(mi, ray.d)
        radiance += dr.select(active & ~point.hit, weight * sky, 0)
        if self._lighting.fog is not None:
            left = dr.select(point.hit, self._lighting.fog.left(point.si.t), 1)
            radiance += weight * self._lighting.fog.gained(left)
            weight *= left
        if self._lighting.windows is not None:
            glow = self._lighting.windows.mean(mi, point.face, point.si.uv, point.seen)
            radiance += dr.select(point.hit, weight * glow, 0)
        turn = mi.Point2f(random.next_float32(), random.next_float32())
        found, ray, share = self._scatter(mi, random, point, turn)
        radiance += dr.select(point.hit, weight * found, 0)
        return _Path(random, ray, weight * share, radiance, active & point.hit, depth + 1)

    def _meet(self, mi: Any, ray: Any, active: Any, *, first: bool) -> _Meeting:
        import drjit as dr

        detail = first and self._lighting.windows is not None
        flags = mi.RayFlags.UV | mi.RayFlags.dPdUV if detail else mi.RayFlags.UV
        # Only rays from the camera stay close together.
        met = self._scene.ray_intersect_preliminary(ray, first, active)
        si = met.compute_surface_interaction(ray, flags, active)
        hit = si.is_valid() & active
        normal = si.n * -dr.sign(dr.dot(si.n, ray.d))
        face = dr.select(hit, si.prim_index, 0)
        if first:
            normal = self._looks.rounding.normal(mi, face, met.prim_uv, normal, -ray.d)
        leaf = None
        if first and self._leaves is not None:
            leaf = self._leaves.meet(mi, face, si.p, normal, -ray.d)
            normal = leaf.normal
        frame = mi.Frame3f(mi.Normal3f(normal))
        seen = self._looks.evaluate(face, si.uv, near=first)
        material = surface(
            mi,
            mi.Color3f(seen.colour),
            seen.roughness,
            seen.metallic,
            0.0 if first else _BLURRED_ALPHA,
            lacquered=seen.lacquered,
            flakes=seen.flakes,
        )
        return _Meeting(hit, si, frame, face, seen, material, frame.to_local(-ray.d), leaf)

    def _emitted(self, mi: Any, point: _Meeting, direction: Any) -> Any:
        """Light that first surfaces give off towards the camera."""
        import drjit as dr

        lights, emitted = self._lighting, mi.Color3f(0)
        if lights.windows is not None:
            emitted += lights.windows.look(mi, point.si, point.face, point.seen, direction)
        if lights.lamps is not None:
            emitted += lights.lamps.glow(mi, point.face, point.si.p, point.frame.n)
        return dr.select(point.hit, emitted, 0)

    def _scatter(self, mi: Any, random: Any, point: _Meeting, turn: Any) -> tuple[Any, Any, Any]:
        """Light reflected towards the viewer, the ray to go on with, and its weight."""
        found = mi.Color3f(0)
        if self._lighting.sun is not None:
            found += self._sunlight(mi, random, point)
        if self._lighting.lamps is not None:
            found += self._lamplight(mi, random, point)
        choice = random.next_float32()
        if point.leaf is None:
            wo, share = sample(mi, point.material, point.wi, choice, turn)
            return found, point.si.spawn_ray(point.frame.to_world(wo)), share
        wo, share = sample_leaf(mi, point.leaf, point.material, point.wi, choice, turn)
        ray, left = through_crown(mi, point.leaf, point.si.spawn_ray(point.frame.to_world(wo)))
        return found, ray, share * left

    def _sunlight(self, mi: Any, random: Any, point: _Meeting) -> Any:
        """From a random point of the sun's disc."""
        import drjit as dr

        assert self._lighting.sun is not None
        direction, irradiance = self._lighting.sun
        number = mi.Point2f(random.next_float32(), random.next_float32())
        cone = mi.warp.square_to_uniform_cone(number, math.cos(math.radians(SUN_RADIUS_DEG)))
        to_sun = mi.Frame3f(direction).to_world(cone)
        value, ray = _sent(mi, point, to_sun, point.si.spawn_ray(to_sun))
        lit = point.hit & (dr.max(value) > 0)
        lit &= ~self._scene.ray_test(ray, lit)
        return dr.select(lit, value * irradiance, 0)

    def _lamplight(self, mi: Any, random: Any, point: _Meeting) -> Any:
        """From one lamp that is likely to matter."""
        import drjit as dr

        lamps, fog = self._lighting.lamps, self._lighting.fog
        assert lamps is not None
        side, number, chances = point.frame.n, random.next_float32(), 1.0
        if point.leaf is not None:
            side, number, chances = lamp_side(mi, point.leaf, side, number)
        lamp = lamps.draw(mi, point.si.p, side, number)
        towards = lamp.position - point.si.p
        to_lamp = point.si.spawn_ray_to(lamp.position)
        value, ray = _sent(mi, point, dr.normalize(towards), to_lamp)
        strength = shine(mi, towards, lamp.height) * lamp.weight * chances
        if fog is not None:
            strength *= fog.left(dr.norm(towards))
        lit = point.hit & (dr.max(value) > 0) & (strength > 0)
        lit &= ~self._scene.ray_test(ray, lit)
        return dr.select(lit, value * strength * lamp_colour(mi, lamp.position), 0)


class _Path(NamedTuple):
    """The state of paths on their way."""

    random: Any
    ray: Any
    weight: Any
    radiance: Any
    active: Any
    depth: Any


def _sent(mi: Any, point: _Meeting, direction: Any, ray: Any) -> tuple[Any, Any]:
    """Share of light from a direction that a surface sends back along the path, times cosine.

    Returns:
        the share, Color3f, and the part of ``ray`` in which something may be in the way.
    """
    wo = point.frame.to_local(direction)
    if point.leaf is None:
        return evaluate(mi, point.material, point.wi, wo)[0], ray
    ray, left = through_crown(mi, point.leaf, ray)
    return left * evaluate_leaf(mi, point.leaf, point.material, point.wi, wo), ray


def _guides(mi: Any, point: _Meeting, emitted: Any) -> Guides:
    import drjit as dr

    glow = mi.luminance(emitted)
    albedo = point.material.diffuse + point.material.coat + emitted / (glow + _BRIGHT)
    if point.leaf is not None:
        albedo *= point.leaf.shade
    return Guides(
        dr.select(point.hit, dr.minimum(albedo, 1), 0),
        dr.select(point.hit, point.frame.n, 0),
        dr.select(point.hit, 1.0, 0.0),
    )


def _fogged(guides: Guides, left: Any) -> Guides:
    """Fog is white, and hides what the guides would tell of surfaces behind it."""
    import drjit as dr

    hidden = dr.select(guides.covered > 0, 1 - left, 1)
    return Guides(guides.albedo * left + hidden, guides.normal * left, guides.covered)
