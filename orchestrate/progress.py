"""Progress: what long work tells whoever watches it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Watches a run that goes through named steps."""

    def start(self, step: str, total: float) -> None:
        """A step begins.

        Args:
            step: what is done, e.g. ``"Rendering views"``.
            total: units of work in it; 0 if that is not known.
        """
        ...

    def advance(self, amount: float) -> None:
        """Part of the step is done, in units of its total."""
        ...


class Silent:
    """Watches nothing."""

    def start(self, step: str, total: float) -> None:
        """Ignore the step."""

    def advance(self, amount: float) -> None:
        """Ignore the amount."""
