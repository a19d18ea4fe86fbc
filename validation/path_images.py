"""Paths as straight lines to images: what theory expects of them, in plain numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.vas.reference import FoundPaths
from validation import theory
from vasgen.vas.paths.paths import Event

Array = NDArray[np.float64]


class Crossing(NamedTuple):
    """Where the straight line from the transmitter to an image of the point crosses a plane.

    Attributes:
        share: (N,) of the line that lies before it.
        normal: (3,) of the plane.
        slab: it is made of.
        event: mirrored or passed.
    """

    share: Array
    normal: Array
    slab: theory.Slab
    event: Event


class Image(NamedTuple):
    """A path as a straight line.

    Attributes:
        place: (N, 3) image of each point.
        crossings: the planes it crosses, in any order.
    """

    place: Array
    crossings: tuple[Crossing, ...]


def mirrored(image: Image, source: Array, axis: int, level: float, slab: theory.Slab) -> Image:
    """Mirrored once more, in a plane across an axis that nothing before has moved."""
    place = image.place.copy()
    place[:, axis] = 2 * level - place[:, axis]
    return _crossed(image._replace(place=place), source, axis, level, slab, Event.REFLECTION)


def passed(image: Image, source: Array, axis: int, level: float, slab: theory.Slab) -> Image:
    """Through a slab across an axis."""
    return _crossed(image, source, axis, level, slab, Event.TRANSMISSION)


def _crossed(
    image: Image, source: Array, axis: int, level: float, slab: theory.Slab, event: Event
) -> Image:
    share = (level - source[axis]) / (image.place[:, axis] - source[axis])
    crossing = Crossing(share, np.eye(3)[axis], slab, event)
    return image._replace(crossings=(*image.crossings, crossing))


def between(place: Array, source: Array, number: int, half: float, slab: theory.Slab) -> Image:
    """Between two walls at -half and half: so many mirrors, the first of them east if positive."""
    place = place.copy()
    place[:, 0] = 2 * half * number + (-1) ** number * place[:, 0]
    image = Image(place, ())
    for mirror in range(abs(number)):
        level = np.sign(number) * (2 * mirror + 1) * half
        image = _crossed(image, source, 0, float(level), slab, Event.REFLECTION)
    return image


def expected_paths(
    images: Sequence[Image], source: Array, frequency_hz: float, polarization: str
) -> FoundPaths:
    """The paths to points as the theory has them, ordered by point."""
    depth = max(len(image.crossings) for image in images)
    parts = [_by_image(image, source, frequency_hz, polarization, depth) for image in images]
    joined = FoundPaths(*(np.concatenate(values) for values in zip(*parts, strict=True)))
    return joined.take(np.argsort(joined.point, kind="stable"))


def _by_image(
    image: Image, source: Array, frequency_hz: float, polarization: str, depth: int
) -> FoundPaths:
    count = len(image.place)
    way = image.place - source
    length = np.linalg.norm(way, axis=1)
    departure = way / length[:, None]
    shares = np.array([crossing.share for crossing in image.crossings]).reshape(-1, count).T
    order = np.argsort(shares, axis=1)
    power, arrival = np.zeros(count), departure.copy()
    events = np.full((count, depth), Event.NONE, np.int8)
    for turn in np.unique(order, axis=0):
        some = np.flatnonzero((order == turn).all(axis=1))
        met = [image.crossings[number] for number in turn]
        power[some], arrival[some] = _carried(departure[some], met, frequency_hz, polarization)
        events[some, : len(met)] = [crossing.event for crossing in met]
    gain = theory.friis(length, frequency_hz) * power
    nowhere = np.full((count, depth, 3), np.nan)
    delay = length / theory.SPEED_OF_LIGHT
    return FoundPaths(np.arange(count), gain, delay, departure, arrival, events, nowhere)


def _carried(
    ray: Array, met: Sequence[Crossing], frequency_hz: float, polarization: str
) -> tuple[Array, Array]:
    """Power left of a unit field behind plates, and the direction it travels in."""
    field = theory.sent_field(ray, polarization).astype(np.complex128)
    for crossing in met:
        cosine = ray @ crossing.normal
        across = np.cross(ray, crossing.normal)
        across /= np.linalg.norm(across, axis=1, keepdims=True)
        plate = theory.plate(np.abs(cosine), crossing.slab, frequency_hz)
        mirrors = crossing.event == Event.REFLECTION
        te, tm = (plate.r_te, plate.r_tm) if mirrors else (plate.t_te, plate.t_tm)
        soft = te * np.einsum("ij,ij->i", field, across)
        # r_tm keeps the sense of the magnetic field, which is ray x field.
        hard = tm * np.einsum("ij,ij->i", np.cross(ray, field), across)
        if mirrors:
            ray = ray - 2 * cosine[:, None] * crossing.normal
        field = soft[:, None] * across + hard[:, None] * np.cross(across, ray)
    return (np.abs(field) ** 2).sum(axis=1), ray
