"""How much light there is outside, by the elevation of the sun."""

from __future__ import annotations

#: Illuminance that one unit of irradiance stands for, lux (of radiance: candela a square metre).
LUX_PER_UNIT = 68_000.0

#: Elevations (degrees) above which a row of coefficients holds, highest first.
_PIECES = (
    (20.0, (3.74, 3.97, -4.07, 1.47)),
    (5.0, (3.05, 13.28, -45.98, 64.33)),
    (-0.8, (2.88, 22.26, -207.64, 1034.30)),
    (-5.0, (2.88, 21.81, -258.11, -858.36)),
    (-12.0, (2.70, 12.17, -431.69, -1899.83)),
    (-18.0, (13.84, 262.72, 1447.42, 2797.93)),
)

#: Where twilight ends, degrees: below, starlight and airglow remain.
_NIGHT_DEG = -18.0

#: Half the width of the joints between the pieces, which are 1 % apart there, degrees.
_JOINT_DEG = 0.4


def illuminance(elevation_deg: float) -> float:
    """Horizontal illuminance under a clear sky without moon, lux.

    Janiczek and DeYoung, Computer Programs for Sun and Moon Illuminance (U.S. Naval
    Observatory Circular 171, 1987): 760 lux at elevation 0, 3.4 at -6, 0.008 at -12.

    Args:
        elevation_deg: of the sun's centre, -90 to 90.
    """
    elevation = max(elevation_deg, _NIGHT_DEG)
    exponent = _exponent(elevation, 0)
    for number, (limit, _) in enumerate(_PIECES[:-1], start=1):
        share = (elevation - limit) / (2 * _JOINT_DEG) + 0.5
        if share < 1:
            share = max(share, 0.0)
            exponent = share * exponent + (1 - share) * _exponent(elevation, number)
    return float(10**exponent)


def _exponent(elevation_deg: float, piece: int) -> float:
    a, b, c, d = _PIECES[piece][1]
    x = elevation_deg / 90
    return a + x * (b + x * (c + x * d))
