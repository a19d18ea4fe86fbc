"""The picture: light paths traced with Mitsuba, denoised by Open Image Denoise.

A path tracer (Kajiya 1986): :mod:`~vasgen.render.tracing.paths` follows the paths, this module
draws pictures of them.
"""

from __future__ import annotations

from typing import Any

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
from vasgen.render.light.halo import halo_of
from vasgen.render.light.lamplight import LampLight
from vasgen.render.light.landscape import Landscape
from vasgen.render.light.lighting import lighting
from vasgen.render.light.windows import Windows
from vasgen.render.looks.looks import Looks
from vasgen.render.tracing.denoiser import denoise
from vasgen.render.tracing.leaves import find_leaves
from vasgen.render.tracing.lens import expose, moments
from vasgen.render.tracing.paths import Paths
from vasgen.render_spec import RenderSpec
from vasgen.seeding import key

Float = NDArray[np.float32]

#: Most light paths traced at once: bounds memory (about 100 bytes a path).
_PATHS_AT_ONCE = 5_000_000


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
        self._lit: Conditions | None = None
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
        self._switch_to(mi, conditions)
        # The light of a night without lamps is too faint for the denoiser: show it as seen.
        seen = np.float32(exposure_of(conditions.light))
        shape = (camera.height, camera.width, 3)
        colour, albedo, normal = (np.empty(shape, np.float32) for _ in range(3))
        for rows in row_bands(camera):
            mean = self._mean(mi, camera, conditions, rows, seed)
            open_ = 1 - mean[..., 9:]
            behind = seen * open_ * self._behind(camera, conditions, rows, mean[..., 9])
            band = slice(rows.start, rows.stop)
            colour[band] = seen * mean[..., :3] + behind
            # Guided by itself the landscape keeps its detail.
            albedo[band] = mean[..., 3:6] + np.minimum(behind, open_)
            normal[band] = mean[..., 6:9]
        return denoise(colour, albedo, normal) / seen

    def _behind(self, camera: Camera, conditions: Conditions, rows: range, covered: Float) -> Float:
        """What lies behind the scene, (rows, W, 3), blurred where the camera turns."""
        poses = moments(camera, conditions)
        light = self._lighting.daylight
        total = sum(light.background(pose, rows, self._land, covered) for pose in poses)
        return np.asarray(total / np.float32(len(poses)))

    def _switch_to(self, mi: Any, conditions: Conditions) -> None:
        """Prepare the light, unless that of the last picture serves again."""
        if conditions.light == self._lit:
            return
        if conditions.lamps and self._windows is None:
            self._find_lamps(mi)
        self._lighting = lighting(mi, conditions.light, self._lamps, self._windows)
        self._paths = Paths(self._scene, self._looks, self._leaves, self._lighting)
        self._lit = conditions.light

    def _find_lamps(self, mi: Any) -> None:
        """Find the lamps and windows of the scene, once it is dark for the first time."""
        posts, bundle = street_lamps(self._caster), self._caster.bundle
        if len(posts.instance):
            self._lamps = LampLight(mi, posts, self._caster.centre, bundle.face_table.instance)
        self._windows = Windows(mi, bundle.face_table, bundle.visual_materials)

    def _mean(
        self, mi: Any, camera: Camera, conditions: Conditions, rows: range, seed: int
    ) -> Float:
        """Mean over the samples, (rows, W, 10): radiance, albedo, normal, coverage."""
        pixels = camera.width * len(rows)
        at_once = max(1, min(self._samples, _PATHS_AT_ONCE // pixels))
        total = np.zeros((pixels, 10))
        for first in range(0, self._samples, at_once):
            samples = range(first, min(first + at_once, self._samples))
            total += self._sum(mi, camera, conditions, rows, samples, seed)[:pixels]
        mean = (total / self._samples).astype(np.float32)
        return mean.reshape(len(rows), camera.width, 10)

    def _sum(
        self,
        mi: Any,
        camera: Camera,
        conditions: Conditions,
        rows: range,
        samples: range,
        seed: int,
    ) -> NDArray[np.float64]:
        """Sums over some of the samples, (pixels, 10)."""
        import drjit as dr

        exposure = expose(mi, camera, conditions, self._caster.centre, samples, seed, rows)
        place = (rows.start,) if rows.start else ()
        state = dr.opaque(mi.UInt64, key(seed, "path", samples.start, *place) % 2**64)
        random = mi.PCG32(dr.width(exposure.number), initstate=state)
        halo = halo_of(mi, self._lighting, camera, self._caster.centre)
        radiance, guides = self._paths.follow(mi, random, exposure, self._samples, halo)
        channels = [*radiance, *guides.albedo, *guides.normal, guides.covered]
        dr.eval(channels, exposure.order)
        sums = [
            dr.block_sum(dr.gather(mi.Float, channel, exposure.order), len(samples))
            for channel in channels
        ]
        return np.stack([np.array(part, np.float64) for part in sums], axis=-1)
