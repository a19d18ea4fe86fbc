"""Light among leaves: energy, the crown's depth, and normals that only light sees."""

import numpy as np
import pytest

from vasgen import runtime
from vasgen.camera import Camera
from vasgen.citygen.life.crowns import SPECIES
from vasgen.citygen.materials import FAMILIES, PALETTE
from vasgen.conditions import Conditions
from vasgen.render import Renderer
from vasgen.render.looks.foliage import find_crowns, leaf_tint
from vasgen.render.tracing import leaves as module
from vasgen.render.tracing.leaves import (
    Leaf,
    evaluate_leaf,
    find_leaves,
    lamp_side,
    sample_leaf,
    through_crown,
)
from vasgen.render.tracing.material import surface
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass

GREEN = (0.08, 0.15, 0.04)


@pytest.fixture
def mi():
    with runtime.colour_variant() as variant:
        yield variant


def leafy(mi, count=1, shade=1.0, leafy=True, half=1.0):
    up = mi.Normal3f(0, 0, 1)
    inverse = mi.Vector3f(1 / half)
    return Leaf(mi.Bool([leafy] * count), up, mi.Float(shade), mi.Vector3f(0), inverse)


def tree(builder, material, low=(-2, -2, 3), high=(2, 2, 8), recipe="foliage"):
    looks = [material(), material(GREEN, "leaves")]
    object.__setattr__(looks[1], "recipe", recipe)
    scene = builder(looks).quad((-40, -40), (40, 40), 0.0)
    more = {"visual": 1, "semantic": SemanticClass.VEGETATION, "instance": 3}
    return scene.box(low, high, **more).bundle()


@pytest.mark.parametrize("base", [GREEN, (0.0, 0.0, 0.0), (0.69, 0.3, 0.9), (1.0, 1.0, 1.0)])
@pytest.mark.parametrize("roughness", [0.3, 0.75, 1.0])
@pytest.mark.parametrize("cosine", [0.15, 0.5, 1.0])
def test_leaves_reflect_and_let_through_no_more_than_arrives(mi, base, roughness, cosine):
    count = 200_000
    rng = np.random.default_rng(1)
    choice, *turn = (mi.Float(rng.random(count, np.float32)) for _ in range(3))
    look = surface(mi, mi.Color3f(*base), mi.Float(roughness), mi.Float(0))
    wi = mi.Vector3f(float(np.sqrt(1 - cosine**2)), 0, cosine)
    leaf = leafy(mi, count)
    wo, weight = sample_leaf(mi, leaf, look, wi, choice, mi.Point2f(*turn))
    sampled = np.array(weight).mean(axis=1)
    # The integral over all directions, evenly drawn, is the same.
    grid = (np.stack(np.divmod(np.arange(count), 500)) + 0.5) / [[400], [500]]
    even = mi.warp.square_to_uniform_sphere(mi.Point2f(*grid.astype(np.float32)))
    value = np.array(evaluate_leaf(mi, leaf, look, wi, even)).mean(axis=1) * 4 * np.pi
    assert value == pytest.approx(sampled, rel=0.03, abs=0.002)
    assert sampled.max() <= 1.0
    if base == GREEN:
        behind = (np.array(weight) * (np.array(wo.z) < 0)).mean(axis=1)
        assert behind.min() > 0.01
        assert behind[1] > base[1] > behind[2]


def test_what_is_no_leaf_scatters_as_solid(mi):
    look = surface(mi, mi.Color3f(0.5), mi.Float(1), mi.Float(0))
    leaf = leafy(mi, 3, leafy=False)
    turn = mi.Point2f([0.1, 0.5, 0.8], [0.2, 0.4, 0.9])
    up, choice = mi.Vector3f(0, 0, 1), mi.Float([0.1, 0.4, 0.9])
    wo, _ = sample_leaf(mi, leaf, look, up, choice, turn)
    assert (np.array(wo.z) > 0).all()
    behind = evaluate_leaf(mi, leaf, look, up, -up)
    assert not np.array(behind).any()
    ray, left = through_crown(mi, leaf, mi.Ray3f(mi.Point3f(0), mi.Vector3f(1, 0, 0)))
    assert (np.array(left) == 1).all()
    assert not np.array(ray.o).any()
    normal = mi.Normal3f(0, 0, 1)
    side, number, chances = lamp_side(mi, leaf, normal, mi.Float([0.1, 0.4, 0.9]))
    assert np.array(side)[2].tolist() == [1, 1, 1]
    assert np.array(number) == pytest.approx([0.1, 0.4, 0.9])
    assert np.array(chances).tolist() == [1, 1, 1]


