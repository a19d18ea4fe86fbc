"""Rendering and tracing folders of views, outside a dataset."""

import dataclasses

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from PIL import Image

from vasgen.camera import Camera
from vasgen.conditions import sample_conditions
from vasgen.datasets import read_views, store, verify
from vasgen.errors import InputError
from vasgen.orchestrate import plan_views, render_views, reopen_views, trace_views
from vasgen.orchestrate.posefile import Pose
from vasgen.orchestrate.view import view_record
from vasgen.spec import RadioSpec, RenderSpec
from vasgen.transmitter import Transmitter

LIGHT = RenderSpec(samples_per_pixel=1)
RADIO = RadioSpec(rays=4_000, chunks=2, max_depth=1, diffraction=False)


@pytest.fixture(scope="module")
def cameras(city):
    from vasgen.spec import ViewsSpec

    return plan_views(city, ViewsSpec(count=2, width=64, height=48, altitude_m=(20, 60)), 0)


@pytest.fixture
def rendered(city, cameras, tmp_path):
    render_views(city, cameras, tmp_path / "views", spec=LIGHT, rgb=False)
    return tmp_path / "views"


@pytest.fixture
def transmitters(cameras):
    x, y, z = cameras[0].position.tolist()
    return [Transmitter("tx-0", (x, y, z + 20))]


def test_rendered_views_are_right_and_untraced(rendered):
    assert verify(rendered).problems == ()
    views = read_views(rendered)
    assert len(views) == 2
    assert views[0].radio is None
    assert views[0].image.rgb is None


def test_rendering_again_makes_only_what_changed(city, cameras, rendered):
    assert render_views(city, cameras, rendered, spec=LIGHT, rgb=False) == 0
    moved = [cameras[0], Camera.look_at((0, 0, 90), (5, 5, 0), width=64, height=48)]
    assert render_views(city, moved, rendered, spec=LIGHT, rgb=False) == 1
    assert render_views(city, moved, rendered, spec=LIGHT, rgb=True) == 2
    assert read_views(rendered)[1].image.rgb is not None


def test_views_of_a_larger_set_are_not_mixed(city, cameras, rendered):
    with pytest.raises(InputError, match="holds '000001', which is none of these views"):
        render_views(city, cameras[:1], rendered, spec=LIGHT, rgb=False)


def test_a_camera_inside_a_wall_leaves_no_view(city, tmp_path):
    buried = Camera.look_at((0, 0, -0.2), (1, 0, -0.2), width=8, height=8)
    solid = [v.mean(axis=0) for v in (m.vertices for m in city.meshes) if len(v)]
    assert solid
    with pytest.raises(InputError):
        render_views(city, [buried], tmp_path / "views", spec=LIGHT, rgb=False)
    assert not list(tmp_path.rglob("view.json"))


def test_tracing_adds_radio_and_goes_on(city, rendered, transmitters):
    image = (rendered / "000000" / store.IMAGE_NPZ).read_bytes()
    assert trace_views(city, read_views(rendered), transmitters, RADIO) == 2
    assert verify(rendered).problems == ()
    assert (rendered / "000000" / store.IMAGE_NPZ).read_bytes() == image
    assert read_views(rendered)[0].transmitters == tuple(transmitters)
    assert trace_views(city, read_views(rendered), transmitters, RADIO) == 0
    (rendered / "000001" / store.RADIO_NPZ).unlink()
    assert trace_views(city, read_views(rendered), transmitters, RADIO) == 1
    louder = [dataclasses.replace(transmitters[0], power_dbm=40.0)]
    assert trace_views(city, read_views(rendered), louder, RADIO) == 2
    assert verify(rendered).problems == ()


def test_rendering_after_tracing_keeps_the_trace(city, cameras, rendered, transmitters):
    trace_views(city, read_views(rendered), transmitters, RADIO)
    assert render_views(city, cameras, rendered, spec=LIGHT, rgb=False) == 0
    assert read_views(rendered)[0].radio is not None


def test_another_scene_is_refused(city, rendered, transmitters):
    other = dataclasses.replace(city, meshes=city.meshes[:-1])
    with pytest.raises(InputError, match="shows another scene than"):
        trace_views(other, read_views(rendered), transmitters, RADIO)


@pytest.mark.parametrize("name", ["dataset.json", "plan.json"])
def test_the_views_of_a_dataset_are_left_alone(city, cameras, rendered, transmitters, name):
    (rendered.parent / name).write_text("{}")
    views, before = read_views(rendered), store.read_record(rendered / "000000").files
    with pytest.raises(InputError, match=r"belongs to the dataset .* vasgen build"):
        render_views(city, cameras, rendered, spec=LIGHT, rgb=True)
    with pytest.raises(InputError, match="belongs to the dataset"):
        trace_views(city, views, transmitters, RADIO)
    (rendered / ".partial-of-a-build").mkdir()
    with pytest.raises(InputError, match="belongs to the dataset"):
        reopen_views(rendered)
    assert (rendered / ".partial-of-a-build").exists()
    assert store.read_record(rendered / "000000").files == before


def test_a_spec_alone_is_no_dataset(city, cameras, rendered):
    (rendered.parent / "spec.yaml").write_text("{}")
    assert render_views(city, cameras, rendered, spec=LIGHT, rgb=False) == 0
    (rendered.parent / "scene").mkdir()
    with pytest.raises(InputError, match="belongs to the dataset"):
        render_views(city, cameras, rendered, spec=LIGHT, rgb=False)


