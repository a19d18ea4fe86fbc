"""What a camera sees: image layers of a scene, and pictures of it.

    renderer = Renderer(bundle)
    layers = renderer.layers(camera, Conditions(sun_elevation_deg=10.0))

:class:`Renderer` is the backend that comes with vasgen; others offer the same
:class:`ImageBackend`.
"""

from vasgen.render.backend import ImageBackend, open_backend
from vasgen.render.picture import to_display, write_exr, write_png
from vasgen.render.preview import overview_camera, preview
from vasgen.render.renderer import Renderer

__all__ = [
    "ImageBackend",
    "Renderer",
    "open_backend",
    "overview_camera",
    "preview",
    "to_display",
    "write_exr",
    "write_png",
]
