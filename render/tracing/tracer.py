"""The picture: light paths traced with Mitsuba, denoised by Open Image Denoise.

A path tracer (Kajiya 1986): :mod:`~vasgen.render.tracing.paths` follows the paths, this module
draws pictures of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.lamps import street_lamps
from vasgen.raycast import RayCaster
from vasgen.render.bands import row_bands
from vasgen.render.light.border import border_of
from vasgen.render.light.exposure import exposure_of
from vasgen.render.light.halo import Halo, halo_of
from vasgen.render.light.lamplight import LampLight
from vasgen.render.light.landscape import Landscape
from vasgen.render.light.lighting import Lighting, lighting
from vasgen.render.light.windows import Windows
from vasgen.render.looks.looks import Looks
from vasgen.render.tracing.denoiser import denoise
from vasgen.render.tracing.leaves import find_leaves
from vasgen.render.tracing.lens import Lens
from vasgen.render.tracing.paths import Paths
from vasgen.render_spec import RenderSpec
from vasgen.seeding import key

Float = NDArray[np.float32]

#: Samples of a pixel that are added up in single precision.
_SAMPLES_AT_ONCE = 256

#: Of a pixel: radiance, albedo and normal, and whether a surface is met.
_CHANNELS = 10


class _Lit(NamedTuple):
    """A scene in some light."""

    light: Conditions
    lighting: Lighting
    paths: Paths


class PathTracer:
    """Draws pictures of one scene.

    Args:
        caster: of the scene; its centre is near the cameras.
        looks: the appearance of its faces.
        spec: quality.
    """

    def __init__(self, caster: RayCaster, looks: Looks, spec: RenderSpec) -> None:
        self._samples = spec.samples_per_pixel
        self._caster = caster
        self._looks = looks
        self._lamps: LampLight | None = None
        self._windows: Windows | None = None
        self._lit: _Lit | None = None
        with runtime.colour_variant() as mi:
            self._leaves = find_leaves(mi, caster.bundle, caster.centre)
            self._scene = mi.load_dict({"type": "scene", "mesh": self._mesh(mi)})
            self._land = Landscape(mi, border_of(caster.bundle), looks)

    def _mesh(self, mi: Any) -> Any:
        triangles = self._caster.faces.triangles - self._caster.centre
        mesh = mi.Mesh("scene", 3 * len(triangles), len(triangles), has_vertex_texcoords=True)
        parameters = mi.traverse(mesh)
        parameters["vertex_positions"] = triangles.astype(np.float32).ravel()
        parameters["vertex_texcoords"] = self._looks.uv.ravel()
        parameters["faces"] = np.arange(3 * len(triangles), dtype=np.uint32)
        parameters.update()
        return mesh

    def draw(self, camera: Camera, conditions: Conditions, seed: int) -> Float:
        """Scene radiance, (H, W, 3) float32, linear sRGB.

        Args:
            camera: the view.
            conditions: light, air and motion.
            seed: the same seed gives the same bytes.
        """
        mi = runtime.colours()
        lit = self._in_light(mi, conditions)
        # The light of a night without lamps is too faint for the denoiser: show it as seen.
        seen = np.float32(exposure_of(conditions.light))
        shape = (camera.height, camera.width, 3)
        colour, albedo, normal = (np.empty(shape, np.float32) for _ in range(3))
        for rows in row_bands(camera):
            mean = self._mean(mi, lit, camera, conditions, rows, seed)
            open_ = 1 - mean[..., 9:]
            behind = seen * open_ * self._behind(lit, camera, conditions, rows, mean[..., 9])
            band = slice(rows.start, rows.stop)
            colour[band] = seen * mean[..., :3] + behind
            # Guided by itself the landscape keeps its detail.
            albedo[band] = mean[..., 3:6] + np.minimum(behind, open_)
            normal[band] = mean[..., 6:9]
        return denoise(colour, albedo, normal) / seen

    def _behind(
        self, lit: _Lit, camera: Camera, conditions: Conditions, rows: range, covered: Float
    ) -> Float:
        """What lies behind the scene, (rows, W, 3), blurred where the camera turns."""
        turn = np.radians(conditions.turn_deg_s) * conditions.shutter_s
        return lit.lighting.daylight.background(camera, rows, self._land, covered, turn)

    def _in_light(self, mi: Any, conditions: Conditions) -> _Lit:
        """The scene in the light of conditions; that of the last picture serves again."""
        if self._lit is not None and self._lit.light == conditions.light:
            return self._lit
        if conditions.lamps and self._windows is None:
            self._find_lamps(mi)
        light = lighting(mi, conditions.light, self._lamps, self._windows)
        paths = Paths(self._scene, self._looks, self._leaves, light)
        self._lit = _Lit(conditions.light, light, paths)
        return self._lit

    def _find_lamps(self, mi: Any) -> None:
        """Find the lamps and windows of the scene, once it is dark for the first time."""
        posts, bundle = street_lamps(self._caster), self._caster.bundle
        if len(posts.instance):
            self._lamps = LampLight(mi, posts, self._caster.centre, bundle.face_table.instance)
        self._windows = Windows(mi, bundle.face_table, bundle.visual_materials)

    def _mean(
        self, mi: Any, lit: _Lit, camera: Camera, conditions: Conditions, rows: range, seed: int
    ) -> Float:
        """Mean over the samples, (rows, W, 10): radiance, albedo, normal, coverage."""
        pixels = camera.width * len(rows)
        place = (rows.start,) if rows.start else ()
        state = key(seed, "path", *place) % 2**64
        random = mi.PCG32(pixels, initstate=mi.UInt64(state))
        lens = Lens(mi, camera, conditions, self._caster.centre, seed, rows)
        halo = halo_of(mi, lit.lighting, camera, self._caster.centre)
        total = np.zeros((pixels, _CHANNELS))
        for first in range(0, self._samples, _SAMPLES_AT_ONCE):
            samples = range(first, min(first + _SAMPLES_AT_ONCE, self._samples))
            random, sums = self._sums(mi, random, lit.paths, lens, halo, samples)
            total += np.stack([np.array(part, np.float64) for part in sums], axis=-1)
        mean = (total / self._samples).astype(np.float32)
        return mean.reshape(len(rows), camera.width, _CHANNELS)

    def _sums(
        self, mi: Any, random: Any, paths: Paths, lens: Lens, halo: Halo | None, samples: range
    ) -> tuple[Any, tuple[Any, ...]]:
        """Sums over some of the samples of every pixel; and the random numbers' state after."""
        import drjit as dr

        def step(random: Any, number: Any, *sums: Any) -> tuple[Any, ...]:
            exposure = lens.expose(mi, number)
            random, radiance, guides = paths.follow(mi, random, exposure, self._samples, halo)
            found = (*radiance, *guides.albedo, *guides.normal, guides.covered)
            return random, number + 1, *(a + b for a, b in zip(sums, found, strict=True))

        end = dr.opaque(mi.UInt32, samples.stop)
        start = dr.opaque(mi.UInt32, samples.start)
        zeros = [mi.Float(0) for _ in range(_CHANNELS)]
        random, _, *sums = dr.while_loop(
            (random, start, *zeros), lambda _, number, *sums: number < end, step
        )
        dr.eval(random, sums)
        return random, tuple(sums)
