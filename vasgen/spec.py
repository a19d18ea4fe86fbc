"""The dataset specification: everything a build depends on, typed and frozen.

A spec comes from a YAML file or a preset, is checked once, and is stored resolved
beside the data. Room functions take the parts they need.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from vasgen.antenna import ANTENNAS, Antenna
from vasgen.errors import InputError, suggest, unknown_choice
from vasgen.part import Part
from vasgen.render_spec import RenderSpec
from vasgen.scene_spec import SceneSpec

BOLTZMANN_J_PER_K = 1.380649e-23

Position = tuple[float, float, float]
Angle = Annotated[float, Field(ge=-360, le=360)]


ViewKind = Literal["uav", "street", "pole"]

#: Lowest and highest camera above the ground by kind of view, metres: drones of SynthRM, heads
#: and dashboards, lamp posts.
ALTITUDE_M: dict[ViewKind, tuple[float, float]] = {
    "uav": (35.0, 110.0),
    "street": (1.5, 2.5),
    "pole": (4.0, 8.0),
}


class ViewsSpec(Part):
    """Camera poses: a planner's choice, or a file.

    Attributes:
        kind: what carries the cameras: ``uav``, a drone above the streets; ``street``, a car or
            a pedestrian; ``pole``, a lamp post or the corner of a building.
        count: number of views to plan.
        width: image width, pixels.
        height: image height, pixels.
        fov_deg: horizontal field of view, degrees.
        altitude_m: lowest and highest camera height above ground, metres; by default 35 to 110
            for ``uav``, 1.5 to 2.5 for ``street``, 4 to 8 for ``pole``.
        poses: JSON file of camera records to use instead of planning.
    """

    kind: ViewKind = "uav"
    count: Annotated[int, Field(ge=1, le=100_000)] = 6
    width: Annotated[int, Field(ge=8, le=8192)] = 640
    height: Annotated[int, Field(ge=8, le=8192)] = 480
    fov_deg: Annotated[float, Field(gt=1, lt=170)] = 70.0
    altitude_m: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = ALTITUDE_M[
        "uav"
    ]
    poses: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _altitude_of_its_kind(cls, record: object) -> object:
        if isinstance(record, dict) and "altitude_m" not in record:
            for kind, usual in ALTITUDE_M.items():
                if record.get("kind", "uav") == kind:
                    return {**record, "altitude_m": usual}
        return record

    @model_validator(mode="after")
    def _ordered(self) -> ViewsSpec:
        if self.altitude_m[0] > self.altitude_m[1]:
            high, low = self.altitude_m
            raise ValueError(
                f"altitude_m is [{high:g}, {low:g}], from high to low: give [{low:g}, {high:g}]"
            )
        return self


def _named(antenna: object) -> object:
    """The antenna of that name; anything else is left to be checked as an antenna."""
    if not isinstance(antenna, str):
        return antenna
    if antenna not in ANTENNAS:
        raise ValueError(suggest(antenna, ANTENNAS))
    return ANTENNAS[antenna]


class TransmittersSpec(Part):
    """Transmitters: sampled on walkable ground, roofs or lamp posts, or given.

    Attributes:
        count: number of transmitters to place.
        placement: what they stand on.
        height_m: height of the antenna above that, metres; by default 1.6 above the ground
            (SynthRM), 3 above a roof, 0.5 above a lamp post.
        power_dbm: transmit power of each, dBm.
        orientation_deg: yaw about z, pitch about y and roll about x of each antenna,
            degrees; at zero its boresight is east, and a positive pitch tilts it down.
        antennas: their antennas, dealt in turn: ``siso``, ``4x4``, ``8x4``, or keys of an
            antenna.
        groups: number of groups, dealt in turn; only those of one group are on at the same
            time and interfere. As many groups as antennas: each group has its own antenna.
        positions: world positions, metres, instead of sampling.
        file: JSON or CSV file of transmitters instead, as ``vasgen place`` writes it.
    """

    count: Annotated[int, Field(ge=1, le=10_000)] = 2
    placement: Literal["ground", "rooftop", "lamp-post"] = "ground"
    height_m: Annotated[float, Field(gt=0, le=500)] | None = None
    power_dbm: Annotated[float, Field(ge=-100, le=100)] = 30.0
    orientation_deg: tuple[Angle, Angle, Angle] = (0.0, 0.0, 0.0)
    antennas: Annotated[
        tuple[Annotated[Antenna, BeforeValidator(_named)], ...], Field(min_length=1)
    ] = (Antenna(),)
    groups: Annotated[int, Field(ge=1, le=10_000)] = 1
    positions: Annotated[tuple[Position, ...], Field(min_length=1)] | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> TransmittersSpec:
        if self.positions is not None and self.file is not None:
            raise ValueError("give either positions or file")
        return self


class RadioSpec(Part):
    """Propagation: SynthRM table 4 where it says, and the effort of the estimator.

    Attributes:
        frequency_hz: carrier frequency, Hz, 0.7 to 100 GHz: below, edges are too short for the
            theory of diffraction, above, the materials of ITU-R P.2040 have other laws.
        bandwidth_hz: noise bandwidth, Hz.
        temperature_k: noise temperature, kelvin.
        noise_figure_db: of the receiver, dB above thermal noise.
        surface: how pixels become receiver surface: one quad a pixel on its tangent
            plane, or the paper's lattice over pixel centres.
        line_of_sight: count direct paths.
        specular_reflection: count mirror reflections.
        diffuse_reflection: count diffuse scattering.
        scattering_coefficient: diffusely scattered share of the reflected field, for
            materials that name none of their own.
        refraction: count transmission through slabs.
        diffraction: count first-order diffraction at wedges.
        max_depth: most reflections and transmissions on a path.
        solver: how powers are found: ``closed-form`` evaluates the paths of every pixel and
            counts rays only for the remainder; ``coverage`` counts rays for all but the direct
            and the diffracted paths; ``auto`` is closed-form wherever that works.
        reflections: most mirror reflections of a path that is evaluated in closed form.
        diffracted_reflections: whether the closed-form solver also follows paths that are
            diffracted and reflected once each.
        search_rays: rays that look for paths, a transmitter.
        strongest_paths: number of paths of each pixel to store one by one.
        store_paths: keep the geometry of all paths, so that ``vasgen relabel`` needs no rays.
        undefined_materials: what to do with an ITU material outside its frequency range:
            ``hold`` its complex permittivity at the nearest end, or ``refuse``.
        rays: rays that are counted, a transmitter, over all chunks; neighbouring views share them.
        chunks: independent repetitions the rays are split into, at least.
        target_db: stop before all rays are shot, once the median standard error of a map's
            reached pixels is below this, dB.
    """

    frequency_hz: Annotated[float, Field(ge=0.7e9, le=100e9)] = 3.5e9
    bandwidth_hz: Annotated[float, Field(ge=1, le=1e11)] = 1e6
    temperature_k: Annotated[float, Field(ge=1, le=1e5)] = 293.0
    noise_figure_db: Annotated[float, Field(ge=0, le=60)] = 0.0
    surface: Literal["footprint", "lattice"] = "footprint"
    line_of_sight: bool = True
    specular_reflection: bool = True
    diffuse_reflection: bool = False
    scattering_coefficient: Annotated[float, Field(ge=0, le=1)] = 0.0
    refraction: bool = True
    diffraction: bool = True
    max_depth: Annotated[int, Field(ge=0, le=64)] = 20
    solver: Literal["auto", "closed-form", "coverage"] = "auto"
    reflections: Annotated[int, Field(ge=0, le=8)] = 3
    diffracted_reflections: bool = False
    search_rays: Annotated[int, Field(ge=1000, le=10**10)] = 2_000_000
    strongest_paths: Annotated[int, Field(ge=0, le=64)] = 0
    store_paths: bool = False
    undefined_materials: Literal["hold", "refuse"] = "hold"
    rays: Annotated[int, Field(ge=1000, le=10**12)] = 4_000_000
    chunks: Annotated[int, Field(ge=2, le=100_000)] = 4
    target_db: Annotated[float, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _options_that_count(self) -> RadioSpec:
        lattice = self.surface == "lattice"
        if self.solver == "closed-form" and lattice:
            raise ValueError(
                "solver closed-form needs surface footprint; for a lattice set it to auto"
            )
        named = ("store_paths", "strongest_paths", "diffracted_reflections")
        given = [name for name in named if getattr(self, name)]
        if given and (self.solver == "coverage" or lattice):
            raise ValueError(
                f"{given[0]} needs the paths of footprints: set solver to auto or closed-form, and "
                "surface to footprint"
            )
        bends = self.diffraction and self.specular_reflection and self.max_depth > 1
        if self.diffracted_reflections and not bends:
            raise ValueError(
                "diffracted_reflections needs diffraction, specular_reflection and a max_depth of "
                "2 or more"
            )
        return self

    @property
    def noise_w(self) -> float:
        """Noise power of the receiver, watts: kTB times its noise factor."""
        factor = 10 ** (self.noise_figure_db / 10)
        return BOLTZMANN_J_PER_K * self.temperature_k * self.bandwidth_hz * factor


class DatasetSpec(Part):
    """A dataset, from scene to labels.

    Attributes:
        name: short name of the dataset.
        seed: seed of everything random in it.
        scene: the geometry.
        views: the cameras.
        transmitters: the transmitters.
        radio: the propagation.
        render: the picture.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = "dataset"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    scene: SceneSpec = SceneSpec()
    views: ViewsSpec = ViewsSpec()
    transmitters: TransmittersSpec = TransmittersSpec()
    radio: RadioSpec = RadioSpec()
    render: RenderSpec = RenderSpec()

    def to_plain(self) -> dict[str, Any]:
        """The resolved spec as plain values that :func:`parse_spec` reads back."""
        record = self.model_dump(mode="json")
        record["scene"] = self.scene.to_plain()
        return record

    def to_yaml(self) -> str:
        """The resolved spec as YAML that :func:`read_spec` reads back."""
        return yaml.safe_dump(self.to_plain(), sort_keys=False)


