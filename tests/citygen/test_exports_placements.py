"""Placements, read back by plyfile, trimesh and numpy."""

import csv

import numpy as np
import plyfile
import pytest
import trimesh

from vasgen.citygen.exporters.placements import NAMES, write_placements
from vasgen.citygen.facade import modules
from vasgen.citygen.life import archetypes
from vasgen.errors import InputError
from vasgen.semantics import SemanticClass


@pytest.fixture(scope="session")
def read(make_city, tmp_path_factory):
    city = make_city("downtown", 2, 137.5)
    path = write_placements(city, tmp_path_factory.mktemp("placements") / "a.ply")
    file = plyfile.PlyData.read(path)
    return city, path, file


def names_of(file):
    """The meaning of numbers, from the comments of the header."""
    found = {}
    for comment in file.comments[1:]:
        column, number, name = comment.split()
        found.setdefault(column, {})[int(number)] = name
    return found


def test_a_row_for_each_module_and_each_prop(read):
    city, path, file = read
    rows = file["vertex"].data
    cells = city.modules()
    assert len(rows) == len(cells) + len(city.props)
    assert len(cells) > 100
    assert (rows["object"][: len(cells)] == cells["building"]).all()
    assert (rows["storey"][: len(cells)] == cells["storey"]).all()
    assert (rows["bay"][: len(cells)] == cells["bay"]).all()
    first = city.first_prop_id
    assert (rows["object"][len(cells) :] == np.arange(first, first + len(city.props))).all()
    assert (rows["storey"][len(cells) :] == -1).all()
    cloud = trimesh.load(path)
    assert np.allclose(cloud.vertices, np.column_stack([rows["x"], rows["y"], rows["z"]]))


def test_names_in_the_header_say_what_the_numbers_mean(read):
    city, _, file = read
    rows, names = file["vertex"].data, names_of(file)
    assert {column: tuple(found.values()) for column, found in names.items()} == NAMES
    cells = city.modules()
    kinds = [names["kind"][kind] for kind in rows["kind"]]
    assert kinds[: len(cells)] == [f"facade-{modules.KINDS[kind]}" for kind in cells["kind"]]
    assert kinds[len(cells) :] == [prop.kind for prop in city.props]


def placed(row, points):
    cosine, sine = np.cos(row["yaw"]), np.sin(row["yaw"])
    x, y, z = (points * [row["scale_x"], row["scale_y"], row["scale_z"]]).T
    turned = np.column_stack([cosine * x - sine * y, sine * x + cosine * y, z])
    return turned + [row["x"], row["y"], row["z"]]


def test_assets_placed_by_a_row_stand_where_the_city_has_them(read):
    city, _, file = read
    rows, cells = file["vertex"].data, city.modules()
    for row, cell in list(zip(rows, cells, strict=False))[::17]:
        x, y, z = modules.module(int(cell["kind"]), int(cell["facade"])).vertices.T
        found = placed(row, np.column_stack([x, -y, z]))
        along, outward = (cell["ux"], cell["uy"]), (cell["uy"], -cell["ux"])
        plan = [cell["x"], cell["y"]] + np.outer(x * cell["width"], along) + np.outer(y, outward)
        assert np.allclose(found[:, :2], plan, atol=1e-3)
        assert np.allclose(found[:, 2], cell["z"] + z * cell["height"], atol=1e-3)
    surface = city.mesh(2)
    for row in rows[len(cells) :]:
        prop = city.props[row["object"] - city.first_prop_id]
        found = placed(row, archetypes.model(prop.kind, prop.variant, 2).vertices)
        expected = surface.vertices[surface.faces[surface.instance == row["object"]]]
        assert np.allclose(found.min(axis=0), expected.min((0, 1)), atol=2e-3)
        assert np.allclose(found.max(axis=0), expected.max((0, 1)), atol=2e-3)


def test_classes_and_radio_materials_are_those_of_the_assets(read):
    _, _, file = read
    rows, names = file["vertex"].data, names_of(file)
    seen = {
        (names["kind"][row["kind"]], names["class"][row["class"]], names["radio"][row["radio"]])
        for row in rows
    }
    for kind, semantic, radio in seen:
        if kind in ("facade-window", "facade-glazing", "facade-shop"):
            assert (semantic, radio) == ("window", "glass")
        if kind in ("facade-door", "facade-entrance"):
            assert semantic == "door"
        if kind == "facade-blank":
            assert semantic == "wall"
        if kind == "tree":
            assert semantic == SemanticClass.VEGETATION.name.lower()
    assert {"tree", "facade-blank"} < {kind for kind, _, _ in seen}


def test_the_table_as_csv_has_the_same_rows_with_names(read, tmp_path):
    city, _, file = read
    rows, names = file["vertex"].data, names_of(file)
    with write_placements(city, tmp_path / "a.csv").open() as text:
        lines = list(csv.DictReader(text))
    assert [int(line["row"]) for line in lines] == list(range(len(rows)))
    for line, row in zip(lines, rows, strict=True):
        assert float(line["x"]) == pytest.approx(row["x"], abs=1e-6)
        assert float(line["scale_z"]) == pytest.approx(row["scale_z"], rel=1e-5)
        assert int(line["bay"]) == row["bay"]
        assert all(line[column] == names[column][row[column]] for column in names)


def test_the_same_city_is_the_same_file(read, tmp_path):
    city, path, _ = read
    assert write_placements(city, tmp_path / "b.ply").read_bytes() == path.read_bytes()


def test_another_suffix_is_refused(read, tmp_path):
    with pytest.raises(InputError, match=r"'\.xyz'; allowed: \.ply, \.csv"):
        write_placements(read[0], tmp_path / "a.xyz")
