"""The physics gate of a campaign: views that no right map can look like are marked, not dropped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vasgen.bundle import SceneBundle
from vasgen.datasets.findings import problem
from vasgen.datasets.gate import Scenery, check_physics
from vasgen.datasets.gate_picture import draw_findings
from vasgen.datasets.store import Sample
from vasgen.datasets.view_record import ViewRecord
from vasgen.layers import ImageLayers, RadioLayers
from vasgen.raycast import RayCaster
from vasgen.shells import closed_metal
from vasgen.spec import RadioSpec


class Verdict(NamedTuple):
    """What the gate says of a view.

    Attributes:
        record: the view's record with its problems.
        draw: draws the maps that are wrong into a folder.
    """

    record: ViewRecord
    draw: Callable[[Path], None]


class Judge:
    """Holds traced views of one scene against physics.

    Args:
        bundle: the scene.
        spec: what the views are traced with.
        caster: the same scene for rays.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec, caster: RayCaster) -> None:
        self._spec = spec
        self._scenery = Scenery(caster, closed_metal(bundle))

    def judge(
        self, name: str, record: ViewRecord, image: ImageLayers, radio: RadioLayers
    ) -> Verdict:
        """What is wrong with a view.

        Args:
            name: of the view.
            record: its record.
            image: what its camera sees.
            radio: what was traced there.
        """
        sample = Sample(name, record.camera, image, radio, record.transmitters)
        findings = [f for f in check_physics(sample, self._spec, self._scenery) if f.fails]
        lines = tuple(problem(name, finding).text for finding in findings)
        return Verdict(
            dataclasses.replace(record, problems=lines),
            lambda folder: draw_findings(sample, findings, folder),
        )
