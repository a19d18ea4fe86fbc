"""Sionna RT opens a city's bundle as it is."""

import pytest

from vasgen import runtime


def test_sionna_opens_the_scene_with_its_radio_materials(make_city, tmp_path):
    rt = runtime.radio()
    bundle = make_city("downtown", 2, 137.5).to_bundle()
    scene = rt.load_scene(str(bundle.save(tmp_path / "scene") / "scene.xml"), merge_shapes=False)
    assert set(scene.objects) == {mesh.name for mesh in bundle.meshes}
    scene.frequency = 3.5e9
    for mesh in bundle.meshes:
        material = scene.objects[mesh.name].radio_material
        wanted = next(m for m in bundle.radio_materials if m.name == mesh.radio_material)
        assert material.itu_type == wanted.itu_type
        assert float(material.thickness[0]) == pytest.approx(wanted.thickness_m, rel=1e-4)
