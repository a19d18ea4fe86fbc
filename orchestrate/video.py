"""Videos: a layer of every camera of a track, as H.264.

Frames are drawn into a scratch folder beside the video, each whole or absent, so that a run
that was stopped goes on. Its name holds what the frames follow from: other poses, another
layer or scene begin anew. The video appears at the end, whole, and the folder goes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import Normalize
from numpy.typing import NDArray
from PIL import Image

from vasgen.artefact import atomic_file, library_versions, remove_partials, storage_errors
from vasgen.bundle import SceneBundle
from vasgen.conditions import Conditions, sample_conditions
from vasgen.datasets.layer_pictures import depth_scale_of, paint_layer
from vasgen.errors import (
    InputError,
    MissingDependencyError,
    StorageError,
    check_range,
    unknown_choice,
)
from vasgen.layers import IMAGE_LAYERS
from vasgen.orchestrate.camera_check import check_cameras, check_motion
from vasgen.orchestrate.glance import glances
from vasgen.orchestrate.posefile import Pose
from vasgen.orchestrate.progress import Progress, Silent
from vasgen.orchestrate.view import view_name
from vasgen.raycast import RayCaster
from vasgen.render import ImageBackend, open_backend
from vasgen.render.picture import to_display, write_png
from vasgen.render_spec import RenderSpec
from vasgen.seeding import key

#: Layers that a video can show.
LAYERS = tuple(name for name in IMAGE_LAYERS if name != "valid")

#: Frames a second, if the track has no times.
FPS = 24.0

#: Constant rate factor of the encoder: below about 18 no loss is seen.
_QUALITY = 16

_SCRATCH = ".frames-"


def make_video(
    bundle: SceneBundle,
    track: Sequence[Pose],
    layer: str,
    out: Path,
    *,
    fps: float | None = None,
    spec: RenderSpec | None = None,
    seed: int = 0,
    unreal: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Draw one layer along a track into an MP4 file; a run that was stopped goes on.

    Args:
        bundle: the scene.
        track: cameras of one size, as many as frames.
        layer: one of ``LAYERS``.
        out: the MP4 file; replaced if it exists.
        fps: frames a second; by default what the times of the track say, or 24.
        spec: quality and conditions of rgb pictures. With an open shutter they blur by the
            velocities and turns of the track.
        seed: seed of the pictures' noise and conditions.
        unreal: HOST:PORT of the UnrealCV server, if Unreal draws the pictures; else what the
            environment names.
        progress: is told about the steps.

    Returns:
        Number of frames drawn now.

    Raises:
        InputError: if the layer, the name of the file or the rate is none, the cameras differ
            in size or do not move on in time evenly, nothing moves while the shutter is open,
            or one is where no camera can be.
        MissingDependencyError: if imageio-ffmpeg is not installed.
        StorageError: if the disk refuses.
    """
    if layer not in LAYERS:
        raise unknown_choice("layer", layer, LAYERS)
    if out.suffix.lower() != ".mp4":
        raise InputError(f"a video is an MP4 file, not {out}; give --out FILE.mp4.")
    rate = frame_rate(track, fps)
    _check_sizes(track)
    if layer == "rgb":
        check_motion(track, spec or RenderSpec())
    writer = _writer()
    watch, settings = progress or Silent(), spec or RenderSpec()
    caster = RayCaster(bundle)
    check_cameras(caster, [p.camera for p in track], [view_name(i) for i in range(len(track))])
    frames = _frames_folder(bundle, track, layer, out, settings, seed)
    names = [frames / f"{view_name(index)}.png" for index in range(len(track))]
    todo = [index for index, name in enumerate(names) if not name.is_file()]
    watch.start(f"Drawing {len(todo)} frames", len(todo))
    if todo:
        renderer = open_backend(bundle, settings, unreal, caster=caster)
        draw = _painter(renderer, caster, track, layer, settings, seed)
        for index in todo:
            write_png(names[index], draw(index))
            watch.advance(1)
    watch.start("Encoding the video", len(names))
    with atomic_file(out) as scratch:
        _encode(writer, scratch, names, rate, watch)
    shutil.rmtree(frames)
    return len(todo)


def frame_rate(track: Sequence[Pose], fps: float | None = None) -> float:
    """Frames a second: those asked for, else those of the track's times, else 24.

    Raises:
        InputError: if the rate is out of range, or the times are not even.
    """
    times = [pose.time_s for pose in track if pose.time_s is not None]
    if fps is None and len(times) == len(track) > 1:
        steps = np.array([later - earlier for earlier, later in pairwise(times)])
        fps = 1 / float(steps.mean())
        if np.abs(steps * fps - 1).max() > 0.01:
            raise InputError("the times of the poses are not evenly spaced: give --fps.")
        fps = round(fps, 3)
    rate = FPS if fps is None else fps
    check_range("fps", rate, 0.1, 240)
    return rate


