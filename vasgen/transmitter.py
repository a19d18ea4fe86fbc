"""The transmitter: where it stands, how it is turned and how strong it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from vasgen.errors import InputError


@dataclass(frozen=True)
class Transmitter:
    """A transmitter in the world.

    Attributes:
        name: unique in a scene, e.g. ``"tx-0"``.
        position: (x, y, z) world metres.
        power_dbm: total transmit power, dBm.
        orientation_deg: yaw about z, pitch about y, roll about x of the antenna, degrees;
            at zero the array's boresight is +x.

    Raises:
        InputError: if a number is not finite.
    """

    name: str
    position: tuple[float, float, float]
    power_dbm: float = 30.0
    orientation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        numbers = [*self.position, self.power_dbm, *self.orientation_deg]
        if len(self.position) != 3 or len(self.orientation_deg) != 3:
            raise InputError(f"transmitter {self.name!r}: position and orientation are 3 numbers.")
        if not np.isfinite(numbers).all():
            raise InputError(f"transmitter {self.name!r} has a number that is not finite.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Transmitter:
        """Inverse of :meth:`to_dict`.

        Raises:
            InputError: if a key is missing or unknown, or a value is no number.
        """
        missing = {field.name for field in fields(cls)} - set(record)
        if missing:
            raise InputError(f"transmitter record lacks {', '.join(sorted(missing))}.")
        try:
            numbers = {
                key: tuple(map(float, record[key])) for key in ("position", "orientation_deg")
            }
            return cls(**{**record, **numbers, "power_dbm": float(record["power_dbm"])})
        except InputError:
            raise
        except (TypeError, ValueError) as error:
            raise InputError(f"transmitter record cannot be read: {error}.") from error
