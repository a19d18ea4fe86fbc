"""The radio side: from depth to a visible-aligned surface to radio layers."""

from vasgen.vas.tracer import Tracer, View

__all__ = ["Tracer", "View"]
