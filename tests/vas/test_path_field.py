"""Fields of paths: against Sionna's materials, closed forms, images and the path solver."""

import numpy as np
import pytest
import trimesh

from tests.support import MATERIALS, box, bundle, ground, rectangle, ridge
from tests.vas.hand_made import NO_WEDGES, points_of
from tests.vas.test_diffraction import diffraction
from tests.vas.test_legs import Walk, paths_of
from vasgen.antenna import Antenna
from vasgen.bundle import RadioMaterial, SceneBundle
from vasgen.errors import InputError
from vasgen.layers import MECHANISMS
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.paths import path_field
from vasgen.vas.paths.path_field import material_table, mechanism_gains, path_fields, path_gains
from vasgen.vas.paths.paths import Chains, Event, Paths
from vasgen.vas.scene.field import radiated_field
from vasgen.vas.scene.planes import Planes, find_facets
from vasgen.vas.scene.radio_scene import FreeSpace, RadioScene
from vasgen.vas.scene.wedges import Wedges, find_wedges
from vasgen.vas.surfaces.surface import Target

SPEED_OF_LIGHT = 299_792_458.0
FAR = np.array([6000.0, -8000.0, 0.0])
METAL = [RadioMaterial("metal", "metal", 0.1)]
GROUND = Planes(np.array([[0.0, 0.0, 1.0]]), np.array([0.0]))


def radio_at(source, frequency_hz=3.5e9, polarization="V", orientation_deg=(0.0, 0.0, 0.0)):
    """Free space with a transmitter of one element."""
    radio = FreeSpace(frequency_hz, np.asarray(source, float))
    antenna = Antenna(polarization=polarization)
    position = tuple(map(float, source))
    radio.set_transmitter(
        Transmitter("tx", position, orientation_deg=orientation_deg, antenna=antenna)
    )
    return radio


def hand_made(source, ends, letters, planes=GROUND, wedges=NO_WEDGES, element=0):
    """Paths to all ends by one chain at plane and wedge 0 of material 0."""
    columns = ["RTD".index(letter) for letter in letters]
    chains = Chains(
        np.array([columns], np.int8),
        np.full((1, len(columns)), element, np.int32),
        np.zeros((1, len(columns)), np.int32),
    )
    points = points_of(np.arange(len(ends)), position=ends)
    number = np.arange(len(ends), dtype=np.int32)
    source = np.asarray(source, float)
    return Paths(source, points, chains, planes, wedges, number, 0 * number)


def complex_fields(radio, materials, paths, spec=None):
    """Components along theta and phi, (N, 2) complex, and lengths, (N,)."""
    spec = spec or RadioSpec(frequency_hz=float(radio.scene.frequency[0]))
    fields = path_fields(radio, material_table(materials, spec), paths)
    field = np.array(fields.field, np.float64)
    return (field[:2] + 1j * field[2:]).T, np.array(fields.length)


# Slabs, against the materials of the ray tracer


