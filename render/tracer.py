"""The picture: light paths traced with Mitsuba, denoised by Open Image Denoise.

A path tracer (Kajiya 1986) for daylight. At every surface it meets, a path looks at
the sun and goes on into one random direction; what leaves the scene finds the sky.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen import runtime
from vasgen.bundle import FaceTable
from vasgen.camera import Camera
from vasgen.render.light import SUN_RADIUS_DEG, Daylight
from vasgen.render.looks import Looks
from vasgen.render.material import evaluate, sample, surface
from vasgen.seeding import key
from vasgen.spec import RenderSpec

Float = NDArray[np.float32]

#: Most light paths traced at once: bounds memory (about 100 bytes a path).
_PATHS_AT_ONCE = 5_000_000

#: Surfaces on a path; what later ones add no longer shows in daylight.
_SURFACES = 4

#: Steps of the R2 sequence (Roberts 2018): points that fill the unit square evenly.
_R2 = (0.7548776662466927, 0.5698402909980532)


class _Guides(NamedTuple):
    """What the first surface is like, for the denoiser; of a metal, its coat's colour."""

    albedo: Any
    normal: Any
    covered: Any


class _Meeting(NamedTuple):
    """Where paths meet a surface: whether, its point, frame, material and view direction.

    The frame's z axis is the normal on the visible side; ``wi`` points back along the path.
    """

    hit: Any
    si: Any
    frame: Any
    material: Any
    wi: Any