def test_rendering_never_deletes_a_trace(city, cameras, rendered, transmitters):
    trace_views(city, read_views(rendered), transmitters, RADIO)
    with pytest.raises(InputError, match=r"000000 was traced, .* choose another --out"):
        render_views(city, cameras, rendered, spec=LIGHT, rgb=True)
    assert read_views(rendered)[0].radio is not None


def test_a_view_that_was_being_replaced_comes_back(rendered):
    retired = rendered / ".retired-x"
    retired.mkdir()
    (rendered / "000001").rename(retired / "000001")
    assert len(read_views(rendered)) == 1
    assert reopen_views(rendered).names == ("000000", "000001")


NIGHT = RenderSpec(
    samples_per_pixel=1, sun_elevation_deg=(-20, -10), visibility_m=(60, 300), speed_m_s=20,
    turn_deg_s=9, shutter_s=0.05, exposure_ev=1,
)  # fmt: skip


def test_conditions_change_the_picture_and_no_label(city, cameras, transmitters, tmp_path):
    for name, spec in (("day", LIGHT), ("night", NIGHT)):
        render_views(city, cameras, tmp_path / name, spec=spec)
        trace_views(city, read_views(tmp_path / name), transmitters, RADIO)
        assert verify(tmp_path / name).problems == ()
    for view in ("000000", "000001"):
        day, night = tmp_path / "day" / view, tmp_path / "night" / view
        for layers in (store.IMAGE_NPZ, store.RADIO_NPZ):
            assert (day / layers).read_bytes() == (night / layers).read_bytes()
        for picture in (store.RGB_EXR, store.RGB_PNG):
            assert (day / picture).read_bytes() != (night / picture).read_bytes()
        assert (day / store.DEPTH_PNG).read_bytes() == (night / store.DEPTH_PNG).read_bytes()


def test_depth_is_shown_on_one_scale_in_all_views(city, cameras, tmp_path):
    render_views(city, cameras, tmp_path / "views", spec=LIGHT)
    views, magma_r = read_views(tmp_path / "views"), colormaps["magma_r"]
    for index, name in enumerate(views.names):
        assert store.DEPTH_PNG in views.record(index).files
        with Image.open(tmp_path / "views" / name / store.DEPTH_PNG) as picture:
            shown = np.asarray(picture) / 255
        depth = views[index].image.depth
        share = np.clip(np.log10(depth) / 3, 0, 1)
        wanted = np.where(np.isnan(depth)[..., None], to_rgb("#eef0f3"), magma_r(share)[..., :3])
        assert np.abs(shown - wanted).max() < 0.006
    (tmp_path / "views" / views.names[0] / store.DEPTH_PNG).write_bytes(b"")
    assert verify(tmp_path / "views").problems


def test_layers_of_another_backend_are_not_taken_for_ours(cameras):
    poses = [Pose(cameras[0])] * 3
    specs = [
        RenderSpec(),
        RenderSpec(backend="unreal"),
        RenderSpec(backend="unreal", unreal_far="sky"),
    ]
    recipes = {
        view_record("000000", pose, "scene", 0, render=spec, rgb=False).recipe
        for pose, spec in zip(poses, specs, strict=True)
    }
    assert len(recipes) == 3
    finer = RenderSpec(samples_per_pixel=64, exposure_ev=1.0)
    assert view_record("000000", poses[0], "scene", 0, render=finer, rgb=False).recipe in recipes


def test_each_view_records_its_own_conditions(city, cameras, tmp_path):
    render_views(city, cameras, tmp_path / "views", spec=NIGHT, seed=8)
    first, second = (read_views(tmp_path / "views")[i].conditions for i in range(2))
    assert first == sample_conditions(NIGHT, 8, "000000")
    assert first.lamps
    assert first.visibility_m != second.visibility_m
    assert render_views(city, cameras, tmp_path / "views", spec=NIGHT, seed=8) == 0
    darker = NIGHT.model_copy(update={"exposure_ev": 0.0})
    assert render_views(city, cameras, tmp_path / "views", spec=darker, seed=8) == 2


def test_a_pose_that_moves_is_drawn_in_its_own_motion(city, cameras, tmp_path):
    moving = Pose(cameras[0], 0.0, (3.0, 0.0, 1.0), (0.0, 5.0, 1.0))
    render_views(city, [moving, cameras[1]], tmp_path / "views", spec=NIGHT)
    first, second = (read_views(tmp_path / "views")[i].conditions for i in range(2))
    assert first.velocity_m_s == (3.0, 0.0, 1.0)
    assert first.turn_deg_s == (0.0, 5.0, 1.0)
    own = sample_conditions(NIGHT, 0, "000001")
    assert (second.velocity_m_s, second.turn_deg_s) == (own.velocity_m_s, own.turn_deg_s)


def test_what_says_nothing_about_the_motion_is_refused(city, cameras, tmp_path):
    blurred = RenderSpec(samples_per_pixel=1, shutter_s=0.1)
    with pytest.raises(InputError, match=r"shutter_s is 0\.1, but no camera moves: give speed_m_s"):
        render_views(city, cameras, tmp_path / "views", spec=blurred)
    moving = [Pose(camera, None, (3.0, 0.0, 1.0)) for camera in cameras]
    with pytest.raises(InputError, match=r"speed_m_s is 20\.0, but the poses say how they move"):
        render_views(city, moving, tmp_path / "views", spec=NIGHT)
    assert not (tmp_path / "views").exists()


def test_a_view_without_a_picture_has_no_conditions(rendered):
    assert read_views(rendered)[0].conditions is None
