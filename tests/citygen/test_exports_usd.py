"""USD files: the validators of OpenUSD, and OpenUSD as a reader."""

import subprocess
import sys

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdSemantics, UsdShade, UsdValidation

from vasgen.citygen import CityConfig, generate
from vasgen.citygen.exporters.usd import write_usd
from vasgen.citygen.facade import modules
from vasgen.citygen.life import archetypes
from vasgen.citygen.materials import PALETTE, RADIO_NAMES
from vasgen.errors import InputError, MissingDependencyError
from vasgen.semantics import SemanticClass


@pytest.fixture
def opened(make_city, tmp_path):
    def run(density, lod, size_m=137.5):
        city = make_city(density, 2, size_m)
        return city, Usd.Stage.Open(str(write_usd(city, tmp_path / "city.usdc", lod=lod)))

    return run


def triangles(prim):
    mesh = UsdGeom.Mesh(prim)
    points = np.array(mesh.GetPointsAttr().Get())
    return points[np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)]


def placed(stage, path):
    """(F, 3, 3) triangles of all instances of an instancer."""
    instancer = UsdGeom.PointInstancer(stage.GetPrimAtPath(path))
    targets = instancer.GetPrototypesRel().GetTargets()
    models = [triangles(stage.GetPrimAtPath(target)) for target in targets]
    moves = instancer.ComputeInstanceTransformsAtTime(
        Usd.TimeCode.Default(), Usd.TimeCode.Default()
    )
    index = instancer.GetProtoIndicesAttr().Get()
    return np.concatenate(
        [
            models[i] @ np.array(move)[:3, :3] + np.array(move)[3, :3]
            for i, move in zip(index, moves, strict=True)
        ]
    )


def integrals(corners):
    """Area, volume and moments: what two equal lots of triangles share."""
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    size = np.linalg.norm(across, axis=1)
    middle = corners.mean(axis=1)
    return np.array(
        [
            size.sum() / 2,
            (corners[:, 0] * across).sum() / 6,
            *(middle * size[:, None]).sum(axis=0) / 2,
            *(middle * across).sum(axis=0) / 6,
        ]
    )


@pytest.mark.parametrize("lod", [1, 2, 3])
@pytest.mark.parametrize("density", ["downtown", "margin"])
def test_the_validators_of_openusd_find_nothing(opened, density, lod):
    _, stage = opened(density, lod)
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) >= 30
    errors = UsdValidation.ValidationContext(validators).Validate(stage)
    assert [error.GetErrorAsString() for error in errors] == []


def test_the_validators_do_find_errors(opened):
    _, stage = opened("mix", 1)
    stage.ClearMetadata("metersPerUnit")
    subset = next(prim for prim in stage.Traverse() if prim.IsA(UsdGeom.Subset))
    UsdGeom.Subset(subset).GetIndicesAttr().Set([1_000_000])
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(UsdValidation.ValidationContext(validators).Validate(stage)) >= 2


def test_the_stage_is_upright_in_metres_and_as_large_as_the_city(opened):
    city, stage = opened("mix", 2)
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    root = stage.GetDefaultPrim()
    for hints in (False, True):
        cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), ["default"], useExtentsHint=hints)
        box = cache.ComputeWorldBound(root).ComputeAlignedRange()
        low, high = city.bounds
        # The hint of an instancer is a box of boxes.
        assert np.allclose(box.GetMin(), low, atol=4.0 if hints else 0.3)
        assert np.allclose(box.GetMax(), high, atol=4.0 if hints else 0.3)
        assert (np.array(box.GetMin()) <= low + 2e-3).all()
        assert (np.array(box.GetMax()) >= high - 2e-3).all()


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_meshes_and_instances_together_are_the_mesh_of_the_city(opened, lod):
    check_integrals(*opened("downtown", lod), lod)


@pytest.mark.parametrize("lod", [1, 2, 3])
def test_on_hills_too(tmp_path, lod):
    city = generate(CityConfig("mix", 3, 137.5, relief_m=18.0))
    stage = Usd.Stage.Open(str(write_usd(city, tmp_path / "city.usda", lod=lod)))
    check_integrals(city, stage, lod)


def check_integrals(city, stage, lod):
    surface = city.mesh(lod)
    parts = [
        triangles(prim)
        for prim in stage.Traverse()
        if prim.IsA(UsdGeom.Mesh) and "Prototypes" not in str(prim.GetPath())
    ]
    instancers = [prim.GetPath() for prim in stage.Traverse() if prim.IsA(UsdGeom.PointInstancer)]
    parts += [placed(stage, path) for path in instancers]
    found = integrals(np.concatenate(parts))
    expected = integrals(surface.vertices[surface.faces])
    assert sum(map(len, parts)) == len(surface.faces)
    assert found[:2] == pytest.approx(expected[:2], rel=2e-3)
    assert found[2:] == pytest.approx(expected[2:], rel=2e-3, abs=2e-4 * np.abs(expected[2:]).max())


