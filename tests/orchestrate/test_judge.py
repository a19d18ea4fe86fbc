"""Campaigns and the physics gate: right views pass, wrong ones are marked, never dropped."""

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import vasgen.datasets
from tests.support import box, bundle, ground, mesh, street_canyon
from tests.support import view as seen_from
from vasgen.antenna import ANTENNAS, Antenna
from vasgen.camera import Camera
from vasgen.citygen import CityConfig, generate
from vasgen.cli import app
from vasgen.datasets.view_record import ViewRecord
from vasgen.orchestrate import build, place_transmitters, plan_views, render_views, trace_views
from vasgen.orchestrate.judge import Judge
from vasgen.orchestrate.posefile import write_poses
from vasgen.raycast import RayCaster
from vasgen.render import Renderer
from vasgen.scenes import open_scene
from vasgen.spec import RadioSpec, RenderSpec, TransmittersSpec, ViewsSpec, parse_spec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.closed_form.closed_form_solver import ClosedFormSolver


def judged(scene, spec, cameras, transmitters, *, seed=0, change=lambda layers: layers):
    """Problems of each view of a scene, rendered and traced as a build does."""
    caster = RayCaster(scene)
    renderer, tracer = Renderer(scene, RenderSpec()), Tracer(scene, spec, caster=caster)
    images = [renderer.layers(camera, rgb=False) for camera in cameras]
    views = [View(c, i.depth, i.normal) for c, i in zip(cameras, images, strict=True)]
    judge, problems = Judge(scene, spec, caster), []
    for camera, image, layers in zip(
        cameras, images, tracer.trace_views(views, transmitters, seed=seed), strict=True
    ):
        record = ViewRecord(camera, "", "", {}, transmitters=tuple(transmitters))
        problems.append(judge.judge("v", record, image, change(layers)).record.problems)
    return problems


def planned(scene, seed, *, count=2, antennas=("siso",), transmitters=2):
    spec = TransmittersSpec(count=transmitters, antennas=tuple(ANTENNAS[a] for a in antennas))
    placed = place_transmitters(scene, spec, seed=seed)
    views = ViewsSpec(count=count, width=64, height=48)
    return plan_views(scene, views, seed, transmitters=placed), placed


SMALL = {"rays": 100_000, "chunks": 2, "max_depth": 2}


@pytest.mark.parametrize(
    ("density", "lod", "seed", "options", "antennas"),
    [
        ("downtown", 2, 1, {}, ["siso"]),
        pytest.param("mix", 3, 2, {"frequency_hz": 28e9}, ["4x4", "siso"], marks=pytest.mark.slow),
        ("margin", 2, 3, {"surface": "lattice", "frequency_hz": 0.7e9}, ["siso"]),
        pytest.param("downtown", 2, 4, {"frequency_hz": 100e9}, ["8x4"], marks=pytest.mark.slow),
        pytest.param("mix", 2, 5, {"surface": "lattice"}, ["siso"], marks=pytest.mark.slow),
    ],
)
def test_traced_cities_pass(density, lod, seed, options, antennas):
    city = generate(CityConfig(density=density, seed=seed, size_m=150.0, lod=lod)).to_bundle()
    cameras, placed = planned(city, seed, antennas=antennas)
    assert judged(city, RadioSpec(**SMALL, **options), cameras, placed, seed=seed) == [()] * 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["munich", "simple_street_canyon_with_cars", "etoile"])
@pytest.mark.parametrize("seed", [0, 1])
def test_traced_imported_scenes_pass(name, seed):
    scene = open_scene(f"sionna:{name}")
    cameras, placed = planned(scene, seed, antennas=["siso", "8x4"])
    assert judged(scene, RadioSpec(**SMALL), cameras, placed, seed=seed) == [()] * 2


def canyon_with_metal():
    """The street, and a closed metal container in it."""
    street = street_canyon()
    container = box("container", (6, 3, 3), (6, 2, 1.5), radio="metal", instance=9)
    return bundle(*street.meshes, container)


