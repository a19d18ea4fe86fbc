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
    "soil": RadioMaterial("soil", "medium_dry_ground", 1.0),
    "marble": RadioMaterial("marble", "marble", 0.04),
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
    # Asphalt 0.05 (fresh) to 0.15, aged concrete 0.2 to 0.35 (Pomerantz et al. 2003); grass
    # reflects 0.06 to 0.10 of visible light, most of the rest of its albedo is infrared.
    "asphalt": ("asphalt", 0.9, ((0.092, 0.092, 0.095),)),
    "pavement": ("pavement", 0.9, ((0.300, 0.288, 0.268),)),
    "grass": ("grass", 1.0, ((0.070, 0.112, 0.034), (0.088, 0.116, 0.042))),
    "plaza": ("plaza", 0.8, ((0.400, 0.374, 0.332), (0.320, 0.295, 0.268))),
    "foliage": (
        "foliage",
        0.75,
        (
            (0.060, 0.130, 0.035),
            (0.085, 0.150, 0.040),
            (0.045, 0.100, 0.040),
            (0.108, 0.160, 0.045),
        ),
    ),
    # Windows and doors as geometry: the mean colour says how light their frames are.
    "window": (
        "pane-window",
        0.06,
        (
            (0.200, 0.200, 0.198),
            (0.092, 0.100, 0.112),
            (0.120, 0.108, 0.098),
            (0.130, 0.140, 0.150),
        ),
    ),
    "glazing": (
        "pane-glazing",
        0.06,
        (
            (0.085, 0.145, 0.200),
            (0.100, 0.150, 0.140),
            (0.150, 0.125, 0.095),
            (0.170, 0.200, 0.220),
            (0.050, 0.058, 0.066),
            (0.110, 0.180, 0.230),
        ),
    ),
    "shop": ("pane-shop", 0.06, ((0.200, 0.180, 0.150), (0.150, 0.160, 0.170))),
    "lobby": ("pane-shop", 0.06, ((0.120, 0.120, 0.120),)),
    "door": (
        "door-leaf",
        0.5,
        ((0.180, 0.100, 0.060), (0.110, 0.140, 0.120), (0.160, 0.060, 0.050)),
    ),
    "steel-door": ("door-leaf", 0.4, ((0.280, 0.290, 0.300),)),
    "gate": ("door-gate", 0.45, ((0.420, 0.430, 0.430), (0.200, 0.240, 0.280))),
    "sign": ("sign-board", 0.45, ((0.280, 0.210, 0.160), (0.200, 0.230, 0.260))),
    "railing": (
        "plain",
        0.6,
        ((0.480, 0.470, 0.450), (0.130, 0.135, 0.140), (0.300, 0.310, 0.320)),
    ),
    "bark": ("bark", 1.0, ((0.110, 0.080, 0.055),)),
    "marking": ("plain", 0.6, ((0.640, 0.640, 0.610),)),
    "paint": (
        "paint",
        0.05,
        (
            (0.680, 0.680, 0.670),
            (0.300, 0.310, 0.320),
            (0.030, 0.031, 0.034),
            (0.110, 0.115, 0.122),
            (0.035, 0.075, 0.190),
            (0.330, 0.030, 0.028),
            (0.045, 0.110, 0.080),
            (0.520, 0.340, 0.060),
        ),
    ),
    "car-glass": ("car-glass", 0.05, ((0.070, 0.080, 0.082),)),
    "headlamp": ("headlamp", 0.05, ((0.780, 0.780, 0.770),)),
    "tail-lamp": ("tail-lamp", 0.05, ((0.460, 0.022, 0.021),)),
    "plate": ("number-plate", 0.4, ((0.640, 0.640, 0.620),)),
    "pane": ("plain", 0.08, ((0.190, 0.225, 0.225),)),
    "enamel": (
        "plain",
        0.25,
        ((0.640, 0.640, 0.630), (0.035, 0.075, 0.190), (0.600, 0.360, 0.030)),
    ),
    "rubber": ("plain", 0.9, ((0.026, 0.026, 0.027),)),
    "rim": ("wheel", 0.3, ((0.430, 0.435, 0.440),)),
    "lens": (
        "plain",
        0.08,
        (
            (0.780, 0.050, 0.028),
            (0.790, 0.430, 0.028),
            (0.050, 0.780, 0.420),
            (0.760, 0.760, 0.730),
            (0.090, 0.021, 0.021),
            (0.115, 0.058, 0.021),
            (0.021, 0.074, 0.050),
        ),
    ),
    "pole": ("plain", 0.5, ((0.075, 0.085, 0.085), (0.270, 0.280, 0.285))),
    "timber": ("plain", 0.8, ((0.250, 0.140, 0.070),)),
}

