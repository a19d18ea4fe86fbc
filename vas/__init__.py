"""The radio side: from depth to a visible-aligned surface to radio layers."""

from vasgen.vas.notes import radio_notes
from vasgen.vas.surfaces.grid import Grid
from vasgen.vas.topdown import TopDownMap, trace_topdown
from vasgen.vas.tracer import Tracer, View

__all__ = ["Grid", "TopDownMap", "Tracer", "View", "radio_notes", "trace_topdown"]
