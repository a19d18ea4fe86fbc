"""A USD layer that is written prim by prim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen.bundle import VisualMaterial
from vasgen.citygen.exporters.objects import Finished, Record, by_finish, compact, normals
from vasgen.citygen.geometry.solids import Array, Ints, Surface
from vasgen.errors import MissingDependencyError


class StageFile:
    """A stage with ``/City`` as its root, Z up, in metres.

    Prims are written straight into a layer, as a stage would compose the scene anew at each
    of them.

    Args:
        suffix: ".usda" for text; anything else is binary.
        palette: the looks that surfaces refer to.

    Raises:
        MissingDependencyError: if OpenUSD is not installed.
    """

    def __init__(self, suffix: str, palette: Sequence[VisualMaterial]) -> None:
        try:
            from pxr import Gf, Sdf, Vt
        except ImportError as error:
            raise MissingDependencyError(
                "USD files need OpenUSD, which is not installed: pip install 'vasgen[usd]'."
            ) from error
        self._gf, self._sdf, self._vt, self._types = Gf, Sdf, Vt, Sdf.ValueTypeNames
        self._layer = Sdf.Layer.CreateAnonymous(".usda" if suffix == ".usda" else ".usdc")
        self._palette = palette
        self._looks: set[int] = set()
        root = self._prim("/City", "Xform")
        root.SetInfo("kind", "assembly")
        self._layer.defaultPrim = "City"
        self._layer.pseudoRoot.SetInfo("upAxis", "Z")
        self._layer.pseudoRoot.SetInfo("metersPerUnit", 1.0)

    def group(self, path: str) -> None:
        """Add a prim that only holds others."""
        self._prim(path, "Xform").SetInfo("kind", "group")

    def mesh(self, path: str, surface: Surface, faces: Ints) -> Any:
        """Add a mesh of some faces of a surface; returns its prim."""
        prim = self._prim(path, "Mesh")
        points, triangles = compact(surface, faces)
        facing = normals(points[triangles])
        facing[~facing.any(axis=1)] = (0.0, 0.0, 1.0)
        extent = np.stack([points.min(axis=0), points.max(axis=0)])
        counts = np.full(len(faces), 3, dtype=np.int32)
        types, vt = self._types, self._vt
        self._set(prim, "points", types.Point3fArray, _vectors(vt.Vec3fArray, points))
        self._set(prim, "faceVertexCounts", types.IntArray, _integers(vt, counts))
        self._set(prim, "faceVertexIndices", types.IntArray, _integers(vt, triangles))
        self._set(prim, "extent", types.Float3Array, _vectors(vt.Vec3fArray, extent))
        self._set(prim, "subdivisionScheme", types.Token, "none", uniform=True)
        normal = self._set(prim, "normals", types.Normal3fArray, _vectors(vt.Vec3fArray, facing))
        normal.SetInfo("interpolation", "uniform")
        texture = surface.uv[faces].reshape(-1, 2)
        texture = _vectors(vt.Vec2fArray, texture)
        uv = self._set(prim, "primvars:st", types.TexCoord2fArray, texture)
        uv.SetInfo("interpolation", "faceVarying")
        self._divide(prim, path, surface, faces)
        return prim

    def instancer(
        self,
        path: str,
        models: Mapping[str, Surface],
        index: Ints,
        *,
        position: Array,
        yaw_rad: Array,
        scale: Array,
    ) -> Any:
        """Add a point instancer; returns its prim.

        Args:
            path: where.
            models: prototypes by name.
            index: (N,) number of each instance's prototype.
            position: (N, 3) metres.
            yaw_rad: (N,) rotations about the vertical.
            scale: (N, 3) along the prototype's axes.
        """
        types, vt = self._types, self._vt
        prim = self._prim(path, "PointInstancer")
        # Below the instancer, where nothing draws a prototype by itself.
        self._prim(f"{path}/Prototypes", "Scope")
        targets = []
        for name, model in models.items():
            target = f"{path}/Prototypes/{name}"
            self.mesh(target, model, np.arange(len(model.faces)))
            targets.append(target)
        relation = self._sdf.RelationshipSpec(prim, "prototypes", custom=False)
        relation.targetPathList.explicitItems = [self._sdf.Path(target) for target in targets]
        turn = np.column_stack(
            [np.zeros((len(index), 2)), np.sin(yaw_rad / 2), np.cos(yaw_rad / 2)]
        )
        self._set(prim, "protoIndices", types.IntArray, _integers(vt, index))
        self._set(prim, "positions", types.Point3fArray, _vectors(vt.Vec3fArray, position))
        self._set(prim, "scales", types.Float3Array, _vectors(vt.Vec3fArray, scale))
        # Readers of OpenUSD before 24.03 know the halves only; the others prefer the floats.
        halves = vt.QuathArray.FromNumpy(turn.astype(np.float16))
        floats = vt.QuatfArray.FromNumpy(turn.astype(np.float32))
        self._set(prim, "orientations", types.QuathArray, halves)
        self._set(prim, "orientationsf", types.QuatfArray, floats)
        extent = _vectors(vt.Vec3fArray, _extent(models, index, position, yaw_rad, scale))
        self._set(prim, "extent", types.Float3Array, extent)
        return prim

    def number(self, prim: Any, ids: Ints) -> None:
        """Give the instances of an instancer their object ids."""
        self._set(prim, "ids", self._types.Int64Array, self._vt.Int64Array.FromNumpy(ids))

    def column(self, prim: Any, name: str, values: NDArray[Any]) -> None:
        """Give each instance of an instancer a whole number, as ``primvars:vasgen:NAME``."""
        attribute = self._set(
            prim, f"primvars:vasgen:{name}", self._types.IntArray, _integers(self._vt, values)
        )
        attribute.SetInfo("interpolation", "varying")

    def label(self, prim: Any, *classes: str) -> None:
        """Say what a prim is, in UsdSemantics."""
        self._apply(prim, "SemanticsLabelsAPI:class")
        tokens = self._vt.TokenArray(classes)
        self._set(prim, "semantics:labels:class", self._types.TokenArray, tokens, uniform=True)

    def record(self, prim: Any, record: Record) -> None:
        """Say what is known of a prim, as attributes ``vasgen:KEY``."""
        kinds = {int: self._types.Int, float: self._types.Double, str: self._types.String}
        for key, value in record.items():
            self._set(prim, f"vasgen:{key}", kinds[type(value)], value, custom=True)

    def paint(self) -> None:
        """Add the materials that meshes are bound to, as preview surfaces."""
        self._prim("/City/Materials", "Scope")
        types = self._types
        for look in (self._palette[index] for index in sorted(self._looks)):
            path = _material(look)
            material, shader = self._prim(path, "Material"), self._prim(f"{path}/Surface", "Shader")
            output = self._set(material, "outputs:surface", types.Token, None)
            output.connectionPathList.explicitItems = [
                self._sdf.Path(f"{path}/Surface.outputs:surface")
            ]
            colour = self._gf.Vec3f(*look.base_color)
            self._set(shader, "info:id", types.Token, "UsdPreviewSurface", uniform=True)
            self._set(shader, "inputs:diffuseColor", types.Color3f, colour)
            self._set(shader, "inputs:roughness", types.Float, look.roughness)
            self._set(shader, "inputs:metallic", types.Float, look.metallic)
            self._set(shader, "outputs:surface", types.Token, None)

    def save(self, path: Path) -> None:
        """Write the file."""
        self._layer.Export(str(path))

    def _divide(self, mesh: Any, path: str, surface: Surface, faces: Ints) -> None:
        """A subset of the mesh for each finish; together they are all of its faces."""
        family = "subsetFamily:materialBind:familyType"
        types = self._types
        self._set(mesh, family, types.Token, "partition", uniform=True)
        place = np.argsort(faces)
        for finish in by_finish(surface, faces):
            prim = self._prim(f"{path}/{finish.name}", "GeomSubset")
            inside = place[np.searchsorted(faces, finish.faces, sorter=place)]
            self._set(prim, "elementType", types.Token, "face", uniform=True)
            self._set(prim, "familyName", types.Token, "materialBind", uniform=True)
            self._set(prim, "indices", types.IntArray, _integers(self._vt, np.sort(inside)))
            self._bind(prim, finish)

    def _bind(self, prim: Any, finish: Finished) -> None:
        self._looks.add(finish.visual)
        self._apply(prim, "MaterialBindingAPI")
        binding = self._sdf.RelationshipSpec(prim, "material:binding", custom=False)
        target = self._sdf.Path(_material(self._palette[finish.visual]))
        binding.targetPathList.explicitItems = [target]
        self.label(prim, finish.semantic.name.lower())
        self.record(prim, {"radio_material": finish.radio})

    def _prim(self, path: str, kind: str) -> Any:
        parent, name = path.rsplit("/", 1)
        above = self._layer.GetPrimAtPath(parent) if parent else self._layer
        return self._sdf.PrimSpec(above, name, self._sdf.SpecifierDef, kind)

    def _set(
        self,
        prim: Any,
        name: str,
        kind: Any,
        value: Any,
        *,
        uniform: bool = False,
        custom: bool = False,
    ) -> Any:
        vary = self._sdf.VariabilityUniform if uniform else self._sdf.VariabilityVarying
        attribute = self._sdf.AttributeSpec(prim, name, kind, vary, declaresCustom=custom)
        if value is not None:
            attribute.default = value
        return attribute

    def _apply(self, prim: Any, schema: str) -> None:
        applied = prim.GetInfo("apiSchemas").prependedItems if prim.HasInfo("apiSchemas") else []
        schemas = self._sdf.TokenListOp()
        schemas.prependedItems = [*applied, schema]
        prim.SetInfo("apiSchemas", schemas)


def _vectors(kind: Any, values: Array) -> Any:
    return kind.FromNumpy(np.ascontiguousarray(values, dtype=np.float32))


def _integers(vt: Any, values: NDArray[Any]) -> Any:
    return vt.IntArray.FromNumpy(np.ascontiguousarray(values, dtype=np.int32).reshape(-1))


def _material(look: VisualMaterial) -> str:
    return f"/City/Materials/{look.name.replace('-', '_')}"


def _extent(
    models: Mapping[str, Surface], index: Ints, position: Array, yaw_rad: Array, scale: Array
) -> Array:
    """(2, 3) a box around all instances: around the turned boxes of their prototypes."""
    boxes = np.array([[m.vertices.min(axis=0), m.vertices.max(axis=0)] for m in models.values()])
    ends = boxes[index] * scale[:, None]
    x, y, z = np.moveaxis(ends, 2, 0)
    cosine, sine = np.cos(yaw_rad)[:, None, None], np.sin(yaw_rad)[:, None, None]
    across = x[:, :, None] * cosine - y[:, None, :] * sine
    along = x[:, :, None] * sine + y[:, None, :] * cosine
    corners = [across.reshape(len(index), -1), along.reshape(len(index), -1), z]
    placed = [p + position[:, i, None] for i, p in enumerate(corners)]
    return np.array([[p.min() for p in placed], [p.max() for p in placed]])
