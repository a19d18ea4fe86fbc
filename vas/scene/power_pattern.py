"""The power pattern of transmitters on the unit sphere: their feature vector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vasgen.antenna_pattern import AntennaPatterns, directions, globe
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.field import radiated_power
from vasgen.vas.scene.radio_scene import FreeSpace

#: Spacings count in wavelengths, so patterns are the same at every frequency.
_ANY_FREQUENCY_HZ = 3.5e9


def power_patterns(transmitters: Sequence[Transmitter]) -> AntennaPatterns:
    """What each transmitter radiates, as the solver has it.

    Args:
        transmitters: any; only their antennas and orientations matter.
    """
    elevation, azimuth = globe()
    towards = directions(elevation, azimuth)
    space = FreeSpace(_ANY_FREQUENCY_HZ, np.zeros(3))
    gain = np.empty((len(transmitters), *towards.shape[:2]), np.float32)
    done: dict[object, int] = {}
    for number, transmitter in enumerate(transmitters):
        look = (transmitter.antenna, transmitter.orientation_deg)
        if look in done:
            gain[number] = gain[done[look]]
            continue
        done[look] = number
        at_centre = Transmitter("tx", (0.0, 0.0, 0.0), 0.0, look[1], look[0])
        space.set_transmitter(at_centre)
        power = radiated_power(space, towards.reshape(-1, 3))
        gain[number] = power.reshape(towards.shape[:2])
    return AntennaPatterns(gain, elevation, azimuth)
