"""Relabelling: new radio layers of a view from what is stored of it, without a ray.

Paths are geometry. Antennas, precoding, orientations, the carrier frequency and materials decide
about their fields, which are evaluated anew in free space; powers, groups and the noise only
about the link budget, for which the path gain that is known already will do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from vasgen.bundle import RadioMaterial
from vasgen.layers import Bool, RadioLayers
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.link_budget import radio_layers
from vasgen.vas.paths.path_field import material_table, mechanism_gains
from vasgen.vas.paths.path_statistics import path_statistics, stacked
from vasgen.vas.paths.paths import Paths
from vasgen.vas.scene.materials import slab_loss_db
from vasgen.vas.scene.radio_scene import FreeSpace
from vasgen.vas.solver import Powers

#: Slabs that take so much less than in the trace have paths behind them that were not kept, dB.
_OPENED_DB = 6.0


class Relabeller:
    """Evaluates the paths of one view after another.

    Args:
        materials: of the scene, in the order in which paths number them.
        transmitters: in the order of the paths.
        spec: frequency, noise, and number of strongest paths.

    Raises:
        InputError: if a material cannot be evaluated as the spec asks.
    """

    def __init__(
        self,
        materials: Sequence[RadioMaterial],
        transmitters: Sequence[Transmitter],
        spec: RadioSpec,
    ) -> None:
        self._radio = FreeSpace(spec.frequency_hz, np.zeros(3))
        self._table = material_table(materials, spec)
        self._transmitters = transmitters
        self._spec = spec

    def layers(self, paths: Sequence[Paths], before: RadioLayers, valid: Bool) -> RadioLayers:
        """The radio layers that follow from paths: there is no remainder, so no error.

        Args:
            paths: of each transmitter to points of the view.
            before: layers of the view as it was traced. Line of sight, and how many of the paths
                were found, stay.
            valid: (H, W), the pixel sees a surface.
        """
        gains, statistics = [], []
        for transmitter, some in zip(self._transmitters, paths, strict=True):
            self._radio.set_transmitter(transmitter)
            gains.append(mechanism_gains(self._radio, self._table, some, valid.size))
            statistics.append(
                path_statistics(
                    self._radio, self._table, some, valid.size, self._spec.strongest_paths
                )
            )
        mechanisms, recall = np.stack(gains, axis=1), before.search_recall
        nothing = Powers.none(len(paths), valid.size)
        powers = nothing._replace(
            gain=mechanisms.sum(axis=0),
            visible=before.line_of_sight.reshape(nothing.visible.shape),
            mechanisms=mechanisms,
            statistics=stacked(statistics),
            recall=None if recall is None else recall.astype(np.float64),
        )
        return radio_layers(powers, valid, self._transmitters, self._spec)


def rebudgeted(
    before: RadioLayers, valid: Bool, transmitters: Sequence[Transmitter], spec: RadioSpec
) -> RadioLayers:
    """Layers with another link budget: RSS, SINR and best server follow from the path gain.

    Args:
        before: layers of a view.
        valid: (H, W), the pixel sees a surface.
        transmitters: with their new powers and groups.
        spec: new bandwidth, noise temperature and figure.
    """
    gain_db = np.where(before.reached, before.path_gain_db, -np.inf).astype(np.float64)
    nothing = Powers.none(len(transmitters), valid.size)
    powers = nothing._replace(gain=10 ** (gain_db.reshape(nothing.gain.shape) / 10))
    after = radio_layers(powers, valid, transmitters, spec)
    return dataclasses.replace(
        before, rss_dbm=after.rss_dbm, sinr_db=after.sinr_db, best_server=after.best_server
    )


def opened_slabs(
    before: Sequence[RadioMaterial],
    traced: RadioSpec,
    after: Sequence[RadioMaterial],
    spec: RadioSpec,
) -> tuple[str, ...]:
    """Lines that say which slabs let more pass than in the trace: paths behind them are missing.

    Args:
        before: radio materials of the trace.
        traced: its frequency.
        after: the same materials now.
        spec: the frequency now.
    """
    if not spec.refraction:
        return ()
    lines = []
    for old, new in zip(before, after, strict=True):
        was, is_now = slab_loss_db(old, traced.frequency_hz), slab_loss_db(new, spec.frequency_hz)
        if was - is_now > _OPENED_DB:
            lines.append(
                f"a slab of {new.name} takes {is_now:.0f} dB, and took {was:.0f} dB in the trace: "
                "paths through it that were too weak to be kept are missing."
            )
    return tuple(lines)