def _check_sizes(track: Sequence[Pose]) -> None:
    sizes = sorted({(pose.camera.width, pose.camera.height) for pose in track})
    if len(sizes) != 1:
        named = ", ".join(f"{width}x{height}" for width, height in sizes[:3])
        given = f"the poses have {len(sizes)} sizes ({named})" if sizes else "there are no poses"
        raise InputError(f"{given}; the frames of a video have one: give --width and --height.")


def _frames_folder(
    bundle: SceneBundle,
    track: Sequence[Pose],
    layer: str,
    out: Path,
    spec: RenderSpec,
    seed: int,
) -> Path:
    """The folder of the frames; what other runs left for this video is cleared."""
    content = [
        bundle.content_hash,
        [pose.to_record() for pose in track],
        layer,
        spec.model_dump(mode="json") if layer == "rgb" else None,
        seed,
        library_versions(),
    ]
    recipe = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    folder = out.parent / f"{_SCRATCH}{out.name}-{recipe}"
    with storage_errors(out):
        folder.mkdir(parents=True, exist_ok=True)
        for other in out.parent.glob(f"{_SCRATCH}{out.name}-*"):
            if other != folder:
                shutil.rmtree(other)
        remove_partials(folder)
    return folder


def _painter(
    renderer: ImageBackend,
    caster: RayCaster,
    track: Sequence[Pose],
    layer: str,
    spec: RenderSpec,
    seed: int,
) -> Callable[[int], NDArray[np.uint8]]:
    """Draws a frame by its number."""
    if layer == "rgb":
        light = sample_conditions(spec, seed, "video")
        return lambda index: _picture(renderer, track[index], light, key(seed, "frame", index))
    scale = _depth_scale(caster, track) if layer == "depth" else None

    def paint(index: int) -> NDArray[np.uint8]:
        image = renderer.layers(track[index].camera, rgb=False)
        return np.rint(255 * paint_layer(image, layer, scale)).astype(np.uint8)

    return paint


def _picture(
    renderer: ImageBackend, pose: Pose, light: Conditions, noise: int
) -> NDArray[np.uint8]:
    """The light stays, the motion is the camera's own."""
    light = dataclasses.replace(
        light,
        velocity_m_s=pose.velocity_m_s or light.velocity_m_s,
        turn_deg_s=pose.turn_deg_s or light.turn_deg_s,
    )
    image = renderer.layers(pose.camera, light, seed=noise % 2**31)
    if image.rgb is None:
        raise ValueError("the renderer drew no picture")
    return to_display(image.rgb, light)


def _depth_scale(caster: RayCaster, track: Sequence[Pose]) -> Normalize:
    """One scale for all frames, whichever of them are drawn by this run."""
    cameras = [pose.camera for pose in track]
    return depth_scale_of([glance.depth for glance in glances(caster, cameras)])


def _writer() -> Any:
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg
    except ImportError as error:
        raise MissingDependencyError(
            "videos need imageio-ffmpeg, which is not installed: pip install 'vasgen[video]'"
        ) from error
    try:
        imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise MissingDependencyError(
            "imageio-ffmpeg finds no ffmpeg: pip install --force-reinstall imageio-ffmpeg"
        ) from error
    return imageio.get_writer


def _encode(writer: Any, path: Path, names: Sequence[Path], fps: float, watch: Progress) -> None:
    parameters = ["-crf", str(_QUALITY), "-preset", "medium", "-movflags", "+faststart"]
    options = {"pixelformat": "yuv420p", "macro_block_size": 2, "ffmpeg_log_level": "error"}
    try:
        with writer(
            path, fps=fps, codec="libx264", quality=None, output_params=parameters, **options
        ) as video:
            for name in names:
                with Image.open(name) as picture:
                    video.append_data(_even(np.asarray(picture.convert("RGB"))))
                watch.advance(1)
    except OSError as error:
        if error.errno is not None and not isinstance(error, BrokenPipeError):
            raise
        raise StorageError(
            "ffmpeg stopped before the end, most likely for lack of disk space; the frames are "
            "kept: run the same command again."
        ) from error


def _even(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With the last row and column doubled where their number is odd: H.264 needs pairs."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
