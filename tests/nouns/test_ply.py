"""PLY files hold float64 and refuse everything that is not theirs."""

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vasgen.errors import StorageError
from vasgen.ply import read_ply, write_ply

TRIANGLE = np.array([[0, 1, 2]], np.int32)
CORNERS = np.array([[5000.1, 0, 0], [5001.3, 0, 1e-9], [5000.1, 1 / 3, 0]])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    vertices=arrays.arrays(
        np.float64, st.tuples(st.integers(0, 20), st.just(3)), elements=st.floats(-1e9, 1e9)
    ),
    faces=arrays.arrays(
        np.int32, st.tuples(st.integers(0, 20), st.just(3)), elements=st.integers(0, 2**31 - 1)
    ),
)
def test_any_arrays_come_back_to_the_bit(tmp_path, vertices, faces):
    write_ply(tmp_path / "a.ply", vertices, faces)
    again, corners = read_ply(tmp_path / "a.ply")
    assert again.tobytes() == vertices.tobytes()
    assert np.array_equal(corners, faces)
    assert (again.dtype, corners.dtype) == (np.float64, np.int32)
    assert again.shape == vertices.shape


def test_what_is_read_may_be_written_to(tmp_path):
    write_ply(tmp_path / "a.ply", CORNERS, TRIANGLE)
    vertices, faces = read_ply(tmp_path / "a.ply")
    vertices += 1
    faces += 1
    assert np.array_equal(vertices, np.asarray(CORNERS) + 1)
    assert np.array_equal(faces, np.asarray(TRIANGLE) + 1)


def test_other_libraries_read_the_file(tmp_path):
    write_ply(tmp_path / "a.ply", CORNERS, TRIANGLE)
    other = trimesh.load(tmp_path / "a.ply", process=False)
    assert np.array_equal(other.vertices, CORNERS)
    assert np.array_equal(other.faces, TRIANGLE)


@pytest.mark.parametrize("cut", [1, 13, 40, 200])
def test_a_truncated_file_is_refused(tmp_path, cut):
    path = tmp_path / "a.ply"
    write_ply(path, CORNERS, TRIANGLE)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(StorageError, match=r"a\.ply is (truncated|no PLY file)"):
        read_ply(path)


def test_a_file_with_more_at_its_end_is_refused(tmp_path):
    path = tmp_path / "a.ply"
    write_ply(path, CORNERS, TRIANGLE)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(StorageError, match="is truncated or was not written by vasgen"):
        read_ply(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"ply\nend_header\n",
        b"ply\nelement vertex many\nelement face 1\nend_header\n",
        b"ply\nelement vertex -1\nelement face 1\nend_header\n",
    ],
)
def test_another_header_is_refused(tmp_path, content):
    (tmp_path / "a.ply").write_bytes(content)
    with pytest.raises(StorageError, match="is no PLY file of a scene bundle"):
        read_ply(tmp_path / "a.ply")


def test_the_layout_of_another_writer_is_refused(tmp_path):
    trimesh.creation.box().export(tmp_path / "a.ply")
    with pytest.raises(StorageError, match="was not written by vasgen"):
        read_ply(tmp_path / "a.ply")
