"""Label one view of your own camera in a real scene, and compare lit pixels with free space."""

import numpy as np

from vasgen.camera import Camera
from vasgen.render import Renderer
from vasgen.scenes import open_scene
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer

scene = open_scene("sionna:simple_street_canyon")
camera = Camera.look_at((-70, -5, 30), (10, 0, 5), width=320, height=240)
image = Renderer(scene).layers(camera, rgb=False)

transmitter = Transmitter("lamp", (-20.0, 0.0, 8.0), power_dbm=30.0)
radio = Tracer(scene, RadioSpec(rays=1_000_000, max_depth=5)).trace(
    camera, image.depth, image.normal, [transmitter]
)

points = camera.back_project(image.depth)
distance = np.linalg.norm(points - np.array(transmitter.position), axis=-1)
wavelength_m = 299_792_458 / 3.5e9
free_space_db = 20 * np.log10(wavelength_m / (4 * np.pi * distance))
excess_db = (radio.path_gain_db[0] - free_space_db)[radio.line_of_sight[0]]
print(
    f"{len(excess_db)} lit pixels; reflections add up to "
    f"{np.percentile(excess_db, 95):.1f} dB over free space (95 % of them)"
)
