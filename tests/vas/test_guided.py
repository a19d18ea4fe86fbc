"""Guided rays against images in rooms, and the search that tells them what to look for."""

import itertools

import numpy as np
import pytest

from tests.support import box, bundle, ground, rectangle, view
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.closed_form.chain_search import ChainSearch
from vasgen.vas.closed_form.guided import GuidedRays, Pairs
from vasgen.vas.closed_form.lighting import Lighting, joins
from vasgen.vas.paths.legs import path_legs
from vasgen.vas.paths.paths import Event, Paths, Points
from vasgen.vas.scene.plane_lookup import PlaneLookup
from vasgen.vas.scene.planes import find_facets
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.wedges import find_wedges
from vasgen.vas.surfaces.cells import CELL, cells_of
from vasgen.vas.surfaces.image_index import ImageIndex
from vasgen.vas.surfaces.surface import Target
from vasgen.vas.surfaces.visible import visible_surface

ROOM = np.array([9.0, 7.0, 5.0])


class Setting:
    """A scene with guided rays."""

    def __init__(self, scene, centre=(0.0, 0.0, 0.0), **spec):
        self.scene, self.spec = scene, RadioSpec(diffraction=False, **spec)
        self.centre = np.asarray(centre, float)
        self.radio = RadioScene(scene, self.spec, self.centre)
        self.facets = find_facets(scene)
        self.lookup = PlaneLookup(self.radio, scene, self.facets)
        materials = scene.radio_materials
        self.guided = GuidedRays(self.radio, self.lookup, self.facets, materials, self.spec)

    def all_chains(self, reflections):
        """Every sequence of different neighbours among the planes, up to a number."""
        planes = range(len(self.facets.planes))
        rows = [
            (*chain, *[-1] * (reflections - order))
            for order in range(reflections + 1)
            for chain in itertools.product(planes, repeat=order)
            if all(a != b for a, b in itertools.pairwise(chain))
        ]
        return np.array(rows).reshape(-1, reflections)

    def every_path(self, source, target, reflections):
        """All paths to some points, told all chains there are."""
        mirrors = self.all_chains(reflections)
        point, row = np.divmod(np.arange(len(target.point) * len(mirrors)), len(mirrors))
        least = np.zeros(len(target.point))
        return self.guided.trace(source, target, mirrors, Pairs(point, row), least)

    def lengths(self, source, target, found):
        """Length of each path, metres."""
        points = Points(np.arange(len(target.point)), np.ones(len(target.point)), target)
        ends, chain = found.point.astype(np.int32), found.chain.astype(np.int32)
        wedges = find_wedges(self.scene)
        paths = Paths(source, points, found.chains, self.facets.planes, wedges, ends, chain)
        legs = path_legs(paths)
        return np.array(legs.before) + np.array(legs.after)


def room(shift):
    return bundle(box("room", ROOM, ROOM / 2 + shift))


def images(source, reflections):
    """Image sources of a box room whose rays come to its floor from above."""
    found = []
    for m in itertools.product(range(-reflections, reflections + 1), repeat=3):
        if sum(map(abs, m)) <= reflections and m[2] >= 0:
            odd = np.array(m) % 2 == 1
            found.append(np.array(m) * ROOM + np.where(odd, ROOM - source, source))
    return np.array(found)


@pytest.mark.parametrize("shift", [(0, 0, 0), (9000.0, -4000.0, 30.0)])
def test_all_paths_of_a_box_room_are_those_of_its_images(shift):
    shift = np.array(shift)
    setting = Setting(room(shift), shift, refraction=False, max_depth=3)
    source = np.array([2.3, 3.1, 1.7])
    floor = np.array([[6.1, 2.2, 0.002], [1.2, 5.9, 0.002], [8.7, 0.4, 0.002]])
    target = Target(floor + shift, np.tile([0.0, 0.0, 1.0], (3, 1)))
    found = setting.every_path(source + shift, target, 3)
    lengths = setting.lengths(source + shift, target, found)
    for number, point in enumerate(floor):
        expected = np.sort(np.linalg.norm(images(source, 3) - point, axis=1))
        assert len(expected) == 44
        np.testing.assert_allclose(np.sort(lengths[found.point == number]), expected, atol=1e-6)


