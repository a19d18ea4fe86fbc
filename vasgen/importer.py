"""Importing scene files: any Sionna or Mitsuba XML becomes a scene bundle.

Mitsuba itself reads the geometry, with transforms resolved; the materials are read from
the XML before, with includes and defaults resolved, since a scene file carries either
radio materials or visual ones, and a bundle needs both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vasgen import runtime
from vasgen.appearance import dress
from vasgen.artefact import library_versions
from vasgen.bundle import Mesh, RadioMaterial, SceneBundle
from vasgen.errors import InputError

Array = NDArray[np.float64]

#: Thickness Sionna gives a material that names none, metres.
_DEFAULT_THICKNESS_M = 0.1

#: ITU material for a visual material whose name says what it is made of.
_WORDS = {
    "very_dry_ground": ("terrain", "soil", "dirt", "grass", "sand", "ground"),
    "concrete": ("concrete", "cement", "asphalt", "road", "pavement", "stone", "plaster"),
    "brick": ("brick", "tile"),
    "glass": ("glass", "window", "glazing"),
    "metal": ("metal", "steel", "iron", "alumin", "copper", "car", "chrome"),
    "wood": ("wood", "timber", "bark", "tree", "leaf", "leaves", "foliage"),
    "marble": ("marble", "granite"),
}

_DROPPED = ("sensor", "emitter", "integrator", "texture")


@dataclass(frozen=True, eq=False)
class ImportedShape:
    """A shape of a scene file.

    Attributes:
        name: its id without Sionna's "mesh-" prefix.
        material: name of its radio material.
        vertices: (V, 3) float64, welded, world metres.
        faces: (F, 3) int32.
        colour: linear RGB its material names, if any.
    """

    name: str
    material: str
    vertices: Array
    faces: NDArray[np.int32]
    colour: tuple[float, float, float] | None


@dataclass(frozen=True)
class _Material:
    radio: RadioMaterial
    colour: tuple[float, float, float] | None
    assumed: bool


def import_xml(path: Path) -> SceneBundle:
    """The bundle of a Sionna or Mitsuba scene file.

    Radio materials are taken from ``itu-radio-material`` and ``radio-material`` plugins
    and from names such as ``mat-itu_concrete``; a purely visual material gets the ITU
    material its name suggests, else concrete, and is listed in the bundle's provenance
    under ``assumed_radio_materials``.

    Raises:
        InputError: if the file cannot be read, or holds no triangle mesh.
    """
    root = _read_xml(path)
    _resolve_defaults(root)
    materials = _take_materials(root)
    shapes = _load_shapes(root, path, materials)
    if not shapes:
        raise InputError(f"scene file {path} holds no triangle mesh.")
    assumed = {m.radio.name: m.radio.itu_type for m in materials.values() if m.assumed}
    provenance: dict[str, Any] = {"source": path.name, "versions": library_versions()}
    if assumed:
        provenance["assumed_radio_materials"] = assumed
    return _bundle(path.stem, shapes, materials, provenance)


def _read_xml(path: Path, including: tuple[Path, ...] = ()) -> ElementTree.Element:
    """Root of a scene file, with the files it includes in place, as Mitsuba finds them."""
    if path in including:
        raise InputError(f"scene file {path} includes itself.")
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"scene file {path} cannot be read as XML: {error}.") from error
    for place, node in reversed(list(enumerate(root))):
        if node.tag == "include":
            included = path.parent / str(node.get("filename"))
            root[place : place + 1] = list(_read_xml(included, (*including, path)))
    return root


def _resolve_defaults(root: ElementTree.Element) -> None:
    """Put the values of ``<default>`` parameters in place of their names."""
    values = {str(d.get("name")): str(d.get("value")) for d in root.findall("default")}
    for node in root.iter():
        for key, text in node.attrib.items():
            node.set(key, re.sub(r"\$(\w+)", lambda name: values.get(name[1], name[0]), text))
    for default in root.findall("default"):
        root.remove(default)


def _take_materials(root: ElementTree.Element) -> dict[str, _Material]:
    """Read every material and leave a plain one of the same id in its place."""
    materials: dict[str, _Material] = {}
    for number, bsdf in enumerate(root.findall("./bsdf") + root.findall(".//shape/bsdf")):
        # The id of a two-sided material may stand on the inner one.
        ids = (str(node.get("id")) for node in bsdf.iter("bsdf") if node.get("id"))
        identity = next(ids, f"material-{number}")
        # The name becomes a file name, and "mat-x" and "x" may both be there.
        name = re.sub(r"[/\\]", "_", re.sub(r"^mat-", "", identity))
        while any(name == other.radio.name for other in materials.values()):
            name += "_"
        materials[identity] = _material(name, bsdf)
        bsdf.clear()
        bsdf.attrib.update({"type": "diffuse", "id": identity})
    return materials


def _material(name: str, bsdf: ElementTree.Element) -> _Material:
    kind = str(bsdf.get("type"))
    numbers = {str(f.get("name")): _numbers(f, name, 1)[0] for f in bsdf.findall("float")}
    slab = {
        "thickness_m": numbers.get("thickness", _DEFAULT_THICKNESS_M),
        "scattering_coefficient": numbers.get("scattering_coefficient", 0.0),
    }
    colour = _colour(name, bsdf)
    if kind == "radio-material":
        constants = {
            "relative_permittivity": numbers.get("relative_permittivity", 1.0),
            "conductivity_s_per_m": numbers.get("conductivity", 0.0),
        }
        return _Material(RadioMaterial(name, None, **slab, **constants), colour, assumed=False)
    named = bsdf.find("string[@name='type']")
    if kind == "itu-radio-material" and named is not None:
        return _Material(RadioMaterial(name, str(named.get("value")), **slab), colour, False)
    legacy = re.match(r"itu[_-](\w+)", name)
    if legacy:
        return _Material(RadioMaterial(name, legacy[1], **slab), colour, assumed=False)
    words = name.lower()
    guess = (itu for itu, hints in _WORDS.items() if any(hint in words for hint in hints))
    return _Material(RadioMaterial(name, next(guess, "concrete"), **slab), colour, assumed=True)


def _colour(material: str, bsdf: ElementTree.Element) -> tuple[float, float, float] | None:
    for name in ("color", "reflectance", "base_color", "diffuse_reflectance"):
        node = bsdf.find(f".//rgb[@name='{name}']")
        if node is not None:
            red, green, blue = (_numbers(node, material, 1, 3) * 3)[:3]
            return red, green, blue
    return None


def _numbers(node: ElementTree.Element, material: str, *counts: int) -> list[float]:
    text = str(node.get("value"))
    try:
        values = [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) not in counts or not np.isfinite(values).all():
        wanted = " or ".join(map(str, counts))
        raise InputError(
            f"material {material!r}: {node.get('name')} is {text!r}; expected {wanted} "
            f"finite {'number' if counts == (1,) else 'numbers'}."
        )
    return values


def _load_shapes(
    root: ElementTree.Element, path: Path, materials: dict[str, _Material]
) -> list[ImportedShape]:
    for parent in [root, *root.findall("shape")]:
        for tag in _DROPPED:
            for node in parent.findall(tag):
                parent.remove(node)
    for shape in root.findall("shape"):
        for ref in shape.findall("ref"):
            if ref.get("id") not in materials:
                raise InputError(
                    f"scene file {path}: shape {shape.get('id')!r} names material "
                    f"{ref.get('id')!r}; the file defines: {', '.join(sorted(materials))}."
                )
    for node in root.findall(".//string[@name='filename']"):
        node.set("value", str((path.parent / str(node.get("value"))).resolve()))
    missing = [
        n.get("value")
        for n in root.findall(".//string[@name='filename']")
        if not Path(str(n.get("value"))).is_file()
    ]
    if missing:
        raise InputError(f"scene file {path} names {missing[0]}, which does not exist.")
    with runtime.colour_variant() as mi:
        try:
            # Optimising would merge materials that look alike, and lose their names.
            scene = mi.load_string(ElementTree.tostring(root, encoding="unicode"), optimize=False)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise InputError(f"scene file {path} cannot be loaded: {reason}") from error
        shapes = [_shape(mi, shape, path, materials) for shape in scene.shapes()]
    return [shape for shape in shapes if len(shape.faces)]


def _shape(mi: Any, shape: Any, path: Path, materials: dict[str, _Material]) -> ImportedShape:
    name = re.sub(r"^mesh-", "", shape.id())
    if not isinstance(shape, mi.Mesh):
        kind = shape.class_name().lower()
        raise InputError(
            f"scene file {path}: shape {name!r} is of type {kind}, no triangle mesh; "
            "convert it to PLY or OBJ."
        )
    material = materials.get(shape.bsdf().id())
    if material is None:
        raise InputError(
            f"scene file {path}: shape {name!r} has no material; give it one, e.g. "
            "itu-radio-material."
        )
    corners = np.array(shape.vertex_positions_buffer(), np.float64).reshape(-1, 3)
    indices = np.array(shape.faces_buffer(), np.int64).reshape(-1, 3)
    vertices, faces = _weld(corners, indices)
    faces = _outward(vertices, faces)
    return ImportedShape(name, material.radio.name, vertices, faces, material.colour)


def _weld(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int32]]:
    """Merge vertices of equal position: diffracting wedges are found through shared edges."""
    unique, index = np.unique(vertices, axis=0, return_inverse=True)
    faces = index.reshape(-1)[faces]
    a, b, c = faces.T
    return unique, faces[(a != b) & (b != c) & (c != a)].astype(np.int32)


def _outward(vertices: Array, faces: NDArray[np.int32]) -> NDArray[np.int32]:
    """The faces with every connected part wound so that it encloses a positive volume.

    Imported shells are often inside out. The volume is taken from a point on the level of
    each part's lowest vertex, so that a missing floor does not matter; flat parts face up.
    """
    if not len(faces):
        return faces
    links = faces[:, [0, 1, 1, 2]].reshape(-1, 2).T
    graph = coo_array((np.ones(links.shape[1]), links), shape=(len(vertices),) * 2)
    count, part_of = connected_components(graph, directed=False)
    part = part_of[faces[:, 0]]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, part_of, vertices)
    np.maximum.at(high, part_of, vertices)
    origin = np.column_stack([(low + high)[:, :2] / 2, low[:, 2]])
    a, b, c = (vertices[faces[:, k]] - origin[part] for k in range(3))
    volume = np.bincount(part, np.einsum("ij,ij->i", a, np.cross(b, c)), count) / 6
    upward = np.bincount(part, np.cross(b - a, c - a)[:, 2], count)
    # Rounding is far below a millionth of the box around a part.
    limit = 1e-6 * np.prod(high - low, axis=1)
    inverted = np.where(np.abs(volume) > limit, volume < 0, upward < 0)
    return np.where(inverted[part][:, None], faces[:, ::-1], faces)


def _bundle(
    name: str,
    shapes: list[ImportedShape],
    materials: dict[str, _Material],
    provenance: dict[str, Any],
) -> SceneBundle:
    dressed, visual = dress(shapes, {m.radio.name: m.radio for m in materials.values()})
    meshes = []
    for material in sorted({shape.material for shape in shapes}):
        group = [(s, d) for s, d in zip(shapes, dressed, strict=True) if s.material == material]
        starts = np.cumsum([0, *(len(s.vertices) for s, _ in group)])
        meshes.append(
            Mesh(
                material,
                material,
                np.concatenate([s.vertices for s, _ in group]),
                np.concatenate([s.faces + n for (s, _), n in zip(group, starts, strict=False)]),
                np.concatenate([d.semantic for _, d in group]),
                np.concatenate([d.instance for _, d in group]),
                np.concatenate([d.visual for _, d in group]),
                np.concatenate([d.corner_uv for _, d in group]),
            )
        )
    used = {mesh.radio_material for mesh in meshes}
    radio = {m.radio.name: m.radio for m in materials.values() if m.radio.name in used}
    return SceneBundle(name, tuple(meshes), tuple(radio.values()), visual, provenance)
