"""What a renderer must offer, whatever draws the pictures."""

from __future__ import annotations

from typing import Protocol

from vasgen.camera import Camera
from vasgen.layers import ImageLayers


class ImageBackend(Protocol):
    """Turns cameras into image layers of one loaded scene."""

    def layers(self, camera: Camera, *, rgb: bool = True, seed: int = 0) -> ImageLayers:
        """What the camera sees.

        Args:
            camera: the view.
            rgb: whether to draw the picture too; the other layers never depend on it.
            seed: seed of the picture's noise.

        Raises:
            InputError: if the camera stands where no camera can be.
        """
        ...
