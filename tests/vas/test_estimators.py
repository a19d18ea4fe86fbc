"""Direct path and counted rays against closed forms."""

import numpy as np
import pytest

from tests.support import box, bundle, ground, moved, rectangle, solid_angle, view
from vasgen.antenna import ANTENNAS, Antenna
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.counting.coverage import Audience, trace_coverage
from vasgen.vas.counting.direct import trace_direct
from vasgen.vas.scene.radio_scene import RadioScene
from vasgen.vas.surfaces.visible import visible_surface

SPEED_OF_LIGHT = 299_792_458.0
PLACES = [np.zeros(3), np.array([5000.0, -5000.0, 0.0])]


def setting(
    scene,
    camera_at,
    target,
    transmitter_at,
    spec,
    size=(40, 30),
    kind="footprint",
    antenna=ANTENNAS["siso"],
):
    """Radio scene, surface and transmitter position of one view."""
    caster, camera, depth, normal = view(scene, camera_at, target, *size)
    surface = visible_surface(camera, depth, normal, kind, caster)
    radio = RadioScene(scene, spec, np.median(surface.quad_centres, axis=0))
    place = tuple(map(float, transmitter_at))
    radio.set_transmitter(Transmitter("tx", place, antenna=antenna))
    return radio, surface, np.asarray(transmitter_at, float)


def friis(distance, frequency_hz):
    return (SPEED_OF_LIGHT / frequency_hz / (4 * np.pi * distance)) ** 2


def energy(gain, surface, position):
    """Received power times wavelength-free factors: the solid angle it should add up to."""
    towards = position - surface.quad_centres
    distance = np.linalg.norm(towards, axis=1)
    cosine = np.abs(np.einsum("ij,ij->i", towards, surface.normal)) / distance
    return (gain[surface.pixel] * surface.quad_area * cosine).sum()


@pytest.mark.parametrize("shift", PLACES)
@pytest.mark.parametrize("frequency_hz", [0.9e9, 3.5e9, 28e9])
def test_direct_energy_is_the_solid_angle_of_the_wall(shift, frequency_hz):
    corners = np.array([(6, 0, 0), (-6, 0, 0), (-6, 0, 9), (6, 0, 9)], float) + shift
    scene = bundle(rectangle("wall", corners, radio="metal" if frequency_hz < 1e9 else "concrete"))
    spec = RadioSpec(frequency_hz=max(frequency_hz, 1e9))
    radio, surface, position = setting(
        scene, shift + [0, -16, 5], shift + [0, 0, 4.5], shift + [3, -30, 2], spec, (160, 120)
    )
    gain = trace_direct(radio, surface, position).gain
    wavelength = SPEED_OF_LIGHT / spec.frequency_hz
    expected = (wavelength / (4 * np.pi)) ** 2 * solid_angle(corners, position)
    assert 10 * np.log10(energy(gain, surface, position) / expected) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("shift", PLACES)
@pytest.mark.parametrize("kind", ["footprint", "lattice"])
def test_counted_line_of_sight_has_the_energy_of_friis(shift, kind):
    corners = np.array([(6, 0, 0), (-6, 0, 0), (-6, 0, 9), (6, 0, 9)], float) + shift
    scene = bundle(rectangle("wall", corners))
    spec = RadioSpec(rays=4_000_000, max_depth=0)
    radio, surface, position = setting(
        scene, shift + [0, -16, 5], shift + [0, 0, 4.5], shift + [3, -30, 2], spec, kind=kind
    )
    counted = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=True
    )[0].gain
    exact = trace_direct(radio, surface, position).gain
    ratio = energy(counted, surface, position) / energy(exact, surface, position)
    assert 10 * np.log10(ratio) == pytest.approx(0, abs=0.1)
    lit = exact > 0
    assert (counted[lit] > 0).all(), "no pixel of a lit wall may stay empty"


