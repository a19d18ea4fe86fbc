"""The built environment that radio models ask for: ITU-R P.1410's three parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vasgen.errors import InputError


@dataclass(frozen=True)
class Targets:
    """How built-up a city is to be, by Recommendation ITU-R P.1410-6.

    Attributes:
        alpha: share of the land that buildings cover, (0, 1).
        beta: buildings per square kilometre.
        gamma: scale of the Rayleigh distribution of building heights, metres.

    Raises:
        InputError: if a value is no positive number, or alpha not below 1.
    """

    alpha: float
    beta: float
    gamma: float

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "gamma"):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise InputError(f"{name} is {value!r}; allowed: a number above 0.")
        if self.alpha >= 1:
            raise InputError(f"alpha is {self.alpha!r}; allowed: a share of the land below 1.")


#: The environments of ITU-R P.1410-6, table 1, by the names radio models use.
ENVIRONMENTS: dict[str, Targets] = {
    "suburban": Targets(0.1, 750.0, 8.0),
    "urban": Targets(0.3, 500.0, 15.0),
    "dense-urban": Targets(0.5, 300.0, 20.0),
    "highrise-urban": Targets(0.5, 300.0, 50.0),
}
