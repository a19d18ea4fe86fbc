"""The radio scene: a bundle as a Sionna scene, in coordinates centred near the view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vasgen import runtime
from vasgen.bundle import Mesh, RadioMaterial, SceneBundle
from vasgen.errors import InputError, MissingDependencyError
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter

Array = NDArray[np.float64]

#: The solver is driven below its public interface, which other versions may change.
_SIONNA_VERSION = "2.2.0"


class RadioScene:
    """Geometry, materials and antennas as Sionna RT sees them.

    Args:
        bundle: the scene.
        spec: frequency.
        centre: (3,) world point that becomes the origin: float32 rays are exact near it.

    Attributes:
        rt: the module ``sionna.rt``.
        scene: its scene, in coordinates relative to ``centre``.
        centre: (3,) float64 world metres.
        materials: Sionna's radio materials, in the order of the bundle's.

    Raises:
        InputError: if a material is unknown or not defined at the frequency.
    """

    def __init__(self, bundle: SceneBundle, spec: RadioSpec, centre: Array) -> None:
        self.rt = runtime.radio()
        _check_version(self.rt)
        check_materials(bundle.radio_materials, spec.frequency_hz)
        self.centre = centre
        self.scene = self.rt.load_scene(None)
        self.scene.frequency = spec.frequency_hz
        self.materials = [
            _radio_material(self.rt, m, spec.scattering_coefficient) for m in bundle.radio_materials
        ]
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

    def set_transmitters(self, transmitters: Sequence[Transmitter]) -> None:
        """Replace the transmitters of the scene.

        Args:
            transmitters: with equal arrays; their precoding may differ.
        """
        antenna = transmitters[0].antenna
        self.scene.tx_array = self.rt.PlanarArray(
            num_rows=antenna.rows,
            num_cols=antenna.columns,
            vertical_spacing=antenna.vertical_spacing,
            horizontal_spacing=antenna.horizontal_spacing,
            pattern=antenna.pattern,
            polarization=antenna.polarization,
        )
        for name in list(self.scene.transmitters):
            self.scene.remove(name)
        for transmitter in transmitters:
            yaw, pitch, roll = np.radians(transmitter.orientation_deg)
            self.scene.add(
                self.rt.Transmitter(
                    name=f"transmitter-{transmitter.name}",
                    position=(np.asarray(transmitter.position) - self.centre).tolist(),
                    orientation=[float(yaw), float(pitch), float(roll)],
                    power_dbm=transmitter.power_dbm,
                )
            )


def uniform_precoding(radio: RadioScene) -> tuple[Any, Any]:
    """Real and imaginary weights, [transmitter, antenna]: all antennas in phase, unit power."""
    import drjit as dr
    import mitsuba as mi

    shape = [len(radio.scene.transmitters), radio.scene.tx_array.num_ant]
    weight = 1.0 / np.sqrt(radio.scene.tx_array.num_ant)
    return dr.full(mi.TensorXf, weight, shape), dr.zeros(mi.TensorXf, shape)


def check_materials(materials: Sequence[RadioMaterial], frequency_hz: float) -> None:
    """Refuse materials that are not defined at a frequency.

    Args:
        materials: radio materials of a scene.
        frequency_hz: carrier frequency, Hz.

    Raises:
        InputError: naming the material, the frequency and the ranges of ITU-R P.2040.
    """
    runtime.radio()
    from sionna.rt.radio_materials.itu import ITU_MATERIALS_PROPERTIES as TABLE

    ghz = frequency_hz / 1e9
    for material in materials:
        if material.itu_type is None:
            continue
        if material.itu_type not in TABLE:
            known = ", ".join(sorted(TABLE))
            raise InputError(
                f"radio material {material.name!r} is {material.itu_type!r}, which ITU-R P.2040 "
                f"does not list; allowed: {known}."
            )
        ranges = TABLE[material.itu_type]
        if not any(low <= ghz <= high for low, high in ranges):
            text = ", ".join(f"{low:g}-{high:g} GHz" for low, high in ranges)
            raise InputError(
                f"frequency is {ghz:g} GHz, but ITU-R P.2040 defines {material.itu_type!r} "
                f"(radio material {material.name!r}) for {text} only; choose a frequency within."
            )


def check_scattering(materials: Sequence[RadioMaterial], spec: RadioSpec) -> None:
    """Refuse diffuse reflection that would bring nothing.

    Raises:
        InputError: if it is asked for and no material scatters.
    """
    scatters = spec.scattering_coefficient > 0 or any(
        material.scattering_coefficient > 0 for material in materials
    )
    if spec.diffuse_reflection and not scatters:
        raise InputError(
            "radio.diffuse_reflection is on, but no material of the scene scatters; "
            "set radio.scattering_coefficient, e.g. 0.2."
        )


def _check_version(rt: Any) -> None:
    if rt.__version__ != _SIONNA_VERSION:
        raise MissingDependencyError(
            f"sionna-rt is {rt.__version__}; vasgen is verified with {_SIONNA_VERSION} only. "
            f"Run: pip install sionna-rt=={_SIONNA_VERSION}"
        )


def _radio_material(rt: Any, material: RadioMaterial, scattering_coefficient: float) -> Any:
    name = f"radio-{material.name}"
    slab = {
        "thickness": material.thickness_m,
        "scattering_coefficient": material.scattering_coefficient or scattering_coefficient,
    }
    if material.itu_type is not None:
        return rt.ITURadioMaterial(name, material.itu_type, **slab)
    return rt.RadioMaterial(
        name,
        relative_permittivity=material.relative_permittivity,
        conductivity=material.conductivity_s_per_m,
        **slab,
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
