"""What a texel says besides its colour: window glass and bare wall."""

import numpy as np
import pytest

from vasgen.bundle import VisualMaterial
from vasgen.render.chance import lot, share
from vasgen.render.textures.decals import decals
from vasgen.render.textures.lettering import name, written
from vasgen.render.textures.openings import CELLS
from vasgen.render.textures.recipes import build_texture
from vasgen.render.textures.texels import Texels, arrays
from vasgen.render.textures.texture import Texture


def test_marks_come_back_from_packed_texels():
    random = np.random.default_rng(0)
    glass, wall = random.random((2, 16, 16)) < 0.5
    colour, rough = random.random((16, 16, 3)), random.random((16, 16))
    texels = Texels([None, Texture(colour.astype("f4"), rough.astype("f4"), glass, wall)])
    v, u = (np.mgrid[:16, :16].reshape(2, -1) + 0.5) / 16
    ad = arrays()
    uv, one = ad.Array2f(u.astype("f4"), v.astype("f4")), ad.UInt32([1] * 256)
    bare, pane = texels.marks(one, uv, True)
    assert np.array_equal(np.array(bare), wall.ravel())
    assert np.array_equal(np.array(pane), glass.ravel())
    found = np.array(texels.colour(one, uv, True)).T
    assert np.abs(found[:, :3] - colour.reshape(-1, 3)).max() < 0.005
    assert np.abs(found[:, 3] - rough.ravel()).max() < 0.009


@pytest.mark.parametrize(
    "recipe",
    ["facade-brick", "facade-glass", "facade-shed", "pane-window", "pane-glazing", "pane-shop"],
)
def test_window_glass_is_the_smooth_part(recipe):
    texture = build_texture(VisualMaterial("m", recipe, (0.2, 0.2, 0.2), 0.9, 0.0, 3))
    assert 0.005 < texture.glass.mean() < 0.95
    assert texture.roughness[texture.glass].max() < 0.3
    assert texture.roughness[~texture.glass].mean() > texture.roughness[texture.glass].mean()
    if texture.wall is not None:
        assert not (texture.glass & texture.wall).any()


@pytest.mark.parametrize("recipe", ["wall-brick", "wall-sheet", "grass", "sign-board", "door-gate"])
def test_other_surfaces_have_no_glass(recipe):
    texture = build_texture(VisualMaterial("m", recipe, (0.3, 0.3, 0.3), 0.9))
    assert texture.glass is None or not texture.glass.any()
    assert (texture.wall is not None and bool(texture.wall.all())) == recipe.startswith("wall-")


def test_lots_are_even_and_differ_by_every_number():
    ad = arrays()
    first = ad.UInt32(np.arange(20000, dtype=np.uint32))
    for values in (share(lot(first, 5)), share(lot(ad.UInt32([7] * 20000), first), 3)):
        values = np.array(values)
        assert values.min() >= 0
        assert values.max() < 1
        # Kolmogorov-Smirnov at 0.1 %, and no correlation between neighbours.
        assert np.abs(np.sort(values) - np.arange(20000) / 20000).max() < 1.95 / np.sqrt(20000)
        assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03


def test_letters_stay_in_their_box_and_words_differ():
    box = (0.2, 0.8, 0.3, 0.7)
    pictures = [written(word, (60, 240), box) for word in ("CAFE", "BOOKS", "BOOK5")]
    for picture in pictures:
        rows, columns = np.nonzero(picture > 0.5)
        assert 0.3 * 60 - 1 <= rows.min() < 0.36 * 60
        assert 0.64 * 60 < rows.max() <= 0.7 * 60
        assert columns.min() >= 0.2 * 240 - 1
        assert columns.max() <= 0.8 * 240
        assert 0.05 < picture.mean() < 0.25
    assert np.abs(pictures[1] - pictures[2]).sum() > 50


def test_no_sign_is_rude_and_names_stay_many():
    random = np.random.default_rng(0)
    names = {name(random) for _ in range(20_000)}
    assert len(names) > 1000
    for word in ("PORN", "SEX", "ANUS", "BONER", "FUK", "FIK", "PUT", "CULO", "KAKA", "POO"):
        assert not [one for one in names if word in one]


def test_every_decal_covers_a_part_of_its_cell():
    texture = decals()
    count = texture.size // CELLS
    cover = texture.glass.reshape(CELLS, count, CELLS, count).mean(axis=(1, 3))
    assert cover.min() > 0.1
    assert cover.max() < 1
