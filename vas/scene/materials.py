"""Radio materials: ITU-R P.2040 as Sionna RT holds it, within and beyond its frequency ranges.

P.2040 gives each material a law for its permittivity and conductivity over a range of
frequencies. Beyond it the law means nothing: that of very dry ground, followed to 100 GHz,
gives a loss tangent of 1. There a material keeps its complex relative permittivity of the
nearest end of its range, so that its conductivity grows with frequency.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.constants import epsilon_0, speed_of_light

from vasgen import runtime
from vasgen.bundle import RadioMaterial
from vasgen.errors import InputError, suggest
from vasgen.spec import RadioSpec
from vasgen.vas.scene.wedge_coefficients import WedgeMatrix

Range = tuple[float, float]


class Constants(NamedTuple):
    """What a wave meets at one frequency.

    Attributes:
        relative_permittivity: its real part.
        conductivity_s_per_m: siemens per metre.
    """

    relative_permittivity: float
    conductivity_s_per_m: float


def itu_constants(itu_type: str, frequency_hz: float) -> Constants:
    """Constants of an ITU material; beyond its ranges those that are held.

    The permittivity is ``a f**b`` and the conductivity ``c f**d`` S/m with f in GHz
    (ITU-R P.2040-3, equations 28 and 29 and table 3).

    Args:
        itu_type: a name of the table.
        frequency_hz: carrier frequency, Hz.
    """
    ghz = frequency_hz / 1e9
    table = _table()[itu_type]
    law = next((law for (low, high), law in table.items() if low <= ghz <= high), None)
    known = ghz
    if law is None:
        known = _nearest_end(table, ghz)
        law = next(law for ends, law in table.items() if known in ends)
    a, b, c, d = law
    # The same complex permittivity at another frequency: conductivity in proportion.
    return Constants(a * known**b, c * known**d * ghz / known)


def slab_loss_db(material: RadioMaterial, frequency_hz: float) -> float:
    """The least that a slab of a material takes from a wave, at any angle, dB.

    Waves that go to and fro inside are counted (ITU-R P.2040-3, equation 42).

    Args:
        material: what it is made of, and its thickness.
        frequency_hz: carrier frequency, Hz.
    """
    eta = complex_permittivity(material, frequency_hz)
    cosine = np.linspace(0.02, 1.0, 99)
    inside = np.sqrt(eta - 1 + cosine**2)
    te = (cosine - inside) / (cosine + inside)
    tm = (eta * cosine - inside) / (eta * cosine + inside)
    mirrored = np.stack([te, tm])
    turn = 2 * np.pi * frequency_hz / speed_of_light * material.thickness_m * inside
    through = (1 - mirrored**2) * np.exp(-1j * turn) / (1 - mirrored**2 * np.exp(-2j * turn))
    return float(-20 * np.log10(max(np.abs(through).max(), 1e-30)))


def complex_permittivity(material: RadioMaterial, frequency_hz: float) -> complex:
    """Relative permittivity less j times the loss term, of a material at one frequency."""
    constants = material_constants(material, frequency_hz)
    omega = 2 * np.pi * frequency_hz
    loss = constants.conductivity_s_per_m / (omega * epsilon_0)
    return complex(constants.relative_permittivity, -loss)


def material_constants(material: RadioMaterial, frequency_hz: float) -> Constants:
    """Constants of any radio material."""
    if material.itu_type is None:
        return Constants(material.relative_permittivity, material.conductivity_s_per_m)
    return itu_constants(material.itu_type, frequency_hz)


def held_materials(materials: Sequence[RadioMaterial], frequency_hz: float) -> tuple[str, ...]:
    """Lines that say which materials are used beyond their range, and how; one an ITU material.

    Args:
        materials: radio materials of a scene.
        frequency_hz: carrier frequency, Hz.
    """
    ghz, table = frequency_hz / 1e9, _table()
    return tuple(
        f"{name} is defined for {_ranges(table[name])}; at {ghz:g} GHz its complex permittivity "
        f"of {_nearest_end(table[name], ghz):g} GHz is used."
        for name in _itu_types(materials)
        if not _is_defined(table[name], ghz)
    )


def check_materials(materials: Sequence[RadioMaterial], spec: RadioSpec) -> None:
    """Refuse materials that cannot be traced as the spec asks.

    Args:
        materials: radio materials of a scene.
        spec: frequency, what to do beyond a range, and whether surfaces shall scatter.

    Raises:
        InputError: if ITU-R P.2040 does not list a material, or not at the frequency and the
            spec refuses that; or diffuse reflection is asked for and no material scatters.
    """
    ghz, table = spec.frequency_hz / 1e9, _table()
    for material in materials:
        if material.itu_type is None:
            continue
        if material.itu_type not in table:
            raise InputError(
                f"radio material {material.name!r} is {material.itu_type!r}, which ITU-R P.2040 "
                f"does not list; {suggest(material.itu_type, sorted(table))}"
            )
        ranges = table[material.itu_type]
        if spec.undefined_materials == "refuse" and not _is_defined(ranges, ghz):
            raise InputError(
                f"frequency is {ghz:g} GHz, but ITU-R P.2040 defines {material.itu_type!r} "
                f"(radio material {material.name!r}) for {_ranges(ranges)} only; choose a "
                "frequency within, or set radio.undefined_materials to hold."
            )
    _check_scattering(materials, spec)


def radio_material(rt: Any, material: RadioMaterial, spec: RadioSpec) -> Any:
    """Sionna's material.

    Args:
        rt: the module ``sionna.rt``.
        material: one that :func:`check_materials` lets pass.
        spec: frequency, and the scattering of materials that name none of their own.
    """
    # Not Sionna's own ITU material, which rounds the frequency to float32 and so refuses 60 GHz
    # for a range that ends there.
    constants = material_constants(material, spec.frequency_hz)
    made = rt.RadioMaterial(
        f"radio-{material.name}",
        relative_permittivity=constants.relative_permittivity,
        conductivity=constants.conductivity_s_per_m,
        thickness=material.thickness_m,
        scattering_coefficient=material.scattering_coefficient or spec.scattering_coefficient,
    )
    made._diffraction_matrix = WedgeMatrix(made.thickness, made.scattering_coefficient)
    return made


def _check_scattering(materials: Sequence[RadioMaterial], spec: RadioSpec) -> None:
    scatters = spec.scattering_coefficient > 0 or any(
        material.scattering_coefficient > 0 for material in materials
    )
    if spec.diffuse_reflection and not scatters:
        raise InputError(
            "radio.diffuse_reflection is on, but no material of the scene scatters; "
            "set radio.scattering_coefficient, e.g. 0.2."
        )


def _table() -> Mapping[str, Mapping[Range, tuple[float, float, float, float]]]:
    """Table 3 of ITU-R P.2040: per material, ranges in GHz and the law a, b, c, d of each."""
    runtime.radio()
    from sionna.rt.radio_materials.itu import ITU_MATERIALS_PROPERTIES as TABLE

    table: Mapping[str, Mapping[Range, tuple[float, float, float, float]]] = TABLE
    return table


def _itu_types(materials: Sequence[RadioMaterial]) -> list[str]:
    return sorted({m.itu_type for m in materials if m.itu_type is not None})


def _is_defined(ranges: Mapping[Range, Any], ghz: float) -> bool:
    return any(low <= ghz <= high for low, high in ranges)


def _nearest_end(ranges: Mapping[Range, Any], ghz: float) -> float:
    ends = [end for pair in ranges for end in pair]
    return min(ends, key=lambda end: max(end / ghz, ghz / end))


def _ranges(ranges: Mapping[Range, Any]) -> str:
    return ", ".join(f"{low:g}-{high:g} GHz" for low, high in ranges)
