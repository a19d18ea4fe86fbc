"""The scene part of a dataset spec: a generated city, or a scene file."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from vasgen.errors import suggest
from vasgen.part import Part

_DENSITIES = ("downtown", "mix", "margin")
_ENVIRONMENTS = ("suburban", "urban", "dense-urban", "highrise-urban")

Corner = tuple[float, float]
Corners = Annotated[tuple[Corner, ...], Field(min_length=3)]


def _densities(text: str) -> str:
    names = text.split(",")
    for name in names:
        _density(name)
    if len(set(names)) < len(names):
        raise ValueError("allowed: each density once, from the centre outwards.")
    return text


def _density(text: str) -> str:
    if text not in _DENSITIES:
        raise ValueError(suggest(text, _DENSITIES))
    return text


def _targets(text: str) -> str:
    figures = text.split("/")
    if text not in _ENVIRONMENTS and (len(figures) != 3 or not all(map(_is_number, figures))):
        raise ValueError(suggest(text, (*_ENVIRONMENTS, "alpha/beta/gamma like 0.3/500/15")))
    return text


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _within(low: float, high: float) -> AfterValidator:
    def check(value: float) -> float:
        if not low <= value <= high:
            raise ValueError(f"allowed: {low:g} to {high:g} metres.")
        return value

    return AfterValidator(check)


Density = Annotated[str, AfterValidator(_densities)]
Targets = Annotated[str, AfterValidator(_targets)]


class DistrictSpec(Part):
    """A part of a city with another character; the first that covers a place has it.

    Attributes:
        density: kind of city.
        radius_m: how far it reaches from the middle of the city's bounding box, metres.
        corners: its outline instead, x and y in metres.
        targets: ITU-R P.1410 figures it is to hit, as for the whole city.
    """

    density: Annotated[str, AfterValidator(_density)] = "downtown"
    radius_m: Annotated[float, Field(gt=0)] | None = None
    corners: Corners | None = None
    targets: Targets | None = None


class SceneSpec(Part):
    """Where the geometry comes from: a generated city, or a scene file.

    Attributes:
        density: kind of city to generate: ``downtown``, ``mix`` or ``margin``; or several
            from the centre outwards: ``downtown,mix,margin``.
        size_m: edge length of the generated square, metres.
        lod: level of detail: 1 prisms, 2 massing and roofs, 3 facades.
        targets: ITU-R P.1410 figures to hit: ``suburban``, ``urban``, ``dense-urban``,
            ``highrise-urban``, or alpha/beta/gamma like ``0.3/500/15``.
        districts: parts with another character.
        boundary: corners of the city's outline, x and y in metres, instead of a square.
        pattern: how streets are laid: along tensor fields, or as a plain grid.
        relief_m: height difference of the terrain, metres.
        trees: whether there are trees.
        furniture: whether there are lamps, traffic lights, benches and bus stops.
        vehicles: whether there are parked cars.
        source: instead of a city: ``sionna:NAME``, an XML file, or a bundle folder.
    """

    density: Density = "downtown"
    size_m: Annotated[float, _within(100, 5000)] = 500.0
    lod: Literal[1, 2, 3] = 2
    targets: Targets | None = None
    districts: tuple[DistrictSpec, ...] = ()
    boundary: Corners | None = None
    pattern: Literal["field", "grid"] = "field"
    relief_m: Annotated[float, _within(0, 300)] = 0.0
    trees: bool = True
    furniture: bool = True
    vehicles: bool = True
    source: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> SceneSpec:
        given = self.model_fields_set - {"source"}
        if self.source is not None and given:
            raise ValueError(f"give either source, or {' and '.join(sorted(given))}, not both")
        if self.boundary is not None and "size_m" in given:
            raise ValueError("give either size_m or boundary, not both")
        return self

    def to_plain(self) -> dict[str, Any]:
        """The keys that matter, as plain values that can be read back."""
        record = self.model_dump(mode="json")
        if self.source is not None:
            return {"source": self.source}
        if self.boundary is not None:
            del record["size_m"]
        return record