@pytest.mark.parametrize("polarization", ["V", "H", "VH"])
@pytest.mark.parametrize("ghz", [0.7, 3.5, 28])
def test_chains_of_slabs_act_like_the_materials_of_the_ray_tracer(ghz, polarization):
    random = np.random.default_rng(int(10 * ghz))
    kinds = ["".join(random.choice(["R", "T"], size=n)) for n in random.integers(0, 7, 200)]
    source = np.array([5.0, 6.0, 7.0])
    walks = [Walk(kind, source, random) for kind in kinds]
    paths = paths_of(walks)
    names = sorted(MATERIALS)
    material = random.integers(0, len(names), paths.chains.event.shape)
    material = np.where(paths.chains.event < 0, -1, material).astype(np.int32)
    chains = Chains(paths.chains.event, paths.chains.element, material)
    paths = Paths(
        source, paths.points, chains, paths.planes, paths.wedges, paths.point, paths.chain
    )
    rough = [RadioMaterial(n, n, MATERIALS[n].thickness_m, 1, 0, 0.3) for n in names[:1]]
    materials = [*rough, *(MATERIALS[n] for n in names[1:])]
    spec = RadioSpec(frequency_hz=ghz * 1e9, scattering_coefficient=0.1)
    tiles = [
        rectangle(n, [(10 * i + x, y, 0) for x, y in [(-4, -4), (4, -4), (4, 4), (-4, 4)]], radio=n)
        for i, n in enumerate(names)
    ]
    plain = bundle(*tiles)
    scene = SceneBundle("tiles", plain.meshes, tuple(materials), plain.visual_materials)
    radio = RadioScene(scene, spec, np.zeros(3))
    radio.set_transmitter(
        Transmitter("tx", tuple(source), antenna=Antenna(polarization=polarization))
    )
    ours, length = complex_fields(radio, materials, paths, spec)
    expected = ray_tracers_field(radio, paths, np.array([w.departure for w in walks]))
    expected *= SPEED_OF_LIGHT / spec.frequency_hz / (4 * np.pi * length[:, None])
    free = SPEED_OF_LIGHT / spec.frequency_hz / (4 * np.pi * length)
    assert (np.abs(expected).max(axis=1) > 0.01 * free).sum() > 60
    error = np.abs(ours - expected).max(axis=1) / free
    assert np.quantile(error, 0.9) < 1e-6
    assert error.max() < 1e-3  # several slabs at grazing incidence, in single precision


def ray_tracers_field(radio, paths, departure):
    """The field behind each chain by Sionna's materials on tiles beside each other, (N, 2)."""
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.constants import InteractionType

    direction = mi.Vector3f(np.ascontiguousarray(departure.T, np.float32))
    field = radiated_field(radio, direction)
    solver, count = radio.rt.RadioMapSolver(), len(paths)
    for place in range(paths.chains.event.shape[1]):
        event, element, material = (
            column[:, place]
            for column in (paths.chains.event, paths.chains.element, paths.chains.material)
        )
        active = mi.Bool(event >= 0)
        above = mi.Point3f(mi.Float(10.0 * material + 0.5), 0.7, 3.0)
        hit = radio.scene.mi_scene.ray_intersect(mi.Ray3f(above, mi.Vector3f(0, 0, -1)), active)
        normal = paths.planes.normal[np.maximum(element, 0)]
        hit.n = mi.Normal3f(np.ascontiguousarray(normal.T, np.float32))
        kind = np.where(
            event == Event.REFLECTION,
            int(InteractionType.SPECULAR),
            int(InteractionType.REFRACTION),
        )
        sample, (field,) = solver._sample_radio_material(
            hit,
            direction,
            [mi.Vector4f(field)],
            mi.Float(1.0),
            dr.full(mi.Float, 0.5, count),
            mi.Point2f(0.5),
            mi.UInt32(kind.astype(np.uint32)),
            active,
        )
        direction = dr.select(active, sample.wo, direction)
    field = np.array(field, np.float64)
    return (field[:2] + 1j * field[2:]).T


# Mirrors, against closed forms


