"""Wavefront OBJ with its MTL: plain text that every 3D program reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from vasgen.artefact import atomic_file
from vasgen.bundle import VisualMaterial
from vasgen.citygen.city import City
from vasgen.citygen.config import Lod
from vasgen.citygen.exporters.objects import by_finish, name_of
from vasgen.citygen.geometry.solids import Ints, Surface
from vasgen.citygen.materials import PALETTE

_ROWS = 65536  # lines that are put into words at a time
_UV_STEPS = 10_000  # texture coordinates are written to four places


def write_obj(city: City, path: Path | str, *, lod: Lod | None = None) -> Path:
    """Write an OBJ file, Z up, in metres, and beside it the MTL file of the same name.

    There is an object for each building, one for the ground, and one for each kind of prop
    ("tree", "lamp", …). Within an object, faces are grouped by class and by radio material
    (``g wall concrete``: a face is in both groups) and have texture coordinates, which count
    bays and storeys on facades and metres elsewhere. Colours are linear reflectances.

    Args:
        city: the city.
        path: OBJ file, replaced if it exists.
        lod: level of detail; None: the configuration's.

    Returns:
        The path of the OBJ file.

    Raises:
        InputError: if there is no such level of detail.
        StorageError: if the disk refuses.
    """
    path = Path(path)
    surface = city.mesh(lod)
    names, owner = _objects(city, surface)
    texture, at = _texture(surface)
    corners = np.stack([surface.faces + 1, at + 1], axis=-1).reshape(-1, 6)
    library = path.with_suffix(".mtl")
    with atomic_file(library) as paints, atomic_file(path) as scratch:
        with scratch.open("w", encoding="ascii", newline="\n") as file:
            file.write(f"# metres, Z up, x east, y north\nmtllib {library.name}\n")
            _rows(file, "v %.3f %.3f %.3f\n", surface.vertices)
            _rows(file, "vt %.4f %.4f\n", texture)
            order = np.argsort(owner, kind="stable")
            cuts = np.searchsorted(owner[order], np.arange(len(names) + 1))
            for number, name in enumerate(names):
                finishes = by_finish(surface, order[cuts[number] : cuts[number + 1]])
                file.write(f"o {name}\n" if finishes else "")
                for finish in finishes:
                    file.write(f"g {finish.semantic.name.lower()} {finish.radio}\n")
                    file.write(f"usemtl {PALETTE[finish.visual].name}\n")
                    _rows(file, "f %d/%d %d/%d %d/%d\n", corners[finish.faces])
        paints.write_text("".join(_paints(surface)), encoding="ascii", newline="\n")
    return path


def _objects(city: City, surface: Surface) -> tuple[list[str], Ints]:
    """Names of the objects, and the object of each face."""
    ground = len(city.buildings)
    kinds = sorted({prop.kind for prop in city.props})
    number = {kind: ground + 1 + i for i, kind in enumerate(kinds)}
    by_id = np.full(city.first_prop_id + len(city.props), ground, dtype=np.int64)
    by_id[1 : ground + 1] = np.arange(ground)
    by_id[city.first_prop_id :] = [number[prop.kind] for prop in city.props]
    return [*map(name_of, city.buildings), "ground", *kinds], by_id[surface.instance]


def _texture(surface: Surface) -> tuple[NDArray[np.float64], Ints]:
    """The distinct texture coordinates, and the index of each corner's, (F, 3)."""
    steps = np.rint(surface.uv.reshape(-1, 2) * _UV_STEPS).astype(np.int64)
    low, high = steps.min(axis=0), steps.max(axis=0)
    width = high[1] - low[1] + 1
    keys, index = np.unique((steps - low) @ np.array([width, 1]), return_inverse=True)
    pairs = np.column_stack([keys // width, keys % width]) + low
    return pairs / _UV_STEPS, index.reshape(-1, 3)


def _rows(file: TextIO, line: str, values: NDArray[Any]) -> None:
    for start in range(0, len(values), _ROWS):
        block = values[start : start + _ROWS]
        file.write(line * len(block) % tuple(block.ravel().tolist()))


def _paints(surface: Surface) -> Iterator[str]:
    for index in np.unique(surface.visual).tolist():
        yield _paint(PALETTE[index])


def _paint(look: VisualMaterial) -> str:
    """A material for old readers (Kd, Ks, Ns), with the PBR extension (Pr, Pm) for new ones."""
    colour = "{:.4f} {:.4f} {:.4f}".format(*look.base_color)
    shine = colour if look.metallic else "0.0400 0.0400 0.0400"
    return (
        f"newmtl {look.name}\nKd {colour}\nKs {shine}\nNs {1000 * (1 - look.roughness) ** 2:.1f}\n"
        f"Pr {look.roughness:.3f}\nPm {look.metallic:.3f}\nd 1\nillum 2\n\n"
    )
