"""The documentation keeps up with the code."""

import re
from pathlib import Path

import pytest

from vasgen.antenna import ANTENNAS, Antenna
from vasgen.layers import IMAGE_LAYERS, RADIO_LAYERS
from vasgen.scene_spec import DistrictSpec, SceneSpec
from vasgen.spec import (
    DatasetSpec,
    RadioSpec,
    RenderSpec,
    TransmittersSpec,
    ViewsSpec,
    spec_from_yaml,
)

ROOT = Path(__file__).parent.parent
PARTS = {
    "Top level": DatasetSpec,
    "`scene`": SceneSpec,
    "`scene.districts`": DistrictSpec,
    "`views`": ViewsSpec,
    "`transmitters`": TransmittersSpec,
    "`radio`": RadioSpec,
    "`transmitters.antennas`": Antenna,
    "`render`": RenderSpec,
}


@pytest.mark.parametrize("title", sorted(PARTS))
def test_the_spec_page_lists_every_key_and_no_other(title):
    page = (ROOT / "docs" / "spec.md").read_text()
    section = page.split(f"## {title}\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.M) == list(PARTS[title].model_fields)


def test_the_dataset_page_lists_every_layer():
    page = (ROOT / "docs" / "dataset.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == [*IMAGE_LAYERS, *RADIO_LAYERS]


def test_the_spec_of_the_readme_is_valid():
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert spec_from_yaml(text).name == "seven"


def test_the_spec_of_the_antenna_page_is_valid():
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "antennas.md").read_text(), re.S)
    named, panel, pair = spec_from_yaml(text).transmitters.antennas
    assert named == ANTENNAS["8x4"]
    assert (panel.steer_deg, panel.num_ports, pair.weights) == ((-20, 5), 64, ((1, 0), (0, 1)))


def test_links_between_pages_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
