"""The tracer: radio layers of views of one scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.layers import Float, RadioLayers
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter


class Tracer:
    """Traces radio onto what cameras see in one scene.

    Args:
        bundle: the scene.
        spec: propagation and effort.

    Raises:
        InputError: if a material is not defined at the frequency.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec) -> None:
        self.bundle = bundle
        self.spec = spec

    def trace(
        self,
        camera: Camera,
        depth: Float,
        normal: Float,
        transmitters: Sequence[Transmitter],
        *,
        seed: int = 0,
        advance: Callable[[float], None] = lambda share: None,
    ) -> RadioLayers:
        """Radio layers of one view.

        Args:
            camera: the view.
            depth: (H, W) float32 z-depth, metres; NaN where there is no surface.
            normal: (H, W, 3) float32 world normals on the visible side.
            transmitters: all transmitters that are on at the same time.
            seed: seed of the estimator.
            advance: called with the share of the work done since the last call.
        """
        raise NotImplementedError
