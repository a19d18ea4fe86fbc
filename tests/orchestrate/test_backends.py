"""One dataset, several renderers: labels do not depend on who draws the pictures."""

import contextlib
import gc
import re
from pathlib import Path

import numpy as np
import pytest

import vasgen.datasets
import vasgen.orchestrate.views
from tests.render.conftest import SceneBuilder, matte
from tests.render.unreal_server import UnrealServer, require_client
from vasgen.bundle import SceneBundle
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.errors import InputError
from vasgen.orchestrate import Pose, build, make_video, render_views
from vasgen.render import ImageBackend, to_display
from vasgen.render.unreal import UnrealRenderer
from vasgen.render.unreal.pictures import FARTHEST_M, UNNAMED
from vasgen.render_spec import RenderSpec
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer

PAGE = Path(__file__).parents[2] / "docs" / "unreal.md"


def by_unreal(spec, **more):
    return spec.model_copy(update={"render": RenderSpec(backend="unreal", **more)})


def check_measured(unreal, camera, exact):
    """Whether Unreal's own values are the exact ones, as far as its encoding goes."""
    measured = unreal.measure(camera, rgb=False)
    near = exact.valid & (exact.depth < FARTHEST_M)
    assert (np.isfinite(measured.depth.metres) == near).all()
    away = np.abs(measured.depth.metres - exact.depth)[near]
    assert (away <= 0.5 * measured.depth.step[near] + 1e-5).all()
    cosine = np.einsum("hwc,hwc->hw", measured.normal, exact.normal)[near]
    assert np.degrees(np.arccos(min(cosine.min(), 1.0))) < 0.4
    named = measured.instance != UNNAMED
    assert (measured.instance[named] == exact.instance[named]).all()
    assert named.mean() > 0.1


def test_the_same_dataset_through_both_backends(built, tiny_spec, tmp_path, monkeypatch):
    require_client()
    bundle = SceneBundle.load(built / "scene")
    with UnrealServer(bundle) as server:
        monkeypatch.setenv("VASGEN_UNREAL", server.address)
        summary = build(by_unreal(tiny_spec, unreal_far="scene"), tmp_path / "unreal")
        with contextlib.closing(UnrealRenderer(bundle)) as unreal:
            for sample in vasgen.datasets.open(built):
                check_measured(unreal, sample.camera, sample.image)
    assert summary.made == 3
    assert vasgen.datasets.verify(tmp_path / "unreal").problems == ()
    both = zip(vasgen.datasets.open(built), vasgen.datasets.open(tmp_path / "unreal"), strict=True)
    for ours, theirs in both:
        for part in ("image", "radio"):
            found = getattr(theirs, part).arrays()
            for name, layer in getattr(ours, part).arrays().items():
                if name != "rgb":
                    np.testing.assert_array_equal(found[name], layer, err_msg=name)
        # Few samples and other seeds: noise remains.
        shown = [to_display(s.image.rgb).astype(float) for s in (ours, theirs)]
        assert np.corrcoef(shown[0].ravel(), shown[1].ravel())[0, 1] > 0.95
        assert shown[0].mean() == pytest.approx(shown[1].mean(), abs=4)


def test_a_track_is_drawn_by_unreal_although_its_camera_moves(tmp_path, monkeypatch):
    require_client()
    scene = SceneBuilder([matte()])
    scene.quad((-50, -50), (50, 50), 0.0)
    bundle = scene.box((-5, -5, 0), (5, 5, 8)).bundle()
    cameras = [Camera.look_at((x, -25, 15), (0, 0, 3), width=32, height=24) for x in (-20, -17)]
    track = [Pose(camera, float(i), (3.0, 0.0, 0.0)) for i, camera in enumerate(cameras)]
    spec = RenderSpec(backend="unreal", sun_elevation_deg=1.5)
    with UnrealServer(bundle) as server:
        monkeypatch.setenv("VASGEN_UNREAL", server.address)
        assert render_views(bundle, track, tmp_path / "views", spec=spec) == 2
        gc.collect()  # hangs up: a server has one client
        assert make_video(bundle, track, "rgb", tmp_path / "v.mp4", spec=spec) == 2


@pytest.mark.slow
def test_labels_need_better_depths_than_unreals():
    """Why depth comes from the scene: in 16 bits, receivers stand inside their walls."""
    require_client()
    bundle = generate(CityConfig("downtown", seed=3, size_m=200)).to_bundle(2)
    camera = Camera.look_at((-60, -90, 45), (0, 0, 5), width=96, height=72)
    with UnrealServer(bundle) as server:
        unreal = UnrealRenderer(bundle, server.address)
        exact, measured = unreal.layers(camera, rgb=False), unreal.measure(camera, rgb=False)
        unreal.close()
    tracer = Tracer(bundle, RadioSpec(rays=200_000))
    mast = [Transmitter("mast", (0.0, 0.0, 75.0))]

    def in_sight(depth):
        return tracer.trace(camera, depth, exact.normal, mast).line_of_sight[0][exact.valid]

    right = in_sight(exact.depth)
    assert 0.4 < right.mean() < 0.7
    assert (right != in_sight(measured.depth.metres)).mean() > 0.03


def test_one_unreal_serves_one_process(tiny_spec, tmp_path):
    with pytest.raises(InputError, match="workers is 2; an Unreal serves one client at a time"):
        build(by_unreal(tiny_spec), tmp_path / "new", workers=2)
    assert not (tmp_path / "new").exists()


def test_far_surfaces_are_a_question_of_unreal_only():
    with pytest.raises(ValueError, match="unreal_far needs backend unreal"):
        RenderSpec(unreal_far="sky")


def third_backend():
    """The class that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(code.splitlines()) <= 35
    found = {}
    exec(code, found)
    return found["Clay"]


def test_the_third_backend_of_the_page_renders_views(tmp_path, monkeypatch):
    scene = SceneBuilder([matte()])
    scene.quad((-50, -50), (50, 50), 0.0)
    bundle, clay = scene.box((-5, -5, 0), (5, 5, 8)).bundle(), third_backend()

    def open_backend(bundle, spec, unreal=None, *, caster=None) -> ImageBackend:
        return clay(bundle)

    monkeypatch.setattr(vasgen.orchestrate.views, "open_backend", open_backend)
    camera = Camera.look_at((-20, -25, 15), (0, 0, 3), width=32, height=24)
    assert render_views(bundle, [camera], tmp_path / "views") == 1
    views = vasgen.datasets.read_views(tmp_path / "views")
    image = vasgen.datasets.store.read_image(views.folder / views.names[0], views.record(0))
    assert image.semantic.max() == SemanticClass.WALL
    level = image.normal[..., 2] > 0.5
    # The sun stands at 40 degrees, and the picture is stored in half precision.
    assert image.rgb[level] == pytest.approx(0.1 + 0.4 * np.sin(np.radians(40)), rel=1e-3)
    assert level.sum() > 200
