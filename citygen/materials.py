"""The materials of a city: how its surfaces look and how they treat radio waves."""

from __future__ import annotations

from vasgen.bundle import RadioMaterial, VisualMaterial

#: Radio materials by name. ITU-R P.2040 types; thicknesses are those of the outer layer a
#: wave meets: a cast wall, one brick leaf and a half, triple glazing, trapezoidal sheet,
#: boarding. The ground is a metre thick, more than the wave's way in and out: no rear side.
RADIO: dict[str, RadioMaterial] = {
    "concrete": RadioMaterial("concrete", "concrete", 0.30),
    "brick": RadioMaterial("brick", "brick", 0.20),
    "glass": RadioMaterial("glass", "glass", 0.03),
    "metal": RadioMaterial("metal", "metal", 0.01),
    "wood": RadioMaterial("wood", "wood", 0.05),
    "ground": RadioMaterial("ground", "very_dry_ground", 1.0),
}

#: Order in which ``Surface.radio`` counts them.
RADIO_NAMES = tuple(RADIO)

Colour = tuple[float, float, float]

#: Families of looks: recipe, roughness, and the mean reflectances (linear RGB) to pick from.
_LOOKS: dict[str, tuple[str, float, tuple[Colour, ...]]] = {
    "brick": (
        "facade-brick",
        0.9,
        (
            (0.300, 0.115, 0.075),
            (0.210, 0.105, 0.070),
            (0.400, 0.290, 0.165),
            (0.360, 0.180, 0.110),
            (0.130, 0.080, 0.065),
            (0.460, 0.350, 0.270),
        ),
    ),
    "plaster": (
        "facade-plaster",
        0.9,
        (
            (0.720, 0.700, 0.650),
            (0.680, 0.580, 0.410),
            (0.560, 0.390, 0.190),
            (0.580, 0.370, 0.290),
            (0.430, 0.500, 0.540),
            (0.430, 0.470, 0.360),
            (0.550, 0.520, 0.480),
        ),
    ),
    "stone": (
        "facade-concrete",
        0.85,
        (
            (0.520, 0.420, 0.300),
            (0.600, 0.550, 0.460),
            (0.420, 0.350, 0.270),
            (0.500, 0.480, 0.440),
        ),
    ),
    "panel": (
        "facade-concrete",
        0.8,
        ((0.370, 0.360, 0.340), (0.200, 0.200, 0.200), (0.560, 0.560, 0.550)),
    ),
    "curtain": (
        "facade-glass",
        0.1,
        (
            (0.085, 0.145, 0.200),
            (0.080, 0.155, 0.140),
            (0.160, 0.125, 0.085),
            (0.230, 0.260, 0.280),
            (0.045, 0.055, 0.065),
            (0.120, 0.200, 0.260),
        ),
    ),
    "siding": (
        "facade-plaster",
        0.7,
        (
            (0.660, 0.660, 0.640),
            (0.330, 0.420, 0.450),
            (0.400, 0.130, 0.090),
            (0.480, 0.430, 0.300),
        ),
    ),
    "shed": (
        "facade-shed",
        0.5,
        (
            (0.460, 0.480, 0.490),
            (0.240, 0.330, 0.410),
            (0.400, 0.210, 0.160),
            (0.620, 0.620, 0.590),
        ),
    ),
    "tiles": (
        "roof-tiles",
        0.85,
        (
            (0.330, 0.125, 0.075),
            (0.250, 0.110, 0.075),
            (0.165, 0.095, 0.065),
            (0.095, 0.100, 0.110),
        ),
    ),
    "gravel": (
        "roof-gravel",
        0.95,
        (
            (0.390, 0.380, 0.350),
            (0.280, 0.280, 0.270),
            (0.140, 0.140, 0.140),
            (0.520, 0.510, 0.480),
        ),
    ),
    "sheet": (
        "roof-metal",
        0.45,
        ((0.400, 0.420, 0.430), (0.210, 0.390, 0.320), (0.150, 0.160, 0.175)),
    ),
    "coping": ("plain", 0.8, ((0.450, 0.440, 0.420), (0.200, 0.205, 0.210), (0.620, 0.600, 0.560))),
    "plant": ("plain", 0.6, ((0.430, 0.440, 0.450), (0.300, 0.310, 0.320))),
    "asphalt": ("asphalt", 0.9, ((0.085, 0.085, 0.090),)),
    "pavement": ("pavement", 0.9, ((0.380, 0.365, 0.340),)),
    "grass": ("grass", 1.0, ((0.095, 0.160, 0.050), (0.120, 0.170, 0.060))),
    "plaza": ("plaza", 0.8, ((0.460, 0.430, 0.380), (0.360, 0.330, 0.300))),
    "foliage": (
        "foliage",
        1.0,
        (
            (0.060, 0.130, 0.035),
            (0.085, 0.150, 0.040),
            (0.045, 0.100, 0.040),
            (0.130, 0.160, 0.045),
        ),
    ),
    "bark": ("bark", 1.0, ((0.110, 0.080, 0.055),)),
}

#: Radio material of a building with a facade of each family.
FACADE_RADIO: dict[str, str] = {
    "brick": "brick",
    "plaster": "concrete",
    "stone": "concrete",
    "panel": "concrete",
    "curtain": "glass",
    "siding": "wood",
    "shed": "metal",
}


def _palette() -> tuple[tuple[VisualMaterial, ...], dict[str, tuple[int, ...]], dict[int, int]]:
    materials: list[VisualMaterial] = []
    families: dict[str, tuple[int, ...]] = {}
    blank: dict[int, int] = {}
    for family, (recipe, roughness, colours) in _LOOKS.items():
        first = len(materials)
        for variant, colour in enumerate(colours):
            name = f"{family}-{variant}"
            metallic = 1.0 if family == "sheet" and variant != 1 else 0.0
            materials.append(VisualMaterial(name, recipe, colour, roughness, metallic, variant))
        families[family] = tuple(range(first, len(materials)))
    for facade in [index for family in FACADE_RADIO for index in families[family]]:
        original = materials[facade]
        blank[facade] = len(materials)
        name = f"{original.name}-blank"
        materials.append(VisualMaterial(name, "plain", original.base_color, original.roughness))
    return tuple(materials), families, blank


#: All visual materials of a city; by family, the indices into them; and for each facade the
#: material of its walls without windows: parapets, gables, plinths.
PALETTE, FAMILIES, BLANK = _palette()