def test_modules_of_facades_stand_where_the_city_has_them(opened):
    city, stage = opened("downtown", 3)
    cells = city.modules()
    assert len(cells) > 100
    expected = []
    for cell in cells:
        model = modules.module(int(cell["kind"]), int(cell["facade"]))
        x, y, z = model.vertices.T
        along = np.array([cell["ux"], cell["uy"], 0.0])
        outward = np.array([cell["uy"], -cell["ux"], 0.0])
        corner = np.array([cell["x"], cell["y"], cell["z"]])
        points = corner + np.outer(x * cell["width"], along) + np.outer(y, outward)
        points[:, 2] += z * cell["height"]
        expected.append(points[model.faces])
    found, expected = placed(stage, "/City/Facades"), np.concatenate(expected)
    assert np.allclose(found, expected, atol=2e-3)


def test_halves_and_floats_turn_instances_alike(opened):
    _, stage = opened("mix", 2)
    for prim in stage.Traverse():
        if prim.IsA(UsdGeom.PointInstancer):
            instancer = UsdGeom.PointInstancer(prim)
            halves = instancer.GetOrientationsAttr().Get()
            floats = instancer.GetOrientationsfAttr().Get()
            for half, single in zip(halves, floats, strict=True):
                assert half.GetReal() == pytest.approx(single.GetReal(), abs=1e-3)
                assert half.GetImaginary()[2] == pytest.approx(single.GetImaginary()[2], abs=1e-3)


def test_every_face_of_a_building_has_its_class_look_and_radio_material(opened):
    city, stage = opened("margin", 2)
    surface = city.mesh(2)
    for building in city.buildings:
        prim = stage.GetPrimAtPath(f"/City/Buildings/building_{building.index:05d}")
        assert prim.GetAttribute("vasgen:height_m").Get() == pytest.approx(
            building.height_m, abs=1e-3
        )
        assert UsdSemantics.LabelsAPI(prim, "class").GetLabelsAttr().Get()[0] == "building"
        own = surface.instance == building.index
        subsets = UsdShade.MaterialBindingAPI(prim).GetMaterialBindSubsets()
        family = UsdGeom.Subset.GetFamilyType(UsdGeom.Imageable(prim), "materialBind")
        assert family == "partition"
        found = {}
        for subset in subsets:
            material, _ = UsdShade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()
            label = UsdSemantics.LabelsAPI(subset.GetPrim(), "class").GetLabelsAttr().Get()[0]
            radio = subset.GetPrim().GetAttribute("vasgen:radio_material").Get()
            look = material.GetPrim().GetName().replace("_", "-")
            count = len(subset.GetIndicesAttr().Get())
            found[label, look, radio] = found.get((label, look, radio), 0) + count
        names = [
            (
                SemanticClass(semantic).name.lower(),
                PALETTE[visual].name,
                RADIO_NAMES[radio],
            )
            for semantic, visual, radio in zip(
                surface.semantic[own].tolist(),
                surface.visual[own].tolist(),
                surface.radio[own].tolist(),
                strict=True,
            )
        ]
        assert found == {name: names.count(name) for name in set(names)}


def test_props_are_instances_with_their_ids(opened):
    city, stage = opened("downtown", 2)
    ids = []
    for prim in stage.GetPrimAtPath("/City/Props").GetChildren():
        ids += list(UsdGeom.PointInstancer(prim).GetIdsAttr().Get())
    shown = [
        city.first_prop_id + i
        for i, prop in enumerate(city.props)
        if len(archetypes.model(prop.kind, prop.variant, 2).faces)
    ]
    assert sorted(ids) == shown


def test_preview_surfaces_have_the_colours_of_the_palette(opened):
    _, stage = opened("mix", 2)
    looks = {look.name.replace("-", "_"): look for look in PALETTE}
    materials = stage.GetPrimAtPath("/City/Materials").GetChildren()
    assert materials
    for prim in materials:
        shader = UsdShade.Material(prim).ComputeSurfaceSource()[0]
        assert shader.GetIdAttr().Get() == "UsdPreviewSurface"
        colour = shader.GetInput("diffuseColor").Get()
        assert np.allclose(colour, looks[prim.GetName()].base_color, atol=1e-6)


def test_the_same_city_is_the_same_file(make_city, tmp_path):
    city = make_city("mix", 2, 137.5)
    for suffix in (".usdc", ".usda"):
        one, two = (
            write_usd(city, tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b")
        )
        assert one == two


def test_another_suffix_is_refused(make_city, tmp_path):
    with pytest.raises(InputError, match=r"\.usdz.*allowed: \.usdc"):
        write_usd(make_city("mix", 2, 137.5), tmp_path / "city.usdz")


def test_without_openusd_one_line_says_how_to_get_it(make_city, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vasgen\[usd\]'"):
        write_usd(make_city("mix", 2, 137.5), tmp_path / "city.usdc")
    assert not list(tmp_path.iterdir())


def test_a_city_is_generated_without_openusd_and_matplotlib():
    code = "import sys, vasgen.citygen; print(sorted({'pxr', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
