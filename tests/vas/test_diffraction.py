"""First-order diffraction against Sionna's planar map and its path solver."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, mesh, moved, ridge, street_canyon, view
from tests.vas.reference import path_solver_gain
from vasgen.citygen import CityConfig, generate
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.edges.diffraction import Diffraction, Target
from vasgen.vas.edges.wedge_search import diffraction_on_image
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.scene.wedges import find_wedges
from vasgen.vas.surfaces.surface import offset_m, sum_by_group
from vasgen.vas.surfaces.visible import visible_surface


def diffraction(scene, position, spec, centre):
    """The solver for one transmitter, and its radio scene."""
    radio = RadioScene(scene, spec, np.asarray(centre, float))
    radio.set_transmitter(Transmitter("tx", tuple(map(float, position))))
    return Diffraction(radio, find_wedges(scene), np.asarray(position)), radio


def test_a_box_has_twelve_wedges_of_a_right_angle():
    wedges = find_wedges(bundle(box("b", (4, 6, 8), (1, 2, 4))))
    assert len(wedges) == 12
    assert sorted(wedges.length.round(9)) == [4] * 4 + [6] * 4 + [8] * 4
    assert np.abs(np.einsum("ij,ij->i", wedges.normal_0, wedges.normal_n)).max() < 1e-12
    into_face = np.cross(wedges.normal_0, wedges.along)
    middle = wedges.origin + 0.5 * wedges.length[:, None] * wedges.along
    to_centre = np.array([1, 2, 4]) - middle
    assert (np.einsum("ij,ij->i", into_face, to_centre) > 0).all()
    assert (np.einsum("ij,ij->i", wedges.outward, to_centre) < 0).all()


def test_swapping_faces_keeps_the_wedge():
    wedges = find_wedges(bundle(box("b", (4, 6, 8), (1, 2, 4))))
    swapped = wedges.swapped(np.ones(len(wedges), bool))
    assert swapped.origin == pytest.approx(wedges.origin + wedges.length[:, None] * wedges.along)
    into_face = np.cross(swapped.normal_0, swapped.along)
    assert into_face == pytest.approx(-swapped.normal_n)


def test_winding_does_not_matter_and_flat_edges_are_no_wedges():
    solid = box("b", (4, 6, 8), (1, 2, 4))
    inside_out = mesh("b", solid.vertices, solid.faces[:, ::-1], radio="concrete")
    one, other = (find_wedges(bundle(m)) for m in (solid, inside_out))
    assert len(one) == len(other) == 12

    def edges(wedges):
        middle = wedges.origin + 0.5 * wedges.length[:, None] * wedges.along
        order = np.lexsort(middle.round(6).T)
        return middle[order], wedges.outward[order]

    for a, b in zip(edges(one), edges(other), strict=True):
        assert a == pytest.approx(b)
    assert len(find_wedges(bundle(ground(5.0)))) == 0


def everywhere(solver, target):
    """Path gain from all wedges together, without a search."""
    return solver.gains(target).sum(axis=0)


def test_an_inside_out_wall_diffracts_like_a_sound_one():
    solid = ridge("wall", 60, 3, 15)
    inside_out = mesh("wall", solid.vertices, solid.faces[:, ::-1], radio="concrete")
    points = np.array([[0.0, 12.0, 3.0], [5.0, 25.0, 8.0]])
    target = Target(points, np.tile([0.0, 0.0, 1.0], (2, 1)))
    gains = [
        everywhere(diffraction(bundle(m), [0.0, -25.0, 4.0], RadioSpec(), np.zeros(3))[0], target)
        for m in (solid, inside_out)
    ]
    assert (gains[0] > 0).all()
    assert gains[0] == pytest.approx(gains[1], rel=1e-5)


def test_an_inner_corner_diffracts_nothing():
    """Two walls of a courtyard: their common edge is a corner of the air, not of a wall."""
    corners = [(0, 20, 0), (0, 0, 0), (20, 0, 0), (0, 20, 30), (0, 0, 30), (20, 0, 30)]
    faces = [(0, 1, 4), (0, 4, 3), (1, 2, 5), (1, 5, 4)]
    walls = mesh("walls", corners, faces, radio="concrete")
    solver, _ = diffraction(bundle(walls), [9.0, 6.0, 2.0], RadioSpec(), np.zeros(3))
    target = Target(np.array([[4.0, 12.0, 1.0], [12.0, 3.0, 5.0]]), np.tile([0.0, 0, 1], (2, 1)))
    assert everywhere(solver, target).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("shift", [np.zeros(3), np.array([5000.0, 5000.0, 0.0])])
@pytest.mark.parametrize("radio_material", ["concrete", "metal"])
@pytest.mark.parametrize("frequency_hz", [1e9, 3.5e9, 28e9])
def test_agrees_with_sionnas_planar_map_behind_a_wall(shift, radio_material, frequency_hz):
    scene = bundle(ridge("wall", 60, 3, 15, radio=radio_material))
    spec = RadioSpec(frequency_hz=frequency_hz)
    solver, radio = diffraction(moved(scene, shift), shift + [0, -25, 4], spec, shift)
    x, y = np.meshgrid(np.arange(-4.5, 5), np.arange(5.5, 35))
    points = np.stack([x.ravel(), y.ravel(), np.full(x.size, 3.0)], axis=1) + shift
    ours = everywhere(solver, Target(points, np.tile([0.0, 0.0, 1.0], (len(points), 1))))

    import mitsuba as mi

    theirs = radio.rt.RadioMapSolver()(
        radio.scene,
        center=mi.Point3f(0, 20, 3),
        orientation=mi.Point3f(0, 0, 0),
        size=mi.Point2f(10, 30),
        cell_size=mi.Point2f(1, 1),
        samples_per_tx=2_000_000,
        max_depth=1,
        los=False,
        specular_reflection=False,
        refraction=False,
        diffraction=True,
    )
    expected = np.array(theirs.path_gain, np.float64)[0].ravel()
    # Sionna's cells run from low to high x, then y, like ours.
    assert (expected > 0).all()
    assert 10 * np.log10(ours.sum() / expected.sum()) == pytest.approx(0, abs=0.3)
    error_db = 10 * np.log10(ours / expected)
    assert np.abs(np.median(error_db)) < 0.15
    # Single cells of the sampled map are noisy; rows of ten, at one distance, are not.
    rows = 10 * np.log10(ours.reshape(30, 10).sum(axis=1) / expected.reshape(30, 10).sum(axis=1))
    assert np.quantile(np.abs(rows), 0.9) < 0.8


@pytest.mark.parametrize("frequency_hz", [1e9, 3.5e9])
def test_agrees_with_the_path_solver_at_every_point(frequency_hz):
    scene = street_canyon()
    spec = RadioSpec(frequency_hz=frequency_hz, max_depth=1)
    position = np.array([-15.0, 2.0, 1.6])
    solver, radio = diffraction(scene, position, spec, np.zeros(3))
    _, camera, depth, normal = view(scene, [-55, -60, 50], [0, 0, 5], 12, 9)
    seen = np.isfinite(depth).ravel()
    unit = normal.reshape(-1, 3)[seen].astype(float)
    target = Target(camera.back_project(depth).reshape(-1, 3)[seen] + 0.05 * unit, unit)
    ours = everywhere(solver, target)
    theirs = path_solver_gain(radio, target.point, target.normal, spec, only="diffraction")
    both = (ours > 1e-16) & (theirs > 1e-16)
    assert both.sum() > 30
    error_db = 10 * np.log10(ours[both] / theirs[both])
    assert np.abs(np.median(error_db)) < 0.02
    # The path solver finds wedges by shooting rays at them, so it misses some: ours may have
    # more, but hardly ever less.
    assert (error_db > -0.3).mean() > 0.97
    assert ((theirs > 1e-16) & (ours == 0)).sum() <= 0.02 * both.sum()


@pytest.mark.parametrize(("width", "height"), [(320, 240), (160, 120), (80, 60)])
def test_the_search_on_a_city_view_loses_hardly_any_power(width, height):
    scene = generate(CityConfig(density="downtown", seed=2, size_m=200.0)).to_bundle()
    caster, camera, depth, normal = view(scene, [-80, -90, 90], [0, 0, 10], width, height)
    street = np.flatnonzero((normal.reshape(-1, 3)[:, 2] > 0.99) & np.isfinite(depth.ravel()))
    points = camera.back_project(depth).reshape(-1, 3)
    low = points[street][points[street][:, 2] < 0.2]
    position = low[np.argmin(np.linalg.norm(low, axis=1))] + [0, 0, 1.6]
    solver, radio = diffraction(scene, position, RadioSpec(), np.zeros(3))
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    pixel = surface.centres.pixel
    found = diffraction_on_image(solver, surface, radio.centre)

    random = np.random.default_rng(0)
    some = random.choice(pixel, 300, replace=False)
    expected = footprint_means(solver, surface, some, radio.centre)
    reached = expected > 1e-17
    assert reached.sum() > 50
    # The strongest pixels dominate the sum, and are means of few points themselves.
    assert found[some].sum() / expected.sum() == pytest.approx(1, abs=0.1)
    error_db = 10 * np.log10(np.maximum(found[some], 1e-30) / np.maximum(expected, 1e-30))
    assert np.median(np.abs(error_db[reached])) < 0.1
    assert (np.abs(error_db[reached]) > 3).mean() < 0.05


def footprint_means(solver, surface, pixels, origin):
    """Diffracted gain over 3 x 3 points of every quad of some pixels, from all wedges."""
    quads = np.flatnonzero(np.isin(surface.pixel, pixels))
    points = surface.sample_points(3, quads).reshape(-1, 3)
    normal = np.repeat(surface.normal[quads], 9, axis=0)
    points = points + offset_m(points, origin)[:, None] * normal
    gain = everywhere(solver, Target(points, normal)).reshape(-1, 9).mean(axis=1)
    share = surface.quad_area[quads] / surface.pixel_area[surface.pixel[quads]]
    return sum_by_group(surface.pixel[quads], gain * share, surface.num_pixels)[pixels]


def test_nothing_arrives_from_behind_or_through_walls():
    wall = ridge("wall", 60, 3, 15)
    scene = bundle(wall, box("cover", (60, 1, 40), (0, 6, 20)))
    solver, _ = diffraction(scene, [0.0, -25.0, 4.0], RadioSpec(), np.zeros(3))
    points = np.array([[0.0, 3.0, 5.0], [0.0, 20.0, 3.0]])
    up, away = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])
    facing = everywhere(solver, Target(points, np.stack([up, up])))
    bare, _ = diffraction(bundle(wall), [0.0, -25.0, 4.0], RadioSpec(), np.zeros(3))
    turned = everywhere(bare, Target(points[:1], away[None]))
    assert facing[0] > 0
    assert facing[1] == 0, "the cover hides the second point from the edge"
    assert turned[0] == 0, "a surface that faces away from the edge receives nothing"