class PathTracer:
    """Draws pictures of one scene in daylight.

    Args:
        faces: the scene's faces.
        looks: their appearance.
        spec: light and quality.
        centre: (3,) world point near the cameras, metres.
    """

    def __init__(self, faces: FaceTable, looks: Looks, spec: RenderSpec, centre: ArrayLike) -> None:
        self._samples = spec.samples_per_pixel
        self._looks = looks
        self._centre = np.asarray(centre, np.float64)
        with runtime.colour_variant() as mi:
            self._daylight = Daylight(spec)
            self._scene = mi.load_dict({"type": "scene", "mesh": self._mesh(mi, faces)})

    def _mesh(self, mi: Any, faces: FaceTable) -> Any:
        triangles = faces.triangles - self._centre
        mesh = mi.Mesh("scene", 3 * len(triangles), len(triangles), has_vertex_texcoords=True)
        parameters = mi.traverse(mesh)
        parameters["vertex_positions"] = triangles.astype(np.float32).ravel()
        parameters["vertex_texcoords"] = self._looks.uv.ravel()
        parameters["faces"] = np.arange(3 * len(triangles), dtype=np.uint32)
        parameters.update()
        return mesh

    def draw(self, camera: Camera, seed: int) -> Float:
        """Scene radiance, (H, W, 3) float32, linear sRGB.

        Args:
            camera: the view.
            seed: the same seed gives the same bytes.
        """
        # Each change of Mitsuba's variant costs 50 ms: change once.
        with runtime.colour_variant():
            return self._draw(camera, seed)

    def _draw(self, camera: Camera, seed: int) -> Float:
        pixels = camera.width * camera.height
        at_once = max(1, min(self._samples, _PATHS_AT_ONCE // pixels))
        total = np.zeros((pixels, 10))
        for start in range(0, self._samples, at_once):
            total += self._trace(camera, start, min(at_once, self._samples - start), seed)
        mean = (total / self._samples).astype(np.float32)
        mean = mean.reshape(camera.height, camera.width, 10)
        colour = mean[..., :3] + (1 - mean[..., 9:]) * self._daylight.background(camera)
        return _denoise(colour, mean[..., 3:6], mean[..., 6:9])

    def _trace(self, camera: Camera, first: int, samples: int, seed: int) -> NDArray[np.float64]:
        """Sums over some of the samples, (H*W, 10): radiance, albedo, normal, coverage."""
        import drjit as dr

        with runtime.colour_variant() as mi:
            count = camera.width * camera.height * samples
            lane = dr.arange(mi.UInt32, count)
            pixel, number = lane // samples, lane % samples + first
            random = mi.PCG32(count, initstate=_constant(mi.UInt64, 64, key(seed, "path", first)))
            jitter = _even(mi, pixel, number, key(seed, "pixel"))
            u = mi.Float(pixel % camera.width) + jitter.x
            v = mi.Float(pixel // camera.width) + jitter.y
            ray = self._ray(mi, camera, u, v)
            radiance, guides = self._follow(
                mi, random, ray, _even(mi, pixel, number, key(seed, "turn"))
            )
            channels = [*radiance, *guides.albedo, *guides.normal, guides.covered]
            dr.eval(channels)
            sums = [dr.block_sum(channel, samples) for channel in channels]
            return np.stack([np.array(part, np.float64) for part in sums], axis=-1)

    def _follow(self, mi: Any, random: Any, ray: Any, turn: Any) -> tuple[Any, _Guides]:
        """Radiance along rays, and the surfaces they meet first."""
        import drjit as dr

        point = self._meet(mi, ray, True)
        covered = point.hit
        guides = _Guides(
            dr.select(covered, point.material.diffuse + point.material.coat, 0),
            dr.select(covered, point.frame.n, 0),
            dr.select(covered, 1.0, 0.0),
        )
        radiance, ray, weight = self._scatter(mi, random, point, turn)

        def step(
            random: Any, ray: Any, weight: Any, radiance: Any, active: Any, depth: Any
        ) -> tuple[Any, ...]:
            point = self._meet(mi, ray, active)
            escaped = active & ~point.hit
            radiance += dr.select(escaped, weight * self._daylight.indirect(mi, ray.d), 0)
            turn = mi.Point2f(random.next_float32(), random.next_float32())
            found, ray, share = self._scatter(mi, random, point, turn)
            radiance += dr.select(point.hit, weight * found, 0)
            weight *= share
            depth += 1
            active &= point.hit & (depth < _SURFACES) & (dr.max(weight) > 0)
            return random, ray, weight, radiance, active, depth

        state = dr.while_loop(
            (random, ray, weight, radiance, covered & (dr.max(weight) > 0), mi.UInt32(1)),
            lambda random, ray, weight, radiance, active, depth: active,
            step,
            labels=("random", "ray", "weight", "radiance", "active", "depth"),
        )
        return state[3], guides

    def _meet(self, mi: Any, ray: Any, active: Any) -> _Meeting:
        import drjit as dr

        si = self._scene.ray_intersect(ray, mi.RayFlags.UV, True, active)
        hit = si.is_valid() & active
        frame = mi.Frame3f(mi.Normal3f(si.n * -dr.sign(dr.dot(si.n, ray.d))))
        face = dr.select(hit, si.prim_index, 0)
        base, roughness, metallic = self._looks.evaluate(face, si.uv)
        material = surface(mi, mi.Color3f(base), roughness, metallic)
        return _Meeting(hit, si, frame, material, frame.to_local(-ray.d))

    def _scatter(self, mi: Any, random: Any, point: _Meeting, turn: Any) -> tuple[Any, Any, Any]:
        """Sunlight reflected towards the viewer, the ray to go on with, and its weight."""
        import drjit as dr

        to_sun = self._towards_sun(mi, random)
        value, _ = evaluate(mi, point.material, point.wi, point.frame.to_local(to_sun))
        lit = point.hit & (dr.max(value) > 0)
        lit &= ~self._scene.ray_test(point.si.spawn_ray(to_sun), lit)
        sun = dr.select(lit, value * mi.Color3f(self._daylight.sun.tolist()), 0)
        wo, share = sample(mi, point.material, point.wi, random.next_float32(), turn)
        return sun, point.si.spawn_ray(point.frame.to_world(wo)), share

    def _towards_sun(self, mi: Any, random: Any) -> Any:
        """Directions to random points of the sun's disc."""
        cosine = math.cos(math.radians(SUN_RADIUS_DEG))
        point = mi.Point2f(random.next_float32(), random.next_float32())
        cone = mi.warp.square_to_uniform_cone(point, cosine)
        return mi.Frame3f(mi.Vector3f(self._daylight.direction.tolist())).to_world(cone)

    def _ray(self, mi: Any, camera: Camera, u: Any, v: Any) -> Any:
        """Rays through image points, in the coordinates of the traced mesh."""
        import drjit as dr

        axes = camera.rotation @ np.linalg.inv(camera.intrinsics)
        right, down, forward = (mi.Vector3f(axes[:, i].tolist()) for i in range(3))
        origin = mi.Point3f((camera.position - self._centre).tolist())
        # Opaque values are inputs of the compiled kernel: the next camera reuses it.
        dr.make_opaque(right, down, forward, origin)
        return mi.Ray3f(origin, dr.normalize(right * u + down * v + forward))


def _constant(kind: Any, bits: int, value: int) -> Any:
    """The low bits of a number as an input of the compiled kernel, not a part of it."""
    import drjit as dr

    return dr.opaque(kind, value % 2**bits)


def _even(mi: Any, pixel: Any, number: Any, seed: int) -> Any:
    """Points that fill the unit square evenly over the samples of a pixel.

    The R2 sequence, shifted by a random amount per pixel.
    """
    import drjit as dr

    word = _constant(mi.UInt32, 32, seed)
    shifts = mi.sample_tea_float32(pixel, word), mi.sample_tea_float32(pixel, word + 1)
    # Whole steps of 2^-32 do not lose digits with the number of the sample.
    x, y = (
        shift + mi.Float(number * int(step * 2**32)) * 2**-32
        for shift, step in zip(shifts, _R2, strict=True)
    )
    return mi.Point2f(x - dr.floor(x), y - dr.floor(y))


def _denoise(colour: Float, albedo: Float, normal: Float) -> Float:
    import pyoidn

    guides = {"albedo": np.ascontiguousarray(albedo), "normal": np.ascontiguousarray(normal)}
    return np.asarray(pyoidn.denoise(np.ascontiguousarray(colour), hdr=True, **guides))
