"""A folder with one untraced view."""

import pytest

from vasgen.camera import Camera
from vasgen.orchestrate import render_views
from vasgen.scenes import open_scene


@pytest.fixture
def dataset_views(tmp_path):
    camera = Camera.look_at((0, -20, 12), (0, 0, 2), width=16, height=12)
    render_views(open_scene("sionna:box"), [camera], tmp_path / "views", rgb=False)
    return tmp_path / "views"
