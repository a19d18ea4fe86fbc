"""The radio scene: a bundle as a Sionna scene, in coordinates centred near the view."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.bundle import Mesh, SceneBundle
from vasgen.errors import MissingDependencyError
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas.scene.materials import check_materials, radio_material
from vasgen.vas.scene.precoding import port_weights

Array = NDArray[np.float64]

#: The solver is driven below its public interface, which other versions may change.
_SIONNA_VERSION = "2.2.0"


class FreeSpace:
    """Antennas as Sionna RT sees them, and nothing around them.

    Args:
        frequency_hz: carrier frequency.
        centre: (3,) world point that becomes the origin.

    Attributes:
        rt: the module ``sionna.rt``.
        scene: its scene, in coordinates relative to ``centre``.
        centre: (3,) float64 world metres.
        frequency_hz: carrier frequency; Sionna's own is rounded to float32.
        precoding: real and imaginary part of the weights that feed the transmitter,
            tensors of shape [1, port].
    """

    def __init__(self, frequency_hz: float, centre: Array) -> None:
        self.rt = runtime.radio()
        _check_version(self.rt)
        self.centre = centre
        self.frequency_hz = frequency_hz
        self.scene = self.rt.load_scene(None)
        self.scene.frequency = frequency_hz
        self.precoding: tuple[Any, Any]

    def set_transmitter(self, transmitter: Transmitter) -> None:
        """Make this the only transmitter of the scene."""
        for name in list(self.scene.transmitters):
            self.scene.remove(name)
        antenna = transmitter.antenna
        self.scene.tx_array = self.rt.PlanarArray(
            num_rows=antenna.rows,
            num_cols=antenna.columns,
            vertical_spacing=antenna.vertical_spacing,
            horizontal_spacing=antenna.horizontal_spacing,
            pattern=antenna.pattern,
            polarization=antenna.polarization,
        )
        yaw, pitch, roll = np.radians(transmitter.orientation_deg)
        self.scene.add(
            self.rt.Transmitter(
                name=f"transmitter-{transmitter.name}",
                position=(np.asarray(transmitter.position) - self.centre).tolist(),
                orientation=[float(yaw), float(pitch), float(roll)],
                power_dbm=transmitter.power_dbm,
            )
        )
        weights = port_weights(antenna)[None]
        self.precoding = (_tensor(weights.real), _tensor(weights.imag))


class RadioScene(FreeSpace):
    """Geometry, materials and antennas as Sionna RT sees them.

    Args:
        bundle: the scene.
        spec: frequency, and what becomes of materials not defined there.
        centre: (3,) world point that becomes the origin: float32 rays are exact near it.

    Attributes:
        materials: Sionna's radio materials, in the order of the bundle's.

    Raises:
        InputError: if a material cannot be traced as the spec asks.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec, centre: Array) -> None:
        super().__init__(spec.frequency_hz, centre)
        check_materials(bundle.radio_materials, spec)
        self.materials = [radio_material(self.rt, m, spec) for m in bundle.radio_materials]
        by_name = {m.name: r for m, r in zip(bundle.radio_materials, self.materials, strict=True)}
        self.scene.edit(
            add=[
                self.rt.SceneObject(
                    mi_mesh=_mi_mesh(mesh, centre),
                    name=f"part-{mesh.name}",
                    radio_material=by_name[mesh.radio_material],
                )
                for mesh in bundle.meshes
                if len(mesh.faces)
            ]
        )


def _tensor(values: Array) -> Any:
    import mitsuba as mi

    return mi.TensorXf(np.ascontiguousarray(values, np.float32))


def _check_version(rt: Any) -> None:
    if rt.__version__ != _SIONNA_VERSION:
        raise MissingDependencyError(
            f"sionna-rt is {rt.__version__}; vasgen is verified with {_SIONNA_VERSION} only. "
            f"Run: pip install sionna-rt=={_SIONNA_VERSION}"
        )


def _mi_mesh(mesh: Mesh, centre: Array) -> Any:
    import mitsuba as mi

    return triangle_mesh(mi, f"mesh-part-{mesh.name}", mesh.vertices - centre, mesh.faces)


def triangle_mesh(mi: Any, name: str, vertices: Array, faces: NDArray[Any]) -> Any:
    """A Mitsuba mesh from arrays.

    Args:
        mi: Mitsuba, in the variant the mesh is for.
        name: identity of the mesh.
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices.
    """
    properties = mi.Properties()
    properties.set_id(name)
    properties["face_normals"] = True
    out = mi.Mesh(name, len(vertices), len(faces), props=properties)
    parameters = mi.traverse(out)
    parameters["vertex_positions"] = np.ascontiguousarray(vertices, np.float32).ravel()
    parameters["faces"] = np.ascontiguousarray(faces, np.uint32).ravel()
    parameters.update()
    return out