#: Walls without windows, by facade family: recipe and roughness; the colour is the facade's.
_BARE: dict[str, tuple[str, float]] = {
    "brick": ("wall-brick", 0.9),
    "plaster": ("wall-plaster", 0.9),
    "stone": ("wall-stone", 0.8),
    "panel": ("wall-concrete", 0.85),
    "curtain": ("plain", 0.4),
    "siding": ("wall-boards", 0.7),
    "shed": ("wall-sheet", 0.5),
}

#: Frames and spandrels of curtain walls, in turn.
_MULLIONS: tuple[Colour, ...] = ((0.330, 0.340, 0.350), (0.060, 0.060, 0.065))

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

#: Paints with flakes of metal, by name: silver, anthracite, blue and green.
_METALLIC = frozenset({"paint-1", "paint-3", "paint-4", "paint-6"})

#: Facades clad with a stone of their own.
_MARBLE = ("stone-1",)


class _Palette:
    """All looks, numbered in the order of their families."""

    def __init__(self) -> None:
        self.materials: list[VisualMaterial] = []
        self.families: dict[str, tuple[int, ...]] = {}
        for family, (recipe, roughness, colours) in _LOOKS.items():
            first = len(self.materials)
            for variant, colour in enumerate(colours):
                name = f"{family}-{variant}"
                metallic = 1.0 if family == "sheet" and variant != 1 else 0.0
                own = "paint-metallic" if name in _METALLIC else recipe
                self.materials.append(
                    VisualMaterial(name, own, colour, roughness, metallic, variant)
                )
            self.families[family] = tuple(range(first, len(self.materials)))
        self.facades = {i: f for f in FACADE_RADIO for i in self.families[f]}
        self.blank = {facade: self._wall(facade, "blank", "plain") for facade in self.facades}
        self.bare = {facade: self._bare(facade) for facade in self.facades}

    def _bare(self, facade: int) -> int:
        recipe, roughness = _BARE[self.facades[facade]]
        colour = None
        if self.facades[facade] == "curtain":
            colour = _MULLIONS[self.materials[facade].variant % len(_MULLIONS)]
        return self._wall(facade, "wall", recipe, roughness, colour)

    def _wall(
        self,
        facade: int,
        suffix: str,
        recipe: str,
        roughness: float | None = None,
        colour: Colour | None = None,
    ) -> int:
        """Add a wall without windows for a facade; returns its index."""
        original = self.materials[facade]
        self.materials.append(
            VisualMaterial(
                f"{original.name}-{suffix}",
                recipe,
                colour or original.base_color,
                roughness or original.roughness,
                variant=original.variant if recipe != "plain" else 0,
            )
        )
        return len(self.materials) - 1


_ALL = _Palette()

#: All visual materials of a city, and by family the indices into them.
PALETTE, FAMILIES = tuple(_ALL.materials), _ALL.families

#: Family of each facade: of each look that has windows painted on.
FACADE_FAMILY: dict[int, str] = _ALL.facades

#: For each facade the plain material of its parapets, gables and plinths, and the look of
#: its wall in detail, to metre scale, where windows are geometry.
BLANK: dict[int, int] = _ALL.blank
BARE: dict[int, int] = _ALL.bare

#: Radio material of each facade.
RADIO_OF: dict[int, str] = {
    facade: "marble" if PALETTE[facade].name in _MARBLE else FACADE_RADIO[family]
    for facade, family in FACADE_FAMILY.items()
}
