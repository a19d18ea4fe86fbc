"""Campaigns: where cameras and transmitters go, and how a dataset is built."""

from vasgen.orchestrate.build import Summary, build
from vasgen.orchestrate.camera_map import draw_cameras, draw_trajectory
from vasgen.orchestrate.posefile import Pose, read_poses, read_track, write_poses, write_track
from vasgen.orchestrate.poses import plan_views
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.trajectory import Trajectory, Trip, plan_trajectory
from vasgen.orchestrate.transmitter_file import read_transmitters, write_transmitters
from vasgen.orchestrate.transmitter_map import draw_transmitters
from vasgen.orchestrate.transmitters import place_transmitters
from vasgen.orchestrate.video import make_video
from vasgen.orchestrate.views import render_views, reopen_views, trace_views

__all__ = [
    "Pose",
    "Progress",
    "Silent",
    "Summary",
    "Trajectory",
    "Trip",
    "build",
    "draw_cameras",
    "draw_trajectory",
    "draw_transmitters",
    "make_video",
    "place_transmitters",
    "plan_trajectory",
    "plan_views",
    "read_poses",
    "read_track",
    "read_transmitters",
    "render_views",
    "reopen_views",
    "trace_views",
    "write_poses",
    "write_track",
    "write_transmitters",
]