def test_direct_path_needs_the_visible_side_and_a_clear_way():
    screen = box("screen", (8, 0.5, 12), (0, -15, 6))
    scene = bundle(ground(40.0), screen)
    spec = RadioSpec()
    radio, surface, position = setting(scene, [0, 0.1, 60], [0, 0, 0], [0, -30, 6], spec, (80, 60))
    direct = trace_direct(radio, surface, position)
    x, y, z = surface.quad_centres.T
    flat = surface.normal[:, 2] > 0.5
    # The shadow of the screen on the ground: a wedge behind it, up to its height's reach.
    half = 4 * (y + 30) / 14.75
    shadow = flat & (z < 0.01) & (y > -14) & (np.abs(x) < half - 1)
    lit = flat & (z < 0.01) & ((np.abs(x) > half + 1) | (y < -17))
    assert shadow.sum() > 100
    assert not direct.visible[surface.pixel[shadow]].any()
    assert direct.visible[surface.pixel[lit]].all()
    distance = np.linalg.norm(surface.quad_centres - position, axis=1)
    share = surface.quad_area / surface.pixel_area[surface.pixel]
    expected = surface.sum_by_pixel(share * friis(distance, spec.frequency_hz))
    pixel = surface.pixel[lit]
    error_db = 10 * np.log10(direct.gain[pixel] / expected[pixel])
    assert np.abs(np.median(error_db)) < 0.02
    # Under the transmitter a footprint of a metre spans a range of distances.
    assert np.quantile(np.abs(error_db), 0.99) < 0.2


def test_array_gain_follows_the_closed_form_array_factor():
    scene = bundle(rectangle("wall", [(0, 30, -10), (0, -30, -10), (0, -30, 20), (0, 30, 20)]))
    spec = RadioSpec()
    row = Antenna(rows=1, columns=4, horizontal_spacing=0.5)
    radio, surface, position = setting(
        scene, [-40, 0, 5], [0, 0, 5], [-20, 0, 5], spec, (180, 120), antenna=row
    )
    gain = trace_direct(radio, surface, position).gain
    offset = surface.quad_centres - position
    distance = np.linalg.norm(offset, axis=1)
    # Elements stand along y, half a wavelength apart; uniform weights of total power one.
    phase = np.pi * offset[:, 1] / distance
    factor = np.abs(np.exp(1j * phase[:, None] * np.arange(4)).sum(axis=1)) ** 2 / 4
    expected = factor * friis(distance, spec.frequency_hz)
    main_lobe = factor > 0.5
    error_db = 10 * np.log10(gain[surface.pixel[main_lobe]] / expected[main_lobe])
    assert np.abs(np.median(error_db)) < 0.03
    assert np.quantile(np.abs(error_db), 0.95) < 0.3


@pytest.mark.parametrize("shift", PLACES)
@pytest.mark.parametrize("frequency_hz", [3.5e9, 28e9])
def test_metal_wall_shows_the_mirror_image(shift, frequency_hz):
    """Behind a mirror stands an image source: the ground receives Friis from there."""
    wall = rectangle(
        "wall",
        np.array([(40, 10, 0), (-40, 10, 0), (-40, 10, 60), (40, 10, 60)]) + shift,
        radio="metal",
    )
    floor = rectangle(
        "floor",
        np.array([(-8, -8, 0), (8, -8, 0), (8, 4, 0), (-8, 4, 0)]) + shift,
        radio="concrete",
        instance=2,
    )
    scene = bundle(wall, floor)
    spec = RadioSpec(frequency_hz=frequency_hz, rays=6_000_000, max_depth=1, refraction=False)
    position = shift + [2.0, -6.0, 5.0]
    radio, surface, _ = setting(
        scene, shift + [0, -4, 30], shift + [0, -3, 0], position, spec, (24, 18)
    )
    coverage = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=1, line_of_sight=False
    )[0]
    image = position * [1, -1, 1] + [0, 2 * (10 + shift[1]), 0]
    on_floor = surface.normal[:, 2] > 0.5
    expected = friis(np.linalg.norm(surface.quad_centres - image, axis=1), frequency_hz)
    gain = coverage.gain[surface.pixel]
    total_db = 10 * np.log10(gain[on_floor].sum() / expected[on_floor].sum())
    assert total_db == pytest.approx(0, abs=0.1)
    error = np.abs(gain - expected) / np.sqrt(coverage.variance[surface.pixel])
    assert np.quantile(error[on_floor], 0.95) < 2.5