@pytest.mark.parametrize("polarization", ["V", "H"])
@pytest.mark.parametrize("ghz", [0.7, 3.5, 28])
@pytest.mark.parametrize("shift", [np.zeros(3), FAR])
def test_two_rays_over_ground_interfere_as_in_closed_form(shift, ghz, polarization):
    """Amplitude, phase and delay of the direct ray and of that off a half space, 20 m to 9 km."""
    random = np.random.default_rng(3)
    count, height, index = 300, 12.0, 7.0 - 4.0j
    azimuth, distance = random.uniform(0, 2 * np.pi, count), np.geomspace(20, 9000, count)
    ends = np.stack(
        [distance * np.cos(azimuth), distance * np.sin(azimuth), random.uniform(1, 30, count)], 1
    )
    source = shift + [0, 0, height]
    frequency = ghz * 1e9
    conductivity = 4.0 * 2 * np.pi * frequency * 8.8541878128e-12
    soil = [RadioMaterial("soil", None, 20.0, 7.0, conductivity)]
    radio = radio_at(source, frequency, polarization)
    direct, direct_m = complex_fields(radio, soil, hand_made(source, ends + shift, ""))
    mirrored, mirrored_m = complex_fields(radio, soil, hand_made(source, ends + shift, "R"))

    rise = np.array([ends[:, 2] - height, ends[:, 2] + height])
    length = np.hypot(distance, rise)
    assert np.abs(np.array([direct_m, mirrored_m]) - length).max() / SPEED_OF_LIGHT < 1e-14
    cosine = rise[1] / length[1]
    root = np.sqrt(index - (1 - cosine**2))
    if polarization == "V":
        factor = (index * cosine - root) / (index * cosine + root)
    else:
        factor = (cosine - root) / (cosine + root)
    wavelength = SPEED_OF_LIGHT / frequency
    phase = np.exp(-2j * np.pi * length / wavelength)
    expected = wavelength / (4 * np.pi * length) * phase
    expected = expected[0] + factor * expected[1]
    lengths = np.array([direct_m, mirrored_m])
    turned = np.exp(-2j * np.pi * lengths / wavelength)
    found = direct * turned[0, :, None] + mirrored * turned[1, :, None]
    along, across = found.T if polarization == "V" else found.T[::-1]
    scale = wavelength / (4 * np.pi * length[0])
    assert (np.abs(along - expected) < 1e-4 * scale).all()
    assert (np.abs(across) < 1e-6 * scale).all()


def test_what_scatters_is_reflected_less_and_passes_whole():
    source, ends = np.array([0.0, 0, 5]), np.array([[20.0, 3, 4], [-6, 9, 2]])
    smooth = RadioMaterial("glass", "glass", 0.02)
    rough = RadioMaterial("glass", "glass", 0.02, 1, 0, 0.6)
    radio = radio_at(source)
    for letter, factor in (("R", 0.8), ("T", 1.0)):
        paths = hand_made(source, ends, letter)
        (field, _), (less, _) = (complex_fields(radio, [m], paths) for m in (smooth, rough))
        assert less == pytest.approx(factor * field, rel=1e-5)
        spec = RadioSpec(scattering_coefficient=0.6)
        assert complex_fields(radio, [smooth], paths, spec)[0] == pytest.approx(less, rel=1e-5)


# Edges, against the estimator of diffraction and against images


@pytest.mark.parametrize("shift", [np.zeros(3), FAR / 2])
@pytest.mark.parametrize("radio_material", ["concrete", "metal"])
@pytest.mark.parametrize("ghz", [0.7, 28])
def test_diffracted_paths_are_as_strong_as_the_estimator_says(ghz, radio_material, shift):
    walls = [ridge("wall", 60, 3, 15, radio=radio_material), box("block", (9, 7, 12), (30, 30, 6))]
    scene = bundle(*walls, ground(5.0, centre=(900.0, 0.0)))
    spec = RadioSpec(frequency_hz=ghz * 1e9)
    random = np.random.default_rng(6)
    source = np.array([2.0, -25.0, 4.0])
    solver, radio = diffraction(scene, source, spec, np.zeros(3))
    ends = random.uniform([-30, -50, 1], [50, 60, 30], (200, 3))
    gains = solver.gains(Target(ends, np.zeros((200, 3))))
    wedge, point = np.nonzero(gains)
    assert len(wedge) > 100

    flip = random.random(len(solver.wedges)) < 0.5
    wedges = solver.wedges.swapped(flip)
    wedges = Wedges(wedges.origin + shift, *list(vars(wedges).values())[1:])
    count = len(wedges)
    chains = Chains(
        np.full((count, 1), Event.DIFFRACTION, np.int8),
        np.arange(count, dtype=np.int32)[:, None],
        wedges.material.astype(np.int32)[:, None],
    )
    paths = Paths(
        source + shift,
        points_of(np.arange(200), position=ends + shift),
        chains,
        GROUND,
        wedges,
        point.astype(np.int32),
        wedge.astype(np.int32),
    )
    ours = path_gains(radio, material_table(scene.radio_materials, spec), paths)
    assert ours == pytest.approx(gains[wedge, point], rel=2e-3)


