"""Sites on the ground, on roofs and on lamp posts, and how they are spread."""

from collections import Counter

import numpy as np
import pytest

from tests.orchestrate import places
from tests.support import box, bundle, ground
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.lamps import lamp_posts
from vasgen.orchestrate import place_transmitters
from vasgen.raycast import RayCaster
from vasgen.scenes import open_scene
from vasgen.semantics import WALKABLE, SemanticClass
from vasgen.spec import TransmittersSpec

DOWN, UP = (np.array([0.0, 0.0, sign]) for sign in (-1.0, 1.0))


def beside(scene, placed, direction):
    """Distance and class of what lies straight below or above each transmitter."""
    spots = np.array([t.position for t in placed])
    hits = RayCaster(scene).intersect(spots, np.broadcast_to(direction, spots.shape))
    kinds = scene.face_table.semantic[hits.face]
    return hits.distance, [SemanticClass(k) for k in kinds.tolist()], hits.face


def chosen(scene, count, seed=0, **keys):
    return place_transmitters(scene, TransmittersSpec(count=count, **keys), seed=seed)


@pytest.fixture(scope="module")
def downtown():
    return generate(CityConfig(density="downtown", seed=2, size_m=300.0))


@pytest.fixture(scope="module")
def scene(downtown):
    return downtown.to_bundle()


@pytest.mark.parametrize("placement", ["ground", "rooftop", "lamp-post"])
@pytest.mark.parametrize(("density", "lod", "seed"), [("downtown", 2, 5), ("mix", 3, 6)])
def test_none_is_in_a_building_a_tree_or_a_car(placement, density, lod, seed):
    city = generate(CityConfig(density=density, seed=seed, size_m=160.0, lod=lod))
    made = city.to_bundle()
    placed = chosen(made, 12, seed, placement=placement)
    distance, kinds, _ = beside(made, placed, UP)
    assert np.isinf(distance).all(), kinds  # nor under a crown, or a roof
    spots = np.array([t.position for t in placed])
    assert not inside_solid(RayCaster(made), spots).any()
    for prop in (p for p in city.props if p.kind == "car"):
        level = np.abs(spots[:, 2] - prop.z) < 2.0
        assert (np.hypot(*(spots[level, :2] - (prop.x, prop.y)).T) > 1.0).all()


@pytest.mark.parametrize("height", [None, 1.0, 7.5])
def test_on_the_ground_the_height_is_above_what_one_walks_on(scene, height):
    placed = chosen(scene, 30, height_m=height)
    distance, kinds, _ = beside(scene, placed, DOWN)
    np.testing.assert_allclose(distance, height or 1.6, atol=0.006)
    assert set(kinds) <= WALKABLE


@pytest.mark.parametrize("height", [None, 1.5, 12.0])
def test_on_a_roof_the_height_is_above_the_roof(scene, height):
    placed = chosen(scene, 30, placement="rooftop", height_m=height)
    distance, kinds, _ = beside(scene, placed, DOWN)
    np.testing.assert_allclose(distance, height or 3.0, atol=0.03)
    assert set(kinds) == {SemanticClass.ROOF}
    assert {t.context for t in placed} == {"rooftop"}


def test_masts_stand_at_edges_and_not_on_chimneys():
    tower = places.prism(
        "house", places.rectangle(-30, -30, 30, 30), 20.0, semantic=SemanticClass.WALL
    )
    stack = places.prism(
        "stack", places.rectangle(10, 10, 11, 11), 6.0, semantic=SemanticClass.WALL, z=20.0
    )
    made = bundle(ground(100), tower, stack)
    spots = np.array([t.position for t in chosen(made, 8, placement="rooftop")])
    assert set(spots[:, 2]) == {23.0}
    inset = 30 - np.abs(spots[:, :2])
    assert (inset.min(axis=1) < 3.1).all()
    assert (inset.max(axis=1) < 3.1).sum() >= 4  # the corners


def test_on_a_lamp_post_the_antenna_is_right_above_it(downtown, scene):
    lamps = np.array([(p.x, p.y, p.z) for p in downtown.props if p.kind == "lamp"])
    placed = chosen(scene, 20, placement="lamp-post", height_m=0.5)
    tops = lamp_posts(scene).top
    for transmitter in placed:
        away = np.linalg.norm(lamps[:, :2] - transmitter.position[:2], axis=1)
        assert away.min() < 0.05
        (post,) = tops[np.linalg.norm(tops[:, :2] - transmitter.position[:2], axis=1) < 0.05]
        assert transmitter.position[2] == pytest.approx(post[2] + 0.5, abs=0.006)
        assert 5.5 < transmitter.position[2] - lamps[away.argmin(), 2] < 10
    assert {t.context for t in placed} == {"lamp post"}


