"""Waves: what travels along a path, and what a slab makes of it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Wave(NamedTuple):
    """A transverse wave in world coordinates: no basis, so nothing to turn from leg to leg.

    Attributes:
        real: ``mi.Vector3f``.
        imag: the same.
        direction: of travel, unit ``mi.Vector3f``.
    """

    real: Any
    imag: Any
    direction: Any

    @classmethod
    def from_jones(cls, field: Any, direction: Any) -> Wave:
        """From components in the world's implicit basis.

        Args:
            field: ``mi.Vector4f``, real, then imaginary parts of the components along theta and
                phi, the unit vectors of spherical coordinates at the direction.
            direction: of travel, unit ``mi.Vector3f``.
        """
        theta, phi = _basis(direction)
        real, imag = field.x * theta + field.y * phi, field.z * theta + field.w * phi
        return cls(real, imag, direction)

    @classmethod
    def select(cls, mask: Any, one: Wave, other: Wave) -> Wave:
        """One where the mask is set, else the other."""
        import drjit as dr

        return cls(*(dr.select(mask, a, b) for a, b in zip(one, other, strict=True)))

    def jones(self, direction: Any) -> Any:
        """Components in the implicit basis of a direction, as :meth:`from_jones` has them.

        The direction of travel is given anew: that of ``self`` went through many roundings.
        """
        import drjit as dr
        import mitsuba as mi

        theta, phi = _basis(direction)
        return mi.Vector4f(*(dr.dot(p, b) for p in self[:2] for b in (theta, phi)))

    def behind_slab(self, normal: Any, mirrored: Any, slab: Any, wavelength: Any) -> Wave:
        """The wave behind a slab that mirrors it or lets it pass.

        The coefficients are those of ITU-R P.2040 for a single layer. What a rough slab
        scatters is missing in what it reflects; what passes is whole, as in Sionna RT.

        Args:
            normal: of the slab, of either side, unit ``mi.Vector3f``.
            mirrored: ``mi.Bool``, or else it passes.
            slab: complex relative permittivity, thickness in metres and scattered share.
            wavelength: metres.
        """
        import drjit as dr
        import mitsuba as mi
        from sionna.rt.utils import itu_coefficients_single_layer_slab

        eta, thickness, scattering = slab
        came = self.direction
        height = dr.dot(came, normal)
        goes = dr.select(mirrored, came - 2 * height * normal, came)
        across = dr.cross(came, normal)
        size = dr.squared_norm(across)
        # At normal incidence any direction in the face will do.
        across = dr.select(size > 1e-12, across * dr.rsqrt(size), mi.coordinate_system(came)[0])
        cosine = dr.minimum(dr.abs(height), 1.0)
        r_te, r_tm, t_te, t_tm = itu_coefficients_single_layer_slab(
            cosine, eta, thickness, wavelength
        )
        kept = dr.sqrt(1.0 - dr.square(scattering))
        te, tm = (dr.select(mirrored, r * kept, t) for r, t in ((r_te, t_te), (r_tm, t_tm)))
        soft, hard = (
            mi.Complex2f(dr.dot(self.real, axis), dr.dot(self.imag, axis)) * factor
            for axis, factor in ((across, te), (dr.cross(came, across), tm))
        )
        behind = dr.cross(goes, across)
        return Wave(
            dr.real(soft) * across + dr.real(hard) * behind,
            dr.imag(soft) * across + dr.imag(hard) * behind,
            goes,
        )


def _basis(direction: Any) -> tuple[Any, Any]:
    """Theta and phi of spherical coordinates at a direction."""
    import drjit as dr
    from sionna.rt.utils import implicit_basis_vector

    theta = implicit_basis_vector(direction)
    return theta, dr.cross(direction, theta)
