"""The surface model: no light is made, both ways are alike, and sampling knows what it does."""

import numpy as np
import pytest

from vasgen import runtime
from vasgen.render.tracing.material import evaluate, sample, surface

#: Base, roughness, metalness, whether lacquered, whether with flakes.
MATERIALS = {
    "plaster": (0.8, 0.9, 0.0, False, False),
    "white": (1.0, 1.0, 0.0, False, False),
    "glazing": (0.1, 0.1, 0.0, False, False),
    "sheet": (0.9, 0.3, 1.0, False, False),
    "solid paint": (0.68, 0.05, 0.0, True, False),
    "dusty paint": (0.3, 0.2, 0.0, True, False),
    "metallic paint": (0.3, 0.05, 0.0, True, True),
    "white metallic": (1.0, 0.12, 0.0, True, True),
}
VIEWS = (1.0, 0.95, 0.6, 0.2)


@pytest.fixture(params=MATERIALS.values(), ids=MATERIALS.keys())
def look(request):
    """Makes the material; must be called where the colour variant is on."""
    base, roughness, metallic, lacquered, flakes = request.param

    def make(mi):
        return surface(
            mi,
            mi.Color3f(base),
            mi.Float(roughness),
            mi.Float(metallic),
            lacquered=mi.Bool(lacquered),
            flakes=mi.Bool(flakes),
        )

    return make


def view(cosine):
    return np.array([np.sqrt(1 - cosine**2), 0.0, cosine])


def directions(wi):
    """All directions (3, N) and their solid angles (N,), dense around the mirrored one."""
    step = (np.arange(1000) + 0.5) / 1000
    theta, d_theta = np.pi * step**5, np.pi * 5 * step**4 / 1000
    phi = (np.arange(120) + 0.5) / 120 * 2 * np.pi
    theta, phi = np.meshgrid(theta, phi, indexing="ij")
    mirror = wi * [-1, -1, 1]
    across = np.array([mirror[2], 0.0, -mirror[0]])
    frame = np.stack([across, np.cross(mirror, across), mirror], axis=1)
    local = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    weight = np.sin(theta) * d_theta[:, None] * (2 * np.pi / 120)
    return frame @ np.stack(local).reshape(3, -1), weight.ravel()


def vectors(mi, values):
    return mi.Vector3f(np.ascontiguousarray(values, np.float32))


@pytest.mark.parametrize("cosine", VIEWS)
def test_no_surface_reflects_more_than_it_gets_and_samples_are_worth_it(look, cosine):
    rng = np.random.default_rng(0)
    count = 100_000
    wi = view(cosine)
    grid, weight = directions(wi)
    with runtime.colour_variant() as mi:
        material = look(mi)
        towards = vectors(mi, np.tile(wi[:, None], (1, grid.shape[1])))
        value, density = evaluate(mi, material, towards, vectors(mi, grid))
        reflected = np.array(value.y).astype(float) @ weight
        total = np.array(density).astype(float) @ weight
        choice, x, y = (mi.Float(rng.random(count).astype(np.float32)) for _ in range(3))
        towards = vectors(mi, np.tile(wi[:, None], (1, count)))
        wo, share = sample(mi, material, towards, choice, mi.Point2f(x, y))
        up, drawn = np.array(wo)[2] > 0, np.array(share.y).astype(float)
    assert reflected <= 1.01
    # What is not drawn above the surface is drawn below it, and lost.
    assert total == pytest.approx(up.mean(), abs=0.01)
    assert drawn.mean() == pytest.approx(reflected, rel=0.02, abs=4e-3)


def test_weights_are_values_over_densities(look):
    rng = np.random.default_rng(1)
    wi = np.stack([view(cosine) for cosine in rng.uniform(0.05, 1, 5000)], axis=1)
    with runtime.colour_variant() as mi:
        material = look(mi)
        choice, x, y = (mi.Float(rng.random(5000).astype(np.float32)) for _ in range(3))
        towards = vectors(mi, wi)
        wo, share = sample(mi, material, towards, choice, mi.Point2f(x, y))
        value, density = evaluate(mi, material, towards, wo)
        expected, density, share = (np.array(part) for part in (value.x, density, share.x))
    lit = density > 0
    assert lit.mean() > 0.9
    assert share[lit] == pytest.approx((expected / np.where(lit, density, 1))[lit], rel=1e-4)


def test_light_goes_both_ways_alike(look):
    rng = np.random.default_rng(2)
    pair = rng.normal(size=(2, 3, 4000))
    pair[1, :, 2000:] = pair[0, :, 2000:] * [[-1], [-1], [1]] + 0.05 * pair[1, :, 2000:]
    pair /= np.linalg.norm(pair, axis=1, keepdims=True)
    pair[:, 2] = np.abs(pair[:, 2])
    with runtime.colour_variant() as mi:
        material = look(mi)
        one, other = (vectors(mi, part) for part in pair)
        there, back = evaluate(mi, material, one, other)[0], evaluate(mi, material, other, one)[0]
        there, back = np.array(there.y) / pair[1, 2], np.array(back.y) / pair[0, 2]
    assert there == pytest.approx(back, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize(("lacquered", "expected"), [(True, 0.04), (False, 0.15)])
def test_a_clear_coat_mirrors_a_twenty_fifth_of_what_comes_straight(lacquered, expected):
    """Black, so that all light is the coat's: one face of index 1.5, against double glazing."""
    grid, weight = directions(view(1.0))
    with runtime.colour_variant() as mi:
        coat = surface(
            mi, mi.Color3f(0.0), mi.Float(0.05), mi.Float(0.0), lacquered=mi.Bool(lacquered)
        )
        towards = vectors(mi, np.tile(view(1.0)[:, None], (1, grid.shape[1])))
        value, _ = evaluate(mi, coat, towards, vectors(mi, grid))
        assert np.array(value.y).astype(float) @ weight == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("lean", [15.0, 25.0, 40.0])
def test_flakes_shine_around_the_normal_and_are_dark_aside(lean):
    """Lit straight from above: the half vector leans half as far as the view."""
    wi, wo = view(1.0)[:, None], view(np.cos(np.radians(2 * lean)))[:, None]
    with runtime.colour_variant() as mi:
        seen = []
        for flakes in (True, False):
            flags = {"lacquered": mi.Bool(True), "flakes": mi.Bool(flakes)}
            look = surface(mi, mi.Color3f(0.3), mi.Float(0.05), mi.Float(0.0), **flags)
            seen.append(np.array(evaluate(mi, look, vectors(mi, wi), vectors(mi, wo))[0].y)[0])
    # Scaled so that all light is reflected at normal incidence: see the furnace above.
    peak = 128 / (1023 / 10 - 511 / 9)
    expected = 0.3 + 0.7 * peak * np.cos(np.radians(lean)) ** 16
    assert seen[0] / seen[1] == pytest.approx(expected, rel=0.01)
