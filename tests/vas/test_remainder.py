"""What is counted besides closed-form paths: which rays, by blocks, and with what error."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon, view
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.partition import Partition
from vasgen.vas.counting.remainder import BlockAudience, has_remainder
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import find_facets
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.image_index import ImageIndex
from vasgen.vas.surfaces.visible import visible_surface

FAR = np.array([5000.0, -7000.0, 0.0])


class Setting:
    """One view of a scene, with a transmitter, to count on with and without a partition."""

    def __init__(self, scene, camera_at, target, place, spec, size=(48, 36), origin=(0, 0, 0)):
        caster, camera, depth, normal = view(scene, camera_at, target, *size)
        self.spec = spec
        self.surface = visible_surface(camera, depth, normal, "footprint", caster)
        self.radio = RadioScene(scene, spec, np.asarray(origin, float))
        self.radio.set_transmitter(Transmitter("tx", tuple(map(float, place))))
        self.lookup = PlaneLookup(self.radio, scene, find_facets(scene))

    def count(self, reflections=None, *, blocks=False, seed=0, rays=None):
        spec = self.spec if rays is None else self.spec.model_copy(update={"rays": rays})
        partition = None if reflections is None else Partition(self.lookup, reflections)
        audience = Audience([self.surface], self.radio.centre)
        if blocks:
            index = ImageIndex([self.surface], self.radio.centre)
            audience = BlockAudience([self.surface], index)
        return trace_coverage(
            self.radio, audience, spec, seed=seed, line_of_sight=False, partition=partition
        )[0]

    def energy(self, gain):
        return (gain * self.surface.pixel_area).sum()


def canyon(spec, **options):
    return Setting(street_canyon(), [-60, -2, 30], [0, 2, 5], [-20, 0, 5], spec, **options)


def corner(shift, spec):
    """Two metal walls at right angles on a floor: two images of one mirror, one of two."""
    south = [(0, 0, 0), (40, 0, 0), (40, 0, 30), (0, 0, 30)]
    west = [(0, 40, 0), (0, 0, 0), (0, 0, 30), (0, 40, 30)]
    floor = [(1, 1, 0), (12, 1, 0), (12, 12, 0), (1, 12, 0)]
    scene = bundle(
        rectangle("south", south[::-1], radio="metal"),
        rectangle("west", west[::-1], radio="metal", instance=2),
        rectangle("floor", floor, instance=3),
    )
    place = np.array([9.0, 6.0, 5.0]) + shift
    setting = Setting(
        moved(scene, shift), shift + [7, 7, 30], shift + [6, 6, 0], place, spec, origin=shift
    )
    return setting, place


@pytest.mark.parametrize("shift", [np.zeros(3), FAR])
@pytest.mark.parametrize("frequency_hz", [3.5e9, 28e9])
def test_rays_of_more_mirrors_than_are_known_are_counted_alone(shift, frequency_hz):
    spec = RadioSpec(frequency_hz=frequency_hz, rays=1_000_000, max_depth=2, refraction=False)
    setting, place = corner(shift, spec)
    on_floor = setting.surface.normal[:, 2] > 0.5
    middle = setting.surface.quad_centres[on_floor]
    wavelength = 299_792_458.0 / frequency_hz

    def images(signs):
        place_of = [shift + (place - shift) * sign for sign in signs]
        distance = [np.linalg.norm(middle - image, axis=1) for image in place_of]
        return sum((wavelength / (4 * np.pi * d)) ** 2 for d in distance)

    one = images([[1, -1, 1], [-1, 1, 1]])
    two = images([[-1, -1, 1]])  # by either wall first: each place sees one of both
    for reflections, expected in ((None, one + two), (0, one + two), (1, two)):
        gain = setting.count(reflections).gain[setting.surface.pixel[on_floor]]
        assert 10 * np.log10(gain.sum() / expected.sum()) == pytest.approx(0, abs=0.1), reflections
    assert setting.count(2).gain.max() == 0


def test_rays_through_slabs_are_known_and_rays_of_small_or_round_things_are_not():
    glass = box("pane", (30, 0.1, 20), (0, 8, 10), radio="glass")
    floor = ground(20)
    through = Setting(
        bundle(glass, floor),
        [0, 19, 25],
        [0, 12, 0],
        [0, -8, 6],
        RadioSpec(rays=200_000, max_depth=2, specular_reflection=False),
    )
    assert through.count().gain.max() > 0
    assert through.count(0).gain.max() == 0
    # A metal plate of 16 square decimetres is too small for the search.
    plate = rectangle("plate", [(0, 5, 2), (0.4, 5, 2), (0.4, 5, 2.4), (0, 5, 2.4)], radio="metal")
    small = Setting(
        bundle(floor, plate),
        [0, -5, 12],
        [0, 0, 0],
        [0, -6, 6],
        RadioSpec(rays=2_000_000, max_depth=1, refraction=False),
    )
    on_floor = small.surface.pixel[small.surface.normal[:, 2] > 0.5]
    counted, every = (small.count(known).gain[on_floor] for known in (3, None))
    assert counted.max() > 0
    assert counted == pytest.approx(every, rel=1e-9)


def test_diffuse_rays_are_counted_whatever_mirrors_are_known():
    spec = RadioSpec(
        rays=200_000,
        max_depth=2,
        refraction=False,
        diffuse_reflection=True,
        scattering_coefficient=0.5,
    )
    setting = canyon(spec)
    rough = canyon(spec.model_copy(update={"specular_reflection": False}))
    ratio = setting.energy(setting.count(2).gain) / rough.energy(rough.count().gain)
    # Two diffuse bounces, and one before or behind a mirror as well.
    assert 1.0 < ratio < 3.0


@pytest.mark.parametrize("reflections", [0, 1])
def test_blocks_hold_the_energy_that_pixels_hold(reflections):
    setting = canyon(RadioSpec(rays=400_000, max_depth=4), size=(240, 180))
    pixels, blocks = (setting.count(reflections, blocks=some) for some in (False, True))
    assert setting.energy(blocks.gain) == pytest.approx(setting.energy(pixels.gain), rel=0.01)
    assert len(np.unique(blocks.gain)) < 0.2 * (setting.surface.pixel_area > 0).sum()


@pytest.mark.parametrize("reflections", [0, 1, 2])
def test_the_stated_error_of_blocks_is_their_error(reflections):
    spec = RadioSpec(rays=200_000, max_depth=5)
    setting = canyon(spec, size=(160, 120))
    runs = [setting.count(reflections, blocks=True, seed=seed) for seed in range(1, 17)]
    gain = np.array([run.gain for run in runs])
    stated = np.mean([run.variance for run in runs], axis=0)
    seen = setting.surface.pixel_area > 0
    # Blocks that lean on others are off by more than their scatter, and say so.
    truth = setting.count(reflections, blocks=True, rays=16_000_000, seed=98).gain
    ratio = ((gain - truth) ** 2).mean(axis=0)[seen].mean() / stated[seen].mean()
    assert 0.4 < ratio < 2.0
    # Unbiased: many more rays, pixel by pixel, hold the same energy.
    energy = np.array([setting.energy(one) for one in gain])
    truth = setting.energy(setting.count(reflections, rays=8_000_000, seed=99).gain)
    assert abs(energy.mean() - truth) < 4 * energy.std(ddof=1) / np.sqrt(len(runs))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"max_depth": 3}, False),
        ({"max_depth": 3, "reflections": 2}, True),
        ({"max_depth": 0}, False),
        ({"specular_reflection": False}, False),
        ({"max_depth": 3, "diffuse_reflection": True}, True),
    ],
)
def test_rays_are_counted_only_where_something_may_remain(changes, expected):
    assert has_remainder(RadioSpec(**changes), find_facets(street_canyon())) is expected


def test_small_planes_leave_a_remainder_whatever_the_depth():
    plate = rectangle("plate", [(0, 5, 2), (0.4, 5, 2), (0.4, 5, 2.4), (0, 5, 2.4)], radio="metal")
    assert has_remainder(RadioSpec(max_depth=1), find_facets(bundle(ground(20), plate)))
