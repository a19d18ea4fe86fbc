"""The transmitter: where it stands, its antenna, and how strong it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pydantic import ValidationError

from vasgen.antenna import Antenna
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
        antenna: its array and precoding.
        group: only transmitters of the same group are on at the same time.
        context: what kind of place it stands at, e.g. ``"canyon"``; see
            :mod:`vasgen.orchestrate.contexts`. ``"given"`` if somebody chose the position.

    Raises:
        InputError: if a number is not finite.
    """

    name: str
    position: tuple[float, float, float]
    power_dbm: float = 30.0
    orientation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    antenna: Antenna = field(default_factory=Antenna)
    group: int = 0
    context: str = "given"

    def __post_init__(self) -> None:
        numbers = [*self.position, self.power_dbm, *self.orientation_deg]
        if len(self.position) != 3 or len(self.orientation_deg) != 3:
            raise InputError(f"transmitter {self.name!r}: position and orientation are 3 numbers.")
        if not np.isfinite(numbers).all():
            raise InputError(f"transmitter {self.name!r} has a number that is not finite.")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "antenna": self.antenna.model_dump(mode="json")}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Transmitter:
        """Inverse of :meth:`to_dict`; what may be left out has its default.

        Raises:
            InputError: if a key is missing or unknown, or a value is no number.
        """
        missing = {"name", "position"} - set(record)
        if missing:
            raise InputError(f"transmitter record lacks {', '.join(sorted(missing))}.")
        parts = dict(record)
        try:
            for key in {"position", "orientation_deg"} & set(parts):
                parts[key] = tuple(map(float, parts[key]))
            if "power_dbm" in parts:
                parts["power_dbm"] = float(parts["power_dbm"])
            if "antenna" in parts:
                parts["antenna"] = Antenna.model_validate(parts["antenna"])
            return cls(**parts)
        except InputError:
            raise
        except ValidationError as error:
            raise InputError(f"transmitter antenna: {error.errors()[0]['msg']}.") from error
        except (TypeError, ValueError) as error:
            raise InputError(f"transmitter record cannot be read: {error}.") from error
