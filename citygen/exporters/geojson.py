"""GeoJSON: the plan of a city for geographic information systems."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import Polygon

from vasgen.artefact import atomic_file
from vasgen.citygen.city import City
from vasgen.citygen.exporters.objects import Record, record_of
from vasgen.citygen.geometry.solids import Array
from vasgen.errors import InputError

#: Longitude and latitude of the city's origin where none is given: off the coast of Africa,
#: where nobody takes a made-up city for a real one.
NULL_ISLAND = (0.0, 0.0)

_MAX_LONGITUDE = 179.9
_MAX_LATITUDE = 89.0
_PLACES = 9  # decimals of a degree: a tenth of a millimetre

# The WGS 84 ellipsoid: half its equatorial axis, metres, and its flattening.
_A = 6378137.0
_F = 1 / 298.257223563
_B = _A * (1 - _F)
_E2 = _F * (2 - _F)


def write_geojson(
    city: City, path: Path | str, *, origin: tuple[float, float] = NULL_ISLAND
) -> Path:
    """Write streets, lots and footprints as one GeoJSON feature collection (RFC 7946).

    Each feature's property "layer" is "street" (LineString; kind, width_m, lanes,
    pavement_m, length_m), "lot" (Polygon; use, block, district) or "building" (Polygon; id,
    use, kind, storeys, height_m, …). Coordinates are longitude and latitude in WGS 84, as the
    format demands; the streets are those of the city and its surroundings.

    Args:
        city: the city.
        path: destination, replaced if it exists.
        origin: longitude and latitude of the city's origin, degrees. The way back is
            the tangent plane there: x to the east, y to the north.

    Returns:
        The path.

    Raises:
        InputError: if the origin is not on Earth, next to a pole or to the antimeridian.
        StorageError: if the disk refuses.
    """
    features = [*_streets(city), *_lots(city), *_buildings(city)]
    rings = [ring for _, geometry, _ in features for ring in _rings(geometry)]
    degrees = to_degrees(np.concatenate(rings), origin)
    ends = np.cumsum([len(ring) for ring in rings])[:-1]
    placed = iter(part.tolist() for part in np.split(degrees, ends))
    collection = {
        "type": "FeatureCollection",
        "bbox": [*degrees.min(axis=0).tolist(), *degrees.max(axis=0).tolist()],
        "features": [
            {
                "type": "Feature",
                "id": name,
                "geometry": _geometry(geometry, placed),
                "properties": properties,
            }
            for name, geometry, properties in features
        ],
    }
    with atomic_file(Path(path)) as scratch:
        scratch.write_text(json.dumps(collection, separators=(",", ":")), encoding="utf-8")
    return Path(path)


def to_degrees(points: Array, origin: tuple[float, float]) -> Array:
    """Longitude and latitude of points in the plane that touches the Earth at an origin.

    Points of the plane go straight down to the ellipsoid, which lies a distance of s²/2R
    below: 2 m at s = 5 km, where lengths on the ground are a millimetre shorter.

    Args:
        points: (N, 2) metres east and north of the origin.
        origin: longitude and latitude, degrees.

    Returns:
        (N, 2) degrees in WGS 84, to nine places.

    Raises:
        InputError: if the origin is not on Earth, next to a pole or to the antimeridian.
    """
    longitude, latitude = origin
    if not (abs(longitude) <= _MAX_LONGITUDE and abs(latitude) <= _MAX_LATITUDE):
        raise InputError(
            f"origin is {longitude!r}, {latitude!r}; allowed: longitude -{_MAX_LONGITUDE:g} to "
            f"{_MAX_LONGITUDE:g} and latitude -{_MAX_LATITUDE:g} to {_MAX_LATITUDE:g} degrees."
        )
    sine, cosine = math.sin(math.radians(latitude)), math.cos(math.radians(latitude))
    radius = _A / math.sqrt(1 - _E2 * sine**2)
    east, north = points.T
    # From the Earth's centre: away from its axis at the origin's meridian, east, and up.
    away = radius * cosine - sine * north
    up = radius * (1 - _E2) * sine + cosine * north
    across = np.hypot(away, east)
    # Bowring's closed form; his auxiliary latitude errs by nothing that counts near the ground.
    aid = np.arctan2(up * _A, across * _B)
    tops = up + _E2 / (1 - _E2) * _B * np.sin(aid) ** 3
    found = np.arctan2(tops, across - _E2 * _A * np.cos(aid) ** 3)
    turned = longitude + np.degrees(np.arctan2(east, away))
    return np.asarray(np.column_stack([turned, np.degrees(found)]).round(_PLACES))


def _streets(city: City) -> Iterator[tuple[str, shapely.Geometry, Record]]:
    for number, (_, _, street) in enumerate(city.streets.graph.edges(data=True)):
        properties: Record = {"layer": "street"}
        for key in ("kind", "width_m", "lanes", "pavement_m", "district", "length_m"):
            value = street[key]
            properties[key] = round(value, 3) if isinstance(value, float) else value
        yield f"street-{number}", street["line"], properties


def _lots(city: City) -> Iterator[tuple[str, shapely.Geometry, Record]]:
    for lot in city.lots:
        properties: Record = {"layer": "lot", "use": lot.use, "block": lot.block}
        properties["district"] = city.blocks[lot.block].district
        yield f"lot-{lot.index}", lot.polygon, properties


def _buildings(city: City) -> Iterator[tuple[str, shapely.Geometry, Record]]:
    for building in city.buildings:
        properties: Record = {"layer": "building", **record_of(building)}
        yield f"building-{building.index}", building.footprint, properties


def _rings(geometry: shapely.Geometry) -> list[Array]:
    """A line's corners, or those of a polygon's rings, the outline counter-clockwise."""
    if isinstance(geometry, Polygon):
        turned = shapely.orient_polygons(geometry)
        return [shapely.get_coordinates(ring) for ring in (turned.exterior, *turned.interiors)]
    return [shapely.get_coordinates(geometry)]


def _geometry(geometry: shapely.Geometry, placed: Iterator[list[Any]]) -> dict[str, Any]:
    if isinstance(geometry, Polygon):
        rings = [next(placed) for _ in range(1 + len(geometry.interiors))]
        return {"type": "Polygon", "coordinates": rings}
    return {"type": "LineString", "coordinates": next(placed)}
