"""Completes a network: streets that turn off go on, and faces that are too large are divided."""

from __future__ import annotations

from collections.abc import Callable, Container

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from vasgen.citygen.geometry.plane import dot
from vasgen.citygen.roads.edges import Node, as_node, faces_of, frame_of
from vasgen.citygen.roads.network import ON_M, Network
from vasgen.citygen.roads.tracing import Array, Compass, Crowd, clip, trace

_LARGEST = 1.8  # faces above this many usual blocks are divided
_LONGEST = 2.2  # as are those longer than this many spacings
_REACH = 1.6  # a street goes on at most this many spacings
_ROUNDS = 3


def complete(
    network: Network,
    compass: Compass,
    spacing_m: tuple[float, float],
    rank: int,
    fit: Callable[[LineString, float], LineString],
    stays: Callable[[Node], bool],
) -> None:
    """Add streets to a tidy network until no corner or large face asks for one.

    Args:
        network: is changed.
        compass: the field, over the polygon inside the network's frame.
        spacing_m: distance between streets of each family.
        rank: of the new streets.
        fit: moves the ends of a street to where they may join the frame, for a spacing.
        stays: whether a corner is to stay as it is.
    """
    done: set[Node] = set()
    for _ in range(_ROUNDS):
        lines = np.array([*(edge.line for edge in network.edges), *network.frame], dtype=object)
        new = []
        for corner, ways in network.corners():
            acute = float(dot(ways[0], ways[1])) > 0
            if corner not in done and (acute or not stays(corner)):
                new += _onwards(corner, ways, lines, min(spacing_m), _REACH * max(spacing_m))
            done.add(corner)
        if not new:
            new = _dividers(lines, compass, spacing_m, done)
        if not new:
            return
        fitted = [overshot(fit(line, min(spacing_m)), network.anchors) for line in new]
        network.frame = frame_of(compass.region, network.anchors)
        network.add(fitted, rank)
        network.tidy()


def overshot(line: LineString, anchors: Container[Node]) -> LineString:
    """The street, drawn a little over the streets where it ends, so that they cross."""
    points = shapely.get_coordinates(line)
    for end, inner in ((0, 1), (-1, -2)):
        if as_node(points[end]) not in anchors:
            way = points[end] - points[inner]
            points[end] += way / max(np.hypot(*way), 1e-9) * ON_M
    return LineString(points)


def _onwards(
    corner: Node, ways: Array, lines: NDArray[np.object_], least_m: float, most_m: float
) -> list[LineString]:
    """The shorter way straight on from a corner to the next street; none within reach: none."""
    found = []
    for way in ways:
        start, end = np.array(corner) + 0.05 * way, np.array(corner) + most_m * way
        hits = shapely.get_coordinates(shapely.intersection(lines, LineString([start, end])))
        if len(hits):
            away = np.hypot(*(hits - corner).T)
            found.append((float(away.min()), LineString([corner, hits[away.argmin()]])))
    found = [item for item in found if item[0] > 0.35 * least_m]
    return [min(found, key=lambda item: item[0])[1]] if found else []


def _dividers(
    lines: NDArray[np.object_], compass: Compass, spacing_m: tuple[float, float], done: set[Node]
) -> list[LineString]:
    """A street across each face that is too large."""
    found = []
    for face in faces_of(list(lines)):
        sides = np.hypot(
            *np.diff(shapely.get_coordinates(face.minimum_rotated_rectangle), axis=0).T
        )
        small = face.area < _LARGEST * spacing_m[0] * spacing_m[1]
        if small and sides.max() < _LONGEST * max(spacing_m):
            continue
        seed = _middle(face)
        if seed in done:
            continue
        done.add(seed)
        part = compass.within(face)
        halves = [clip(trace(part, seed, k, Crowd(1.0), 0.0), seed, part) for k in (0, 1)]
        chords = [
            (line.length / spacing_m[1 - k], k, line)
            for k, line in enumerate(halves)
            if line is not None
        ]
        # The shorter one, in blocks, leaves the better halves.
        if chords:
            found.append(min(chords, key=lambda item: item[:2])[2])
    return found


def _middle(face: Polygon) -> Node:
    centre = face.centroid
    return as_node((centre if face.contains(centre) else face.point_on_surface()).coords[0])
