"""Small scenes, what a camera sees of them, and the maps that the tracer makes of that."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from validation.theory import Slab
from vasgen.antenna import Antenna
from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
from vasgen.camera import Camera
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.surfaces.surface import ReceiverSurface
from vasgen.vas.surfaces.visible import visible_surface

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Settings from which each case takes what it needs: nothing is on.
NOTHING = RadioSpec(
    solver="coverage",
    line_of_sight=False,
    specular_reflection=False,
    refraction=False,
    diffraction=False,
    max_depth=1,
)

ORIGIN = np.zeros(3)
#: Ten kilometres from the origin.
FAR = np.array([8000.0, -6000.0, 50.0])


def place_name(shift: Array) -> str:
    """What a place is called in the tables."""
    return "10 km away" if shift.any() else "origin"


def part(name: str, vertices: Array, faces: NDArray[Any], slab: Slab) -> Mesh:
    """A mesh of one material, and an object of its own."""
    count = len(faces)
    return Mesh(
        name,
        material_name(slab),
        vertices,
        np.asarray(faces, np.int32),
        np.full(count, SemanticClass.WALL),
        np.full(count, zlib.crc32(name.encode()) % 30_000 + 1),
        np.zeros(count, np.uint16),
        np.zeros((count, 3, 2), np.float32),
    )


def rectangle(name: str, corners: ArrayLike, slab: Slab) -> Mesh:
    """Two triangles over four corners in order."""
    return part(name, np.asarray(corners, np.float64), np.array([[0, 1, 2], [0, 2, 3]]), slab)


def wedge_mesh(edge: Array, along: Array, sides: tuple[Array, Array], slab: Slab) -> Mesh:
    """Two faces that share one long edge: nothing else diffracts.

    Args:
        edge: (3,) its middle.
        along: (3,) vector from its middle to its end.
        sides: vectors from the edge to the far ends of the faces.
        slab: of both.
    """
    low, high = edge - along, edge + along
    vertices = [low, high, *(end + side for side in sides for end in (low, high))]
    faces = np.array([[0, 1, 3], [0, 3, 2], [1, 0, 4], [1, 4, 5]])
    return part("wedge", np.array(vertices), faces, slab)


def material_name(slab: Slab) -> str:
    """Name of a slab in a scene."""
    return f"{slab.material}-{1000 * slab.thickness_m:g}mm"


def scene_of(meshes: Sequence[Mesh], slabs: Sequence[Slab], shift: Array = ORIGIN) -> SceneBundle:
    """A scene, moved through the world."""
    scene = SceneBundle(
        "validation",
        tuple(meshes),
        tuple(
            RadioMaterial(material_name(slab), slab.material, slab.thickness_m)
            for slab in dict.fromkeys(slabs)
        ),
        (VisualMaterial("plain"),),
    )
    return moved(scene, shift)


def moved(scene: SceneBundle, shift: Array) -> SceneBundle:
    """The same scene elsewhere in the world."""
    if not shift.any():
        return scene
    meshes = tuple(
        Mesh(
            mesh.name,
            mesh.radio_material,
            mesh.vertices + shift,
            mesh.faces,
            mesh.face_class,
            mesh.face_instance,
            mesh.face_visual,
            mesh.corner_uv,
        )
        for mesh in scene.meshes
    )
    return SceneBundle(scene.name, meshes, scene.radio_materials, scene.visual_materials)


class Map(NamedTuple):
    """What the tracer says about one view.

    Attributes:
        surface: the receivers.
        gain: (T, P) path gain, linear; zero where no path arrives.
        error: (T, P) its stated standard error, linear.
        visible: (T, P) whether a pixel sees the transmitter.
        tracer: that made it.
        view: its camera, depth and normals.
    """

    surface: ReceiverSurface
    gain: Array
    error: Array
    visible: Bools
    tracer: Tracer
    view: View

    @property
    def centre(self) -> Array:
        """Middle of every pixel on the surface, (P, 3) world metres; NaN for sky."""
        return self._by_pixel(self.surface.centres.point)

    @property
    def normal(self) -> Array:
        """Normal of every pixel, (P, 3); NaN for sky."""
        return self._by_pixel(self.surface.centres.normal)

    def whole(self) -> Bools:
        """Pixels that lie on one plane and are seen at their full size, (P,)."""
        windows, count = self.surface.windows, np.zeros(self.surface.num_pixels, bool)
        if windows is None:
            return np.asarray(self.surface.pixel_area > 0)
        count[self.surface.pixel[(windows.cell < 0) & (windows.zoom == 1)]] = True
        return count

    def mean_of(self, formula: Callable[[Array], Array], pixels: Bools, per_side: int = 3) -> Array:
        """Mean of a formula over the footprints of some pixels, (number of them,).

        Args:
            formula: path gain of points, (N,) from (N, 3).
            pixels: (P,) which.
            per_side: points along each side of a quad.
        """
        quads = np.flatnonzero(pixels[self.surface.pixel])
        points = self.surface.sample_points(per_side, quads)
        value = formula(points.reshape(-1, 3)).reshape(len(quads), -1).mean(axis=1)
        owner = self.surface.pixel[quads]
        weight = self.surface.quad_area[quads] / self.surface.pixel_area[owner]
        total = np.bincount(owner, weight * value, self.surface.num_pixels)
        return np.asarray(total[pixels], np.float64)

    def _by_pixel(self, values: Array) -> Array:
        found = np.full((self.surface.num_pixels, 3), np.nan)
        found[self.surface.centres.pixel] = values
        return found


class Eye(NamedTuple):
    """A camera of a case.

    Attributes:
        position: where it stands.
        target: what it looks at.
        width, height: pixels.
        fov_deg: its horizontal field of view.
    """

    position: Array | tuple[float, ...]
    target: Array | tuple[float, ...]
    width: int
    height: int
    fov_deg: float = 60.0

    def moved(self, shift: Array) -> Eye:
        """The same camera elsewhere."""
        return self._replace(
            position=np.asarray(self.position) + shift, target=np.asarray(self.target) + shift
        )

    def of_size(self, factor: float) -> Eye:
        """The same view in more or fewer pixels."""
        return self._replace(width=round(self.width * factor), height=round(self.height * factor))


def transmitters(position: Array | tuple[float, ...], polarizations: str) -> list[Transmitter]:
    """Isotropic transmitters at one place, one for each letter."""
    place = tuple(float(x) for x in position)
    return [
        Transmitter(
            letter,
            (place[0], place[1], place[2]),
            antenna=Antenna.model_validate({"polarization": letter}),
        )
        for letter in polarizations
    ]


def look(scene: SceneBundle, eye: Eye) -> tuple[RayCaster, View]:
    """Exact depth and normals of a view, by the ray caster alone."""
    caster = RayCaster(scene)
    camera = Camera.look_at(
        tuple(map(float, eye.position)),
        tuple(map(float, eye.target)),
        width=eye.width,
        height=eye.height,
        fov_deg=eye.fov_deg,
    )
    rays = camera.rays().reshape(-1, 3)
    hits = caster.intersect(camera.position, rays)
    seen = hits.face >= 0
    normal = caster.faces.normal[hits.face]
    normal = normal * -np.sign(np.einsum("ij,ij->i", normal, rays))[:, None]
    shape = (camera.height, camera.width)
    depth = np.where(seen, hits.distance, np.nan).reshape(shape)
    facing = np.where(seen[:, None], normal, np.nan).reshape(*shape, 3)
    return caster, View(camera, depth.astype(np.float32), facing.astype(np.float32))


def trace(
    scene: SceneBundle,
    eye: Eye,
    spec: RadioSpec,
    sources: Sequence[Transmitter],
    *,
    seed: int = 0,
) -> Map:
    """The map of one view."""
    caster, view = look(scene, eye)
    tracer = Tracer(scene, spec, caster=caster)
    layers = tracer.trace_views([view], sources, seed=seed)[0]
    gain = np.where(layers.reached, 10 ** (layers.path_gain_db.astype(np.float64) / 10), 0.0)
    error_db = np.where(layers.reached, layers.standard_error_db, 0.0).astype(np.float64)
    error = gain * (10 ** (error_db / 10) - 1)
    rows = len(sources)
    return Map(
        visible_surface(*view, spec.surface, caster),
        gain.reshape(rows, -1),
        error.reshape(rows, -1),
        layers.line_of_sight.reshape(rows, -1),
        tracer,
        view,
    )
