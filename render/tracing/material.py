"""The surface model: a rough dielectric coat over a diffuse base, or metal.

Diffuse reflection is Lambertian, scaled by the light that the coat lets in and out
(Shirley et al. 1997, "A practitioners' assessment of light reflection models"). Metallic paint
has flakes in its base, which lie nearly flat and send most of the light back around the mirror's
direction: a power of the cosine between the normal and the half vector (Blinn 1977). The
coat is GGX with sampling of visible normals (Walter et al. 2007, Heitz 2018) and
Schlick's Fresnel term, which rises less towards grazing angles on rough surfaces
(Lagarde 2011). What has a roughness of 1 has no coat: a lawn has no sheen. All functions work on
arrays of points at once; directions are in the local frame whose z axis is the normal on the
visible side.
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

#: Roughness below 1 by which what is quite matt has its coat: blades of grass stand too steep and
#: too much in each other's shade to mirror the sky as one rough surface would.
_BLADES = 0.05

#: Share of the base's light that flakes reflect, and the height of their lobe over Lambert's:
#: a 16th power of the cosine (half as bright 17 degrees off) of the same light at normal
#: incidence, 128 / (1023 / 10 - 511 / 9).
_FLAKE_SHARE, _FLAKE_PEAK = 0.7, 2.8118

#: Smallest GGX width: narrower mirrors only make fireflies of the sun.
_SMALLEST_ALPHA = 0.01


class Surface(NamedTuple):
    """Material at the shaded points.

    Attributes:
        diffuse: Color3f diffuse reflectance, the albedo layer.
        flakes: Float share of it that flakes of metal reflect.
        coat: Color3f reflectance of the coat or metal at normal incidence.
        grazing: Color3f reflectance of the coat or metal at grazing incidence.
        distribution: GGX microfacets.
    """

    diffuse: Any
    flakes: Any
    coat: Any
    grazing: Any
    distribution: Any


def surface(
    mi: Any,
    base: Any,
    roughness: Any,
    metallic: Any,
    least_alpha: float = 0.0,
    *,
    lacquered: Any = False,
    flakes: Any = False,
) -> Surface:
    """The material at points.

    Args:
        mi: mitsuba in its colour variant.
        base: Color3f base colour.
        roughness: Float of the coat or metal.
        metallic: Float metalness.
        least_alpha: smallest GGX width, whatever the roughness.
        lacquered: Bool, whether what is smooth is a single clear coat, not glazing.
        flakes: Bool, whether the base has flakes of metal.
    """
    import drjit as dr

    smooth = dr.clip((_MATTE - roughness) / (_MATTE - _GLAZED), 0, 1)
    glazed = dr.select(lacquered, 0, smooth)
    coated = dr.clip((1 - roughness) / _BLADES, 0, 1)
    dielectric = coated * dr.lerp(_DIELECTRIC, _GLAZING, glazed)
    coat = dr.lerp(mi.Color3f(dielectric), base, metallic)
    diffuse = base * (1 - metallic)
    alpha = dr.maximum(dr.square(roughness), max(_SMALLEST_ALPHA, least_alpha))
    return Surface(
        diffuse,
        dr.select(flakes, mi.Float(_FLAKE_SHARE), 0),
        coat,
        dr.maximum(coat, 1 - roughness),
        mi.MicrofacetDistribution(mi.MicrofacetType.GGX, alpha, True),
    )


def evaluate(mi: Any, material: Surface, wi: Any, wo: Any) -> tuple[Any, Any]:
    """Reflected share times cosine (Color3f), and the density of sampling ``wo``."""
    import drjit as dr

    cos_i, cos_o = wi.z, wo.z
    lit = (cos_i > 0) & (cos_o > 0)
    half = dr.normalize(wi + wo)
    fresnel = _schlick(material, dr.dot(wi, half))
    entering = 1 - _schlick(material, cos_i)
    spread = material.distribution.eval(half) * material.distribution.G(wi, wo, half)
    through = entering * (1 - _schlick(material, cos_o))
    base = material.diffuse * through * _lobe(material, half.z)
    value = fresnel * spread / (4 * cos_i) + base * (dr.inv_pi * cos_o)
    mirror = material.distribution.pdf(wi, half) / (4 * dr.dot(wo, half))
    density = dr.lerp(dr.inv_pi * cos_o, mirror, _glossy(mi, material, entering))
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
        choice < _glossy(mi, material, 1 - _schlick(material, wi.z)),
        mi.reflect(wi, normal),
        mi.warp.square_to_cosine_hemisphere(point),
    )
    value, density = evaluate(mi, material, wi, wo)
    return wo, dr.select(density > 0, value / density, 0)


def _glossy(mi: Any, material: Surface, entering: Any) -> Any:
    """Probability of sampling the coat: about its share of the light reflected to the viewer."""
    import drjit as dr

    mirrored = mi.luminance(1 - entering)
    return mirrored / dr.maximum(mirrored + mi.luminance(material.diffuse * entering), 1e-6)


def _lobe(material: Surface, cosine: Any) -> Any:
    """The base's reflectance over Lambert's, for a cosine between normal and half vector."""
    import drjit as dr

    power = dr.square(dr.square(dr.square(dr.square(cosine))))
    return 1 + material.flakes * (_FLAKE_PEAK * power - 1)


def _schlick(material: Surface, cosine: Any) -> Any:
    import drjit as dr

    flat = dr.clip(1 - cosine, 0, 1)
    return dr.lerp(material.coat, material.grazing, dr.square(dr.square(flat)) * flat)
