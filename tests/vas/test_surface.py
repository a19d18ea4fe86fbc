import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, street_canyon, view
from vasgen.camera import Camera
from vasgen.errors import InputError
from vasgen.raycast import RayCaster
from vasgen.vas.surfaces.surface import RAY_EPSILON
from vasgen.vas.surfaces.visible import visible_surface

PLACES = [np.zeros(3), np.array([5000.0, -5000.0, 120.0])]


@pytest.mark.parametrize("shift", PLACES)
def test_footprint_corners_project_to_the_corners_of_their_pixel(shift):
    scene = moved(street_canyon(), shift)
    caster, camera, depth, normal = view(scene, shift + [-60, -50, 55], shift, 80, 60)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    # Windows of all cells, unless they were cut for being seen too obliquely or for a border.
    whole = np.flatnonzero(surface.windows.cell < 0)
    pixels, z = camera.project(surface.corners[whole])
    row, column = np.divmod(surface.pixel[whole], camera.width)
    centre = np.stack([column + 0.5, row + 0.5], axis=-1)
    assert (z > 0).all()
    assert np.abs(pixels.mean(axis=1) - centre).max() < 1e-3
    extent = np.ptp(pixels, axis=1)
    assert np.median(extent) == pytest.approx(1.0, abs=1e-3)
    assert extent.max() < 1.0 + 1e-3


@pytest.mark.parametrize("shift", PLACES)
def test_lattice_pixels_keep_their_centre(shift):
    scene = moved(street_canyon(), shift)
    caster, camera, depth, normal = view(scene, shift + [-60, -50, 55], shift, 80, 60)
    surface = visible_surface(camera, depth, normal, "lattice", caster)
    pixels, _ = camera.project(surface.corners)
    row, column = np.divmod(surface.pixel, camera.width)
    centre = np.stack([column + 0.5, row + 0.5], axis=-1)
    # One corner of every quarter is the back-projected centre of the pixel that owns it; a
    # pixel cut off from all its neighbours has its own footprint instead.
    miss = np.abs(pixels - centre[:, None]).max(axis=-1).min(axis=1)
    assert (miss < 1e-3).mean() > 0.98
    assert miss.max() < 0.5 + 1e-3


@pytest.mark.parametrize("kind", ["footprint", "lattice"])
def test_area_of_a_plane_seen_from_above(kind):
    scene = bundle(ground(100.0))
    caster, camera, depth, normal = view(scene, [3, -2, 40], [3, -2, 0], 64, 48)
    surface = visible_surface(camera, depth, normal, kind, caster)
    pixel_m = 40 / camera.intrinsics[0, 0]
    columns, rows = (64, 48) if kind == "footprint" else (63, 47)
    assert surface.quad_area.sum() == pytest.approx(columns * rows * pixel_m**2, rel=1e-5)
    inner = surface.pixel_area.reshape(48, 64)[1:-1, 1:-1]
    assert inner == pytest.approx(np.full(inner.shape, pixel_m**2), rel=1e-4)


@pytest.mark.parametrize("kind", ["footprint", "lattice"])
def test_quads_face_the_camera_and_never_bridge_a_depth_jump(kind):
    scene = bundle(box("near", (6, 6, 6), (0, 0, 3)), ground(80.0))
    caster, camera, depth, normal = view(scene, [-20, -16, 14], [0, 0, 3], 96, 72)
    surface = visible_surface(camera, depth, normal, kind, caster)
    away = surface.quad_centres - camera.position
    assert (np.einsum("ij,ij->i", away, surface.normal) < 0).all()
    edges = np.linalg.norm(np.diff(surface.corners, axis=1, append=surface.corners[:, :1]), axis=2)
    # The ground behind the box lies metres further away than its edge.
    typical = np.nanmax(depth) / camera.intrinsics[0, 0]
    slant = np.abs(np.einsum("ij,ij->i", away, surface.normal)) / np.linalg.norm(away, axis=1)
    assert (edges.max(axis=1) < 3 * typical / np.maximum(slant, 0.02)).all()


def test_footprints_of_a_crease_stay_in_front_of_both_surfaces():
    wall = rectangle("wall", [(20, 5, 0), (-20, 5, 0), (-20, 5, 15), (20, 5, 15)])
    scene = bundle(ground(40.0), wall)
    caster, camera, depth, normal = view(scene, [-8, -20, 9], [0, 5, 0], 96, 72)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    cell = np.nanmax(depth[normal[..., 1] < -0.5]) / camera.intrinsics[0, 0] / 3
    on_wall = surface.normal[:, 1] < -0.5
    assert surface.corners[on_wall, :, 2].min() > -cell
    near_wall = np.abs(surface.quad_centres[:, 0]) < 15
    on_ground = (surface.normal[:, 2] > 0.5) & near_wall
    # A third of a pixel seen obliquely is longer by 1 / sin(elevation).
    elevation = 9 / 27
    assert surface.corners[on_ground, :, 1].max() < 5 + cell / elevation


@pytest.mark.parametrize("kind", ["footprint", "lattice"])
def test_every_visible_pixel_has_area_and_no_other(kind):
    scene = street_canyon()
    caster, camera, depth, normal = view(scene, [-60, -50, 30], [0, 0, 8], 80, 60)
    assert np.isnan(depth).any(), "the view must contain sky"
    surface = visible_surface(camera, depth, normal, kind, caster)
    assert ((surface.pixel_area > 0) == np.isfinite(depth).ravel()).all()


@pytest.mark.parametrize("shift", PLACES)
def test_offset_exceeds_twice_the_ray_epsilon(shift):
    caster, camera, depth, normal = view(
        moved(street_canyon(), shift), shift + [-60, -50, 55], shift
    )
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    offset = surface.offset_m(shift)
    reach = np.abs(surface.corners - shift).max(axis=(1, 2))
    assert (offset >= 2 * RAY_EPSILON * (1 + reach) - 1e-12).all()
    assert offset.max() < 0.05, "near the view the receiver stays within 5 cm of the surface"


def test_layers_of_another_size_are_refused():
    scene = bundle(ground(10.0))
    caster = RayCaster(scene)
    camera = Camera.look_at([0, 0, 5], [0, 0, 0], width=8, height=6)
    with pytest.raises(InputError, match="do not fit a camera of 8x6"):
        visible_surface(
            camera, np.ones((3, 3), np.float32), np.ones((3, 3, 3), np.float32), "footprint", caster
        )
