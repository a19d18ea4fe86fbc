"""Independent answers: Sionna's path solver at single points."""

import numpy as np

DIFFRACTION = 8  # sionna.rt.InteractionType

_BATCH = 100  # all receivers share one buffer of candidate paths, which drops what overflows


def path_solver_gain(radio, points, normals, spec, *, only=None, samples=500_000):
    """Sum of |a|^2 over the paths that arrive on the visible side of each point.

    Paths that mix diffraction with another mechanism are left out, as in radio maps.

    Args:
        radio: radio scene with its transmitter set.
        points: (N, 3) world metres.
        normals: (N, 3) unit normals on the visible side; zero for all sides.
        spec: mechanisms and depth.
        only: "diffraction" to leave out all other paths.
        samples: rays by which the solver looks for candidate paths.
    """
    rt, scene = radio.rt, radio.scene
    scene.rx_array = rt.PlanarArray(
        num_rows=1,
        num_cols=1,
        vertical_spacing=0.5,
        horizontal_spacing=0.5,
        pattern="iso",
        polarization="VH",
    )
    total = []
    for begin in range(0, len(points), _BATCH):
        part = slice(begin, begin + _BATCH)
        total.append(_batch(radio, points[part], normals[part], spec, only, samples))
    return np.concatenate(total)


def _batch(radio, points, normals, spec, only, samples):
    rt, scene = radio.rt, radio.scene
    for number, point in enumerate(points - radio.centre):
        scene.add(rt.Receiver(name=f"receiver-{number}", position=point.tolist()))
    paths = rt.PathSolver()(
        scene,
        max_depth=spec.max_depth,
        samples_per_src=samples,
        max_num_paths_per_src=20_000_000,
        los=only is None,
        specular_reflection=only is None and spec.specular_reflection,
        refraction=only is None and spec.refraction,
        diffuse_reflection=False,
        diffraction=spec.diffraction,
        synthetic_array=True,
        seed=1,
    )
    for name in list(scene.receivers):
        scene.remove(name)
    count = len(points)
    real, imaginary = (np.array(part, np.float64) for part in paths.a)
    power = (real**2 + imaginary**2).reshape(count, 2, -1).sum(axis=1)
    if not power.shape[1]:
        return np.zeros(count)
    theta, phi = (np.array(a).reshape(count, -1) for a in (paths.theta_r, paths.phi_r))
    towards = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1
    )
    visible = np.einsum("npc,nc->np", towards, normals) >= 0
    kinds = np.array(paths.interactions).reshape(-1, count, power.shape[1])
    bends = (kinds == DIFFRACTION).any(axis=0)
    mixed = bends & ((kinds != 0).sum(axis=0) > 1)
    wanted = visible & ~mixed & (bends if only == "diffraction" else True) & (power > 0)
    vertices = np.array(paths.vertices).reshape(len(kinds), count, -1, 3)
    return np.array(
        [_sum_distinct(power[i], kinds[:, i], vertices[:, i], wanted[i]) for i in range(count)]
    )


def _sum_distinct(power, kinds, vertices, wanted):
    """Sum of powers, counting a path once that the solver lists for several triangles."""
    index = np.flatnonzero(wanted)
    if not len(index):
        return 0.0
    happens = kinds[:, index] != 0
    where = np.where(happens[..., None], np.round(vertices[:, index], 2), 0.0)
    keys = np.concatenate([kinds[:, index, None], where], axis=-1).transpose(1, 0, 2)
    first = np.unique(keys.reshape(len(index), -1), axis=0, return_index=True)[1]
    return power[index][first].sum()
