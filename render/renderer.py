"""The renderer built into vasgen: exact layers by ray casting, pictures by Mitsuba."""

from __future__ import annotations

import dataclasses

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.errors import InputError
from vasgen.inside import solid_around
from vasgen.layers import ImageLayers
from vasgen.raycast import RayCaster
from vasgen.render.exact import SurfaceMap, exact_layers
from vasgen.render.looks.looks import Looks
from vasgen.render.tracing.tracer import PathTracer
from vasgen.render_spec import RenderSpec


class Renderer:
    """Image layers of one scene, for any number of cameras.

    Args:
        bundle: the scene.
        spec: quality of the pictures.
        caster: the same scene for rays, if it is at hand already.
    """

    def __init__(
        self,
        bundle: SceneBundle,
        spec: RenderSpec | None = None,
        *,
        caster: RayCaster | None = None,
    ) -> None:
        self._caster = caster or RayCaster(bundle)
        self._looks = Looks(bundle)
        self._surface = SurfaceMap(bundle.face_table.triangles, self._looks.uv)
        self._spec = spec or RenderSpec()
        self._tracer: PathTracer | None = None

    def layers(
        self,
        camera: Camera,
        conditions: Conditions | None = None,
        *,
        rgb: bool = True,
        seed: int = 0,
    ) -> ImageLayers:
        """What the camera sees.

        Args:
            camera: the view.
            conditions: light, air and motion of the picture; by default a clear afternoon.
                The other layers do not depend on them.
            rgb: whether to draw the picture too.
            seed: seed of the picture's noise; the same seed gives the same bytes.

        Raises:
            InputError: if the camera is inside a solid object.
        """
        solid = solid_around(self._caster, camera.position)
        if solid is not None:
            x, y, z = camera.position.round(2).tolist()
            raise InputError(f"camera at ({x}, {y}, {z}) is {solid}.")
        layers = exact_layers(camera, self._caster, self._looks, self._surface)
        if not rgb:
            return layers
        # Many a renderer never draws a picture.
        self._tracer = self._tracer or PathTracer(self._caster, self._looks, self._spec)
        picture = self._tracer.draw(camera, conditions or Conditions(), seed)
        return dataclasses.replace(layers, rgb=picture)
