"""What is counted besides closed-form paths: which rays, by blocks, and with what error."""

import itertools

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon, view
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.partition import Lit, Partition
from vasgen.vas.counting.remainder import BlockAudience, has_remainder
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import find_facets
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.cells import cells_of
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
        facets = find_facets(scene)
        self.planes = facets.plane
        self.lookup = PlaneLookup(self.radio, scene, facets)

    def lit(self, reflections, some=lambda cell: cell >= 0):
        """All chains of so many planes of the scene light all of some cells."""
        cells, planes = cells_of(self.surface), range(-1, int(self.planes.max()) + 1)
        rows = list(itertools.product(planes, repeat=reflections))
        chain = np.array(rows, np.int64).reshape(len(rows), reflections)
        cell, row = (n.ravel() for n in np.meshgrid(np.arange(len(cells)), np.arange(len(chain))))
        return Lit(cell[some(cell)], chain[row[some(cell)]])

    def count(self, lit=None, *, blocks=False, seed=0, rays=None):
        """What rays bring; if ``lit`` is given only what remains besides it."""
        spec = self.spec if rays is None else self.spec.model_copy(update={"rays": rays})
        partition = None
        if lit is not None:
            partition = Partition(self.lookup, cells_of(self.surface).of_pixel, 3)
            partition.learn([lit.keys()])
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
    for reflections, expected in ((0, one + two), (1, two)):
        gain = setting.count(setting.lit(reflections)).gain[setting.surface.pixel[on_floor]]
        assert 10 * np.log10(gain.sum() / expected.sum()) == pytest.approx(0, abs=0.1), reflections
    assert setting.count(setting.lit(2)).gain.max() == 0


def test_rays_through_slabs_are_known():
    glass = box("pane", (30, 0.1, 20), (0, 8, 10), radio="glass")
    through = Setting(
        bundle(glass, ground(20)),
        [0, 19, 25],
        [0, 12, 0],
        [0, -8, 6],
        RadioSpec(rays=200_000, max_depth=2, specular_reflection=False),
    )
    assert through.count().gain.max() > 0
    assert through.count(through.lit(0)).gain.max() == 0


def test_mirrors_that_the_search_has_missed_are_counted():
    setting = canyon(RadioSpec(rays=1_000_000, max_depth=1, refraction=False))
    every, none = setting.count().gain, setting.count(setting.lit(1)).gain
    assert every.max() > 0
    assert none.max() == 0
    cells = cells_of(setting.surface).of_pixel
    lost = (cells % 2 == 0) & (every > 0)
    found = setting.count(setting.lit(1, lambda cell: cell % 2 == 1)).gain
    assert found[lost] == pytest.approx(every[lost], rel=1e-6)
    assert found[cells % 2 == 1].max() == 0


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
    ratio = setting.energy(setting.count(setting.lit(2)).gain) / rough.energy(rough.count().gain)
    # Two diffuse bounces, and one before or behind a mirror as well.
    assert 1.0 < ratio < 3.0


@pytest.mark.parametrize("reflections", [0, 1])
def test_blocks_hold_the_energy_that_pixels_hold(reflections):
    setting = canyon(RadioSpec(rays=400_000, max_depth=4), size=(240, 180))
    pixels, blocks = (
        setting.count(setting.lit(reflections), blocks=some) for some in (False, True)
    )
    assert setting.energy(blocks.gain) == pytest.approx(setting.energy(pixels.gain), rel=0.01)
    steps = [np.abs(np.diff(some.gain.reshape(180, 240))).sum() for some in (pixels, blocks)]
    assert steps[1] < 0.2 * steps[0]


@pytest.mark.parametrize(
    "reflections",
    [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)],
)
def test_the_stated_error_of_blocks_is_their_error(reflections):
    spec = RadioSpec(rays=200_000, max_depth=5)
    setting = canyon(spec, size=(160, 120))
    runs = [
        setting.count(setting.lit(reflections), blocks=True, seed=seed) for seed in range(1, 17)
    ]
    gain = np.array([run.gain for run in runs])
    stated = np.mean([run.variance for run in runs], axis=0)
    seen = setting.surface.pixel_area > 0
    # Blocks that lean on others are off by more than their scatter, and say so.
    truth = setting.count(setting.lit(reflections), blocks=True, rays=16_000_000, seed=98).gain
    error = ((gain - truth) ** 2).mean(axis=0)
    for share in (0.0, 0.5, 0.95):  # also of the brightest alone
        bright = seen & (truth >= np.quantile(truth[seen], share))
        assert 0.1 < error[bright].mean() / stated[bright].mean() < 2.0, share
    # Unbiased: many more rays, pixel by pixel, hold the same energy.
    energy = np.array([setting.energy(one) for one in gain])
    truth = setting.energy(setting.count(setting.lit(reflections), rays=8_000_000, seed=99).gain)
    assert abs(energy.mean() - truth) < 4 * energy.std(ddof=1) / np.sqrt(len(runs))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"max_depth": 1}, True),
        ({"max_depth": 0}, False),
        ({"specular_reflection": False, "max_depth": 8}, False),
        ({"specular_reflection": False, "refraction": False}, False),
        ({"specular_reflection": False, "max_depth": 9}, True),
        ({"specular_reflection": False, "max_depth": 3, "diffuse_reflection": True}, True),
    ],
)
def test_rays_are_counted_only_where_something_may_remain(changes, expected):
    assert has_remainder(RadioSpec(**changes)) is expected
