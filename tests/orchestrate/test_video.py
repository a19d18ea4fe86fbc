"""Videos hold the frames that were drawn, at their rate and size, and go on after a stop."""

import builtins
import dataclasses
import gc
import warnings

import imageio.v2 as imageio
import imageio_ffmpeg
import numpy as np
import pytest

from tests.support import street_canyon
from vasgen.camera import Camera
from vasgen.datasets.layer_pictures import depth_scale_of, paint_layer
from vasgen.errors import InputError, MissingDependencyError
from vasgen.layers import ImageLayers
from vasgen.orchestrate import Pose, make_video, video
from vasgen.orchestrate.glance import glances
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.spec import RenderSpec

SCENE = street_canyon()


def track(count=4, width=48, height=36, step_s=0.125):
    """A camera that drives east through the street."""
    poses = []
    for index in range(count):
        x = -50.0 + 2.0 * index
        camera = Camera.look_at((x, 0, 2), (x + 30, 3, 4), width=width, height=height)
        poses.append(Pose(camera, index * step_s, (16.0, 0.0, 0.0)))
    return poses


def decoded(path):
    """Frames and metadata as an independent reader finds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the reader leaves its pipes open
        count, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
        with imageio.get_reader(path) as reader:
            frames = [reader.get_data(index) for index in range(count)]
            about = reader.get_meta_data()
        del reader
        gc.collect()
    return np.array(frames), about


@pytest.mark.parametrize("layer", ["depth", "semantic"])
def test_frames_come_back(tmp_path, layer):
    made = make_video(SCENE, track(), layer, tmp_path / "v.mp4")
    frames, about = decoded(tmp_path / "v.mp4")
    assert (made, len(frames), about["fps"], about["size"]) == (4, 4, 8.0, (48, 36))
    assert (about["codec"], about["pix_fmt"].split("(")[0]) == ("h264", "yuv420p")
    cameras = [pose.camera for pose in track()]
    scale = depth_scale_of([g.depth for g in glances(RayCaster(SCENE), cameras)])
    renderer = Renderer(SCENE, RenderSpec(samples_per_pixel=1))
    for frame, camera in zip(frames, cameras, strict=True):
        shown = 255 * paint_layer(renderer.layers(camera, rgb=False), layer, scale)
        # Colour has half the resolution of brightness: edges between classes blur.
        assert np.median(np.abs(frame - shown)) < 3
        assert np.abs(frame - shown).mean() < 8
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


@pytest.mark.parametrize(
    "motion", [{"velocity_m_s": (0.0, 20.0, 0.0)}, {"turn_deg_s": (0.0, 0.0, 60.0)}]
)
def test_pictures_are_drawn_and_blur_by_the_motion(tmp_path, motion):
    brief = [pose._replace(**motion) for pose in track(1)]
    sharp, blurred = (RenderSpec(samples_per_pixel=4, shutter_s=s) for s in (0.0, 0.2))
    pictures = []
    for name, spec in (("a", sharp), ("b", blurred)):
        make_video(SCENE, brief, "rgb", tmp_path / f"{name}.mp4", spec=spec, fps=8)
        frames, _ = decoded(tmp_path / f"{name}.mp4")
        pictures.append(frames[0].astype(float))
    assert pictures[0].std() > 10
    assert np.abs(pictures[0] - pictures[1]).mean() > 2
    edges = [np.abs(np.diff(p, axis=1)).max(axis=2) for p in pictures]
    assert np.percentile(edges[1], 97) < np.percentile(edges[0], 97)


def test_odd_sizes_are_made_even_by_doubling_the_last_row(tmp_path):
    make_video(SCENE, track(2, 33, 21), "depth", tmp_path / "v.mp4")
    frames, about = decoded(tmp_path / "v.mp4")
    assert about["size"] == (34, 22)
    assert frames[0, -1].astype(float) == pytest.approx(frames[0, -2].astype(float), abs=30)


def test_a_stopped_run_goes_on(tmp_path, monkeypatch):
    whole, out = tmp_path / "whole" / "v.mp4", tmp_path / "v.mp4"
    make_video(SCENE, track(), "depth", whole)
    writes = []

    def stopping(path, picture):
        if len(writes) == 3:
            raise KeyboardInterrupt
        writes.append(path)
        return video_write(path, picture)

    video_write = video.write_png
    monkeypatch.setattr(video, "write_png", stopping)
    with pytest.raises(KeyboardInterrupt):
        make_video(SCENE, track(), "depth", out)
    monkeypatch.undo()
    (left,) = tmp_path.glob(".frames-*")
    assert len(list(left.glob("*.png"))) == 3
    assert not out.exists()
    (left / ".partial-1-000003.png").write_bytes(b"half")
    assert make_video(SCENE, track(), "depth", out) == 1
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_a_stop_while_encoding_leaves_nothing_half_written(tmp_path, monkeypatch):
    out = tmp_path / "v.mp4"
    out.write_bytes(b"earlier")

    def stop(writer, path, *rest):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(video, "_encode", stop)
    with pytest.raises(KeyboardInterrupt):
        make_video(SCENE, track(), "depth", out)
    monkeypatch.undo()
    assert out.read_bytes() == b"earlier"
    assert not list(tmp_path.glob(".partial-*"))
    assert make_video(SCENE, track(), "depth", out) == 0
    assert len(decoded(out)[0]) == 4


def test_frames_of_another_layer_are_not_used(tmp_path, monkeypatch):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(video, "_encode", stop)
    with pytest.raises(KeyboardInterrupt):
        make_video(SCENE, track(), "depth", tmp_path / "v.mp4")
    monkeypatch.undo()
    assert make_video(SCENE, track(), "normal", tmp_path / "v.mp4") == 4
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


def still(count):
    """Poses without velocities."""
    return [pose._replace(velocity_m_s=None) for pose in track(count)]


OPEN = {"layer": "rgb", "spec": RenderSpec(shutter_s=0.02)}
FAST = {"layer": "rgb", "spec": RenderSpec(shutter_s=0.02, speed_m_s=5.0)}


def inside():
    return Pose(Camera.look_at((-2, 22, 8), (30, 0, 0), width=48, height=36), 9.0)


@pytest.mark.parametrize(
    ("poses", "options", "line"),
    [
        (track(), {"layer": "dept"}, "layer is 'dept'; allowed: rgb, depth, normal,"),
        (track(), {"out": "v.avi"}, "a video is an MP4 file, not"),
        (track(), {"fps": 0}, "fps is 0; allowed: 0.1 to 240."),
        (track(2) + [track(1)[0]._replace(time_s=9.0)], {}, "the times of the poses are not even"),
        (track(2) + track(1, 64), {"fps": 8}, "the poses have 2 sizes (48x36, 64x36); the frames"),
        ([], {}, "there are no poses; the frames of a video"),
        (still(2), OPEN, "shutter_s is 0.02, but no camera moves: give speed_m_s or turn_deg_s"),
        (track(2), FAST, "speed_m_s is 5.0, but the poses say how they move: leave it out."),
        ([*track(), inside()], {"fps": 8}, "view 000004: camera at (-2.0, 22.0, 8.0) is inside"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_drawn(tmp_path, poses, options, line):
    given = {"layer": "depth", "out": "v.mp4", **options}
    with pytest.raises(InputError) as caught:
        make_video(SCENE, poses, given.pop("layer"), tmp_path / given.pop("out"), **given)
    assert str(caught.value).startswith(line)
    assert not list(tmp_path.iterdir())


def test_without_the_encoder_one_is_told_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "imageio_ffmpeg":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vasgen\[video\]'"):
        make_video(SCENE, track(), "depth", tmp_path / "v.mp4")
    assert not list(tmp_path.iterdir())


def test_every_layer_has_a_picture():
    camera = track(1)[0].camera
    image = Renderer(SCENE, RenderSpec(samples_per_pixel=1)).layers(camera, rgb=False)
    for layer in video.LAYERS:
        if layer == "rgb":
            continue
        shown = paint_layer(image, layer)
        assert shown.shape == (36, 48, 3)
        varies = np.ptp(shown[image.valid], axis=0).max() > 0.02
        assert varies or layer == "roughness"  # all walls here are equally rough
        assert np.ptp(shown[~image.valid], axis=0).max() == 0
    with pytest.raises(ValueError, match="layer rgb has no picture"):
        paint_layer(image, "rgb")


def test_depth_is_shown_logarithmically():
    depth = np.array([[2.0, 20.0, 200.0]], np.float32)
    scale = depth_scale_of([np.array([2.0]), np.array([200.0])])
    steps = np.diff(np.asarray(scale(depth[0]), float))
    assert steps == pytest.approx(steps[::-1])  # ten times as far is the same step
    nothing = {f.name: None for f in dataclasses.fields(ImageLayers)}
    image = ImageLayers(**{**nothing, "depth": depth, "valid": np.ones((1, 3), bool)})
    bright = paint_layer(image, "depth", scale).sum(axis=2)[0]
    assert bright[0] > bright[1] > bright[2]
