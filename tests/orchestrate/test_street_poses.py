"""Views from the street look along it, views from poles across it, at their heights."""

import json

import numpy as np
import pytest

from tests.orchestrate.places import street
from tests.orchestrate.test_clearance import independent
from tests.support import bundle, ground
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.inside import inside_solid
from vasgen.lamps import street_lamps
from vasgen.orchestrate import plan_views, poses, street_poses
from vasgen.orchestrate.glance import glances, is_class
from vasgen.orchestrate.ground import find_floor
from vasgen.raycast import RayCaster
from vasgen.semantics import WALKABLE, SemanticClass
from vasgen.spec import ALTITUDE_M, ViewsSpec, parse_spec

COUNT = 6
SIZE = {"width": 64, "height": 48}


@pytest.fixture(scope="module")
def town():
    return generate(CityConfig(density="mix", seed=4, size_m=200.0)).to_bundle()


@pytest.fixture(scope="module", params=["street", "pole"])
def planned(request, town):
    return request.param, plan_views(town, ViewsSpec(kind=request.param, count=COUNT, **SIZE), 2)


def elevation(camera):
    return float(np.degrees(np.arcsin(camera.forward[2])))


def test_cameras_are_at_the_height_of_their_kind(town, planned):
    kind, cameras = planned
    eyes = np.array([camera.position for camera in cameras])
    height, semantic = find_floor(RayCaster(town), eyes[:, :2])
    low, high = ALTITUDE_M[kind]
    streets = {SemanticClass.ROAD, SemanticClass.PAVEMENT, SemanticClass.ROAD_MARKING}
    if kind == "street":
        assert set(semantic.tolist()) <= streets
    else:  # a corner may hang over a bed of grass
        assert is_class(semantic, WALKABLE).all()
    assert (eyes[:, 2] - height >= low - 0.3).all()  # a kerb between post and camera
    assert (eyes[:, 2] - height <= high + 0.3).all()


def test_nothing_is_at_arms_length(town, planned):
    kind, cameras = planned
    eyes = np.array([camera.position for camera in cameras])
    assert independent(town, eyes).min() > (0.7 if kind == "street" else 0.2)
    assert not inside_solid(RayCaster(town), eyes).any()
    for glance in glances(RayCaster(town), cameras):
        near = (glance.depth < 3.0) & ~is_class(glance.semantic, WALKABLE)
        assert near.sum() <= 0.04 * len(near)
        assert np.median(glance.depth) > 8.0
        assert glance.building_share > 0.05


def test_poles_look_at_open_streets_not_into_yards(town):
    """What a picture shows, of rays through all of its pixels: no wall of the corner itself."""
    cameras = plan_views(town, ViewsSpec(kind="pole", count=12, **SIZE), 3)
    caster = RayCaster(town)
    for camera in cameras:
        rays = camera.rays().reshape(-1, 3)
        hits = caster.intersect(camera.position, rays)
        seen = town.face_table.semantic[hits.face[hits.face >= 0]]
        depth = hits.distance[hits.face >= 0]  # rays are one long along the axis
        street = is_class(seen, street_poses.STREET).sum() / len(rays)
        walkable = is_class(seen, WALKABLE)
        assert 0.22 < street < 0.53
        assert street >= 0.45 * walkable.sum() / len(rays)
        assert np.median(depth) > 12.0
        assert ((depth < 6.0) & ~walkable).sum() < 0.02 * len(rays)


def test_views_that_are_not_open_fill_up_where_few_are(town, monkeypatch):
    """As many as one asks for, of which all open ones."""
    found = []

    def sort(stage, cameras):
        best, others = real(stage, cameras)
        found.extend(best)
        return best, others

    real = street_poses.down_the_street
    monkeypatch.setattr(street_poses, "_OPEN_M", 20.0)  # the town is small
    monkeypatch.setattr(poses, "down_the_street", sort)
    cameras = plan_views(town, ViewsSpec(kind="pole", count=12, **SIZE), 1)
    open_views = {str(camera.to_dict()) for camera in found}
    assert len(cameras) == 12
    assert 0 < len(open_views) < 12
    assert open_views < {str(camera.to_dict()) for camera in cameras}


def test_a_scene_without_streets_has_poles_too():
    """Nothing there passes for a street; the best of what there is is taken."""
    scene = street(20.0, 120.0)
    assert not is_class(scene.face_table.semantic, street_poses.STREET).any()
    assert len(plan_views(scene, ViewsSpec(kind="pole", count=2, **SIZE), 1)) == 2


