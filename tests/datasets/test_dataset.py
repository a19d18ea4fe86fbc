"""Opening datasets and view folders."""

import json

import pytest

import vasgen.datasets
from vasgen.datasets.dataset import open_any
from vasgen.errors import InputError, StorageError
from vasgen.layers import IMAGE_LAYERS, RADIO_LAYERS
from vasgen.spec import parse_spec


def test_a_dataset_is_a_sequence_of_samples(dataset):
    opened = vasgen.datasets.open(dataset)
    assert len(opened) == 2
    assert [sample.name for sample in opened] == ["000000", "000001"]
    assert opened[-1].name == "000001"
    assert [sample.name for sample in opened[1:]] == ["000001"]
    assert opened[1:].manifest is opened.manifest
    with pytest.raises(IndexError):
        opened[2]


def test_samples_are_read_when_asked_for(dataset):
    opened = vasgen.datasets.open(dataset)
    (dataset / "views" / "000001" / "image.npz").unlink()
    assert opened[0].name == "000000"
    with pytest.raises(StorageError, match=r"000001.image\.npz"):
        opened[1]


def test_the_manifest_explains_every_layer(dataset):
    manifest = vasgen.datasets.open(dataset).manifest
    assert manifest.layers.keys() == IMAGE_LAYERS.keys() | RADIO_LAYERS.keys()
    assert manifest.layers["path_gain_db"]["unit"] == "dB"
    assert manifest.layers["depth"]["file"] == "image.npz"
    assert manifest.semantic_classes["1"] == "ground"
    assert manifest.radio_materials == ("concrete",)
    assert manifest.scene["triangles"] == 2
    assert set(manifest.samples[0]["files"]) == {
        "image.npz",
        "radio.npz",
        "rgb.exr",
        "rgb.png",
        "view.json",
    }


@pytest.mark.parametrize("scene", [{"source": "sionna:munich"}, {"density": "mix", "size_m": 150}])
def test_the_spec_of_a_manifest_is_a_spec(scene):
    spec = parse_spec({"scene": scene, "transmitters": {"positions": [[1, 2, 3]]}})
    assert parse_spec(json.loads(json.dumps(spec.to_plain()))) == spec


def test_views_without_manifest_open_too(dataset):
    views = vasgen.datasets.read_views(dataset / "views")
    assert views.names == ("000000", "000001")
    (dataset / "views" / ".partial-x").mkdir()
    (dataset / "views" / ".partial-x" / "view.json").write_text("{}")
    assert open_any(dataset / "views").names == views.names
    assert isinstance(open_any(dataset), vasgen.datasets.Dataset)


def test_what_is_no_dataset_says_so(tmp_path, dataset):
    with pytest.raises(InputError, match="no such folder"):
        vasgen.datasets.open(tmp_path / "none")
    with pytest.raises(InputError, match=r"holds no views\. Render some"):
        vasgen.datasets.read_views(tmp_path)
    (dataset / "dataset.json").unlink()
    with pytest.raises(InputError, match="not finished: run the same vasgen build again"):
        vasgen.datasets.open(dataset)
    (dataset / "spec.yaml").unlink()
    with pytest.raises(InputError, match=r"it has no dataset\.json"):
        vasgen.datasets.open(dataset)


def test_a_newer_format_is_refused(dataset):
    path = dataset / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(InputError, match="has format 99; this vasgen reads 2"):
        vasgen.datasets.open(dataset)
    path.write_text("{")
    with pytest.raises(StorageError, match="is damaged"):
        vasgen.datasets.open(dataset)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"scene": None}, "'scene' of it is NoneType"),
        ({"scene": {}}, "scene lacks 'name'"),
        ({"samples": [{"files": {}}]}, r"samples\[0\] lacks 'name'"),
        ({"samples": [{"name": "000000"}]}, r"samples\[0\] lacks 'files'"),
        ({"samples": [{"name": "0", "files": {}}]}, r"samples\[0\] lacks 'problems'"),
        (
            {"samples": [{"name": "0", "files": {}, "problems": []}]},
            "files of samples.* lacks 'view.json'",
        ),
        ({"notes": [1]}, r"'note' of notes\[0\] is int"),
        ({"samples": ["000000"]}, r"samples\[0\] is no record"),
        ({"layers": 3}, "'layers' of it is int"),
        ({"transmitters": [1]}, r"transmitters\[0\] is no record"),
    ],
)
def test_a_manifest_of_another_shape_is_damage(dataset, change, line):
    path = dataset / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    for read in (vasgen.datasets.open, vasgen.datasets.verify):
        with pytest.raises(StorageError, match=rf"dataset\.json is damaged: {line}"):
            read(dataset)