@pytest.mark.parametrize("ghz", [0.7, 28])
@pytest.mark.parametrize("polarization", ["V", "H"])
def test_an_edge_and_a_mirror_are_an_edge_and_an_image(polarization, ghz):
    """Behind a wall of metal stands an image, of the antenna or of the point.

    Below a floor of metal the image of a vertical field keeps its sign in spherical
    coordinates, and a horizontal one changes it.
    """
    frequency, sign = ghz * 1e9, {"V": 1, "H": -1}[polarization]
    random = np.random.default_rng(8)
    below = np.array([1, 1, -1])
    source, ends = np.array([-15.0, 2, 6]), random.uniform([2, -9, 1], [30, 9, 9], (60, 3))
    edge = np.array([[0.0, -40, 12]])
    wedge = Wedges(
        edge,
        np.array([[0.0, 1, 0]]),
        np.array([80.0]),
        np.array([[-1.0, 0, 0.2]]) / np.hypot(1, 0.2),
        np.array([[0.3, 0, 1.0]]) / np.hypot(1, 0.3),
        np.zeros(1, int),
    )
    materials = [*METAL, RadioMaterial("concrete", "concrete", 0.2)]

    def fields(source, ends, letters):
        radio = radio_at(source, frequency, polarization)
        paths = hand_made(source, ends, letters, wedges=wedge)
        material = np.where(paths.chains.event == Event.DIFFRACTION, 1, 0).astype(np.int32)
        chains = Chains(paths.chains.event, paths.chains.element, material)
        paths = Paths(source, paths.points, chains, GROUND, wedge, paths.point, paths.chain)
        return complex_fields(radio, materials, paths)

    before, length = fields(source, ends, "RD")
    image, same = fields(source * below, ends, "D")
    scale = np.abs(image).max(axis=1, keepdims=True)
    assert length == pytest.approx(same, abs=1e-9)
    assert (np.abs(before - sign * image) < 2e-3 * scale).all()

    behind, length = fields(source, ends, "DR")
    image, same = fields(source, ends * below, "D")
    scale = np.abs(image).max(axis=1, keepdims=True)
    assert length == pytest.approx(same, abs=1e-9)
    assert (np.abs(behind - [1, -1] * image) < 2e-3 * scale).all()


# All of it, against the path solver


def test_amplitudes_delays_and_angles_are_those_of_the_path_solver():
    walls = [
        rectangle("long", [(-25, 9, 0), (30, 9, 0), (30, 9, 14), (-25, 9, 14)], radio="brick"),
        rectangle("pane", [(6, -9, 0), (8, 9, 0), (8, 9, 14), (6, -9, 14)], radio="glass"),
        box("block", (8, 6, 9), (-6, -5, 4.5), radio="concrete"),
    ]
    scene = bundle(ground(60.0, radio="concrete"), *walls)
    spec = RadioSpec(max_depth=3)
    radio = RadioScene(scene, spec, np.zeros(3))
    source = np.array([-14.0, 1.0, 6.0])
    position, turn = tuple(map(float, source)), (30.0, 20.0, 50.0)
    radio.set_transmitter(Transmitter("tx", position, orientation_deg=turn))
    ends = np.array([[15.0, 2, 3], [-1, 5, 8], [3, -4, 2], [-9, -12, 2]])
    found = solved(radio, ends, spec)
    paths = paths_by_vertices(scene, source, ends, found)
    event = paths.chains.event
    # Behind an edge Sionna 2.2.0 measures legs wrongly if the path has fewer events than it may.
    on = (event[:, :-1] == Event.DIFFRACTION) & (event[:, 1:] != Event.NONE)
    paths, found = (
        taken(part, ~on.any(axis=1) | (event[:, -1] != Event.NONE)) for part in (paths, found)
    )
    mixed = (event == Event.DIFFRACTION).any(1) & (event == Event.REFLECTION).any(1)
    assert mixed[paths.chain].sum() > 40
    assert (np.bincount(paths.mechanism) > [1, 1, 20, 60]).all()

    fields = path_fields(radio, material_table(scene.radio_materials, spec), paths)
    field = np.array(fields.field, np.float64)
    field = (field[:2] + 1j * field[2:]).T * [1, -1]  # the receiver looks against the wave
    assert np.abs(np.array(fields.length) / SPEED_OF_LIGHT - found["tau"]).max() < 1e-13
    bent = paths.mechanism == MECHANISMS.index("diffraction")
    for name in ("departure", "arrival"):
        error = np.abs(np.array(getattr(fields.legs, name)).T - found[name]).max(axis=1)
        assert error[~bent].max() < 2e-5, name
        assert error[bent].max() < 5e-4, name
    error = np.abs(field - found["a"]).max(axis=1) / np.linalg.norm(found["a"], axis=1)
    assert np.median(error) < 1e-4
    assert error.max() < 0.01


