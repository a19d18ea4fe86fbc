"""A check that cannot fail proves nothing: each finds a fault put in on purpose."""

import dataclasses

import numpy as np
import pytest

from tests.citygen import facade_invariants, invariants, surface_invariants
from vasgen.citygen import CityConfig, generate
from vasgen.citygen.facade.modules import BALCONY_M, KIND
from vasgen.citygen.geometry.solids import Surface
from vasgen.citygen.life.props import Prop
from vasgen.citygen.targets import Targets
from vasgen.semantics import SemanticClass


@pytest.fixture(scope="module")
def sound():
    return generate(CityConfig("mix", 3, 160.0))


def wall(city):
    surface = city.mesh(2)
    own = surface_invariants.building_faces(city, surface)
    return int(np.flatnonzero(own & (surface.semantic == SemanticClass.WALL))[0])


def changed(city, **change):
    return dataclasses.replace(city.mesh(2), **change)


def without(city, face):
    surface = city.mesh(2)
    names = [field.name for field in dataclasses.fields(surface) if field.name != "vertices"]
    return dataclasses.replace(
        surface, **{name: np.delete(getattr(surface, name), face, axis=0) for name in names}
    )


def test_a_missing_triangle(sound):
    with pytest.raises(AssertionError, match=r"open edges of solids: wall of instance"):
        surface_invariants.check_closed(without(sound, wall(sound)))


def test_a_turned_triangle(sound):
    faces = sound.mesh(2).faces.copy()
    faces[wall(sound)] = faces[wall(sound)][::-1]
    with pytest.raises(AssertionError, match="two faces on one side"):
        surface_invariants.check_closed(changed(sound, faces=faces))


def test_a_solid_inside_out(sound):
    faces = sound.mesh(2).faces.copy()
    first = sound.mesh(2).shell == sound.mesh(2).shell[wall(sound)]
    faces[first] = faces[first][:, ::-1]
    turned = changed(sound, faces=faces)
    surface_invariants.check_closed(turned)
    with pytest.raises(AssertionError, match="look inwards"):
        surface_invariants.check_outward(sound, turned)


def test_a_vertex_that_was_not_welded(sound):
    surface, face = sound.mesh(2), wall(sound)
    faces = surface.faces.copy()
    vertices = np.concatenate([surface.vertices, surface.vertices[faces[face, :1]]])
    faces[face, 0] = len(surface.vertices)
    with pytest.raises(AssertionError, match="lie on another"):
        surface_invariants.check_welded(sound, changed(sound, vertices=vertices, faces=faces))


def test_two_parts_that_touch_in_a_corner():
    surface = touching_pyramids()
    surface_invariants.check_closed(surface)
    with pytest.raises(AssertionError, match="touches itself"):
        surface_invariants.check_vertex_fans(surface)


def test_a_vertex_off_the_lattice(sound):
    with pytest.raises(AssertionError, match="off the millimetre"):
        surface_invariants.check_lattice(squeezed(sound, 0.0004), 2)


def test_a_sliver(sound):
    with pytest.raises(AssertionError, match="slivers thinner"):
        surface_invariants.check_triangles(squeezed(sound, 0.001), 2)


def squeezed(city, step):
    surface = city.mesh(2)
    vertices = surface.vertices.copy()
    a, b = surface.faces[wall(city), :2]
    vertices[a] = vertices[b] + (step, 0.0, 0.0)
    return changed(city, vertices=vertices)


def test_a_building_pushed_into_the_next(sound):
    surface = sound.mesh(2)
    one, two = nearest_pair(sound)
    step = np.subtract(two.footprint.centroid.coords[0], one.footprint.centroid.coords[0]).round(3)
    vertices = surface.vertices.copy()
    vertices[np.unique(surface.faces[surface.instance == one.index]), :2] += step / 2
    with pytest.raises(AssertionError, match="pierce a face"):
        surface_invariants.check_no_crossing(sound, changed(sound, vertices=vertices))


