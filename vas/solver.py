"""The solver: what finds the power of every transmitter at every pixel of receiver surfaces.

A solver is made for one scene and one set of settings. It does not know of cameras' pictures,
link budgets or files: surfaces in, powers out. All that happens between is its own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.layers import PATH_GAIN_FLOOR_DB
from vasgen.transmitter import Transmitter
from vasgen.vas.paths.paths import Paths
from vasgen.vas.surfaces.surface import ReceiverSurface

Array = NDArray[np.float64]
Advance = Callable[[float], None]

_FLOOR = 10 ** (PATH_GAIN_FLOOR_DB / 10)


class Powers(NamedTuple):
    """What a solver found for one surface, linear.

    Attributes:
        gain: (T, P) float64 path gain; zero for no path.
        variance: (T, P) float64 variance of ``gain`` from the finite number of rays.
        visible: (T, P) bool, the transmitter is in line of sight.
        rays: (T,) int64, rays that were counted: fewer than the budget where the median error
            met the target before.
        mechanisms: (M, T, P) float64, ``gain`` by :data:`vasgen.layers.MECHANISMS`; None if the
            solver cannot tell.
        statistics: layers of :data:`vasgen.layers.PATH_LAYERS` that are known, in their types
            and units already, (T, P, …): pixels in one row, and not yet masked where the sky is.
        paths: of each transmitter, if they were to be kept.
        recall: (T,) float64, share of the power by way of mirrors that a search has found; None
            if nothing was searched for.
    """

    gain: Array
    variance: Array
    visible: NDArray[np.bool_]
    rays: NDArray[np.int64]
    mechanisms: Array | None = None
    statistics: Mapping[str, NDArray[Any]] = MappingProxyType({})
    paths: tuple[Paths, ...] = ()
    recall: Array | None = None

    @classmethod
    def none(cls, num_transmitters: int, num_pixels: int) -> Powers:
        """No power anywhere."""
        shape = (num_transmitters, num_pixels)
        rays = np.zeros(num_transmitters, np.int64)
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape, bool), rays)

    def row(self, number: int) -> Powers:
        """The part of one transmitter, (P,) each: views, to be written into."""
        gain, variance, visible, rays, *_ = self
        return Powers(gain[number], variance[number], visible[number], rays[number, ...])


class Solver(Protocol):
    """Finds powers; see the module's text."""

    def solve(
        self,
        surfaces: Sequence[ReceiverSurface],
        transmitters: Sequence[Transmitter],
        *,
        seed: int,
        advance: Advance,
    ) -> list[Powers]:
        """Power of every transmitter on every surface.

        Args:
            surfaces: receivers of one or many views.
            transmitters: any number, with antennas of any kind.
            seed: of all that is random. What a surface receives does not depend on the
                surfaces that are solved with it.
            advance: called with the share of the work done since the last call.

        Returns:
            One entry a surface, rows in the order of ``transmitters``.
        """


def reached(gain: Array) -> NDArray[np.bool_]:
    """Where any path arrives, by linear path gain."""
    return np.asarray(gain > _FLOOR)


def standard_error_db(gain: Array, variance: Array) -> Array:
    """How far one standard error of the gain lies above it, dB.

    Finite and meaningful where the gain is tiny; about the usual error in dB where it is small.

    Args:
        gain: linear, positive.
        variance: of ``gain``.
    """
    error: Array = 10 * np.log10(1 + np.sqrt(variance) / gain)
    return error


def scaled(advance: Advance, factor: float) -> Advance:
    """Progress of a part of the work that is this share of the whole."""
    return lambda share: advance(factor * share)
