"""Campaigns: where cameras and transmitters go, and how a dataset is built."""

from vasgen.orchestrate.build import Summary, build
from vasgen.orchestrate.posefile import read_poses, write_poses
from vasgen.orchestrate.poses import plan_views
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.transmitter_file import read_transmitters, write_transmitters
from vasgen.orchestrate.transmitter_map import draw_transmitters
from vasgen.orchestrate.transmitters import place_transmitters
from vasgen.orchestrate.views import render_views, reopen_views, trace_views

__all__ = [
    "Progress",
    "Silent",
    "Summary",
    "build",
    "draw_transmitters",
    "place_transmitters",
    "plan_views",
    "read_poses",
    "read_transmitters",
    "render_views",
    "reopen_views",
    "trace_views",
    "write_poses",
    "write_transmitters",
]
