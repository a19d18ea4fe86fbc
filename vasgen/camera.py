"""The pinhole camera: intrinsics, pose, projection and back-projection.

World: right-handed, Z up, metres, x east, y north. Camera axes follow OpenCV:
x right, y down, z forward. A pixel's centre is at +0.5, so pixel (0, 0) covers
[0, 1) x [0, 1) of the image plane.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vasgen.errors import InputError

Array = NDArray[np.float64]

#: Most pixels along a side: four times 4K. The layers of a larger view fit no memory.
MAX_SIDE = 16_384

#: Largest tangent of the angle between the optical axis and a corner: rays stay in float32.
_WIDEST = 1e5

_ROTATION_TOLERANCE = 1e-6  # float64 rounding of a product of three rotations, with margin


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera in the world.

    Attributes:
        width: image width, pixels.
        height: image height, pixels.
        intrinsics: K, (3, 3) float64, pixels.
        camera_to_world: (4, 4) float64, metres: OpenCV camera axes to world.

    Raises:
        InputError: if the size is out of range, K is degenerate or the pose is no rigid
            motion.
    """

    width: int
    height: int
    intrinsics: Array
    camera_to_world: Array

    def __post_init__(self) -> None:
        k = np.asarray(self.intrinsics, np.float64)
        pose = np.asarray(self.camera_to_world, np.float64)
        object.__setattr__(self, "intrinsics", k)
        object.__setattr__(self, "camera_to_world", pose)
        if self.width < 1 or self.height < 1:
            raise InputError(
                f"camera size is {self.width}x{self.height}; both must be at least 1 pixel."
            )
        if max(self.width, self.height) > MAX_SIDE:
            raise InputError(
                f"camera size is {self.width}x{self.height}; allowed: at most {MAX_SIDE} pixels "
                "a side."
            )
        _check_intrinsics(k, self.width, self.height)
        _check_pose(pose)

    @classmethod
    def look_at(
        cls,
        position: ArrayLike,
        target: ArrayLike,
        *,
        width: int,
        height: int,
        fov_deg: float = 70.0,
    ) -> Camera:
        """A camera with square pixels and a level horizon.

        Args:
            position: (3,) camera centre in the world, metres.
            target: (3,) world point at the image centre, metres.
            width: image width, pixels.
            height: image height, pixels.
            fov_deg: horizontal field of view, degrees, in (0, 180).

        Raises:
            InputError: if position and target coincide, or the field of view is out of range.
        """
        if not 0.0 < fov_deg < 180.0:
            raise InputError(f"fov_deg is {fov_deg}; allowed: more than 0 and less than 180.")
        eye, aim = np.asarray(position, np.float64), np.asarray(target, np.float64)
        forward = aim - eye
        length = float(np.linalg.norm(forward))
        if not np.isfinite(length) or length == 0.0:
            raise InputError(f"camera at {eye.tolist()} looks at {aim.tolist()}: no direction.")
        forward /= length
        # Straight up or down has no level horizon: then image "up" is north.
        up = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.999999 else np.array([0.0, 1.0, 0.0])
        right = np.cross(forward, up)
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.column_stack([right, np.cross(forward, right), forward])
        pose[:3, 3] = eye
        focal = 0.5 * width / np.tan(np.radians(fov_deg) / 2)
        k = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
        return cls(width, height, k, pose)

    @property
    def position(self) -> Array:
        """Camera centre in the world, (3,) metres."""
        return self.camera_to_world[:3, 3]

    @property
    def rotation(self) -> Array:
        """Camera-to-world rotation, (3, 3); its columns are right, down and forward."""
        return self.camera_to_world[:3, :3]

    @property
    def forward(self) -> Array:
        """Viewing direction in the world, (3,) unit vector."""
        return self.camera_to_world[:3, 2]

    def pixel_centres(self, rows: range | None = None) -> Array:
        """Image coordinates of pixel centres, (rows, width, 2), pixels (u, v); of all rows."""
        row = np.asarray(range(self.height) if rows is None else rows)
        u, v = np.meshgrid(np.arange(self.width) + 0.5, row + 0.5)
        return np.stack([u, v], axis=-1)

    def rays(self, pixels: ArrayLike | None = None) -> Array:
        """World directions with unit z-depth through image points.

        Args:
            pixels: (..., 2) image coordinates (u, v); all pixel centres if omitted.

        Returns:
            (..., 3) float64: ``position + depth * ray`` is the point at that z-depth.
        """
        uv = self.pixel_centres() if pixels is None else np.asarray(pixels, np.float64)
        homogeneous = np.concatenate([uv, np.ones_like(uv[..., :1])], axis=-1)
        return homogeneous @ (self.rotation @ np.linalg.inv(self.intrinsics)).T

    def back_project(self, depth_m: ArrayLike, pixels: ArrayLike | None = None) -> Array:
        """World points at a z-depth (SynthRM eqs. 1 and 2).

        Args:
            depth_m: (...) z-depth, metres.
            pixels: (..., 2) image coordinates; all pixel centres if omitted.

        Returns:
            (..., 3) float64, world metres; NaN where depth is NaN.
        """
        depth = np.asarray(depth_m, np.float64)[..., None]
        return self.position + depth * self.rays(pixels)

    def project(self, points: ArrayLike) -> tuple[Array, Array]:
        """Image coordinates and z-depth of world points.

        Args:
            points: (..., 3) world metres.

        Returns:
            pixels: (..., 2) image coordinates (u, v).
            depth_m: (...) z-depth, metres; negative behind the camera.
        """
        local = (np.asarray(points, np.float64) - self.position) @ self.rotation
        image = local @ self.intrinsics.T
        with np.errstate(divide="ignore", invalid="ignore"):
            return image[..., :2] / image[..., 2:], local[..., 2]

    def resized(self, width: int | None = None, height: int | None = None) -> Camera:
        """The same view with another number of pixels.

        Args:
            width: image width, pixels; if omitted, that which keeps the shape of the picture.
            height: image height, pixels; likewise.
        """
        if width is None:
            ratio = 1.0 if height is None else height / self.height
            width = max(1, round(self.width * ratio))
        if height is None:
            height = max(1, round(self.height * width / self.width))
        scale = np.diag([width / self.width, height / self.height, 1.0])
        return Camera(width, height, scale @ self.intrinsics, self.camera_to_world)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON; :meth:`from_dict` restores the camera exactly."""
        return {
            "width": self.width,
            "height": self.height,
            "intrinsics": self.intrinsics.tolist(),
            "camera_to_world": self.camera_to_world.tolist(),
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Camera:
        """Inverse of :meth:`to_dict`.

        Raises:
            InputError: if a key is missing or an array has the wrong shape.
        """
        missing = {"width", "height", "intrinsics", "camera_to_world"} - set(record)
        if missing:
            raise InputError(f"camera record lacks {', '.join(sorted(missing))}.")
        try:
            k = np.asarray(record["intrinsics"], np.float64)
            pose = np.asarray(record["camera_to_world"], np.float64)
            width, height = int(record["width"]), int(record["height"])
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"camera record is not numeric: {error}.") from error
        return cls(width, height, k, pose)


def _check_intrinsics(k: Array, width: int, height: int) -> None:
    if k.shape != (3, 3) or not np.isfinite(k).all():
        raise InputError(f"camera intrinsics must be 3x3 finite numbers, not {k.tolist()}.")
    upper = np.allclose(k[1, 0], 0) and np.allclose(k[2], [0, 0, 1])
    if k[0, 0] <= 0 or k[1, 1] <= 0 or not upper:
        raise InputError(
            f"camera intrinsics {k.tolist()} are degenerate: focal lengths must be positive, "
            "K upper triangular and its last row [0, 0, 1]."
        )
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        widest = np.abs(np.linalg.inv(k) @ corners).max()
    if not widest < _WIDEST:
        raise InputError(
            f"camera intrinsics {k.tolist()} are degenerate: a corner of the {width}x{height} "
            "picture looks more than 89.999 degrees off the optical axis."
        )


def _check_pose(pose: Array) -> None:
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise InputError(f"camera_to_world must be 4x4 finite numbers, not {pose.tolist()}.")
    rotation = pose[:3, :3]
    rigid = np.allclose(rotation.T @ rotation, np.eye(3), atol=_ROTATION_TOLERANCE)
    if not rigid or np.linalg.det(rotation) < 0 or not np.allclose(pose[3], [0, 0, 0, 1]):
        raise InputError(
            "camera_to_world is no rigid motion: its upper left 3x3 must be a right-handed "
            "rotation and its last row [0, 0, 0, 1]."
        )
