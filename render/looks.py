"""How every face of a scene looks: reflectance and roughness at any point on it.

One table answers both the path tracer and the exact layers, so that the albedo layer
holds what the picture was lit with. Textures are packed to 32 bits a texel (red, green
and blue with gamma 2, roughness), lie in one array, repeat, and are read bilinearly.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.bundle import SceneBundle, VisualMaterial
from vasgen.render.textures import RECIPES, Texture, build_texture
from vasgen.seeding import stream

Array = NDArray[np.float64]

#: Strength of the colour differences between objects that share a material, by the
#: first part of the recipe's name. Ground is one continuous surface: none.
_TINT = {"plain": 0.10, "foliage": 0.16, "facade": 0.07, "roof": 0.10, "bark": 0.10, "wall": 0.07}


#: Recipes without structure of a certain size, and by which factor their coordinates shrink
#: where they vary themselves.
_NATURAL = frozenset({"asphalt", "grass", "soil", "roof-gravel"})
_LARGE = 0.137


#: Textures painted at a time; each needs some 50 MB while it is painted.
_THREADS = 4


class _Faces(NamedTuple):
    material: NDArray[np.uint32]
    tint: NDArray[np.float32]
    uv: NDArray[np.float32]


class _Device(NamedTuple):
    """The tables in device memory."""

    texels: Any
    offset: Any
    table: Any
    material: Any
    tint: Any


class Looks:
    """Appearance of all faces of a bundle; face indices are those of its face table.

    Attributes:
        uv: (F, 3, 2) float32 corner coordinates in tiles: a texture covers [0, 1).
    """

    def __init__(self, bundle: SceneBundle) -> None:
        self._materials = bundle.visual_materials
        self._textures = _textures_of(bundle)
        self._faces = _face_looks(bundle)
        self._device = self._upload()

    @property
    def uv(self) -> NDArray[np.float32]:
        """Corner coordinates in tiles, (F, 3, 2) float32."""
        return self._faces.uv

    def _upload(self) -> _Device:
        ad = _arrays()
        table = _material_table(self._materials, self._textures)
        return _Device(
            ad.UInt32(_pack(self._textures)),
            ad.UInt32(_offsets(self._textures)),
            ad.Float(table.ravel()),
            ad.UInt32(self._faces.material),
            ad.Float(self._faces.tint.ravel()),
        )

    def evaluate(self, face: Any, uv: Any) -> tuple[Any, Any, Any]:
        """Base colour, roughness and metalness at points on faces.

        Args:
            face: (N,) UInt32 face indices.
            uv: (N,) pairs of Float: coordinates in tiles.

        Returns:
            Array3f base colour in [0, 1], Float GGX roughness, Float metalness.
        """
        import drjit as dr

        ad, device = _arrays(), self._device
        material = dr.gather(ad.UInt32, device.material, face)
        constant = dr.gather(ad.Array4f, device.table, 2 * material)
        more = dr.gather(ad.Array4f, device.table, 2 * material + 1)
        metallic, size, ground, natural = more.x, ad.UInt32(more.y), more.z, more.w > 0
        textured = size > 0
        offset = dr.gather(ad.UInt32, device.offset, material)
        texel = self._bilinear(offset, size, ground, uv, textured)
        value = dr.select(textured, texel, constant)
        # Ground that repeats every few metres shows from the air: the same texture, much
        # enlarged, varies it.
        large = self._bilinear(offset, size, ground, uv * _LARGE + 0.5, textured & natural)
        varied = dr.select(natural, large.xyz / dr.maximum(constant.xyz, 1e-3), 1)
        tint = dr.gather(ad.Array3f, device.tint, face)
        return dr.clip(value.xyz * varied * tint, 0, 1), value.w, metallic

    def at(
        self, face: NDArray[np.int64], uv: Array
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """:meth:`evaluate` for numpy arrays: (N, 3), (N,) and (N,) float32.

        Args:
            face: (N,) face indices.
            uv: (N, 2) coordinates in tiles.
        """
        ad = _arrays()
        point = ad.Array2f(np.ascontiguousarray(uv.T, np.float32))
        base, roughness, metallic = self.evaluate(ad.UInt32(face.astype(np.uint32)), point)
        return np.array(base).T, np.array(roughness), np.array(metallic)

    def _bilinear(self, offset: Any, size: Any, ground: Any, uv: Any, active: Any) -> Any:
        """Four texels around a point; the ground floor's rows do not repeat upward."""
        import drjit as dr

        ad = _arrays()
        edge = ad.Float(size)
        above = (uv.y - ground) / (1 - ground)
        repeated = ground + (1 - ground) * (above - dr.floor(above))
        v = dr.select((ground > 0) & (uv.y < ground), dr.maximum(uv.y, 0), repeated)
        x, y = (uv.x - dr.floor(uv.x)) * edge - 0.5, v * edge - 0.5
        left, low = dr.floor(x), dr.floor(y)
        wide, tall = x - left, y - low
        last = ad.Int32(size) - 1
        x0, x1 = ad.Int32(left), ad.Int32(left) + 1
        y0, y1 = ad.Int32(low), ad.Int32(low) + 1
        x0, x1 = dr.select(x0 < 0, last, x0), dr.select(x1 > last, 0, x1)
        y0 = dr.select(y0 < 0, dr.select(ground > 0, 0, last), y0)
        y1 = dr.select(y1 > last, ad.Int32(ground * edge), y1)

        def tap(column: Any, row: Any) -> Any:
            index = offset + ad.UInt32(row) * size + ad.UInt32(column)
            return _unpack(dr.gather(ad.UInt32, self._device.texels, index, active))

        bottom = dr.lerp(tap(x0, y0), tap(x1, y0), wide)
        top = dr.lerp(tap(x0, y1), tap(x1, y1), wide)
        return dr.lerp(bottom, top, tall)