def test_a_path_is_its_mirrors_and_the_slabs_in_its_way():
    scene = bundle(
        ground(30),
        rectangle("pane", [(5, -9, 0), (5, 9, 0), (5, 9, 9), (5, -9, 9)], radio="glass"),
        rectangle("wall", [(10, -9, 0), (10, 9, 0), (10, 9, 9), (10, -9, 9)], radio="metal"),
    )
    setting = Setting(scene, max_depth=6)
    target = Target(np.array([[-3.0, 0.0, 0.001]]), np.array([[0.0, 0.0, 1.0]]))
    found = setting.every_path(np.array([0.0, 1.0, 3.0]), target, 1)
    events = {tuple(row[row >= 0]) for row in found.chains.event[found.chain]}
    mirror, slab = int(Event.REFLECTION), int(Event.TRANSMISSION)
    assert events == {(), (mirror,), (slab, mirror, slab)}
    names = [material.name for material in scene.radio_materials]
    through = np.flatnonzero((found.chains.event >= 0).sum(axis=1) == 3)[0]
    used = [names[number] for number in found.chains.material[through, :3]]
    assert used == ["glass", "metal", "glass"]


def test_what_slabs_take_too_much_of_is_no_path():
    walls = [
        rectangle(f"wall-{x}", [(x, -9, 0), (x, 9, 0), (x, 9, 9), (x, -9, 9)], radio="concrete")
        for x in (2, 4)
    ]
    setting = Setting(bundle(ground(30), *walls))
    target = Target(np.array([[6.0, 0.0, 0.001]]), np.array([[0.0, 0.0, 1.0]]))
    pairs, mirrors = Pairs(*np.zeros((2, 1), np.int64)), np.full((1, 1), -1)
    friis = 10 ** (-59.5 / 10)  # at 3.5 GHz over 6.7 m; two walls take 55.6 dB at least
    for least, count in ((0.0, 1), (friis * 1e-5, 0), (friis * 1e-7, 1)):
        found = setting.guided.trace(
            np.array([0.0, 0.0, 3.0]), target, mirrors, pairs, np.array([least])
        )
        assert len(found.point) == count


def lighting(scene, source, look, shape, **spec):
    setting = Setting(scene, refraction=False, **spec)
    setting.radio.set_transmitter(Transmitter("t", tuple(source)))
    caster, camera, depth, normal = view(scene, *look, *shape)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    cells, index = cells_of(surface), ImageIndex([surface], setting.centre)
    triangles = scene.face_table.triangles
    search = ChainSearch(
        setting.radio, setting.lookup, index, cells.of_pixel, triangles, setting.spec
    )
    found = search.find(0)
    again = search.find(0)
    assert (found.cell == again.cell).all()
    assert (found.chain == again.chain).all()
    points = Points(
        surface.centres.pixel, np.ones(len(surface.centres.pixel)), surface.target(setting.centre)
    )
    light = Lighting(
        setting.guided,
        lambda points, found: np.full((1, len(found.point)), 1e-12),
        np.asarray(source, float),
        surface,
        cells,
        found,
    )
    return setting, light, points


def canyon():
    return bundle(
        ground(60, radio="concrete"),
        box("left", (60, 8, 20), (0, -12, 10), radio="brick"),
        box("right", (60, 8, 20), (0, 12, 10)),
        box("end", (6, 12, 9), (33, 0, 4.5), radio="metal"),
    )


def test_few_rays_find_all_that_every_chain_lights():
    scene, source = canyon(), (-20.0, 1.0, 6.0)
    setting, light, points = lighting(
        scene, source, ((-45, 0, 30), (10, 0, 0)), (48, 32), search_rays=20_000, max_depth=3
    )
    found = light.middles(points)
    every = setting.every_path(np.array(source), points.target, 2)
    order = (found.chains.event >= 0).sum(axis=1)[found.chain]
    ours = np.bincount(found.point[order <= 2], minlength=len(points))
    theirs = np.bincount(every.point, minlength=len(points))
    assert (ours <= theirs).all()
    assert ours.sum() > 0.99 * theirs.sum() > 1000
    pixels = np.zeros(48 * 32, bool)
    pixels[points.pixel] = True
    assert 0 < light.unsettled(pixels).sum() < len(points)
    samples = light.samples(points)  # the same points: the same paths
    assert len(samples.point) == len(found.point)
    assert (np.bincount(samples.point) == np.bincount(found.point)).all()


def test_cells_are_squares_of_pixels():
    scene = canyon()
    caster, camera, depth, normal = view(scene, (-45, 0, 30), (10, 0, 0), 20, 13)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    cells = cells_of(surface)
    assert (cells.rows, cells.columns, len(cells)) == (2, 3, 6)
    assert cells.of_pixel.reshape(13, 20)[CELL, 2 * CELL] == 5


def test_joins_are_all_equal_pairs():
    random = np.random.default_rng(0)
    keys, ordered = random.integers(5, size=7), np.sort(random.integers(5, size=9))
    pairs = set(zip(*(n.tolist() for n in joins(keys, ordered)), strict=True))
    every = itertools.product(range(7), range(9))
    assert pairs == {(i, j) for i, j in every if keys[i] == ordered[j]}
