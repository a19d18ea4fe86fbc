"""Streets, blocks, lots and footprints keep out of each other's way."""

import networkx as nx
import numpy as np
import shapely


def test_footprints_keep_a_gap(city):
    footprints = np.array([building.footprint for building in city.buildings])
    tree = shapely.STRtree(footprints)
    one, two = tree.query(footprints, predicate="dwithin", distance=0.199)
    assert (one == two).all()


def test_footprints_are_simple_and_stand_on_their_lot(city):
    for building in city.buildings:
        lot = city.lots[building.lot].polygon
        assert building.footprint.is_valid
        assert building.footprint.area > 15.0
        assert lot.buffer(0.45, join_style="mitre").covers(building.footprint)


def test_no_building_stands_on_a_carriageway_or_pavement(city):
    footprints = [building.footprint.buffer(-0.01) for building in city.buildings]
    blocks = shapely.STRtree([block.inner for block in city.blocks])
    inside, _ = blocks.query(footprints, predicate="within")
    assert np.array_equal(np.unique(inside), np.arange(len(footprints)))
    roads = shapely.STRtree([p.polygon for p in city.ground if p.surface in ("road", "pavement")])
    assert roads.query(footprints, predicate="intersects").size == 0


def test_lots_touch_a_street(city):
    for lot in city.lots:
        middle = shapely.Point(lot.front.mean(axis=0))
        assert city.blocks[lot.block].frontage.distance(middle) < 0.3
        assert np.hypot(*(lot.front[1] - lot.front[0])) >= 3.0


def test_lots_fill_their_block_without_overlap(city):
    polygons = np.array([lot.polygon for lot in city.lots])
    one, two = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pair = one < two
    shared = shapely.area(
        shapely.intersection(polygons[one[pair]], polygons[two[pair]], grid_size=0.001)
    )
    assert shared.max(initial=0.0) < 0.2


def test_the_network_is_planar_and_cuts_only_at_junctions(city):
    graph = city.streets.graph
    assert nx.check_planarity(graph)[0]
    lines = city.streets.lines
    one, two = shapely.STRtree(lines).query(lines, predicate="crosses")
    assert len(one) == 0, (one, two)
    for a, b, data in graph.edges(data=True):
        ends = {tuple(np.round(data["line"].coords[i], 2)) for i in (0, -1)}
        assert ends == {(graph.nodes[n]["x"], graph.nodes[n]["y"]) for n in (a, b)}
        assert data["kind"] in ("avenue", "major", "minor")
        assert (
            data["width_m"]
            == city.config.character.rules.streets.widths_m[
                ("avenue", "major", "minor").index(data["kind"])
            ]
        )


def test_streets_are_no_uniform_grid(make_city, density):
    lengths = [d for _, _, d in make_city(density, 3, 620.0).streets.graph.edges(data="length_m")]
    assert np.std(lengths) > 0.15 * np.mean(lengths)


def test_the_city_is_centred(city):
    low, high = city.bounds
    half = city.config.size_m / 2
    for building in city.buildings:
        assert np.abs(building.footprint.bounds).max() < half
    assert np.allclose(low[:2], -high[:2])
    assert low[2] < 0 < high[2]


def test_the_smallest_city_has_buildings(make_city):
    # These seeds draw hardly anything but parks for the few blocks of so small a city.
    for seed in (43, 59):
        city = make_city("margin", seed, 100.0)
        assert city.buildings
