"""Transmission through slabs: counted rays behind walls against the path solver."""

import numpy as np
import pytest

from tests.support import box, bundle, view
from tests.vas.reference import path_solver_gain
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface


@pytest.mark.parametrize(("material", "depth"), [("glass", 2), ("brick", 2), ("glass", 4)])
def test_power_behind_a_building_agrees_with_the_path_solver(material, depth):
    house = box("house", (8, 4, 8), (0, 0, 4), radio=material)
    screen = box("screen", (16, 0.4, 12), (0, 12, 6), radio="concrete", instance=2)
    scene = bundle(house, screen)
    caster, camera, image, normal = view(scene, [0, 3.5, 4], [0, 12, 4], 24, 18, 50.0)
    spec = RadioSpec(rays=8_000_000, max_depth=depth, diffraction=False)
    surface = visible_surface(camera, image, normal, "footprint", caster)
    radio = RadioScene(scene, spec, np.zeros(3))
    radio.set_transmitter(Transmitter("tx", (1.0, -12.0, 3.0)))
    counted = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=True
    )[0].gain

    behind = np.flatnonzero(np.bincount(surface.pixel, minlength=image.size) == 1)[::7]
    quads = np.flatnonzero(np.isin(surface.pixel, behind))
    lift = surface.offset_m(radio.centre)[quads, None] * surface.normal[quads]
    expected = path_solver_gain(
        radio, surface.quad_centres[quads] + lift, surface.normal[quads], spec
    )
    gain = counted[surface.pixel[quads]]
    both = expected > 0
    assert both.sum() > 30
    assert 10 * np.log10(gain[both].sum() / expected[both].sum()) == pytest.approx(0, abs=0.2)
    error_db = 10 * np.log10(np.maximum(gain, 1e-30) / np.maximum(expected, 1e-30))
    assert np.abs(np.median(error_db[both])) < 0.2
