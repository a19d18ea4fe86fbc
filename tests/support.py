"""Small scenes with known answers, shared by the tests of several rooms."""

import numpy as np
import trimesh

from vasgen.bundle import Mesh, RadioMaterial, SceneBundle, VisualMaterial
from vasgen.camera import Camera
from vasgen.raycast import RayCaster
from vasgen.semantics import SemanticClass

MATERIALS = {
    name: RadioMaterial(name, name, thickness)
    for name, thickness in [
        ("concrete", 0.3),
        ("metal", 0.1),
        ("brick", 0.2),
        ("glass", 0.03),
        ("very_dry_ground", 1.0),
    ]
}


def mesh(name, vertices, faces, *, radio, semantic=SemanticClass.WALL, instance=1):
    """A labelled mesh with one class and instance."""
    count = len(faces)
    return Mesh(
        name,
        radio,
        np.asarray(vertices, np.float64),
        np.asarray(faces),
        np.full(count, semantic),
        np.full(count, instance),
        np.zeros(count),
        np.zeros((count, 3, 2)),
    )


def box(name, size, centre, *, radio="concrete", instance=1):
    """A closed box."""
    solid = trimesh.creation.box(size)
    return mesh(
        name,
        solid.vertices + np.asarray(centre, float),
        solid.faces,
        radio=radio,
        instance=instance,
    )


def ridge(name, length, width, height, *, radio="concrete", instance=1):
    """A closed wedge-shaped wall: one sharp edge along x at the top, so one edge diffracts."""
    x, y = length / 2, width / 2
    corners = [(-x, -y, 0), (x, -y, 0), (x, y, 0), (-x, y, 0), (-x, 0, height), (x, 0, height)]
    hull = trimesh.convex.convex_hull(np.array(corners))
    return mesh(name, hull.vertices, hull.faces, radio=radio, instance=instance)


def rectangle(name, corners, *, radio="concrete", semantic=SemanticClass.WALL, instance=1):
    """Two triangles over four corners in order; the normal follows the right-hand rule."""
    return mesh(
        name, corners, [[0, 1, 2], [0, 2, 3]], radio=radio, semantic=semantic, instance=instance
    )


def ground(half, z=0.0, centre=(0.0, 0.0), *, radio="very_dry_ground"):
    """A horizontal square facing up."""
    x, y = centre
    corners = [
        (x - half, y - half, z),
        (x + half, y - half, z),
        (x + half, y + half, z),
        (x - half, y + half, z),
    ]
    return rectangle("ground", corners, radio=radio, semantic=SemanticClass.GROUND, instance=99)


def bundle(*meshes, name="test"):
    """A scene of some meshes."""
    radio = tuple(MATERIALS[key] for key in sorted({m.radio_material for m in meshes}))
    return SceneBundle(name, tuple(meshes), radio, (VisualMaterial("plain"),))


def moved(scene, shift):
    """The same scene elsewhere in the world."""
    meshes = [
        Mesh(
            m.name,
            m.radio_material,
            m.vertices + shift,
            m.faces,
            m.face_class,
            m.face_instance,
            m.face_visual,
            m.corner_uv,
        )
        for m in scene.meshes
    ]
    return SceneBundle(scene.name, tuple(meshes), scene.radio_materials, scene.visual_materials)


def street_canyon():
    """Six buildings of three materials on a ground plane, about 120 m across."""
    blocks = [
        ((24, 18, 20), (-30, 22, 10), "concrete"),
        ((20, 18, 32), (-2, 22, 16), "brick"),
        ((22, 18, 14), (28, 22, 7), "glass"),
        ((26, 16, 26), (-28, -18, 13), "brick"),
        ((18, 16, 12), (0, -18, 6), "concrete"),
        ((24, 16, 22), (30, -18, 11), "concrete"),
    ]
    solids = [
        box(f"building-{i}", size, centre, radio=radio, instance=i + 1)
        for i, (size, centre, radio) in enumerate(blocks)
    ]
    return bundle(ground(70.0), *solids)


def exact_view(caster, camera):
    """Depth (float32) and normal (float32) of a view, straight from the ray caster."""
    rays = camera.rays().reshape(-1, 3)
    hits = caster.intersect(camera.position, rays)
    seen = hits.face >= 0
    normal = caster.faces.normal[hits.face]
    normal = normal * -np.sign(np.einsum("ij,ij->i", normal, rays))[:, None]
    shape = (camera.height, camera.width)
    depth = np.where(seen, hits.distance, np.nan).reshape(shape)
    normal = np.where(seen[:, None], normal, np.nan).reshape(*shape, 3)
    return depth.astype(np.float32), normal.astype(np.float32)


def view(scene, position, target, width=32, height=24, fov_deg=60.0):
    """Caster, camera, depth and normal of a scene from a position."""
    caster = RayCaster(scene)
    camera = Camera.look_at(position, target, width=width, height=height, fov_deg=fov_deg)
    return caster, camera, *exact_view(caster, camera)


def solid_angle(corners, eye):
    """Solid angle of a planar quadrilateral, steradians (Van Oosterom and Strackee 1983)."""
    total = 0.0
    for a, b, c in ((0, 1, 2), (0, 2, 3)):
        r = np.asarray([corners[a], corners[b], corners[c]], float) - eye
        length = np.linalg.norm(r, axis=1)
        numerator = np.linalg.det(r)
        denominator = (
            length.prod()
            + r[0] @ r[1] * length[2]
            + r[1] @ r[2] * length[0]
            + r[2] @ r[0] * length[1]
        )
        total += 2 * np.arctan2(numerator, denominator)
    return abs(total)