#: Named specs of the command line.
PRESETS: dict[str, DatasetSpec] = {
    "quickstart": DatasetSpec(
        name="quickstart",
        radio=RadioSpec(rays=8_000_000),
        render=RenderSpec(cloud_cover=(0.0, 0.6)),
    ),
}


def preset(name: str) -> DatasetSpec:
    """The preset of that name.

    Raises:
        InputError: if there is none.
    """
    if name not in PRESETS:
        raise unknown_choice("preset", name, PRESETS)
    return PRESETS[name]


def parse_spec(record: object, origin: str = "spec") -> DatasetSpec:
    """A spec from plain values.

    Args:
        record: nested mapping of keys, as read from YAML.
        origin: what to call it in an error, e.g. the file name.

    Raises:
        InputError: naming the first wrong key, its value, and what is allowed.
    """
    if not isinstance(record, dict):
        raise InputError(f"{origin} must hold keys and values, not {type(record).__name__}.")
    try:
        return DatasetSpec.model_validate(record)
    except ValidationError as error:
        raise InputError(f"{origin}: {first_problem(error)}") from None


def parse_scene(record: dict[str, Any]) -> SceneSpec:
    """The scene part of a spec from plain values.

    Raises:
        InputError: naming the first wrong key, its value, and what is allowed.
    """
    try:
        return SceneSpec.model_validate(record)
    except ValidationError as error:
        raise InputError(first_problem(error, SceneSpec)) from None