@pytest.mark.parametrize("half", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("start", [0.0, 0.4, -0.8])
@pytest.mark.parametrize(("x", "z", "reach"), [(1.0, 0.0, 1.0), (0.6, 0.8, module._REACH**0.5)])
def test_a_crown_absorbs_by_its_depth(mi, half, start, x, z, reach):
    """From the axes of a sphere the way out is known: to its reach, but not out of its box."""
    leaf = leafy(mi, half=half)._replace(at=start * mi.Vector3f(x, 0, z))
    ray = mi.Ray3f(start * half * mi.Point3f(x, 0, z), mi.Vector3f(x, 0, z))
    ray, left = through_crown(mi, leaf, ray)
    assert np.array(ray.o)[:, 0] == pytest.approx(half * reach * np.array([x, 0, z]), abs=1e-5)
    passed = np.exp(-half * (reach - start) * np.array(module._DENSITY))
    assert np.array(left)[:, 0] == pytest.approx(passed, rel=1e-5)


def test_no_light_comes_through_walls_close_to_a_crown(builder, material):
    """A tree in a box without openings, five centimetres from its leaves, is in the dark."""
    looks = [material(), material(GREEN, "leaves")]
    object.__setattr__(looks[1], "recipe", "foliage")
    scene = builder(looks)
    far, wall, roof = 2.15, 2.05, 8.05
    for low, high in (
        *(([-far, -far, -1], [-wall, far, 9]), ([wall, -far, -1], [far, far, 9])),
        *(([-far, -far, -1], [far, -wall, 9]), ([-far, wall, -1], [far, far, 9])),
        *(([-far, -far, -1], [far, far, 0]), ([-far, -far, roof], [far, far, 9])),
    ):
        scene.box(low, high)
    scene.box([-2, -2, 3], [2, 2, 8], visual=1, semantic=SemanticClass.VEGETATION, instance=3)
    renderer = Renderer(scene.bundle(), RenderSpec(samples_per_pixel=16))
    camera = Camera.look_at((-1.5, -1.5, 0.5), (0, 0, 3), width=16, height=16, fov_deg=60)
    assert renderer.layers(camera, Conditions(sun_elevation_deg=30)).rgb.mean() < 2e-5


def test_a_lamp_within_a_crown_is_not_passed(mi):
    ray = mi.Ray3f(mi.Point3f(0), mi.Vector3f(1, 0, 0))
    ray.maxt = mi.Float(0.3)
    ray, _ = through_crown(mi, leafy(mi, half=2.0), ray)
    assert np.array(ray.maxt)[0] == 0


def test_lamps_are_looked_for_on_both_sides(mi):
    number = mi.Float(np.linspace(0, 0.999, 1000, dtype=np.float32))
    side, left, chances = lamp_side(mi, leafy(mi, 1000), mi.Normal3f(0, 0, 1), number)
    up = np.array(side)[2] > 0
    assert up.mean() == 0.5
    assert np.array(chances) == pytest.approx(2.0)
    for half in (up, ~up):
        rest = np.sort(np.array(left)[half])
        assert rest == pytest.approx(np.linspace(0, 1, 500), abs=5e-3)


def test_normals_of_leaves_face_the_viewer_and_hide_the_facets(mi, builder, material):
    bundle = tree(builder, material)
    found = find_leaves(mi, bundle, np.zeros(3))
    face = np.flatnonzero(find_crowns(bundle).of_face)[0]
    rng = np.random.default_rng(0)
    point = np.column_stack(
        [np.full(4000, -2.0), rng.uniform(-2, 2, 4000), rng.uniform(3, 8, 4000)]
    )
    wi = mi.Vector3f(-0.8, 0.6, 0)
    west = mi.Normal3f(-1, 0, 0)
    at = mi.Point3f(*(mi.Float(column.astype(np.float32)) for column in point.T))
    leaf = found.meet(mi, mi.UInt32([int(face)] * 4000), at, west, wi)
    normal, shade = np.array(leaf.normal), np.array(leaf.shade)
    assert np.linalg.norm(normal, axis=0) == pytest.approx(1, abs=1e-4)
    assert (np.array(wi)[:, 0] @ normal).min() > 0.05
    assert normal.std(axis=1).min() > 0.2
    assert 0 < shade.min() < 0.5 < shade.max() <= 1
    solid = found.meet(mi, mi.UInt32([0] * 4000), at, west, wi)
    assert np.array(solid.normal)[0] == pytest.approx(-1)
    assert np.array(solid.shade) == pytest.approx(1)


def test_crowns_are_objects_of_foliage_but_not_woods(mi, builder, material):
    crowns = find_crowns(tree(builder, material))
    assert crowns.instance.tolist() == [3]
    assert crowns.centre[0] == pytest.approx([0, 0, 5.5])
    assert crowns.half[0] == pytest.approx([2, 2, 2.5])
    assert np.count_nonzero(crowns.of_face) == 12
    wood = tree(builder, material, (-30, -30, 0), (30, 30, 9))
    assert not find_crowns(wood).of_face.any()
    assert find_leaves(mi, wood, np.zeros(3)) is None
    assert find_leaves(mi, tree(builder, material, recipe="plain"), np.zeros(3)) is None


def test_trees_differ_in_colour_and_a_few_have_turned():
    tints = np.array([leaf_tint(number, GREEN) for number in range(1, 600)])
    ratio = tints[:, 0] / tints[:, 1]
    assert np.array_equal(tints[4], leaf_tint(5, GREEN))
    assert np.percentile(ratio, 80) / np.percentile(ratio, 20) > 1.15
    golden = (ratio > 1.3).mean()
    assert 0.02 < golden < 0.12
    assert tints.min() > 0.3
    needles = np.array([leaf_tint(number, (0.04, 0.1, 0.04)) for number in range(1, 600)])
    assert (needles[:, 0] < 1.35 * needles[:, 1]).all()


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_needles_of_generated_trees_do_not_turn_and_leaves_may(species):
    colour = PALETTE[FAMILIES["foliage"][species.leaf]].base_color
    tints = np.array([leaf_tint(number, colour) for number in range(1, 300)])
    turned = (tints[:, 0] > 1.3 * tints[:, 1]).any()
    assert turned == (species.name not in ("spruce", "pine"))


def test_light_shines_through_a_crown_and_the_exact_layers_do_not_tell(builder, material):
    camera = Camera.look_at((0, -9, 5.5), (0, 0, 5.5), width=16, height=16, fov_deg=20)
    behind = Conditions(sun_elevation_deg=15, sun_azimuth_deg=0)
    aside = Conditions(sun_elevation_deg=15, sun_azimuth_deg=75)
    found = {}
    for recipe in ("foliage", "plain"):
        renderer = Renderer(
            tree(builder, material, recipe=recipe), RenderSpec(samples_per_pixel=16)
        )
        layers = renderer.layers(camera, behind)
        assert np.allclose(layers.normal, (0, -1, 0))
        found[recipe] = layers.rgb.mean(axis=(0, 1)), layers.albedo.mean(axis=(0, 1))
        assert np.array_equal(layers.albedo, renderer.layers(camera, aside, rgb=False).albedo)
    glow = found["foliage"][0] / found["foliage"][1]
    shade = found["plain"][0] / found["plain"][1]
    assert (glow[:2] > 1.1 * shade[:2]).all()
    assert glow[1] > glow[2]
