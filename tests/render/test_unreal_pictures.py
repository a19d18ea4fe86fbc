"""What the bytes that UnrealCV sends are read as."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vasgen.errors import InputError
from vasgen.render.unreal import pictures
from vasgen.render.unreal.pictures import UNNAMED


def npy(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def png(picture, mode="RGBA"):
    file = io.BytesIO()
    Image.fromarray(np.asarray(picture, np.uint8)).convert(mode).save(file, format="PNG")
    return file.getvalue()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width, height):
    """The beginning of a PNG of that size, in grey."""
    return png([[0]])[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def npz(values):
    file = io.BytesIO()
    np.savez(file, values)
    return file.getvalue()


def depth_of(*centimetres, dtype=np.float16):
    with np.errstate(over="ignore"):
        values = np.array([centimetres]).astype(dtype)
    return pictures.read_depth(npy(values), len(centimetres), 1)


@given(st.floats(0.1, pictures.FARTHEST_M))
def test_depth_is_within_half_a_step(metres):
    depth = depth_of(metres * 100)
    assert abs(float(depth.metres[0, 0]) - metres) <= 0.5 * depth.step[0, 0] + 1e-6 * metres


def test_steps_grow_with_depth():
    # 11 bits: between 2^k and 2^(k+1) centimetres, steps of 2^(k-10) centimetres.
    depth = depth_of(1100.0, 5000.0, 10_000.0, 20_000.0, 60_000.0)
    assert depth.step[0] == pytest.approx([0.01, 0.04, 0.08, 0.16, 0.32])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_float16_cannot_hold_is_beyond(dtype):
    depth = depth_of(65472.0, 65504.0, 65530.0, np.inf, np.nan, 0.0, -5.0, dtype=dtype)
    assert depth.metres[0, 0] == pytest.approx(654.72)
    assert np.isnan(depth.metres[0, 1:]).all()
    assert pytest.approx((655.04 + 654.72) / 2) == pictures.FARTHEST_M


def test_a_third_axis_of_one_channel_is_no_matter():
    values = np.full((2, 3, 1), 250, np.float16)
    assert pictures.read_depth(npy(values), 3, 2).metres == pytest.approx(2.5)


@pytest.mark.parametrize(
    "reply",
    [
        "error no camera",
        b"",
        b"\x93NUMPY nothing",
        npy(np.array(["a"])),
        npy(np.zeros((2, 3)))[:90],
        npy(np.zeros((2, 3))).replace(b"{", b"("),
        b"PK nothing",
        npz(np.zeros((2, 3))),
    ],
)
def test_damaged_depth(reply):
    with pytest.raises(InputError, match="picture of depth is damaged: it begins with"):
        pictures.read_depth(reply, 3, 2)


@pytest.mark.parametrize(
    "reply",
    [
        "ok",
        b"BM",
        png(np.zeros((2, 3, 3)))[:40],
        header(3, 2) + b"\0\0\0\x05ab~d12345678",
        header(3, 2) + chunk(b"pHYs", b"") + png(np.zeros((2, 3, 3)))[33:],
        header(60_000, 60_000),
    ],
)
def test_damaged_png(reply):
    with pytest.raises(InputError, match="picture of lit is damaged"):
        pictures.read_picture("lit", reply, 3, 2)


def test_another_size_is_refused():
    with pytest.raises(InputError, match="normal has 3x2 pixels, not 2x3"):
        pictures.read_picture("normal", png(np.zeros((2, 3, 3))), 2, 3)
    with pytest.raises(InputError, match="lit has 10000x10000 pixels, not 2x3"):
        pictures.read_picture("lit", header(10_000, 10_000) + chunk(b"IDAT", b""), 2, 3)
    with pytest.raises(InputError, match="depth has 4x2 pixels, not 2x2"):
        pictures.read_depth(npy(np.zeros((2, 4))), 2, 2)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_pictures_lose_their_alpha_channel_only(mode):
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert (pictures.read_picture("lit", png(picture, mode), 3, 2) == picture).all()


@given(st.integers(0, 2**31))
def test_normals_are_within_eight_bits(seed):
    vectors = np.random.default_rng(seed).normal(size=(4, 5, 3))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    theirs = vectors * [1, -1, 1]
    read = pictures.normals(np.rint((theirs + 1) / 2 * 255).astype(np.uint8))
    angle = np.degrees(np.arccos(np.minimum(np.einsum("hwc,hwc->hw", read, vectors), 1)))
    assert angle.max() < np.degrees(np.sqrt(3) / 255)
    assert np.linalg.norm(read, axis=-1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("building_00012", 12),
        ("building_12", 12),
        ("building_00000", UNNAMED),
        ("building_00012_2", UNNAMED),
        ("tree", UNNAMED),
        ("StaticMeshActor_7", UNNAMED),
    ],
)
def test_ids_in_names(name, number):
    assert pictures.object_id(name) == number


def test_colours_of_objects():
    assert pictures.colour("(R=0,G=127,B=255,A=255)") == (0, 127, 255)
    with pytest.raises(InputError, match="'none' as the colour of an object"):
        pictures.colour("none")


def test_masks_name_objects_by_their_colour():
    ids = {(10, 20, 30): 5, (10, 20, 60): 9, (200, 0, 0): UNNAMED}
    mask = np.array(
        [[[10, 20, 30], [12, 17, 60], [0, 0, 0]], [[200, 0, 0], [10, 20, 34], [9, 9, 9]]]
    )
    found = pictures.instances(mask.astype(np.uint8), ids)
    assert found.tolist() == [[5, 9, UNNAMED], [UNNAMED, UNNAMED, UNNAMED]]
    assert (pictures.instances(mask.astype(np.uint8), {}) == UNNAMED).all()


def test_a_mask_of_any_colours_is_read_in_little_memory():
    """As an anti-aliased mask is, or that of another program."""
    random = np.random.default_rng(0)
    mask = random.integers(0, 256, (100, 300, 3)).astype(np.uint8)
    known = random.permutation(17**3)[:700]
    colours = np.stack([known // 289, known // 17 % 17, known % 17], axis=1) * 15
    tracemalloc.start()
    found = pictures.instances(mask, {tuple(c): i + 1 for i, c in enumerate(colours.tolist())})
    assert tracemalloc.get_traced_memory()[1] < 30e6
    tracemalloc.stop()
    for row, ids in zip(mask.astype(int), found, strict=True):
        away = np.abs(row[:, None] - colours).max(axis=2)
        assert (ids == np.where(away.min(axis=1) <= 3, away.argmin(axis=1) + 1, UNNAMED)).all()
    assert 0.005 < (found != UNNAMED).mean() < 0.9