@pytest.mark.parametrize("radio_material", ["concrete", "metal"])
def test_a_surface_does_not_receive_its_own_reflection(radio_material):
    wall = rectangle("wall", [(8, 0, 0), (-8, 0, 0), (-8, 0, 12), (8, 0, 12)], radio=radio_material)
    scene = bundle(wall)
    spec = RadioSpec(rays=1_000_000, max_depth=2, refraction=False)
    radio, surface, _ = setting(scene, [0, -15, 6], [0, 0, 6], [2, -12, 2], spec)
    coverage = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=False
    )[0]
    assert coverage.gain.max() == 0.0


def test_chunks_refine_and_the_standard_error_is_honest():
    wall = rectangle(
        "wall", [(40, 10, 0), (-40, 10, 0), (-40, 10, 60), (40, 10, 60)], radio="metal"
    )
    floor = rectangle("floor", [(-8, -8, 0), (8, -8, 0), (8, 4, 0), (-8, 4, 0)], instance=2)
    scene = bundle(wall, floor)
    position = np.array([2.0, -6.0, 5.0])
    image = np.array([2.0, 26.0, 5.0])

    def errors(rays, chunks, seed):
        spec = RadioSpec(rays=rays, chunks=chunks, max_depth=1, refraction=False)
        radio, surface, _ = setting(scene, [0, -4, 30], [0, -3, 0], position, spec, (120, 90))
        coverage = trace_coverage(
            radio, Audience([surface], radio.centre), spec, seed=seed, line_of_sight=False
        )[0]
        floor_quads = np.flatnonzero(surface.normal[:, 2] > 0.5)
        expected = friis(np.linalg.norm(surface.quad_centres[floor_quads] - image, axis=1), 3.5e9)
        pixel = surface.pixel[floor_quads]
        difference = coverage.gain[pixel] - expected
        return (
            np.sqrt(np.mean((difference / expected) ** 2)),
            difference,
            np.sqrt(coverage.variance[pixel]),
        )

    few, *_ = errors(200_000, 2, seed=0)
    many, difference, error = errors(3_200_000, 32, seed=0)
    assert many < few / 2.5, "sixteen times the rays in chunks must gain about four"
    # A shifted lattice is more even than Poisson hits: the stated error is a safe bound.
    spread = np.std(difference[error > 0] / error[error > 0])
    assert 0.2 < spread < 1.2


def test_same_seed_same_map_and_another_seed_another():
    scene = bundle(ground(30.0), box("house", (8, 8, 10), (4, 4, 5), radio="metal"))
    spec = RadioSpec(rays=200_000, max_depth=3)
    radio, surface, _ = setting(scene, [-20, -20, 25], [0, 0, 2], [-6, 5, 1.6], spec)
    one, again, other = (
        trace_coverage(
            radio, Audience([surface], radio.centre), spec, seed=seed, line_of_sight=False
        )[0].gain.astype(np.float32)
        for seed in (7, 7, 8)
    )
    assert one.tobytes() == again.tobytes()
    assert (one != other).any()


def test_scene_far_away_gives_the_map_of_the_origin():
    scene = bundle(ground(30.0), box("house", (8, 8, 10), (4, 4, 5)))
    spec = RadioSpec(rays=1_000_000, max_depth=3)
    totals = []
    for shift in (np.zeros(3), np.array([10_000.0, 10_000.0, 0.0])):
        radio, surface, _ = setting(
            moved(scene, shift),
            shift + [-20, -20, 25],
            shift + [0, 0, 2],
            shift + [-6, 5, 1.6],
            spec,
        )
        totals.append(
            trace_coverage(
                radio, Audience([surface], radio.centre), spec, seed=3, line_of_sight=False
            )[0].gain.sum()
        )
    assert 10 * np.log10(totals[1] / totals[0]) == pytest.approx(0, abs=0.1)