def test_a_street_with_metal_passes_for_any_antenna():
    panel = Antenna(rows=2, columns=2, pattern="tr38901", polarization="VH")
    camera = Camera.look_at((-45, 3, 8), (20, 1, 2), width=80, height=60)
    transmitters = [
        Transmitter("siso", (-20.0, 1.0, 3.0)),
        Transmitter("panel", (40.0, 2.0, 5.0), antenna=panel),
        Transmitter("dipole", (-3.0, 2.0, 1.6), antenna=Antenna(pattern="dipole")),
    ]
    assert judged(canyon_with_metal(), RadioSpec(**SMALL), [camera], transmitters) == [()]


def metal_room():
    """A closed metal room with the camera in it, seen from inside, on a plain."""
    room = box("room", (10, 8, 6), (0, 0, 3.5), radio="metal")
    inside = mesh("room", room.vertices, room.faces[:, ::-1], radio="metal")
    return bundle(ground(60.0), inside)


def test_no_power_gets_into_a_closed_metal_room_and_a_leak_is_refused():
    camera = Camera.look_at((-3, 0, 3), (4, 1, 3), width=40, height=30)
    outside, within = Transmitter("out", (20.0, 3.0, 3.0)), Transmitter("in", (2.0, 2.0, 3.0))
    spec = RadioSpec(**SMALL)
    assert judged(metal_room(), spec, [camera], [outside, within]) == [()]

    def leak(layers):
        layers.reached[0, 4, 5:8] = True
        return layers

    ((*_, found),) = judged(metal_room(), spec, [camera], [outside, within], change=leak)
    assert found == (
        "path_gain_db: power behind closed metal (3 pixels, first at transmitter 0 row 4 column 5)"
    )


