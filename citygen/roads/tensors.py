"""Tensor fields in the plane: which two directions, square to each other, streets take where.

A symmetric traceless tensor with the major eigenvector at angle t is stored as the pair
(cos 2t, sin 2t) times its strength: t and t + 180 degrees are one direction, so that fields
can be added. After G. Chen, G. Esch, P. Wonka, P. Mueller and E. Zhang, "Interactive
procedural street modeling", ACM Transactions on Graphics 27(3), 2008.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vasgen.citygen.geometry.plane import dot, waves

Array = NDArray[np.float64]

_SLOPE_STEP_M = 10.0  # the gradient is taken over this distance to each side
_STEEP = 0.05  # slope at which terrain has half its say


class Basis(Protocol):
    """One reason for streets to run in a direction."""

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2), metres; their length is the weight there."""


class HeightField(Protocol):
    """Anything that knows the height of the ground."""

    def level_at(self, points: Array) -> Array:
        """(N,) metres at points (N, 2)."""


@dataclass(frozen=True)
class Grid:
    """The same direction everywhere.

    Attributes:
        angle: of the major eigenvector, radians from the x axis.
        weight: strength.
    """

    angle: float
    weight: float = 1.0

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2)."""
        tensor = self.weight * np.array([np.cos(2 * self.angle), np.sin(2 * self.angle)])
        return np.broadcast_to(tensor, (len(points), 2))


@dataclass(frozen=True)
class Radial:
    """Rings (major) and spokes (minor) around a centre, which is a degenerate point.

    Attributes:
        centre: x, y, metres.
        weight: greatest strength.
        reach_m: distance at which the strength has fallen to about 1/e.
        core_m: distance up to which it grows from nothing at the centre.
    """

    centre: tuple[float, float]
    weight: float = 1.0
    reach_m: float = np.inf
    core_m: float = 1.0

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2)."""
        x, y = (points - np.array(self.centre)).T
        square = x * x + y * y
        strength = self.weight * np.exp(-square / self.reach_m**2) / (square + self.core_m**2)
        return np.column_stack([(y * y - x * x) * strength, -2 * x * y * strength])


@dataclass(frozen=True, eq=False)
class Along:
    """Along a line near it, as streets follow a river or the edge of a town.

    Attributes:
        starts, ends: (M, 2) ends of the line's pieces, metres.
        weight: strength on the line.
        reach_m: distance at which the weight has fallen to 1/e.
        across: the minor eigenvector runs along the line instead of the major.
    """

    starts: Array
    ends: Array
    weight: float = 1.0
    reach_m: float = 100.0
    across: bool = False

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2).

        Near a corner the pieces are averaged by their nearness; the strength is that of the
        nearest, so that cutting a straight piece in two changes nothing.
        """
        total, nearness, nearest = np.zeros((len(points), 2)), 1e-300, np.zeros(len(points))
        for start, way in zip(self.starts, self.ends - self.starts, strict=True):
            square = float(dot(way, way))
            share = np.clip(dot(points - start, way) / square, 0.0, 1.0)
            away = points - start - share[:, None] * way
            near = np.exp(-(away * away).sum(axis=1) / self.reach_m**2)
            doubled = np.array([way[0] ** 2 - way[1] ** 2, 2 * way[0] * way[1]]) / square
            total += near[:, None] * doubled
            nearness = nearness + near
            nearest = np.maximum(nearest, near)
        sign = -1.0 if self.across else 1.0
        return np.asarray(sign * self.weight * total * (nearest / nearness)[:, None])


@dataclass(frozen=True)
class Contour:
    """Along the contour lines (major) and up the slope (minor) of the ground.

    Attributes:
        terrain: the ground.
        weight: strength on a steep slope; level ground has no say.
    """

    terrain: HeightField
    weight: float = 1.0

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2)."""
        steps = _SLOPE_STEP_M * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
        east, west, north, south = (self.terrain.level_at(points + step) for step in steps)
        gx = (east - west) / (2 * _SLOPE_STEP_M)
        gy = (north - south) / (2 * _SLOPE_STEP_M)
        slope = np.hypot(gx, gy)
        strength = self.weight / np.maximum(slope * (slope + _STEEP), 1e-12)
        return np.column_stack([(gy * gy - gx * gx) * strength, -2 * gx * gy * strength])


@dataclass(frozen=True, eq=False)
class Waves:
    """A smooth random turn of the field: a sum of plane waves.

    Attributes:
        vectors: (K, 2) wave vectors, radians per metre.
        phases: (K,) radians.
        amplitude: root mean square of the turn, radians.
    """

    vectors: Array
    phases: Array
    amplitude: float

    @classmethod
    def draw(
        cls, rng: np.random.Generator, amplitude: float, lengths_m: tuple[float, float]
    ) -> Waves:
        """Four waves of random direction, with lengths between two bounds."""
        angle, phases = rng.uniform(0.0, 2 * np.pi, (2, 4))
        number = 2 * np.pi / rng.uniform(*lengths_m, 4)
        return cls(
            np.column_stack([np.cos(angle), np.sin(angle)]) * number[:, None], phases, amplitude
        )

    def turn(self, points: Array) -> Array:
        """(N,) radians at points (N, 2)."""
        swing = np.sin(waves(points, self.vectors, self.phases))
        return np.asarray(self.amplitude * swing.sum(axis=1) * np.sqrt(2.0 / len(self.phases)))


@dataclass(frozen=True, eq=False)
class TensorField:
    """The sum of bases, turned by waves.

    Attributes:
        bases: what is added.
        waves: None: no turn.
    """

    bases: Sequence[Basis]
    waves: Waves | None = None

    def tensors(self, points: Array) -> Array:
        """(N, 2) tensors at points (N, 2), metres."""
        total = np.zeros((len(points), 2))
        for basis in self.bases:
            total += basis.tensors(points)
        if self.waves is None:
            return total
        turn = 2 * self.waves.turn(points)
        cosine, sine = np.cos(turn), np.sin(turn)
        x, y = total.T
        return np.column_stack([cosine * x - sine * y, sine * x + cosine * y])

    def major(self, points: Array) -> Array:
        """(N, 2) unit major eigenvectors; their sign has no meaning."""
        x, y = self.tensors(points).T
        angle = np.arctan2(y, x) / 2
        return np.column_stack([np.cos(angle), np.sin(angle)])

    def minor(self, points: Array) -> Array:
        """(N, 2) unit minor eigenvectors: the major ones, turned left by 90 degrees."""
        x, y = self.major(points).T
        return np.column_stack([-y, x])