def _arrays() -> Any:
    """Dr.Jit's array types on this machine's backend, the same in every Mitsuba variant."""
    # Asking for the backend also chooses the LLVM library, before drjit is imported.
    cuda = runtime.backend() == "cuda"
    import drjit.cuda.ad
    import drjit.llvm.ad

    return drjit.cuda.ad if cuda else drjit.llvm.ad


def _textures_of(bundle: SceneBundle) -> list[Texture | None]:
    """A texture per visual material that some face uses; None where plain or unused."""
    used = set(np.unique(bundle.face_table.visual).tolist())

    def build(index: int) -> Texture | None:
        material = bundle.visual_materials[index]
        shown = index in used and _recipe(material) != "plain"
        return build_texture(material) if shown else None

    # NumPy lets go of the interpreter lock while it computes.
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(build, range(len(bundle.visual_materials))))


def _recipe(material: VisualMaterial) -> str:
    return material.recipe if material.recipe in RECIPES else "plain"


def _face_looks(bundle: SceneBundle) -> _Faces:
    table = bundle.face_table
    recipes = [_recipe(material) for material in bundle.visual_materials]
    tile = np.array([RECIPES[recipe].tile for recipe in recipes])
    strength = np.array([_TINT.get(recipe.split("-")[0], 0.0) for recipe in recipes])
    facade = np.array([recipe.startswith("facade-") for recipe in recipes])
    ids, which = np.unique(table.instance, return_inverse=True)
    tints, bays = _object_variation(ids)
    visual = table.visual.astype(np.int64)
    uv = table.corner_uv.astype(np.float64)
    uv[..., 0] += np.where(facade[visual], bays[which], 0)[:, None]
    uv /= tile[visual][:, None, None]
    uv -= _whole_tiles(uv, visual, facade)[:, None]
    tint = 1 + strength[visual][:, None] * tints[which]
    return _Faces(visual.astype(np.uint32), tint.astype(np.float32), uv.astype(np.float32))


def _whole_tiles(uv: Array, visual: NDArray[np.int64], facade: NDArray[np.bool_]) -> Array:
    """What to take off the coordinates of every face, (F, 2): float32 keeps small ones best.

    Of a facade the columns of each face; its rows count from the ground floor. Of other
    materials what all their faces have in common, as they may share one surface.
    """
    low = np.floor(uv.min(axis=1))
    common = np.full((len(facade), 2), np.inf)
    np.minimum.at(common, visual, low)
    own = np.column_stack([low[:, 0], np.zeros(len(low))])
    return np.where(facade[visual][:, None], own, common[visual])


def _object_variation(ids: NDArray[np.int32]) -> tuple[Array, Array]:
    """Per object: a colour offset, (N, 3) in [-1.2, 1.2], and a shift in whole bays."""
    tints, bays = np.zeros((len(ids), 3)), np.zeros(len(ids))
    for row, instance in enumerate(ids.tolist()):
        if instance:
            random = stream(0, "look", instance)
            brightness, warmth = random.uniform(-1, 1), random.uniform(-0.2, 0.2)
            tints[row] = brightness + warmth * np.array([1.0, 0.0, -1.0])
            bays[row] = random.integers(0, 8)
    return tints, bays


def _pack(textures: list[Texture | None]) -> NDArray[np.uint32]:
    parts = [texture.packed().ravel() for texture in textures if texture is not None]
    return np.concatenate(parts) if parts else np.zeros(1, np.uint32)


def _offsets(textures: list[Texture | None]) -> NDArray[np.uint32]:
    lengths = [0 if texture is None else texture.size**2 for texture in textures]
    return np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.uint32)


def _material_table(
    materials: tuple[VisualMaterial, ...], textures: list[Texture | None]
) -> NDArray[np.float32]:
    """(M, 8): colour, roughness; metalness, texture size, share of ground floor, natural."""
    rows = [
        [
            *material.base_color,
            material.roughness,
            material.metallic,
            texture.size if texture else 0,
            texture.ground if texture else 0.0,
            float(texture is not None and material.recipe in _NATURAL),
        ]
        for material, texture in zip(materials, textures, strict=True)
    ]
    return np.array(rows, np.float32)


def _unpack(word: Any) -> Any:
    ad = _arrays()
    red, green, blue, roughness = (
        ad.Float((word >> shift) & 0xFF) * (1 / 255) for shift in (0, 8, 16, 24)
    )
    return ad.Array4f(red * red, green * green, blue * blue, roughness)
