"""A plain above which a camera hovers: every layer is known in closed form."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from vasgen.antenna import ANTENNAS
from vasgen.antenna_pattern import AntennaPatterns, globe
from vasgen.artefact import atomic_directory
from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
from vasgen.camera import Camera
from vasgen.datasets import ViewRecord, store
from vasgen.datasets.antennas import write_patterns
from vasgen.datasets.manifest import (
    PLAN_JSON,
    SCENE,
    SPEC_YAML,
    VIEWS,
    make_manifest,
    write_manifest,
)
from vasgen.datasets.radio_checks import noise_dbm
from vasgen.layers import NO_MATERIAL, ImageLayers, RadioLayers
from vasgen.render.picture import to_display, write_exr, write_png
from vasgen.semantics import SemanticClass
from vasgen.spec import DatasetSpec, RadioSpec
from vasgen.transmitter import Transmitter

TRANSMITTERS = (
    Transmitter("tx-0", (40.0, 5.0, 1.6)),
    Transmitter("tx-1", (60.0, -20.0, 1.6), power_dbm=20.0),
)


@dataclass(frozen=True, eq=False)
class PlainView:
    camera: Camera
    image: ImageLayers
    radio: RadioLayers


def plain_camera(x=0.0):
    return Camera.look_at((x, 0, 30), (x + 60, 0, 0), width=32, height=24)


def plain_image(camera):
    rays = camera.rays()
    down = rays[..., 2] < -0.05
    depth = np.where(down, -camera.position[2] / np.where(down, rays[..., 2], 1), np.nan)
    shape = depth.shape

    def surface(value, sky, dtype):
        return np.where(down, value, sky).astype(dtype)

    vector = np.where(down[..., None], [0.0, 0.0, 1.0], np.nan).astype(np.float32)
    return ImageLayers(
        rgb=np.full((*shape, 3), 0.25, np.float32),
        depth=depth.astype(np.float32),
        normal=vector,
        albedo=np.where(down[..., None], np.full((*shape, 3), 0.5), np.nan).astype(np.float32),
        roughness=surface(0.8, np.nan, np.float32),
        semantic=surface(SemanticClass.GROUND, SemanticClass.NONE, np.uint8),
        instance=surface(0, 0, np.int32),
        radio_material=surface(0, NO_MATERIAL, np.uint8),
        valid=down,
    )


def plain_radio(camera, image, spec):
    """Free space, from Friis and the definitions alone."""
    points = camera.back_project(image.depth)
    places = np.array([t.position for t in TRANSMITTERS])[:, None, None]
    distance = np.linalg.norm(points - places, axis=-1)
    gain = 20 * np.log10(299_792_458.0 / spec.frequency_hz / (4 * np.pi * distance))
    rss = gain + np.array([t.power_dbm for t in TRANSMITTERS])[:, None, None]
    linear = 10 ** (rss / 10)
    sinr = 10 * np.log10(linear / (10 ** (noise_dbm(spec) / 10) + linear[::-1]))
    seen = np.broadcast_to(image.valid, gain.shape)
    error = np.where(seen, 0.0, np.nan)
    return RadioLayers(
        *(layer.astype(np.float32) for layer in (gain, rss, sinr)),
        np.where(image.valid, rss.argmax(axis=0), -1).astype(np.int16),
        seen.copy(),
        seen.copy(),
        error.astype(np.float32),
        np.zeros(len(TRANSMITTERS), np.int64),
    )


@pytest.fixture
def radio_spec():
    return RadioSpec()


@pytest.fixture
def view(radio_spec):
    camera = plain_camera()
    image = plain_image(camera)
    return PlainView(camera, image, plain_radio(camera, image, radio_spec))


@pytest.fixture
def bundle():
    corners = np.array([[-500.0, -500, 0], [500, -500, 0], [500, 500, 0], [-500, 500, 0]])
    ground = Mesh(
        "ground",
        "concrete",
        corners,
        np.array([[0, 1, 2], [0, 2, 3]], np.int32),
        np.full(2, SemanticClass.GROUND, np.uint8),
        np.zeros(2, np.int32),
        np.zeros(2, np.uint16),
        np.zeros((2, 3, 2), np.float32),
    )
    return SceneBundle("plain", (ground,), (RadioMaterial("concrete"),), (VisualMaterial("grey"),))


@pytest.fixture
def write(bundle, radio_spec):
    """Writes a view folder; its hashes are right whatever the arrays hold."""

    def write_view(
        folder: Path, view: PlainView, *, traced=True, spec=radio_spec, antenna=ANTENNAS["siso"]
    ):
        record = ViewRecord(view.camera, bundle.content_hash, "recipe", {"picture": 1, "radio": 2})
        if traced:
            settings = spec.model_dump(mode="json")
            transmitters = tuple(replace(t, antenna=antenna) for t in TRANSMITTERS)
            record = replace(record, transmitters=transmitters, radio_spec=settings)
        with atomic_directory(folder) as scratch:
            if view.image.rgb is not None:
                write_exr(scratch / store.RGB_EXR, view.image.rgb)
                write_png(scratch / store.RGB_PNG, to_display(np.nan_to_num(view.image.rgb)))
            store.write_view(scratch, record, view.image, view.radio if traced else None)
        return folder

    return write_view


@pytest.fixture
def dataset(tmp_path, bundle, write, radio_spec):
    """A finished dataset of two views."""
    folder = tmp_path / "plain"
    bundle.save(folder / SCENE)
    names = ["000000", "000001"]
    for x, name in enumerate(names):
        camera = plain_camera(10.0 * x)
        image = plain_image(camera)
        write(
            folder / VIEWS / name, PlainView(camera, image, plain_radio(camera, image, radio_spec))
        )
    spec = DatasetSpec(name="plain")
    (folder / SPEC_YAML).write_text(spec.to_yaml())
    plan = {
        "scene_hash": bundle.content_hash,
        "cameras": [plain_camera(10.0 * x).to_dict() for x in range(2)],
        "transmitters": [t.to_dict() for t in TRANSMITTERS],
    }
    (folder / PLAN_JSON).write_text(json.dumps(plan))
    elevation, azimuth = globe()
    gain = np.ones((len(TRANSMITTERS), len(elevation), len(azimuth)), np.float32)
    write_patterns(folder, AntennaPatterns(gain, elevation, azimuth))
    write_manifest(folder, make_manifest(folder, spec, bundle, TRANSMITTERS, names))
    return folder
