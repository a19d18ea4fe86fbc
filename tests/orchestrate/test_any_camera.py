"""Any pinhole goes the whole way, and what is no place for a camera is refused at once."""

import numpy as np
import pytest

from tests.orchestrate.test_clearance import independent
from tests.support import bundle, ground, rectangle, street_canyon
from vasgen.camera import Camera
from vasgen.datasets import open as open_dataset
from vasgen.datasets import read_views
from vasgen.errors import InputError
from vasgen.orchestrate import build, read_poses, render_views, write_poses
from vasgen.orchestrate.camera_check import check_cameras
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass
from vasgen.spec import parse_spec

#: Off-centre principal point, pixels that are not square, and skewed ones.
INTRINSICS = {
    "off-centre": [[40.0, 0, 11.5], [0, 40.0, 39.0], [0, 0, 1]],
    "not square": [[60.0, 0, 24.0], [0, 25.0, 18.0], [0, 0, 1]],
    "skew": [[45.0, 9.0, 20.0], [0, 38.0, 21.0], [0, 0, 1]],
    "beside the picture": [[50.0, -4.0, -15.0], [0, 70.0, 50.0], [0, 0, 1]],
}


def cameras():
    pose = Camera.look_at((-40, 1, 12), (20, -2, 5), width=48, height=36).camera_to_world
    return [Camera(48, 36, np.array(k), pose) for k in INTRINSICS.values()]


def on_the_surface(scene, view):
    """Largest distance of a view's back-projected depth from the scene, metres."""
    points = view.camera.back_project(view.image.depth)[view.image.valid]
    return independent(scene, points[::7]).max()


def test_any_intrinsics_go_through_pose_files_and_render(tmp_path):
    scene = street_canyon()
    write_poses(tmp_path / "poses.json", cameras())
    given = read_poses(tmp_path / "poses.json")
    assert [c.to_dict() for c in given] == [c.to_dict() for c in cameras()]
    render_views(scene, given, tmp_path / "views", rgb=False)
    for view, camera in zip(read_views(tmp_path / "views"), cameras(), strict=True):
        assert view.camera.to_dict() == camera.to_dict()
        assert view.image.valid.mean() > 0.4
        assert on_the_surface(scene, view) < 1e-4


def test_any_intrinsics_go_through_a_build(tmp_path):
    scene = street_canyon()
    scene.save(tmp_path / "scene")
    given = cameras()[1:3]
    write_poses(tmp_path / "poses.json", given)
    spec = {
        "scene": {"source": str(tmp_path / "scene")},
        "views": {"poses": str(tmp_path / "poses.json")},
        "transmitters": {"positions": [[0.0, 0.0, 8.0]]},
        "radio": {"rays": 4000, "chunks": 2, "max_depth": 0, "diffraction": False},
        "render": {"samples_per_pixel": 1},
    }
    build(parse_spec(spec), tmp_path / "out")
    lamp = np.array([0.0, 0.0, 8.0])
    for sample, camera in zip(open_dataset(tmp_path / "out"), given, strict=True):
        assert sample.camera.to_dict() == camera.to_dict()
        assert on_the_surface(scene, sample) < 1e-4
        # Where the transmitter is seen, the gain is that of free space.
        points = sample.camera.back_project(sample.image.depth)
        away = np.linalg.norm(points - lamp, axis=-1)
        free = 20 * np.log10(0.299792458 / 3.5 / (4 * np.pi * away))
        lit = sample.radio.line_of_sight[0] & sample.image.valid
        over = (sample.radio.path_gain_db[0] - free)[lit]
        assert lit.sum() > 100
        assert np.percentile(over, [10, 90]) == pytest.approx(0.0, abs=0.5)


def at(x, y, z):
    return Camera.look_at((x, y, z), (x + 10.0, y, z), width=16, height=12)


@pytest.mark.parametrize(
    ("camera", "where"),
    [
        (at(-2, 22, 8), r"inside object 2 \(building\); move it outside\.$"),
        (at(0, 0, -3), r"3\.0 m below the ground; raise it\.$"),
        (at(0, 0, -8.3), r"8\.3 m below the ground; raise it\.$"),
        (at(400, 0, -50), r"50\.0 m below the ground; raise it\.$"),
    ],
)
def test_a_camera_in_a_solid_is_named_before_anything_is_rendered(tmp_path, camera, where):
    scene = street_canyon()
    with pytest.raises(InputError, match=rf"^view 000001: camera at .* is {where}"):
        render_views(scene, [at(0, 0, 5), camera], tmp_path / "views", rgb=False)
    assert not (tmp_path / "views").exists()
    scene.save(tmp_path / "scene")
    write_poses(tmp_path / "poses.json", [at(0, 0, 5), camera])
    spec = {
        "scene": {"source": str(tmp_path / "scene")},
        "views": {"poses": str(tmp_path / "poses.json")},
    }
    with pytest.raises(InputError, match=rf"^view 000001: camera at .* is {where}"):
        build(parse_spec(spec), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_wrong_cameras_are_counted():
    with pytest.raises(
        InputError, match=r"^view b \(and 1 more\): camera at \(0\.0, 0\.0, -1\.0\)"
    ):
        check_cameras(
            RayCaster(bundle(ground(50.0))),
            [at(0, 0, 1), at(0, 0, -1), at(1, 0, -2)],
            ["a", "b", "c"],
        )


def test_a_camera_in_a_hill_is_told_how_deep_it_is_there():
    corners = [(-50, -50, -25), (50, -50, 25), (50, 50, 25), (-50, 50, -25)]
    hill = RayCaster(bundle(rectangle("hill", corners, semantic=SemanticClass.GRASS)))
    check_cameras(hill, [at(30, 0, 16.6)], ["a"])
    with pytest.raises(
        InputError, match=r"^view a: camera at .* is 11\.8 m below the ground; raise"
    ):
        check_cameras(hill, [at(30, 0, 3.2)], ["a"])


def test_right_cameras_pass():
    check_cameras(RayCaster(street_canyon()), cameras(), ["a"] * 4)