def parse_render(record: dict[str, Any]) -> RenderSpec:
    """The render part of a spec from plain values.

    Raises:
        InputError: naming the first wrong key, its value, and what is allowed.
    """
    try:
        return RenderSpec.model_validate(record)
    except ValidationError as error:
        raise InputError(first_problem(error, RenderSpec)) from None


def read_plain(path: Path | str) -> Any:
    """The plain values of a YAML file.

    Raises:
        InputError: if the file is missing or is no YAML.
    """
    path = Path(path)
    try:
        return _plain(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise InputError(f"cannot read spec {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"spec {path} is no text file: {error}.") from error


def spec_from_yaml(text: str, origin: str = "spec") -> DatasetSpec:
    """A spec from YAML text, as :meth:`DatasetSpec.to_yaml` writes it.

    Raises:
        InputError: if it is no YAML, or holds a wrong key or value.
    """
    return parse_spec(_plain(text, origin), origin)


def read_spec(path: Path | str) -> DatasetSpec:
    """A spec from a YAML file; relative file names in it are relative to the file.

    Raises:
        InputError: if the file is missing, is no YAML, or holds a wrong key or value.
    """
    return _beside(parse_spec(read_plain(path), str(path)), Path(path).parent)


def _plain(text: str, origin: str) -> Any:
    try:
        record = yaml.safe_load(text)
    except yaml.YAMLError as error:
        line = " ".join(str(error).split())
        raise InputError(f"{origin} is no valid YAML: {line}") from error
    except ValueError as error:
        raise InputError(f"{origin} holds a date that does not exist: {error}.") from error
    return {} if record is None else record


def _beside(spec: DatasetSpec, folder: Path) -> DatasetSpec:
    """The spec with its relative file names made relative to ``folder``."""
    source, poses, file = spec.scene.source, spec.views.poses, spec.transmitters.file
    if source is not None and ":" not in source:
        source = str(folder / Path(source).expanduser())
    if poses is not None:
        poses = str(folder / Path(poses).expanduser())
    if file is not None:
        file = str(folder / Path(file).expanduser())
    scene = spec.scene if source is None else SceneSpec(source=source)
    views = spec.views.model_copy(update={"poses": poses})
    transmitters = spec.transmitters.model_copy(update={"file": file})
    parts = {"scene": scene, "views": views, "transmitters": transmitters}
    return spec.model_copy(update=parts)


def first_problem(error: ValidationError, part: Any = DatasetSpec) -> str:
    """One line for the first wrong key; a misspelt one names the one that was meant.

    Args:
        error: of a part of a spec.
        part: which that is.
    """
    problem: Any = error.errors()[0]
    where = [str(part) for part in problem["loc"]]
    dotted = ".".join(where)
    if problem["type"] == "extra_forbidden":
        allowed = _keys_at(part, where[:-1])
        close = difflib.get_close_matches(where[-1], allowed, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        return f"unknown key {dotted!r}: {hint}Allowed: {', '.join(allowed)}."
    message = problem["msg"].removeprefix("Value error, ")
    if message.startswith("allowed: "):
        return f"{dotted} is {problem['input']!r}; {message}"
    line = f"{message[0].lower()}{message[1:]}."
    if problem["type"] == "value_error" and isinstance(problem["input"], dict):
        return f"{dotted}: {line}" if dotted else line  # the line names the keys that are wrong
    return f"{dotted} is {problem['input']!r}: {line}"


def _keys_at(part: Any, where: list[str]) -> list[str]:
    for name in where:
        if name.isdigit():  # an entry of a list: the list's own type is known
            continue
        part = part.model_fields[name].annotation
        part = next(iter(_models(part)))
    return list(part.model_fields)


def _models(annotation: Any) -> Iterator[Any]:
    """The parts of a spec that a type names, however deep."""
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