def test_the_standard_error_is_honest_for_cells_of_every_size():
    """Pixels cut by a border have smaller footprints, so fewer hits of greater weight."""
    wall = rectangle(
        "wall", [(40, 10, 0), (-40, 10, 0), (-40, 10, 60), (40, 10, 60)], radio="metal"
    )
    floor = rectangle("floor", [(-8, -8, 0), (7, -7, 0), (8, 4, 0), (-7, 5, 0)], instance=2)
    scene = bundle(wall, floor)
    spec = RadioSpec(rays=300_000, max_depth=1, refraction=False)
    radio, surface, _ = setting(
        scene, [1, -4, 30], [1, -3, 0], np.array([2.0, -6.0, 5.0]), spec, (60, 45)
    )
    runs = [
        trace_coverage(
            radio, Audience([surface], radio.centre), spec, seed=seed, line_of_sight=False
        )[0]
        for seed in range(24)
    ]
    gain = np.array([run.gain for run in runs])
    stated = np.mean([run.variance for run in runs], axis=0)
    floor_pixels = np.unique(surface.pixel[surface.normal[:, 2] > 0.5])
    area = surface.pixel_area[floor_pixels]
    small = area < 0.7 * np.median(area)
    assert small.sum() > 10
    for some in (floor_pixels[small], floor_pixels[~small]):
        assert gain[:, some].var(axis=0, ddof=1).mean() < 1.6 * stated[some].mean()


def test_a_turned_antenna_turns_its_pattern():
    """The 38.901 element has 8 dBi on boresight; yaw and downtilt move it."""
    scene = bundle(
        rectangle("wall", [(-9, 40, -30), (9, 40, -30), (9, 40, 30), (-9, 40, 30)][::-1])
    )
    spec = RadioSpec()
    element = Antenna(pattern="tr38901")
    caster, camera, depth, normal = view(scene, [0, -40, 0], [0, 40, 0], 60, 60)
    surface = visible_surface(camera, depth, normal, "footprint", caster)
    radio = RadioScene(scene, spec, np.zeros(3))
    position = np.array([0.0, 0.0, 10.0])
    elevation = np.degrees(np.arctan2(surface.quad_centres[:, 2] - 10, surface.quad_centres[:, 1]))
    for tilt in (0.0, 15.0):
        turned = Transmitter(
            "tx", tuple(position), orientation_deg=(90.0, tilt, 0.0), antenna=element
        )
        radio.set_transmitter(turned)
        gain = trace_direct(radio, surface, position).gain[surface.pixel]
        distance = np.linalg.norm(surface.quad_centres - position, axis=1)
        directivity = 10 * np.log10(gain / friis(distance, spec.frequency_hz))
        assert directivity.max() == pytest.approx(8.0, abs=0.1)
        strongest = directivity > directivity.max() - 0.05
        assert elevation[strongest].mean() == pytest.approx(-tilt, abs=2.0)


def test_rays_from_behind_do_not_count():
    """A pane that rays pass: seen from one side, it receives from that side only."""
    pane = bundle(rectangle("pane", [(4, 0, 0), (-4, 0, 0), (-4, 0, 6), (4, 0, 6)], radio="glass"))
    spec = RadioSpec(rays=400_000, max_depth=3)
    gains = []
    for side in (1, -1):
        radio, surface, _ = setting(pane, [0, -12, 3], [0, 0, 3], [1, -9 * side, 3], spec)
        coverage = trace_coverage(
            radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=True
        )[0]
        gains.append(coverage.gain.sum())
    assert gains[0] > 0
    assert gains[1] == 0


@pytest.mark.parametrize("away_m", [20.0, 80.0, 200.0])
def test_a_layer_behind_the_visible_one_is_another_surface(away_m):
    """Glass a centimetre and a half before metal: rays that pass the pane hit its back only."""
    corners = np.array([(4, 0, 0), (-4, 0, 0), (-4, 0, 6), (4, 0, 6)], float)
    scene = bundle(
        rectangle("pane", corners, radio="glass"),
        rectangle("wall", corners + [0, 0.015, 0], radio="metal", instance=2),
    )
    spec = RadioSpec(rays=400_000, max_depth=1)
    radio, surface, _ = setting(scene, [0, -away_m, 3], [0, 0, 3], [1, -9, 3], spec)
    coverage = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=False
    )[0]
    assert coverage.gain.sum() == 0