def solved(radio, ends, spec):
    """Sionna's paths to points: amplitudes at V and H, delays, directions, what they meet."""
    radio.scene.rx_array = radio.rt.PlanarArray(
        num_rows=1,
        num_cols=1,
        vertical_spacing=0.5,
        horizontal_spacing=0.5,
        pattern="iso",
        polarization="VH",
    )
    for number, end in enumerate(ends):
        radio.scene.add(radio.rt.Receiver(name=f"rx-{number}", position=end.tolist()))
    paths = radio.rt.PathSolver()(
        radio.scene,
        max_depth=spec.max_depth,
        samples_per_src=300_000,
        los=True,
        specular_reflection=True,
        refraction=True,
        diffuse_reflection=False,
        diffraction=True,
        synthetic_array=True,
        seed=1,
    )
    count, depth = len(ends), spec.max_depth
    real, imag = (np.array(part, np.float64).reshape(count, 2, -1) for part in paths.a)
    each = real.shape[-1]
    a = np.moveaxis(real + 1j * imag, 1, 2).reshape(-1, 2)
    departure, towards = (
        directions(*(np.array(angle, np.float64).ravel() for angle in angles))
        for angles in ((paths.theta_t, paths.phi_t), (paths.theta_r, paths.phi_r))
    )
    keep = np.linalg.norm(a, axis=1) > 1e-8
    return {
        "point": np.repeat(np.arange(count), each)[keep],
        "a": a[keep],
        "tau": np.array(paths.tau, np.float64).ravel()[keep],
        "departure": departure[keep],
        "arrival": -towards[keep],
        "kinds": np.array(paths.interactions).reshape(depth, -1).T[keep],
        "vertices": np.array(paths.vertices, np.float64).reshape(depth, -1, 3).swapaxes(0, 1)[keep],
    }


def taken(paths, keep):
    """Some of the paths, ours or Sionna's."""
    if isinstance(paths, Paths):
        return paths.take(keep)
    return {name: values[keep] for name, values in paths.items()}


def directions(theta, phi):
    return np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], 1)


def paths_by_vertices(scene, source, ends, found):
    """The same paths: the planes and wedges that Sionna's vertices lie on."""
    facets, wedges = find_facets(scene), find_wedges(scene)
    event = np.select([found["kinds"] == k for k in (1, 4, 8)], [0, 1, 2], -1).astype(np.int8)
    element, material = np.full(event.shape, -1, np.int32), np.full(event.shape, -1, np.int32)
    triangles = scene.face_table.triangles
    for row, place in np.argwhere(event >= 0):
        vertex = found["vertices"][row, place]
        if event[row, place] == Event.DIFFRACTION:
            reach = vertex - wedges.origin
            share = np.clip(np.einsum("wc,wc->w", reach, wedges.along), 0, wedges.length)
            miss = np.linalg.norm(reach - share[:, None] * wedges.along, axis=1)
            number, of = miss.argmin(), wedges.material
        else:
            near = trimesh.triangles.closest_point(triangles, np.tile(vertex, (len(triangles), 1)))
            face = np.linalg.norm(near - vertex, axis=1).argmin()
            number, of = facets.plane[face], dict(zip(facets.plane, facets.material, strict=True))
        element[row, place], material[row, place] = number, of[number]
    number = np.arange(len(event), dtype=np.int32)
    points = points_of(np.arange(len(ends)), position=ends)
    chains = Chains(event, element, material)
    point = found["point"].astype(np.int32)
    return Paths(source, points, chains, facets.planes, wedges, point, number)


