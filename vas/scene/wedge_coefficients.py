"""The field behind a wedge: the uniform theory of diffraction for finite conductivity.

Sionna RT 2.2.0 evaluates it with the reflection at face 0 of the wrong sign relative to the
wave that passes: at a metal wedge, whose field is known exactly, fields along and across the
edge are exchanged. This is the recommendation's own form instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class WedgeMatrix(NamedTuple):
    """Jones matrices of wedges of one material, in place of a Sionna material's own method.

    The four terms of Kouyoumjian and Pathak 1974; those of the reflections are weighted by the
    coefficients of the faces (Luebbers 1984, ITU-R P.526-15 section 4.3): of the face nearer to
    the transmitter at the angle at which the wave comes, of the other at that at which it goes.

    Attributes:
        thickness: of the slab, metres (Dr.Jit float).
        scattering: scattered share of the reflected field (Dr.Jit float).
    """

    thickness: Any
    scattering: Any

    def __call__(
        self, to_world: Any, ki_local: Any, ko_local: Any, si: Any, eta: Any, wavenumber: Any
    ) -> Any:
        """Real 4x4 matrices between the world's implicit bases.

        Args:
            to_world: rotation from the local frame, in which face 0 looks along z.
            ki_local: direction in which the wave comes, unit vector.
            ko_local: direction in which it goes, unit vector.
            si: ``dn_du`` is the edge, ``dn_dv`` the normal of face n, both local; ``dp_du``
                begins with the distances to the receiver and to the transmitter, metres.
            eta: complex relative permittivity.
            wavenumber: 1 / metres.
        """
        import drjit as dr
        import mitsuba as mi
        from sionna.rt.utils import implicit_basis_vector, jones_matrix_rotator
        from sionna.rt.utils.jones import jones_matrix_from_real_imag

        edge, normal_0, normal_n = si.dn_du, mi.Vector3f(0, 0, 1), mi.Vector3f(si.dn_dv)
        n = 1.0 + dr.safe_acos(dr.dot(normal_0, normal_n)) * dr.inv_pi
        phi_in, phi = (_angle(d, normal_0, edge, n) for d in (-ki_local, ko_local))
        d_passing, d_0, d_n = _terms(ki_local, si, n, phi_in, phi, wavenumber)
        near_0 = phi_in < 0.5 * dr.pi * n
        face_0, face_n = (
            self._mirror(dr.select(near, ki_local, ko_local), near, normal, edge, eta, wavenumber)
            for near, normal in ((near_0, normal_0), (~near_0, normal_n))
        )
        direct = (d_passing, mi.Complex2f(0), mi.Complex2f(0), d_passing)
        entry = [d + d_0 * a + d_n * b for d, a, b in zip(direct, face_0, face_n, strict=True)]
        theta_in, theta_out = (
            to_world.T @ implicit_basis_vector(to_world @ k) for k in (ki_local, ko_local)
        )
        turn_in = jones_matrix_rotator(ki_local, theta_in, _soft(ki_local, edge))
        turn_out = jones_matrix_rotator(ko_local, _soft(ko_local, edge), theta_out)
        real = turn_out @ mi.Matrix2f(*(dr.real(e) for e in entry)) @ turn_in
        imag = turn_out @ mi.Matrix2f(*(dr.imag(e) for e in entry)) @ turn_in
        return jones_matrix_from_real_imag(real, imag)

    def _mirror(
        self, k: Any, before: Any, normal: Any, edge: Any, eta: Any, wavenumber: Any
    ) -> tuple[Any, ...]:
        """Reflection at a face, row by row, from the field's parts (soft, hard) to the same.

        Args:
            k: direction of the wave before or after the reflection.
            before: which of both.
            normal: of the face.
            edge: along the edge.
            eta: complex relative permittivity.
            wavenumber: 1 / metres.
        """
        import drjit as dr
        from sionna.rt.utils import itu_coefficients_single_layer_slab

        across = dr.cross(k, normal)
        length = dr.norm(across)
        # At normal incidence any direction in the face will do.
        across = dr.select(length > 1e-6, across * dr.rcp(length), edge)
        cosine = dr.dot(across, _soft(k, edge))
        sine = dr.dot(across, dr.normalize(dr.cross(k, edge)))
        sine = dr.select(before, sine, -sine)
        te, tm, _, _ = itu_coefficients_single_layer_slab(
            dr.abs(dr.dot(k, normal)), eta, self.thickness, dr.two_pi / wavenumber
        )
        kept = dr.sqrt(1.0 - dr.square(self.scattering))
        te, tm = te * kept, tm * kept
        mixed = (te + tm) * (cosine * sine)
        soft = te * dr.square(cosine) - tm * dr.square(sine)
        hard = tm * dr.square(cosine) - te * dr.square(sine)
        return soft, mixed, -mixed, hard


def _soft(k: Any, edge: Any) -> Any:
    """Unit vector across a ray in the plane of the ray and the edge."""
    import drjit as dr

    return dr.normalize(edge - k * dr.dot(k, edge))


def _terms(
    ki: Any, si: Any, n: Any, phi_in: Any, phi: Any, wavenumber: Any
) -> tuple[Any, Any, Any]:
    """Coefficients of the wave that passes, and of those mirrored at face 0 and face n."""
    import drjit as dr
    import mitsuba as mi
    from sionna.rt.utils.electromagnetics import cot_times_f_utd

    sine = dr.norm(dr.cross(ki, si.dn_du))
    k_l = wavenumber * si.dp_du.x * si.dp_du.y / (si.dp_du.x + si.dp_du.y) * dr.square(sine)
    factor = -dr.exp(mi.Complex2f(0, -0.25 * dr.pi))
    factor *= dr.rcp(2 * n * dr.sqrt(dr.two_pi * wavenumber) * sine)

    def term(beta: Any, sign: float) -> Any:
        turns = dr.round((beta + sign * dr.pi) * dr.rcp(dr.two_pi * n))
        a = 2 * dr.square(dr.cos(dr.pi * n * turns - 0.5 * beta))
        return factor * cot_times_f_utd((dr.pi + sign * beta) / (2 * n), k_l * a, n, k_l)

    apart, together = phi - phi_in, phi + phi_in
    passing = term(apart, 1.0) + term(apart, -1.0)
    return passing, term(together, -1.0), term(together, 1.0)


def _angle(direction: Any, normal_0: Any, edge: Any, n: Any) -> Any:
    """Angle about the edge from face 0 through the air, radians."""
    import drjit as dr

    found = dr.atan2(dr.dot(direction, normal_0), dr.dot(direction, dr.cross(normal_0, edge)))
    # Half of the wedge counts to either face: a ray that grazes face 0 may lie just below it.
    return dr.select(found < -0.5 * dr.pi * (2.0 - n), found + dr.two_pi, found)