@pytest.mark.parametrize("kind", ["footprint", "lattice"])
@pytest.mark.parametrize("thickness_m", [0.001, 0.004, 0.02])
def test_what_comes_through_a_thin_pane_is_not_counted_on_its_front_again(kind, thickness_m):
    """Behind the visible face, a few millimetres away, there is another that rays meet."""
    scene = bundle(box("pane", (10, thickness_m, 10), (0, 0, 0), radio="glass"))
    spec = RadioSpec(rays=1_000_000, max_depth=3)
    radio, surface, position = setting(
        scene, [0, -20, 0], [0, 0, 0], [1, -12, 1], spec, (24, 18), kind
    )
    counted = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=True
    )[0].gain
    exact = trace_direct(radio, surface, position).gain
    assert counted[surface.pixel].sum() == pytest.approx(exact[surface.pixel].sum(), rel=0.01)


def test_diffuse_scattering_is_lambertian():
    """A metal wall that scatters all: the floor receives the integral over the wall."""
    wall = rectangle("wall", [(3, 0, 0), (-3, 0, 0), (-3, 0, 6), (3, 0, 6)], radio="metal")
    floor = rectangle(
        "floor", [(-4, -10, 0), (4, -10, 0), (4, -2, 0), (-4, -2, 0)], radio="concrete", instance=2
    )
    spec = RadioSpec(
        rays=4_000_000,
        max_depth=1,
        specular_reflection=False,
        refraction=False,
        diffuse_reflection=True,
        scattering_coefficient=1.0,
    )
    scene, position = bundle(wall, floor), np.array([0.5, -7.0, 4.0])
    radio, surface, _ = setting(scene, [0, -6, 25], [0, -6, 0], position, spec, (24, 24))
    coverage = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=2, line_of_sight=False
    )[0]
    on_floor = surface.normal[:, 2] > 0.5
    ticks = (np.arange(60) + 0.5) / 60
    x, z = (g.ravel() for g in np.meshgrid(-3 + 6 * ticks, 6 * ticks))
    points = np.column_stack([x, np.zeros_like(x), z])
    to_wall, area = points - position, 36 / len(points)
    r1 = np.linalg.norm(to_wall, axis=1)
    expected = np.zeros(on_floor.sum())
    for number, place in enumerate(surface.quad_centres[on_floor]):
        leg = place - points
        r2 = np.linalg.norm(leg, axis=1)
        cosines = (to_wall[:, 1] / r1) * (-leg[:, 1] / r2)
        expected[number] = (cosines / (np.pi * r1**2 * r2**2)).sum() * area
    expected *= (SPEED_OF_LIGHT / spec.frequency_hz / (4 * np.pi)) ** 2
    weight = surface.quad_area[on_floor]
    counted = coverage.gain[surface.pixel[on_floor]]
    ratio = (counted * weight).sum() / (expected * weight).sum()
    assert 10 * np.log10(ratio) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("step_m", [0.03, 0.12, 0.4])
def test_steps_smaller_than_a_pixel_do_not_dim_their_surroundings(step_m):
    """Counted direct rays against the closed form, on a kerb seen from 150 m."""
    low = rectangle("low", [(-12, 0, 0), (12, 0, 0), (12, 9, 0), (-12, 9, 0)])
    corners = np.array([(-12, 9, 0), (12, 9, 0), (12, 18, 0), (-12, 18, 0)]) + [0, 0, step_m]
    high = rectangle("high", corners, instance=2)
    riser = rectangle(
        "riser", [(-12, 9, 0), (12, 9, 0), (12, 9, step_m), (-12, 9, step_m)], instance=3
    )
    spec = RadioSpec(rays=4_000_000, max_depth=0)
    radio, surface, position = setting(
        bundle(low, high, riser), [0, -120, 90], [0, 9, 0], [2, -10, 14], spec, (96, 72)
    )
    counted = trace_coverage(
        radio, Audience([surface], radio.centre), spec, seed=0, line_of_sight=True
    )[0].gain
    exact = trace_direct(radio, surface, position).gain
    split = np.unique(surface.pixel[surface.windows.cell >= 0])
    lit = split[exact[split] > 0]
    assert len(lit) > 20
    area = surface.pixel_area[lit]
    ratio = (counted[lit] * area).sum() / (exact[lit] * area).sum()
    assert 10 * np.log10(ratio) == pytest.approx(0, abs=0.15)
