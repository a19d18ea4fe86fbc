"""What theory says: closed forms from the literature, in plain numpy.

Nothing here calls a ray tracer. Directions are unit vectors of travel, fields are complex
amplitudes relative to an isotropic antenna of unit power, time goes as exp(+j omega t).

Sources: Friis 1946 (A note on a simple transmission formula); ITU-R P.2040-3 (materials, slabs);
Born and Wolf, Principles of Optics, section 1.6 (plates); Kouyoumjian and Pathak 1974 (A uniform
geometrical theory of diffraction); Luebbers 1984 and ITU-R P.526-15 section 4.3 (wedges of finite
conductivity, knife edges).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import hankel2, jv, wofz

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

SPEED_OF_LIGHT = 299_792_458.0
_VACUUM_PERMITTIVITY = 8.8541878128e-12

#: ITU-R P.2040-3 table 3: permittivity a f^b, conductivity c f^d S/m, f in GHz.
_MATERIALS = {
    "concrete": (5.24, 0.0, 0.0462, 0.7822),
    "brick": (3.91, 0.0, 0.0238, 0.16),
    "glass": (6.31, 0.0, 0.0036, 1.3394),
    "metal": (1.0, 0.0, 1e7, 0.0),
    "very_dry_ground": (3.0, 0.0, 0.00015, 2.52),
}


def wavelength_m(frequency_hz: float) -> float:
    """Wavelength in vacuum, metres."""
    return SPEED_OF_LIGHT / frequency_hz


def decibels(power: Array | float) -> Array:
    """10 log10; zero becomes -inf."""
    with np.errstate(divide="ignore"):
        level: Array = 10 * np.log10(np.asarray(power, np.float64))
    return level


def friis(distance_m: Array, frequency_hz: float) -> Array:
    """Path gain between isotropic antennas in free space (Friis 1946)."""
    gain: Array = (wavelength_m(frequency_hz) / (4 * np.pi * distance_m)) ** 2
    return gain


def solid_angle(corners: Array, eye: Array) -> Array:
    """Solid angle of planar quadrilaterals, steradians.

    Two spherical triangles each (Van Oosterom and Strackee 1983).

    Args:
        corners: (..., 4, 3) in order.
        eye: (3,) where they are seen from.
    """
    ray = corners - eye
    length = np.linalg.norm(ray, axis=-1)
    total: Array = np.zeros(corners.shape[:-2])
    for a, b, c in ((0, 1, 2), (0, 2, 3)):
        volume = np.einsum("...i,...i", ray[..., a, :], np.cross(ray[..., b, :], ray[..., c, :]))
        bottom = length[..., a] * length[..., b] * length[..., c]
        for i, j, k in ((a, b, c), (a, c, b), (b, c, a)):
            dot = np.einsum("...i,...i", ray[..., i, :], ray[..., j, :])
            bottom = bottom + dot * length[..., k]
        total = total + 2 * np.arctan2(volume, bottom)
    return np.abs(total)


class Slab(NamedTuple):
    """A plate of one material.

    Attributes:
        material: of ITU-R P.2040.
        thickness_m: metres.
    """

    material: str
    thickness_m: float

    def permittivity(self, frequency_hz: float) -> complex:
        """Complex relative permittivity (P.2040-3 section 2.1.4)."""
        a, b, c, d = _MATERIALS[self.material]
        ghz = frequency_hz / 1e9
        loss = c * ghz**d / (2 * np.pi * frequency_hz * _VACUUM_PERMITTIVITY)
        return complex(a * ghz**b, -loss)


class Plate(NamedTuple):
    """Field coefficients of a plate in air, for both polarisations.

    Attributes:
        r_te, r_tm: reflection; the field across and in the plane of incidence.
        t_te, t_tm: transmission.
    """

    r_te: Complex
    r_tm: Complex
    t_te: Complex
    t_tm: Complex


def plate(cosine: Array, slab: Slab, frequency_hz: float) -> Plate:
    """Reflection and transmission of a plate.

    The sum of all rays that go to and fro inside it (Airy; Born and Wolf 1.6, P.2040-3
    equations 43 and 44). A mirrored field in the plane of incidence counts as positive where
    its magnetic field keeps its sense, so a metal has r_te = -1 and r_tm = +1.

    Args:
        cosine: (N,) cosine of the angle of incidence.
        slab: material and thickness.
        frequency_hz: Hz.
    """
    eta = slab.permittivity(frequency_hz)
    inside = np.sqrt(eta - (1 - cosine**2) + 0j)
    through = np.exp(-2j * np.pi * slab.thickness_m / wavelength_m(frequency_hz) * inside)
    found = []
    for first in (
        (cosine - inside) / (cosine + inside),
        (eta * cosine - inside) / (eta * cosine + inside),
    ):
        echo = 1 - (first * through) ** 2
        found.append((first * (1 - through**2) / echo, (1 - first**2) * through / echo))
    (r_te, t_te), (r_tm, t_tm) = found
    return Plate(r_te, r_tm, t_te, t_tm)


def sent_field(direction: Array, polarization: str) -> Array:
    """Unit field an isotropic antenna sends: along theta for "V", along phi for "H", (N, 3)."""
    x, y, z = direction.T
    flat = np.hypot(x, y)
    if polarization == "H":
        return np.column_stack([-y / flat, x / flat, np.zeros_like(x)])
    return np.column_stack([z * x / flat, z * y / flat, -flat])


def te_share(direction: Array, normal: Array, polarization: str) -> Array:
    """Share of the sent power whose field is across the plane of incidence, (N,)."""
    across = np.cross(direction, normal)
    length = np.linalg.norm(across, axis=1, keepdims=True)
    # At normal incidence any direction will do: both coefficients are equal there.
    across = np.where(length > 1e-12, across / np.maximum(length, 1e-12), 0.0)
    share: Array = np.einsum("ij,ij->i", across, sent_field(direction, polarization)) ** 2
    return share


def image_gain(
    source: Array,
    point: Array,
    frequency_hz: float,
    *,
    normal: Array,
    slab: Slab,
    polarization: str,
    bounces: int = 1,
    through: bool = False,
) -> Array:
    """Path gain from an image source: reflections at parallel plates, or through one.

    Between parallel plates the angle of incidence and the field's split into TE and TM stay the
    same from bounce to bounce, so the coefficients come as powers.

    Args:
        source: (3,) the image; for transmission the transmitter itself.
        point: (N, 3) receivers.
        frequency_hz: Hz.
        normal: (3,) of the plates.
        slab: what they are made of.
        polarization: "V" or "H" at the transmitter, whose axis the plates leave as it is.
        bounces: number of reflections or transmissions.
        through: whether the plates are passed.
    """
    ray = point - source
    distance = np.linalg.norm(ray, axis=1)
    ray = ray / distance[:, None]
    found = plate(np.abs(ray @ normal), slab, frequency_hz)
    te, tm = (found.t_te, found.t_tm) if through else (found.r_te, found.r_tm)
    share = te_share(ray, normal, polarization)
    power = share * np.abs(te) ** (2 * bounces) + (1 - share) * np.abs(tm) ** (2 * bounces)
    gain: Array = friis(distance, frequency_hz) * power
    return gain


class Wedge(NamedTuple):
    """An infinite wedge.

    Attributes:
        edge: (3,) a point on the edge.
        along: (3,) unit vector along it.
        normal_0: (3,) outward normal of the face that angles count from.
        normal_n: (3,) outward normal of the other face.
        slab: material of both; None for a perfect conductor.
    """

    edge: Array
    along: Array
    normal_0: Array
    normal_n: Array
    slab: Slab | None

    @property
    def n(self) -> float:
        """Outer angle over pi."""
        inner = np.pi - np.arccos(np.clip(self.normal_0 @ self.normal_n, -1, 1))
        return float((2 * np.pi - inner) / np.pi)

    @property
    def into_face_0(self) -> Array:
        """Unit vector in face 0, away from the edge: angles start here."""
        across = np.cross(self.normal_0, self.along)
        return across if across @ self.normal_n < 0 else -across

    def angle(self, direction: Array) -> Array:
        """Angle of directions about the edge, from face 0 through the air, radians."""
        found: Array = np.arctan2(direction @ self.normal_0, direction @ self.into_face_0)
        return np.where(found < -1e-9, found + 2 * np.pi, np.maximum(found, 0.0))


def transition(x: Array) -> Complex:
    """F(x) of Kouyoumjian and Pathak 1974, by the Faddeeva function; x >= 0."""
    root = np.sqrt(x)
    turned = np.exp(0.25j * np.pi)
    found: Complex = np.sqrt(np.pi) * root * turned * wofz(1j * turned * root)
    return found


def wedge_terms(n: float, phi: Array, phi_in: Array, k_l: Array) -> tuple[Complex, ...]:
    """The four cot F terms of Kouyoumjian and Pathak 1974, equation 25.

    Returns:
        For phi - phi': + and -, then for phi + phi': + and -.
    """
    terms = []
    for beta in (phi - phi_in, phi + phi_in):
        for sign in (1, -1):
            turns = np.round((beta + sign * np.pi) / (2 * np.pi * n))
            a = 2 * np.cos((2 * np.pi * n * turns - beta) / 2) ** 2
            cotangent = 1 / np.tan((np.pi + sign * beta) / (2 * n))
            terms.append(cotangent * transition(k_l * a))
    return tuple(terms)


def wedge_gain(
    wedge: Wedge, source: Array, point: Array, frequency_hz: float, polarization: str
) -> Array:
    """Diffracted path gain of points behind or beside a wedge, zero inside it.

    Perfectly conducting: the dyadic coefficient of Kouyoumjian and Pathak 1974. Otherwise its
    reflection terms are weighted by the plates' coefficients (Luebbers 1984, P.526-15 4.3).

    Args:
        wedge: the wedge.
        source: (3,) transmitter.
        point: (N, 3) receivers.
        frequency_hz: Hz.
        polarization: "V" or "H" at the transmitter.
    """
    path = _keller(wedge, source, point)
    k = 2 * np.pi / wavelength_m(frequency_hz)
    sine = np.linalg.norm(np.cross(path.incoming, wedge.along), axis=1)
    phi_in, phi = wedge.angle(-path.incoming), wedge.angle(path.outgoing)
    k_l = k * path.s_in * path.s_out / (path.s_in + path.s_out) * sine**2
    factor = 1 / (2 * wedge.n * np.sqrt(2 * np.pi * k) * sine)
    terms = wedge_terms(wedge.n, phi, phi_in, k_l)
    sent = sent_field(path.incoming, polarization)
    soft_in, hard_in = _edge_basis(path.incoming, wedge.along)
    soft_out, hard_out = _edge_basis(path.outgoing, wedge.along)
    soft = np.einsum("ij,ij->i", sent, soft_in)
    hard = np.einsum("ij,ij->i", sent, hard_in)
    passing = terms[0] + terms[1]
    field = (passing * soft)[:, None] * soft_out + (passing * hard)[:, None] * hard_out
    by_0, by_n = (
        _mirrored(wedge, normal, _arriving(path, normal, near), soft, hard, frequency_hz)
        for normal, near in (
            (wedge.normal_0, phi_in < wedge.n * np.pi / 2),
            (wedge.normal_n, phi_in >= wedge.n * np.pi / 2),
        )
    )
    for term, (soft_r, hard_r) in ((terms[3], by_0), (terms[2], by_n)):
        field = field + (term * soft_r)[:, None] * soft_out + (term * hard_r)[:, None] * hard_out
    power = factor**2 * (np.abs(field) ** 2).sum(axis=1)
    spread = 1 / (path.s_in * path.s_out * (path.s_in + path.s_out))
    gain = (wavelength_m(frequency_hz) / (4 * np.pi)) ** 2 * spread * power
    return np.where((phi < wedge.n * np.pi) & (phi_in < wedge.n * np.pi), gain, 0.0)


class _Path(NamedTuple):
    """A ray over an edge: unit directions before and after, and lengths, metres."""

    incoming: Array
    outgoing: Array
    s_in: Array
    s_out: Array


def _keller(wedge: Wedge, source: Array, point: Array) -> _Path:
    """The ray whose angles with the edge are equal."""
    (along_in, off_in), (along_out, off_out) = (
        _off_edge(wedge, place) for place in (source[None], point)
    )
    share = (along_in * off_out + along_out * off_in) / (off_in + off_out)
    bend = wedge.edge + share[:, None] * wedge.along
    incoming, outgoing = bend - source, point - bend
    s_in, s_out = (np.linalg.norm(leg, axis=1) for leg in (incoming, outgoing))
    return _Path(incoming / s_in[:, None], outgoing / s_out[:, None], s_in, s_out)


def _off_edge(wedge: Wedge, place: Array) -> tuple[Array, Array]:
    relative = place - wedge.edge
    along = relative @ wedge.along
    return along, np.linalg.norm(relative - along[:, None] * wedge.along, axis=1)


def _arriving(path: _Path, normal: Array, near: NDArray[np.bool_]) -> Array:
    """The ray that a face mirrors: the one that comes, or that which leaves as the diffracted.

    Luebbers and P.526 take the angle of incidence at the face nearer to the transmitter, and at
    the other the angle of departure.
    """
    leaving = path.outgoing - 2 * (path.outgoing @ normal)[:, None] * normal
    return np.where(near[:, None], path.incoming, leaving)


def _edge_basis(ray: Array, along: Array) -> tuple[Array, Array]:
    """Unit vectors across a ray: in the plane of ray and edge, and across that plane."""
    hard = np.cross(ray, along)
    hard /= np.linalg.norm(hard, axis=1, keepdims=True)
    return np.cross(hard, ray), hard


def _mirrored(
    wedge: Wedge, normal: Array, ray: Array, soft: Array, hard: Array, frequency_hz: float
) -> tuple[Complex, Complex]:
    """Soft and hard part of a field after its reflection at a face."""
    if wedge.slab is None:
        return (-soft).astype(np.complex128), hard.astype(np.complex128)
    soft_in, hard_in = _edge_basis(ray, wedge.along)
    field = soft[:, None] * soft_in + hard[:, None] * hard_in
    across = np.cross(ray, normal)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    after = ray - 2 * (ray @ normal)[:, None] * normal
    found = plate(np.abs(ray @ normal), wedge.slab, frequency_hz)
    te = found.r_te * np.einsum("ij,ij->i", field, across)
    # r_tm keeps the sense of the magnetic field, which is ray x field.
    tm = found.r_tm * np.einsum("ij,ij->i", np.cross(ray, field), across)
    mirrored = te[:, None] * across + tm[:, None] * np.cross(across, after)
    soft_out, hard_out = _edge_basis(after, wedge.along)
    parts: list[Complex] = [
        np.einsum("ij,ij->i", mirrored, basis).astype(np.complex128)
        for basis in (soft_out, hard_out)
    ]
    return parts[0], parts[1]


def knife_edge_db(wedge: Wedge, source: Array, point: Array, frequency_hz: float) -> Array:
    """Loss of a knife edge in dB, positive in the shadow (P.526-15 equations 26 and 31)."""
    path = _keller(wedge, source, point)
    detour = path.s_in + path.s_out - np.linalg.norm(point - source, axis=1)
    v = 2 * np.sqrt(detour / wavelength_m(frequency_hz))
    loss: Array = 6.9 + 20 * np.log10(np.sqrt((v - 0.1) ** 2 + 1) + v - 0.1)
    return loss


def exact_wedge(
    n: float, r: float, phi: Array, r_in: float, phi_in: float, soft: bool | None
) -> Complex:
    """Total field of a line source at a metal wedge, exactly; distances in wavelengths.

    The eigenfunction series (Balanis, Advanced Engineering Electromagnetics, section 13.3).

    Args:
        n: outer angle over pi.
        r: distance of the receivers from the edge, less than ``r_in``.
        phi: (N,) their angles, radians.
        r_in: distance of the source.
        phi_in: its angle.
        soft: field along the edge, else across; None: no wedge at all.
    """
    k = 2 * np.pi
    if soft is None:
        apart = np.sqrt(r**2 + r_in**2 - 2 * r * r_in * np.cos(phi - phi_in) + (r == r_in) * 1e-9)
        return np.asarray(hankel2(0, k * apart), np.complex128)
    total = np.zeros(len(phi), np.complex128)
    for m in range(int(n * (k * r * 1.3 + 40))):
        order = m / n
        wave = np.sin if soft else np.cos
        part = wave(order * phi) * wave(order * phi_in)
        weight = (2 if m == 0 else 4) / n
        total += weight * jv(order, k * r) * hankel2(order, k * r_in) * part
    return total


def uniform_wedge(
    n: float, r: float, phi: Array, r_in: float, phi_in: float, soft: bool
) -> Complex:
    """The same by geometrical optics and the uniform theory of diffraction."""
    k, sign = 2 * np.pi, -1 if soft else 1
    direct, mirrored = (
        hankel2(0, k * np.sqrt(r**2 + r_in**2 - 2 * r * r_in * np.cos(angle)))
        for angle in (phi - phi_in, phi + phi_in)
    )
    lit = np.where(phi < np.pi + phi_in, direct, 0)
    lit = lit + sign * np.where(phi < np.pi - phi_in, mirrored, 0)
    k_l = np.full_like(phi, k * r * r_in / (r + r_in))
    terms = wedge_terms(n, phi, np.full_like(phi, phi_in), k_l)
    factor = -np.exp(-0.25j * np.pi) / (2 * n * np.sqrt(2 * np.pi * k))
    bent = factor * (terms[0] + terms[1] + sign * (terms[2] + terms[3]))
    found: Complex = lit + hankel2(0, k * r_in) * bent * np.exp(-1j * k * r) / np.sqrt(r)
    return found
