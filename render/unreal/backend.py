"""Pictures by Unreal, labels by the scene, and a proof for every view that both are the same."""

from __future__ import annotations

import dataclasses
import weakref
from typing import Literal

import numpy as np

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.conditions import Conditions
from vasgen.errors import InputError
from vasgen.layers import NO_MATERIAL, Bool, ImageLayers
from vasgen.raycast import RayCaster
from vasgen.render.picture import from_display
from vasgen.render.renderer import Renderer
from vasgen.render.unreal import pictures
from vasgen.render.unreal.agreement import (
    Measured,
    disagreement,
    require_agreement,
    require_names,
)
from vasgen.render.unreal.connection import Connection
from vasgen.render.unreal.coordinates import field_of_view_deg
from vasgen.render.unreal.level import Level, settable
from vasgen.render.unreal.probe import endpoint

#: What becomes of surfaces that are farther than Unreal's depth reaches.
Far = Literal["refuse", "sky", "scene"]

#: Share of the pixels of a view in which Unreal may show something else: edges, where it
#: samples another part of a pixel.
DISAGREEMENT = 0.02


class UnrealRenderer:
    """Image layers of one scene whose pictures an Unreal draws.

    The level must be the scene, made by its USD export. Depth, normals and labels are the
    scene's, exact as those of :class:`~vasgen.render.Renderer`; Unreal's own depths, normals and
    objects must agree with them in every view. The connection is made by the first view.

    Args:
        bundle: the scene.
        address: HOST:PORT of the UnrealCV server; else what ``VASGEN_UNREAL`` names, else
            UnrealCV's own, 127.0.0.1:9000.
        far: surfaces beyond 655 m, which Unreal's depth cannot hold: ``refuse`` the view,
            count them as ``sky``, or take them from the ``scene`` without proof.
        timeout_s: longest wait for a reply, seconds.
        disagreement: largest share of the pixels of a view in which Unreal may show
            something else.
        caster: the same scene for rays, if it is at hand already.

    Raises:
        InputError: if the address is none.
    """

    def __init__(
        self,
        bundle: SceneBundle,
        address: str | None = None,
        *,
        far: Far = "refuse",
        timeout_s: float = 60.0,
        disagreement: float = DISAGREEMENT,
        caster: RayCaster | None = None,
    ) -> None:
        self._name, self._far, self._limit = bundle.name, far, disagreement
        self._connection = Connection(endpoint(address), timeout_s=timeout_s)
        self._scene = Renderer(bundle, caster=caster)
        self._level: Level | None = None
        # The server has time for one client: make room as soon as nobody needs us.
        weakref.finalize(self, self._connection.close)

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
            camera: the view; its pixels square, its principal point in the middle.
            conditions: where the sun stands, if the level has a light named "Sun"; all else
                is as the level is.
            rgb: whether to draw the picture too.
            seed: not used: Unreal's pictures have no seed.

        Raises:
            InputError: if the camera or the conditions are none that Unreal can have, the
                server is not there or is none, or the level is not the scene.
        """
        exact = self._near(self._scene.layers(camera, rgb=False))
        wanted = settable(conditions or Conditions())
        measured = self.measure(camera, wanted, rgb=rgb)
        found = disagreement(camera, exact, measured)
        require_agreement(self._name, found, exact, measured, self._limit)
        require_names(self._name, exact, measured, self._limit)
        if measured.picture is None:
            return exact
        return dataclasses.replace(exact, rgb=from_display(measured.picture, wanted))

    def measure(
        self, camera: Camera, conditions: Conditions | None = None, *, rgb: bool = True
    ) -> Measured:
        """What Unreal itself shows, in our units and axes; errors as :meth:`layers`."""
        field_of_view_deg(camera)  # refuses what Unreal cannot draw before anything is asked
        wanted = settable(conditions or Conditions())
        return self._connection.through(lambda: self._measure(camera, wanted, rgb))

    def close(self) -> None:
        """Hang up, so that another client may connect."""
        self._connection.close()

    def _measure(self, camera: Camera, conditions: Conditions, rgb: bool) -> Measured:
        if self._level is None or self._level.opened != self._connection.opened:
            self._level = Level(self._connection)
        level = self._level
        level.light(conditions)
        level.place(camera)
        width, height = camera.width, camera.height
        picture = None
        if rgb:
            picture = pictures.read_picture("lit", level.capture("lit png"), width, height)
        depth = pictures.read_depth(level.capture("depth npy"), width, height)
        normal = pictures.read_picture("normal", level.capture("normal png"), width, height)
        mask = pictures.read_picture("object_mask", level.capture("object_mask png"), width, height)
        return Measured(
            picture,
            depth,
            pictures.normals(normal),
            pictures.instances(mask, level.ids),
            frozenset(level.ids.values()) - {pictures.UNNAMED},
        )

    def _near(self, exact: ImageLayers) -> ImageLayers:
        """The scene's layers, with what is too far for Unreal as the user wants it."""
        far = exact.valid & (exact.depth > pictures.FARTHEST_M)
        if self._far == "scene" or not far.any():
            return exact
        if self._far == "refuse":
            raise InputError(
                f"{int(far.sum())} pixels see surfaces up to {exact.depth[far].max():.0f} m away, "
                f"and Unreal's 16-bit depth ends at {pictures.FARTHEST_M:.0f} m: count them as sky "
                "(far: sky), take them from the scene unproved (far: scene), or look elsewhere."
            )
        return _without(exact, far)


def _without(exact: ImageLayers, gone: Bool) -> ImageLayers:
    """Layers in which some pixels see sky."""
    empty = {"semantic": 0, "instance": 0, "radio_material": NO_MATERIAL, "valid": False}
    changed = {}
    for name, layer in exact.arrays().items():
        changed[name] = layer.copy()
        changed[name][gone] = empty.get(name, np.nan)
    return dataclasses.replace(exact, **changed)