def test_cameras_look_as_their_kind_does(planned):
    kind, cameras = planned
    low, high = (0.0, 5.0) if kind == "street" else (-18.0, -12.0)
    for camera in cameras:
        assert low - 1e-6 <= elevation(camera) <= high + 1e-6
        assert camera.rotation[2, 0] == pytest.approx(0, abs=1e-12)  # level horizon


def test_poles_are_lamp_posts_and_corners_of_buildings(town):
    cameras = plan_views(town, ViewsSpec(kind="pole", count=30, **SIZE), 0)
    eyes = np.array([camera.position for camera in cameras])
    posts = street_lamps(RayCaster(town)).top[:, :2]
    beside = np.linalg.norm(eyes[:, None, :2] - posts, axis=2).min(axis=1)
    at_post = np.abs(beside - 0.35) < 1e-6
    assert 0 < at_post.sum() < len(eyes)
    built = np.isin(town.face_table.semantic, [SemanticClass.WALL, SemanticClass.ROOF])
    triangles = town.face_table.triangles[built]
    for eye in eyes[~at_post]:
        corners = triangles.reshape(-1, 3)[:, :2]
        assert np.linalg.norm(corners - eye[:2], axis=1).min() < 2.5


@pytest.mark.parametrize("width", [14.0, 24.0])
def test_the_view_goes_along_the_street(width):
    cameras = plan_views(street(width), ViewsSpec(kind="street", count=COUNT, **SIZE), 0)
    for camera in cameras:
        if abs(camera.position[0]) < 100 and abs(camera.position[1]) < width / 2:
            off = np.degrees(np.arccos(np.abs(camera.forward[0]) / np.hypot(*camera.forward[:2])))
            assert off < 40


@pytest.mark.parametrize("kind", ["street", "pole"])
def test_the_scene_is_prepared_once_however_many_rounds_it_takes(town, kind, monkeypatch):
    made, rounds = [], []
    for name in ("Contexts", "Clearance", "street_lamps"):
        real = getattr(street_poses, name)
        monkeypatch.setattr(street_poses, name, lambda b, n=name, r=real: made.append(n) or r(b))
    real_judge = poses._judge
    monkeypatch.setattr(poses, "_judge", lambda *a: rounds.append(1) or real_judge(*a)[:4])
    plan_views(town, ViewsSpec(kind=kind, count=COUNT, **SIZE), 0)
    assert len(rounds) == 3
    assert sorted(made) == ["Clearance", "Contexts", "street_lamps"][: 3 if kind == "pole" else 2]


def test_a_scene_without_lamps_has_corners():
    cameras = plan_views(street(20.0, 120.0), ViewsSpec(kind="pole", count=2, **SIZE), 0)
    assert len(cameras) == 2


@pytest.mark.parametrize("kind", ["street", "pole"])
def test_the_plan_follows_the_seed(town, kind):
    spec = ViewsSpec(kind=kind, count=3, **SIZE)
    records = [
        json.dumps([camera.to_dict() for camera in plan_views(town, spec, seed)])
        for seed in (7, 7, 8)
    ]
    assert records[0] == records[1] != records[2]


def test_no_room_is_explained():
    with pytest.raises(InputError, match="too few places have a lamp post or a corner beside"):
        plan_views(bundle(ground(50.0)), ViewsSpec(kind="pole", count=2), 0)


@pytest.mark.parametrize("kind", sorted(ALTITUDE_M))
def test_each_kind_has_its_height_unless_one_is_given(kind):
    assert parse_spec({"views": {"kind": kind}}).views.altitude_m == ALTITUDE_M[kind]
    given = parse_spec({"views": {"kind": kind, "altitude_m": [3, 4]}}).views
    assert given.altitude_m == (3.0, 4.0)
    assert parse_spec({"views": given.model_dump(mode="json")}).views == given


def test_a_given_height_is_kept(town):
    spec = ViewsSpec(kind="street", count=3, altitude_m=(3.0, 3.2), **SIZE)
    for camera in plan_views(town, spec, 0):
        height, _ = find_floor(RayCaster(town), camera.position[None, :2])
        assert 3.0 - 1e-6 <= camera.position[2] - height[0] <= 3.2 + 1e-6


def test_another_kind_is_one_line():
    with pytest.raises(InputError, match=r"views\.kind is 'car'"):
        parse_spec({"views": {"kind": "car"}})
    with pytest.raises(InputError, match=r"views\.kind is"):
        parse_spec({"views": {"kind": ["uav"]}})
