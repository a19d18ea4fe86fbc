"""The options that say how pictures are drawn, shared by the commands that draw some."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from vasgen.commands.arguments import in_flags
from vasgen.errors import InputError

if TYPE_CHECKING:
    from vasgen.render_spec import RenderSpec

Backend = Literal["mitsuba", "unreal"]
Far = Literal["refuse", "sky", "scene"]
Lamps = Literal["auto", "on", "off"]


def _option(flag: str, text: str, default: str | bool, **more: Any) -> Any:
    return typer.Option(flag, help=text, show_default=default, rich_help_panel="Pictures", **more)


def _around_zero(most: int) -> dict[str, int]:
    return {"min": -most, "max": most}


#: By key of a render spec, with the limits of that key; HOST:PORT of Unreal is none.
_OPTIONS: dict[str, Any] = {
    "samples_per_pixel": Annotated[
        int | None, _option("--samples", "Light paths a pixel.", "32", min=1, max=65536)
    ],
    "sun_elevation_deg": Annotated[
        float | None,
        _option(
            "--sun-elevation-deg",
            "Sun above the horizon, negative at night.",
            "40",
            **_around_zero(90),
        ),
    ],
    "sun_azimuth_deg": Annotated[
        float | None,
        _option("--sun-azimuth-deg", "Sun clockwise from north.", "220", min=0, max=360),
    ],
    "hour": Annotated[
        float | None,
        _option(
            "--hour", "Or apparent solar time, with --date and --latitude.", False, min=0, max=24
        ),
    ],
    "date": Annotated[
        str | None, _option("--date", "Day of the year.", False, metavar="YYYY-MM-DD")
    ],
    "latitude_deg": Annotated[
        float | None, _option("--latitude", "Degrees north.", False, **_around_zero(90))
    ],
    "turbidity": Annotated[
        float | None,
        _option("--turbidity", "Haze of the clear sky; 3 is usual.", "3", min=1, max=10),
    ],
    "cloud_cover": Annotated[
        float | None,
        _option("--cloud-cover", "Share of the sky, 1: overcast.", "0", min=0, max=1),
    ],
    "cloud_pattern": Annotated[
        int | None,
        _option(
            "--cloud-pattern",
            "Number of a pattern of clouds.",
            "by chance",
            min=0,
            max=2**31 - 1,
        ),
    ],
    "visibility_m": Annotated[
        float | None, _option("--visibility-m", "In fog, metres.", "no fog", min=10, max=100_000)
    ],
    "lamps": Annotated[Lamps | None, _option("--lamps", "Street lamps and lit windows.", "auto")],
    "speed_m_s": Annotated[
        float | None,
        _option(
            "--speed-m-s",
            "Of the camera, to a random side.",
            "0, or the poses'",
            min=0,
            max=1000,
        ),
    ],
    "turn_deg_s": Annotated[
        float | None,
        _option("--turn-deg-s", "Of the camera, to a side.", "0, or the poses'", min=0, max=3600),
    ],
    "shutter_s": Annotated[
        float | None,
        _option("--shutter-s", "How long the shutter is open, seconds.", "0", min=0, max=10),
    ],
    "exposure_ev": Annotated[
        float | None,
        _option("--exposure-ev", "Stops brighter than by the light.", "0", **_around_zero(20)),
    ],
    "backend": Annotated[
        Backend | None, _option("--backend", "What draws the pictures.", "mitsuba")
    ],
    "unreal_far": Annotated[
        Far | None,
        _option("--unreal-far", "Surfaces beyond 655 m, where Unreal's depth ends.", "refuse"),
    ],
    "unreal": Annotated[
        str | None,
        _option(
            "--unreal",
            "UnrealCV server of the backend unreal.",
            "$VASGEN_UNREAL or 127.0.0.1:9000",
            metavar="HOST:PORT",
        ),
    ],
}

#: By key of a render spec, how the user gives it.
FLAGS = {
    name: str(option.__metadata__[0].default)
    for name, option in _OPTIONS.items()
    if name != "unreal"
}


def with_picture_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with these options beside its own.

    It gets those that the user gave as ``picture``, for :func:`picture_spec`.
    """

    @functools.wraps(command)
    def run(**given: Any) -> None:
        picture = {name: given.pop(name) for name in _OPTIONS}
        command(**given, picture={k: value for k, value in picture.items() if value is not None})

    own = inspect.signature(command, eval_str=True).parameters.values()
    shared = (
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option)
        for name, option in _OPTIONS.items()
    )
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.name != "picture"]
    run.__signature__ = inspect.Signature([*parameters, *shared])  # type: ignore[attr-defined]
    return run


def picture_spec(given: Mapping[str, Any], undrawn: str | None) -> tuple[RenderSpec, str | None]:
    """What the options of pictures ask for, and HOST:PORT of Unreal.

    Args:
        given: the options that the user gave.
        undrawn: what the user gave so that no pictures are drawn, e.g. ``"--no-rgb"``, if so.

    Raises:
        InputError: if a value is out of range, or an option would do nothing.
    """
    from vasgen.spec import parse_render

    if given and undrawn is not None:
        raise InputError(
            f"{undrawn} draws no pictures, and nothing else depends on "
            f"{', '.join(FLAGS.get(name, '--unreal') for name in given)}: leave that out."
        )
    if given.get("backend") != "unreal" and {"unreal", "unreal_far"} & given.keys():
        raise InputError("--unreal and --unreal-far need --backend unreal.")
    keys = {name: value for name, value in given.items() if name != "unreal"}
    with in_flags(FLAGS):
        return parse_render(keys), given.get("unreal")
