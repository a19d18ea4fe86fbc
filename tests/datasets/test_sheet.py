"""The contact sheet shows what it should, with colours that mean one thing."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import vasgen.datasets
from vasgen.datasets import panels
from vasgen.datasets.dataset import read_views
from vasgen.errors import InputError
from vasgen.layers import PATH_GAIN_FLOOR_DB


def _count(image, colour):
    wanted = np.round(np.array(to_rgb(colour)) * 255)
    return int((np.abs(np.asarray(image, float) - wanted).max(axis=-1) <= 1).sum())


def _sheet(dataset, path, **options):
    vasgen.datasets.contact_sheet(dataset, path, **options)
    with Image.open(path) as image:
        return image.convert("RGB").copy()


def test_the_sheet_is_2400_wide_with_a_row_per_view(dataset, tmp_path):
    opened = vasgen.datasets.open(dataset)
    both = _sheet(opened, tmp_path / "both.png")
    one = _sheet(opened, tmp_path / "one.png", views=[1])
    assert both.width == one.width == 2400
    assert both.height > one.height + 200


def test_equal_data_give_equal_bytes(dataset, tmp_path):
    opened = vasgen.datasets.open(dataset)
    _sheet(opened, tmp_path / "a.png")
    _sheet(opened, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_unreached_pixels_have_their_own_colour(tmp_path, view, write):
    write(tmp_path / "lit" / "v", view)
    dark = view.image.valid & (np.arange(32) < 16)
    gain = np.where(dark, PATH_GAIN_FLOOR_DB, view.radio.path_gain_db).astype(np.float32)
    reached = view.radio.reached & ~dark
    write(
        tmp_path / "dark" / "v",
        replace(view, radio=replace(view.radio, path_gain_db=gain, reached=reached)),
    )
    lit = _sheet(read_views(tmp_path / "lit"), tmp_path / "lit.png")
    shadowed = _sheet(read_views(tmp_path / "dark"), tmp_path / "dark.png")
    more = _count(shadowed, panels.UNREACHED_COLOUR) - _count(lit, panels.UNREACHED_COLOUR)
    assert more > 20_000  # two panels, a third of each


def test_untraced_views_show_classes(tmp_path, view, write):
    bare = replace(view, image=replace(view.image, rgb=None))
    write(tmp_path / "views" / "v", bare, traced=False)
    sheet = _sheet(read_views(tmp_path / "views"), tmp_path / "sheet.png")
    assert _count(sheet, (191 / 255, 176 / 255, 148 / 255)) > 50_000  # ground


def test_wrong_numbers_are_refused(dataset, tmp_path):
    opened = vasgen.datasets.open(dataset)
    with pytest.raises(InputError, match=r"^view is 2; allowed: 0 to 1\.$"):
        vasgen.datasets.contact_sheet(opened, tmp_path / "s.png", views=[2])
    with pytest.raises(InputError, match=r"^transmitter is 5; allowed: 0 to 1\.$"):
        vasgen.datasets.contact_sheet(opened, tmp_path / "s.png", transmitter=5)
    assert not (tmp_path / "s.png").exists()


def test_colours_of_sky_and_unreached_occur_in_no_colour_map(dataset):
    rows = [(sample, 0) for sample in vasgen.datasets.open(dataset)]
    shown = [panel for panel in panels.choose_panels(rows) if panel.colours is not None]
    assert len(shown) == 3
    for panel in shown:
        colours = panel.colours(np.linspace(0, 1, 256))[:, :3]
        for colour in (panels.SKY_COLOUR, panels.UNREACHED_COLOUR):
            assert np.linalg.norm(colours - to_rgb(colour), axis=1).min() > 0.05
        assert panel.ticks()
