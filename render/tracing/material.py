"""The surface model: a rough dielectric coat over a diffuse base, or metal.

Diffuse reflection is Lambertian, scaled by the light that the coat lets in and out
(Shirley et al. 1997, "A practitioners' assessment of light reflection models"); the
coat is GGX with sampling of visible normals (Walter et al. 2007, Heitz 2018) and
Schlick's Fresnel term, which rises less towards grazing angles on rough surfaces
(Lagarde 2011): a lawn has no sheen. All functions work on arrays of points at once; directions are
in the local frame whose z axis is the normal on the visible side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: Reflectance at normal incidence of common dielectrics (refractive index 1.5).
_DIELECTRIC = 0.04

#: Reflectance of double glazing: four faces of index 1.5 (1 - (1 - 0.04)^4 = 0.15).
_GLAZING = 0.15

#: Roughness up to which a dielectric is glazing, and from which on it is not: nothing
#: else on a street is that smooth.
_GLAZED, _MATTE = 0.10, 0.22

#: Smallest GGX width: narrower mirrors only make fireflies of the sun.
_SMALLEST_ALPHA = 0.01


class Surface(NamedTuple):
    """Material at the shaded points.

    Attributes:
        diffuse: Color3f diffuse reflectance, the albedo layer.
        coat: Color3f reflectance of the coat or metal at normal incidence.
        grazing: Color3f reflectance of the coat or metal at grazing incidence.
        distribution: GGX microfacets.
        glossy: Float probability of sampling the coat.
    """

    diffuse: Any
    coat: Any
    grazing: Any
    distribution: Any
    glossy: Any


def surface(mi: Any, base: Any, roughness: Any, metallic: Any, least_alpha: float = 0.0) -> Surface:
    """The material at points with this base colour, roughness and metalness.

    ``least_alpha`` is the smallest GGX width, whatever the roughness.
    """
    import drjit as dr

    glazed = dr.clip((_MATTE - roughness) / (_MATTE - _GLAZED), 0, 1)
    dielectric = dr.lerp(_DIELECTRIC, _GLAZING, glazed)
    coat = dr.lerp(mi.Color3f(dielectric), base, metallic)
    diffuse = base * (1 - metallic)
    alpha = dr.maximum(dr.square(roughness), max(_SMALLEST_ALPHA, least_alpha))
    reflected = mi.luminance(coat)
    return Surface(
        diffuse,
        coat,
        dr.maximum(coat, 1 - roughness),
        mi.MicrofacetDistribution(mi.MicrofacetType.GGX, alpha, True),
        reflected / (reflected + mi.luminance(diffuse)),
    )


def evaluate(mi: Any, material: Surface, wi: Any, wo: Any) -> tuple[Any, Any]:
    """Reflected share times cosine (Color3f), and the density of sampling ``wo``."""
    import drjit as dr

    cos_i, cos_o = wi.z, wo.z
    lit = (cos_i > 0) & (cos_o > 0)
    half = dr.normalize(wi + wo)
    fresnel = _schlick(material, dr.dot(wi, half))
    spread = material.distribution.eval(half) * material.distribution.G(wi, wo, half)
    through = (1 - _schlick(material, cos_i)) * (1 - _schlick(material, cos_o))
    value = fresnel * spread / (4 * cos_i) + material.diffuse * through * (dr.inv_pi * cos_o)
    mirror = material.distribution.pdf(wi, half) / (4 * dr.dot(wo, half))
    density = dr.lerp(dr.inv_pi * cos_o, mirror, material.glossy)
    return dr.select(lit, value, 0), dr.select(lit, density, 0)


def sample(mi: Any, material: Surface, wi: Any, choice: Any, point: Any) -> tuple[Any, Any]:
    """A random direction of reflection (Vector3f) and its weight (Color3f).

    Args:
        mi: mitsuba in its colour variant.
        material: at the points.
        wi: towards the viewer.
        choice: Float in [0, 1), picks coat or base.
        point: Point2f in the unit square, picks the direction.
    """
    import drjit as dr

    normal, _ = material.distribution.sample(wi, point)
    wo = dr.select(
        choice < material.glossy,
        mi.reflect(wi, normal),
        mi.warp.square_to_cosine_hemisphere(point),
    )
    value, density = evaluate(mi, material, wi, wo)
    return wo, dr.select(density > 0, value / density, 0)


def _schlick(material: Surface, cosine: Any) -> Any:
    import drjit as dr

    flat = dr.clip(1 - cosine, 0, 1)
    return dr.lerp(material.coat, material.grazing, dr.square(dr.square(flat)) * flat)