@pytest.mark.parametrize("lod", [2, 3])
def test_all_lamps_and_no_other_furniture_are_lamp_posts(downtown, lod):
    lamps = np.array([(p.x, p.y) for p in downtown.props if p.kind == "lamp"])
    posts = lamp_posts(downtown.to_bundle(lod)).top
    assert len(posts) == len(lamps) > 20
    away = np.linalg.norm(posts[:, None, :2] - lamps, axis=-1)
    assert away.min(axis=1).max() < 0.05
    assert len(set(away.argmin(axis=1))) == len(lamps)


def test_a_mast_on_a_roof_is_no_lamp_post():
    mast = places.prism(
        "mast", places.rectangle(0, 0, 0.2, 0.2), 6.0, semantic=SemanticClass.FURNITURE, z=20.0
    )
    made = bundle(ground(100), box("house", (40, 40, 20), (0, 0, 10)), mast)
    with pytest.raises(InputError, match="scene 'test' has no lamp posts"):
        chosen(made, 1, placement="lamp-post")


@pytest.mark.parametrize(
    ("made", "placement", "message"),
    [
        (lambda: open_scene("sionna:box"), "lamp-post", "has no lamp posts to place"),
        (lambda: bundle(ground(100)), "rooftop", "too few roofs with free space above"),
    ],
)
def test_where_there_is_nothing_to_stand_on_the_error_says_so(made, placement, message):
    with pytest.raises(InputError, match=message):
        chosen(made(), 1, placement=placement)


def test_too_many_for_the_lamps_is_explained(scene):
    with pytest.raises(InputError, match=r"has \d+ places .* too few lamp posts"):
        chosen(scene, 5000, placement="lamp-post")


@pytest.mark.parametrize("placement", ["ground", "rooftop", "lamp-post"])
def test_the_same_seed_gives_the_same_positions(scene, placement):
    keys = {"placement": placement, "groups": 3}
    assert chosen(scene, 6, 1, **keys) == chosen(scene, 6, 1, **keys)
    assert [t.group for t in chosen(scene, 6, 1, **keys)] == [0, 1, 2, 0, 1, 2]
    if placement != "lamp-post":  # of which all are judged
        assert chosen(scene, 6, 2, **keys) != chosen(scene, 6, 1, **keys)


@pytest.mark.parametrize(
    ("density", "seed", "count"),
    [("downtown", 0, 60), ("downtown", 1, 12), ("mix", 0, 12), ("mix", 1, 60), ("margin", 2, 60)],
)
def test_squares_canyons_and_junctions_get_equal_shares(density, seed, count):
    made = generate(CityConfig(density=density, seed=seed, size_m=400.0)).to_bundle()
    numbers = Counter(t.context for t in chosen(made, count, seed))
    streets = np.array([numbers[name] for name in ("square", "canyon", "junction")])
    assert streets.sum() >= 0.75 * count
    even = streets.mean()
    # Half of all fair draws have a chi-square statistic above 1.39 (two degrees of freedom).
    assert ((streets - even) ** 2 / even).sum() < 0.5


@pytest.mark.parametrize(("count", "seed"), [(16, 0), (64, 1), (250, 2)])
def test_they_are_spread_over_the_scene(scene, count, seed):
    spots = np.array([t.position for t in chosen(scene, count, seed)])[:, :2]
    low, high = scene.bounds[:, :2]
    quarters, *_ = np.histogram2d(*spots.T, bins=2, range=list(zip(low, high, strict=True)))
    assert quarters.min() > 0.5 * count / 4
    apart = np.linalg.norm(spots[:, None] - spots, axis=-1)[np.triu_indices(count, 1)]
    even = np.sqrt(np.prod(np.ptp(spots, axis=0)) / count)
    assert apart.min() > 0.3 * even


def test_contexts_are_recorded_and_given_ones_kept(scene):
    assert {t.context for t in chosen(scene, 9)} >= {"square", "canyon", "junction"}
    x, y, z = chosen(scene, 1)[0].position
    (given,) = place_transmitters(scene, TransmittersSpec(positions=((x, y, z + 2.0),)))
    assert given.context == "given"