@pytest.fixture
def leaky(monkeypatch):
    """A solver that forgets the direct path of some pixels of one view."""
    solve = ClosedFormSolver.solve

    def forgetful(self, surfaces, transmitters, **options):
        found = solve(self, surfaces, transmitters, **options)
        lit = np.flatnonzero(found[1].visible[0])
        found[1].visible[0, lit[len(lit) // 3 :]] = False
        return found

    monkeypatch.setattr(ClosedFormSolver, "solve", forgetful)


def test_a_refused_view_is_written_marked_and_told_again(tiny_spec, tmp_path, leaky, monkeypatch):
    folder = tmp_path / "tiny"
    summary = build(tiny_spec, folder)
    assert (summary.made, summary.views) == (3, 3)
    ((name, (problem,)),) = summary.marked
    assert name == "000001"
    assert problem.startswith("line_of_sight: a hole: the transmitter sees all of the pixel (")
    dataset = vasgen.datasets.open(folder)
    assert [sample.problems for sample in dataset] == [(), (problem,), ()]
    assert [entry["problems"] for entry in dataset.manifest.samples] == [[], [problem], []]
    assert "gate-line_of_sight.png" in dataset.record(1).files
    for sight in (None, RayCaster):
        (found,) = vasgen.datasets.verify(folder, sight=sight).problems
        assert (found.view, problem in str(found)) == ("000001", True)
    monkeypatch.undo()  # the same command, nothing changed: the same answer, nothing made
    again = build(tiny_spec, folder)
    assert (again.made, again.marked) == (0, summary.marked)
    (folder / "dataset.json").unlink()
    (folder / "views" / "000000" / "rgb.png").unlink()
    resumed = build(tiny_spec, folder)
    assert (resumed.made, resumed.marked) == (1, summary.marked)
    spec = tmp_path / "spec.yaml"
    spec.write_text(tiny_spec.to_yaml())
    told = CliRunner().invoke(app, ["build", str(spec), "--out", str(folder)])
    assert told.exit_code == 2
    assert told.stderr.splitlines()[-2:] == [
        f"vasgen: view 000001: {problem}",
        "vasgen: 1 of 3 views is marked; gate-*.png there show which pixels, if some are wrong.",
    ]


def test_a_view_of_the_sky_is_marked_and_the_campaign_goes_on(tmp_path):
    scene = street_canyon()
    scene.save(tmp_path / "street")
    cameras = [
        Camera.look_at((-45, 3, 8), aim, width=32, height=24) for aim in ((20, 1, 2), (-44, 3, 900))
    ]
    write_poses(tmp_path / "poses.json", cameras)
    spec = parse_spec(
        {
            "scene": {"source": str(tmp_path / "street")},
            "views": {"poses": str(tmp_path / "poses.json")},
            "transmitters": {"positions": [[-20, 1, 3]]},
            "radio": {**SMALL, "diffraction": False},
            "render": {"samples_per_pixel": 1},
        }
    )
    summary = build(spec, tmp_path / "out")
    assert summary.marked == (("000001", ("valid: sees no surface",)),)
    sky = vasgen.datasets.open(tmp_path / "out")[1]
    assert np.isnan(sky.radio.path_gain_db).all()
    assert not sky.radio.reached.any()
    assert (sky.radio.best_server == -1).all()


def test_tracing_a_folder_of_views_marks_them_too(tmp_path, leaky):
    scene = street_canyon()
    cameras = [
        Camera.look_at(eye, (20, 1, 2), width=40, height=30) for eye in ((-45, 3, 8), (-44, 3, 9))
    ]
    render_views(scene, cameras, tmp_path / "views", rgb=False)
    views = vasgen.datasets.read_views(tmp_path / "views")
    trace_views(scene, views, [Transmitter("tx", (-20.0, 1.0, 3.0))], RadioSpec(**SMALL))
    assert [len(sample.problems) for sample in views] == [0, 1]
    assert (tmp_path / "views" / "000001" / "gate-line_of_sight.png").is_file()


def test_notes_about_the_labels_are_kept_and_told(tmp_path, tiny_spec):
    radio = tiny_spec.radio.model_copy(update={"frequency_hz": 28e9, "diffraction": False})
    views = tiny_spec.views.model_copy(update={"count": 1})
    spec = tiny_spec.model_copy(update={"radio": radio, "views": views})
    notes = build(spec, tmp_path / "out").notes
    assert any(note.startswith("very_dry_ground is defined for 1-10 GHz;") for note in notes)
    assert vasgen.datasets.open(tmp_path / "out").manifest.notes == notes
    (tmp_path / "spec.yaml").write_text(spec.to_yaml())
    command = ["build", str(tmp_path / "spec.yaml"), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, command).stderr.splitlines()
    assert [f"vasgen: note: {note}" for note in notes] == [line for line in told if "note" in line]


def test_a_surface_without_area_is_not_reached():
    """A pixel right at the lens, and one seen edge on, have no footprint to receive with."""
    caster, camera, depth, normal = seen_from(street_canyon(), [-45, 3, 8], [20, 1, 2], 16, 12)
    depth, normal = depth.copy(), normal.copy()
    depth[8, 3] = 0.0
    normal[9, 4] = np.cross(camera.rays()[9, 4], [0, 0, 1])
    tracer = Tracer(street_canyon(), RadioSpec(**SMALL), caster=caster)
    layers = tracer.trace(camera, depth, normal, [Transmitter("tx", (-20.0, 1.0, 3.0))])
    assert not layers.reached[0, 8, 3]
    assert np.isfinite(layers.path_gain_db[0][np.isfinite(depth)]).all()


def test_a_changed_layer_is_what_the_gate_looks_at():
    """The negative control of the controls: the same views do not pass once they are changed."""
    cameras, placed = planned(street_canyon(), 0, count=1)

    def dimmed(layers):
        gain = layers.path_gain_db - np.float32(10)
        return replace(layers, path_gain_db=gain, rss_dbm=layers.rss_dbm - np.float32(10))

    ((*problems,),) = judged(street_canyon(), RadioSpec(**SMALL), cameras, placed, change=dimmed)
    assert any("below free space, though" in problem for problem in problems)
    assert any("below free space (median)" in problem for problem in problems)
