"""What a renderer must offer, whatever draws the pictures."""

from __future__ import annotations

from typing import Protocol

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.layers import ImageLayers
from vasgen.raycast import RayCaster
from vasgen.render_spec import RenderSpec


class ImageBackend(Protocol):
    """Turns cameras into image layers of one loaded scene."""

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
            seed: seed of the picture's noise.

        Raises:
            InputError: if the camera stands where no camera can be.
        """
        ...


def open_backend(
    bundle: SceneBundle,
    spec: RenderSpec,
    unreal: str | None = None,
    *,
    caster: RayCaster | None = None,
) -> ImageBackend:
    """The renderer that a spec names, with the scene loaded.

    Args:
        bundle: the scene.
        spec: which renderer, and the quality of its pictures.
        unreal: HOST:PORT of the UnrealCV server; else what the environment names.
        caster: the same scene for rays, if it is at hand already.

    Raises:
        InputError: if the address is none.
    """
    if spec.backend == "unreal":
        from vasgen.render.unreal import UnrealRenderer

        return UnrealRenderer(bundle, unreal, far=spec.unreal_far, caster=caster)
    from vasgen.render.renderer import Renderer

    return Renderer(bundle, spec, caster=caster)
