"""Checks of the radio layers: consistent with each other, and with free space.

Each check yields one :class:`Finding` per wrong layer, with a mask of wrong pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.antenna import Antenna
from vasgen.datasets.findings import Finding, Mask, sky_findings
from vasgen.datasets.path_checks import SPEED_OF_LIGHT_M_PER_S, check_paths
from vasgen.datasets.store import Sample
from vasgen.layers import PATH_GAIN_FLOOR_DB, RADIO_LAYERS, RadioLayers
from vasgen.spec import RadioSpec

#: How far the sum of all paths may exceed the direct path, dB. Image sources of an
#: ideal, lossless street canyon add up to about pi * range / width times free space:
#: 15 dB in a canyon ten times as long as wide, and 3 dB more for a perfect ground.
#: Real walls absorb; so more than this is an error of scale, not multipath.
MULTIPATH_HEADROOM_DB = 20.0

#: A pixel exceeds the bound if it does by so many standard errors: a ray that hits a tiny
#: footprint by chance brings too much there, and its error says so.
BOUND_ERRORS = 3.0

#: Share of a transmitter's reached pixels that may: an error of scale lifts most of them.
CHANCE_SHARE = 0.01

#: Nearest distance to a transmitter at which far-field gain is asked for, metres.
NEAREST_M = 0.5

#: The direct path of a single isotropic element is known in closed form, and other paths
#: only add to it. A lit pixel may still lie below free space: part of its footprint can
#: be in shadow. The median of many pixels among lit ones may not.
LIT_MEDIAN_TOLERANCE_DB = 0.5
LIT_PIXELS_FOR_MEDIAN = 100

#: Float32 storage of rss and sinr near -250 dB rounds by 1.5e-5 dB; other layers' own
#: rounding enters the sum. A hundredth of a dB is far above both.
CONSISTENCY_DB = 0.01

_PEAK_GAIN_DBI = {"iso": 0.0, "dipole": 1.76, "hw_dipole": 2.15, "tr38901": 8.0}


def check_radio(sample: Sample, spec: RadioSpec) -> Iterator[Finding]:
    """Radio layers are consistent with each other and with free space."""
    radio, valid = sample.radio, sample.image.valid
    if radio is None:
        return
    skies = {
        k: v for k, v in radio.arrays().items() if k in RADIO_LAYERS and k != "standard_error_db"
    }
    yield from sky_findings(skies, RADIO_LAYERS, valid)
    if not sample.transmitters:
        yield Finding("path_gain_db", "has no transmitter")
        return
    yield from _check_reached(radio, valid)
    if spec.line_of_sight:
        dark = radio.line_of_sight & ~radio.reached
        dark[[not one_isotropic(t.antenna) for t in sample.transmitters]] = False
        yield Finding("line_of_sight", "lit but not reached", dark)
    power = np.array([t.power_dbm for t in sample.transmitters])[:, None, None]
    with np.errstate(invalid="ignore"):
        off = np.abs(radio.rss_dbm - (radio.path_gain_db + power)) > CONSISTENCY_DB
        groups = [t.group for t in sample.transmitters]
        far = np.abs(radio.sinr_db - sinr_db(radio.rss_dbm, spec, groups)) > CONSISTENCY_DB
    yield Finding("rss_dbm", "is not power plus path gain", off & valid)
    yield Finding("sinr_db", "does not follow from rss_dbm and the noise", far & valid)
    yield from _check_best_server(radio)
    yield from _check_free_space(sample, radio, spec)
    yield from check_paths(sample, spec)


def noise_dbm(spec: RadioSpec) -> float:
    """Thermal noise power kTB, dBm."""
    watts = spec.noise_w
    return 10 * math.log10(watts) + 30


def sinr_db(rss_dbm: NDArray[Any], spec: RadioSpec, groups: Sequence[int]) -> NDArray[np.float64]:
    """Signal over noise plus the signals of the others in its group, (T, H, W) dB."""
    milliwatts = 10 ** (rss_dbm.astype(np.float64) / 10)
    others = np.zeros_like(milliwatts)
    for row, group in enumerate(groups):
        # Others are summed one by one: total minus own would cancel next to a transmitter.
        for other, its_group in enumerate(groups):
            if other != row and its_group == group:
                others[row] += milliwatts[other]
    result: NDArray[np.float64] = 10 * np.log10(
        milliwatts / (10 ** (noise_dbm(spec) / 10) + others)
    )
    return result


def free_space_db(sample: Sample, spec: RadioSpec) -> NDArray[np.float64]:
    """Friis gain between isotropic antennas at every pixel, (T, H, W) dB; NaN: sky."""
    points = sample.camera.back_project(sample.image.depth)
    places = np.array([t.position for t in sample.transmitters])[:, None, None]
    distance = np.linalg.norm(points - places, axis=-1)
    wavelength = SPEED_OF_LIGHT_M_PER_S / spec.frequency_hz
    loss: NDArray[np.float64] = 20 * np.log10(
        4 * np.pi * np.maximum(distance, NEAREST_M) / wavelength
    )
    return -loss


def array_gain_db(antenna: Antenna) -> float:
    """Highest gain of the transmit array in any direction, dB over isotropic."""
    return _PEAK_GAIN_DBI[antenna.pattern] + 10 * math.log10(antenna.num_ports)


def _check_free_space(sample: Sample, radio: RadioLayers, spec: RadioSpec) -> Iterator[Finding]:
    gain = radio.path_gain_db
    free = free_space_db(sample, spec)
    peak = np.array([array_gain_db(t.antenna) for t in sample.transmitters])[:, None, None]
    with np.errstate(invalid="ignore"):
        yield Finding("path_gain_db", "more power than was sent", gain > peak)
        excess = _least_gain_db(radio) > free + peak + MULTIPATH_HEADROOM_DB
    excess[excess.sum(axis=(1, 2)) <= CHANCE_SHARE * radio.reached.sum(axis=(1, 2))] = False
    yield Finding("path_gain_db", "more than free space and multipath allow", excess)
    if not spec.line_of_sight:
        return
    for k, some in enumerate(radio.line_of_sight):
        lit = eroded(some)
        if not one_isotropic(sample.transmitters[k].antenna) or lit.sum() < LIT_PIXELS_FOR_MEDIAN:
            continue
        deficit = float(np.median(free[k][lit] - gain[k][lit]))
        if not deficit < LIT_MEDIAN_TOLERANCE_DB:
            message = f"transmitter {k}: lit pixels lie {deficit:.1f} dB below free space (median)"
            wrong = np.zeros_like(radio.line_of_sight)
            wrong[k] = lit
            yield Finding("path_gain_db", message, wrong)


def _least_gain_db(radio: RadioLayers) -> NDArray[np.float64]:
    """Gain less :data:`BOUND_ERRORS` standard errors, dB; -inf or NaN where that is no power."""
    error = 10 ** (np.nan_to_num(radio.standard_error_db.astype(np.float64)) / 10) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        least: NDArray[np.float64] = radio.path_gain_db + 10 * np.log10(1 - BOUND_ERRORS * error)
    return least


def _check_best_server(radio: RadioLayers) -> Iterator[Finding]:
    best, anyone = radio.best_server, radio.reached.any(axis=0)
    known = (best >= -1) & (best < len(radio.rss_dbm))
    rows = np.where(known, np.maximum(best, 0), 0).astype(np.int64)
    power = np.where(radio.reached, radio.rss_dbm, -np.inf)
    weaker = np.take_along_axis(power, rows[None], axis=0)[0] < power.max(axis=0)
    wrong = ~known | ((best >= 0) != anyone) | (anyone & weaker)
    yield Finding("best_server", "is not the transmitter of the strongest RSS", wrong)


def eroded(mask: Mask) -> Mask:
    """Pixels that are set, as are their eight neighbours."""
    padded = np.pad(mask, 1)
    result = mask.copy()
    for dy in range(3):
        for dx in range(3):
            result &= padded[dy : dy + mask.shape[0], dx : dx + mask.shape[1]]
    return result


def one_isotropic(antenna: Antenna) -> bool:
    """Whether the antenna shines everywhere: arrays and other patterns have nulls."""
    return antenna.pattern == "iso" and antenna.num_ports == 1


def _check_reached(radio: RadioLayers, valid: Mask) -> Iterator[Finding]:
    floor = radio.path_gain_db <= PATH_GAIN_FLOOR_DB
    yield Finding(
        "reached",
        f"false exactly at {PATH_GAIN_FLOOR_DB:g} dB is broken",
        valid & (radio.reached == floor),
    )
    yield Finding(
        "path_gain_db", "below the floor", valid & (radio.path_gain_db < PATH_GAIN_FLOOR_DB)
    )
    error = radio.standard_error_db
    known = np.isfinite(error) & (error >= 0)
    yield Finding(
        "standard_error_db",
        "negative or infinite, or given where nothing was estimated",
        ~(known | np.isnan(error)) | (known & ~(radio.reached & valid)),
    )