# Sums, tiles and the unusual


def many_paths():
    """Paths to three pixels, of all mechanisms."""
    random = np.random.default_rng(2)
    walks = [Walk(k, np.array([1.0, 2, 3]), random) for k in ["", "T", "R", "RT", "TT", "R"] * 4]
    paths = paths_of(walks)
    pixel = np.sort(random.integers(0, 3, len(walks)))
    points = points_of(pixel, random.random(len(walks)), paths.points.target.point)
    return Paths(
        paths.source, points, paths.chains, paths.planes, paths.wedges, paths.point, paths.chain
    )


def test_mechanisms_are_sums_of_paths_and_tiles_leave_no_trace(monkeypatch):
    paths, radio = many_paths(), radio_at([1, 2, 3])
    table = material_table([RadioMaterial("brick", "brick", 0.2)], RadioSpec())
    gains = path_gains(radio, table, paths)
    expected = np.zeros((len(MECHANISMS), 4))
    where = (paths.mechanism, paths.points.pixel[paths.point])
    np.add.at(expected, where, gains * paths.points.weight[paths.point])
    assert (expected.sum(axis=1) > 0).tolist() == [True, True, True, False, False]
    assert (expected[:, :3].sum(axis=0) > 0).all()
    assert mechanism_gains(radio, table, paths, 4) == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr(path_field, "PATHS_AT_ONCE", 7)
    assert path_gains(radio, table, paths) == pytest.approx(gains, rel=1e-6)
    assert mechanism_gains(radio, table, paths, 4) == pytest.approx(expected, rel=1e-6)


def test_no_paths_are_no_power():
    radio, paths = radio_at([1, 2, 3]), many_paths()
    none = paths.take(np.zeros(len(paths), bool))
    table = material_table([RadioMaterial("brick", "brick", 0.2)], RadioSpec())
    assert path_gains(radio, table, none).shape == (0,)
    assert not mechanism_gains(radio, table, none, 5).any()
    field, length = complex_fields(radio, METAL, none)
    assert field.shape == (0, 2)
    assert length.shape == (0,)


@pytest.mark.parametrize("thickness_m", [0.0, 0.1, 50.0])
@pytest.mark.parametrize("letters", ["", "R", "T", "RT", "D", "RD", "DR"])
def test_no_field_is_ever_infinite_or_none(letters, thickness_m):
    """Points in the antenna, in a mirror, on an edge; rays along a face; antennas on an edge."""
    faces = [np.array([v]) for v in ([-1.0, 0, 0], [0.0, 0, 1])]
    wedge = Wedges(
        np.zeros((1, 3)), np.array([[0.0, 1, 0]]), np.array([9.0]), *faces, np.zeros(1, int)
    )
    rows = [[0, 0, 0], [0, 2, 0], [5, 0, 0], [0, 0, 5], [-3, 1, 0], [0, 0, -1e-9], [1e5, 0, 1e-7]]
    materials = [
        [RadioMaterial("metal", "metal", thickness_m)],
        [RadioMaterial("air", None, thickness_m, 1.0, 0.0)],
        [RadioMaterial("concrete", "concrete", thickness_m)],
    ]
    for source in np.array(rows, float):
        radio = radio_at(source)
        paths = hand_made(source, np.array(rows, float), letters, wedges=wedge)
        for material in materials:
            field, length = complex_fields(radio, material, paths)
            assert np.isfinite(field).all()
            assert np.isfinite(length).all()


def test_a_frequency_beyond_a_material_is_refused_if_one_asks_for_it():
    spec = RadioSpec(frequency_hz=28e9, undefined_materials="refuse")
    with pytest.raises(InputError, match=r"28 GHz, but ITU-R P\.2040 defines 'very_dry_ground'"):
        material_table([MATERIALS["very_dry_ground"]], spec)
