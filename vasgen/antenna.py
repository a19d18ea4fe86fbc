"""The antenna of a transmitter: a planar array of equal elements, and its precoding."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vasgen.part import Part

Spacing = Annotated[float, Field(gt=0, le=10)]
Weight = tuple[float, float]


class Antenna(Part):
    """A planar transmit array. Its boresight is +x, its rows lie above each other along z.

    Without steering or weights all elements are fed in phase with equal power. Weights are not
    conjugated: the element at p, wavelengths, adds w exp(2 pi j p.k) in direction k.

    Attributes:
        rows: number of element rows.
        columns: number of element columns.
        vertical_spacing: distance of rows, wavelengths.
        horizontal_spacing: distance of columns, wavelengths.
        pattern: element pattern.
        polarization: element polarization; two mean two ports an element.
        steer_deg: direction of the main lobe in the array's own frame: azimuth from the
            boresight towards +y, and elevation, degrees.
        weights: precoding given as real and imaginary part of each port's weight, scaled to
            unit power; column by column from the least y on, each from the top row down;
            then the same for the second polarization (H of VH, +45 degrees of cross).
    """

    rows: Annotated[int, Field(ge=1, le=64)] = 1
    columns: Annotated[int, Field(ge=1, le=64)] = 1
    vertical_spacing: Spacing = 0.5
    horizontal_spacing: Spacing = 0.5
    pattern: Literal["iso", "dipole", "hw_dipole", "tr38901"] = "iso"
    polarization: Literal["V", "H", "VH", "cross"] = "V"
    steer_deg: (
        tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
        | None
    ) = None
    weights: tuple[Weight, ...] | None = None

    @property
    def num_ports(self) -> int:
        """Number of feeds: elements times polarizations."""
        return self.rows * self.columns * (2 if self.polarization in ("VH", "cross") else 1)

    @model_validator(mode="after")
    def _one_precoding(self) -> Antenna:
        if self.weights is None:
            return self
        if self.steer_deg is not None:
            raise ValueError("give either steer_deg or weights")
        if len(self.weights) != self.num_ports:
            raise ValueError(f"weights must be {self.num_ports} pairs, not {len(self.weights)}")
        if not any(part for weight in self.weights for part in weight):
            raise ValueError("weights must not all be zero")
        return self


#: The antennas of SynthRM by name.
ANTENNAS = {
    "siso": Antenna(),
    "4x4": Antenna(rows=4, columns=4),
    "8x4": Antenna(rows=8, columns=4),
}