def test_a_crack_in_the_ground(sound):
    ground = np.flatnonzero(surface_invariants.ground_faces(sound.mesh(2)))
    with pytest.raises(AssertionError, match=r"cracks in the ground|ground covers"):
        surface_invariants.check_ground(sound, without(sound, ground[len(ground) // 2]))


def test_a_label_of_something_else(sound):
    semantic = sound.mesh(2).semantic.copy()
    semantic[wall(sound)] = SemanticClass.VEHICLE
    with pytest.raises(AssertionError, match="class of something else"):
        surface_invariants.check_labels(sound, changed(sound, semantic=semantic), 2)


def test_an_object_without_faces(sound):
    instance = sound.mesh(2).instance.copy()
    instance[instance == 2] = 1
    with pytest.raises(AssertionError, match="ids of objects"):
        surface_invariants.check_labels(sound, changed(sound, instance=instance), 2)


def test_buildings_too_close(sound):
    one, two = nearest_pair(sound)
    twice = dataclasses.replace(two, footprint=one.footprint)
    buildings = [twice if b is two else b for b in sound.buildings]
    with pytest.raises(AssertionError, match="closer than"):
        invariants.check_buildings(dataclasses.replace(sound, buildings=tuple(buildings)))


def test_a_lot_of_another_block(sound):
    lots = list(sound.lots)
    lots[0] = dataclasses.replace(lots[0], block=(lots[0].block + 1) % len(sound.blocks))
    with pytest.raises(AssertionError, match=r"outside their block|places used twice"):
        invariants.check_lots(dataclasses.replace(sound, lots=tuple(lots)))


def test_a_prop_in_a_wall(sound):
    middle = sound.buildings[0].footprint.representative_point()
    props = (dataclasses.replace(sound.props[0], x=middle.x, y=middle.y), *sound.props[1:])
    with pytest.raises(AssertionError, match=r"props in a wall"):
        invariants.check_props(dataclasses.replace(sound, props=props))


def test_a_dead_end(sound):
    graph = sound.streets.graph.copy()
    node = next(n for n in graph if graph.degree[n] == 3)
    graph.remove_edges_from([(node, other) for other in list(graph[node])[:2]])
    streets = dataclasses.replace(sound.streets, graph=graph)
    with pytest.raises(AssertionError, match=r"dead ends inside the land|junctions of no street"):
        invariants.check_streets(dataclasses.replace(sound, streets=streets))


def test_targets_that_were_missed(sound):
    wish = dataclasses.replace(sound.land.districts[0], targets=Targets(0.5, 100.0, 60.0))
    land = dataclasses.replace(sound.land, districts=(wish,))
    with pytest.raises(AssertionError, match="alpha, beta and gamma off by"):
        invariants.check_targets(dataclasses.replace(sound, land=land))


class Table:
    """A city with another table of modules, or other ground."""

    def __init__(self, city, cells=None, terrain=None, props=None):
        self.city = city
        self.cells = city.modules() if cells is None else cells
        self.terrain, self.props = terrain or city.terrain, props or city.props

    def modules(self):
        return self.cells

    def __getattr__(self, name):
        return getattr(self.city, name)


def test_a_module_too_few(sound):
    facade_invariants.check_modules(Table(sound))
    with pytest.raises(AssertionError, match="faces for cells"):
        facade_invariants.check_modules(Table(sound, sound.modules()[1:]))


def test_a_module_beside_its_cell(sound):
    cells = sound.modules().copy()
    cells["x"][0] += 0.01
    with pytest.raises(AssertionError, match="beside the mesh"):
        facade_invariants.check_modules(Table(sound, cells))


def test_a_door_in_the_ground(sound):
    class Mound:
        def level_at(self, points):
            return np.full(len(points), 0.7)

    facade_invariants.check_doors(sound)
    with pytest.raises(AssertionError, match=r"doors more than 0\.6 m in the ground"):
        facade_invariants.check_doors(Table(sound, terrain=Mound()))


def test_a_tree_in_a_balcony(sound):
    facade_invariants.check_standing(sound)
    cells = sound.modules()
    cell = cells[np.flatnonzero(cells["kind"] == KIND["balcony"])[0]]
    out = np.array([cell["uy"], -cell["ux"]]) * (BALCONY_M + 1.0)
    x, y = np.array([cell["x"], cell["y"]]) + out
    tree = Prop("tree", 0, float(x), float(y), 0.1, 0.0, (1.0, 1.0, 1.0))
    with pytest.raises(AssertionError, match="props in a balcony or canopy: tree 0"):
        facade_invariants.check_standing(Table(sound, props=(tree,)))


def nearest_pair(city):
    """The first building and the one next to it."""
    one, *others = city.buildings
    return one, min(others, key=lambda b: b.footprint.distance(one.footprint))


def touching_pyramids():
    """Two closed pyramids of one shell that share their tip."""
    faces = np.array([(0, 1, 2), (0, 2, 3), (0, 3, 1), (1, 3, 2)])
    low = np.array([(0, 0, 0), (1, 0, -1), (-1, 1, -1), (-1, -1, -1)], float)
    vertices = np.concatenate([low, -low[1:]])
    mirrored = np.where(faces == 0, 0, faces + 3)[:, ::-1]
    both = np.concatenate([faces, mirrored])
    label = np.zeros(len(both), dtype=np.int64)
    return Surface(
        vertices,
        both,
        label,
        label + SemanticClass.WALL,
        label,
        label,
        label + 1,
        np.zeros((len(both), 3, 2)),
    )
