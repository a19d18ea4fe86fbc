"""Draw what is told about the paths of each pixel, and the channel of one of them."""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, ListedColormap, PowerNorm
from numpy.typing import NDArray

from vasgen.camera import Camera
from vasgen.layers import MECHANISMS
from vasgen.render import Renderer
from vasgen.scenes import open_scene
from vasgen.spec import RadioSpec
from vasgen.transmitter import Transmitter
from vasgen.vas import Tracer, View
from vasgen.vas.paths.channel import channel_frequency_response, pixel_channels

OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
WIDTH, HEIGHT = 480, 300
PIXEL = (240, 385)  # row and column of the pixel whose channel is drawn
SKY, INK = "#e9edf2", "#1d2433"
#: Of the mechanisms, in their order.
COLOURS = ["#f2b33d", "#8d6cc9", "#2f7fc1", "#3aa17e", "#9aa3af"]

scene = open_scene("sionna:simple_street_canyon")
camera = Camera.look_at((-95, -62, 62), (2, 2, 2), width=WIDTH, height=HEIGHT)
image = Renderer(scene).layers(camera, rgb=False)
transmitter = Transmitter("lamp", (-20.0, 0.0, 8.0))
spec = RadioSpec(solver="closed-form", store_paths=True, rays=1_000_000)
view = View(camera, image.depth, image.normal)
[(radio, (paths,))] = Tracer(scene, spec).trace_paths([view], [transmitter])

number = np.ravel_multi_index(PIXEL, (HEIGHT, WIDTH))
cir = pixel_channels(paths, [number], transmitter, scene.radio_materials, spec)
band_hz = np.linspace(-50e6, 50e6, 501)
(response,) = channel_frequency_response(cir, band_hz)

plt.rcParams.update({"font.size": 9, "text.color": INK, "axes.labelcolor": INK})
figure = plt.figure(figsize=(13, 7.9), layout="constrained")
grid = figure.add_gridspec(3, 6, height_ratios=(1, 1, 0.9))


def panel(
    row: int, column: int, title: str, values: NDArray[np.floating], **style: object
) -> Colorbar:
    """One layer, as the camera sees it."""
    axes = figure.add_subplot(grid[row, 2 * column : 2 * column + 2])
    axes.set_facecolor(SKY)
    shown = axes.imshow(np.ma.masked_invalid(values), interpolation="nearest", **style)
    axes.set_title(title, loc="left")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.plot(PIXEL[1], PIXEL[0], "o", ms=9, mfc="none", mec="white", mew=2)
    return figure.colorbar(shown, ax=axes, shrink=0.8, pad=0.01)


reached = radio.num_paths[0] > 0
k_db = np.where(np.isposinf(radio.rician_k_db[0]), 30, radio.rician_k_db[0])
known_db = 10 * np.log10((10 ** (radio.mechanism_gain_db[:4, 0] / 10)).sum(axis=0))
fading_db = np.where(reached, radio.coherent_gain_db[0] - known_db, np.nan)
dim = {"cmap": "inferno", "norm": PowerNorm(0.5, vmin=0)}
panel(0, 0, "Number of paths", np.where(reached, radio.num_paths[0], np.nan), cmap="viridis")
panel(0, 1, "Delay spread, ns", 1e9 * radio.delay_spread_s[0], **dim)
panel(0, 2, "Rician K, dB", k_db, cmap="cividis", vmin=-5, vmax=30)
panel(1, 0, "Azimuth spread of arrival, degrees", radio.arrival_spread_deg[0], **dim)
panel(1, 1, "Coherent over incoherent gain, dB", fading_db, cmap="RdBu_r", vmin=-15, vmax=15)
strongest = np.where(radio.reached[0], radio.mechanism_gain_db[:, 0].argmax(axis=0), np.nan)
norm = BoundaryNorm(np.arange(6) - 0.5, 5)
bar = panel(1, 2, "Strongest mechanism", strongest, cmap=ListedColormap(COLOURS), norm=norm)
bar.set_ticks(range(5), labels=[name.replace("line of ", "line of\n") for name in MECHANISMS])

axes = figure.add_subplot(grid[2, :3])
power_db = 10 * np.log10((np.abs(cir.amplitude[0]) ** 2).sum(axis=1))
mechanism = paths.chains.mechanism[cir.chain[0]]
bottom = power_db.max() - 60
for kind in np.unique(mechanism):
    some = (mechanism == kind) & (power_db > bottom)
    axes.vlines(1e9 * cir.delay_s[0, some], bottom, power_db[some], COLOURS[kind], lw=2)
    axes.plot(1e9 * cir.delay_s[0, some], power_db[some], "o", color=COLOURS[kind], ms=5)
    axes.plot([], [], "o-", color=COLOURS[kind], label=MECHANISMS[kind])
axes.set(xlabel="delay, ns", ylabel="path gain, dB", ylim=(bottom, power_db.max() + 4))
axes.set_title("Impulse response of the marked pixel", loc="left")
axes.legend(frameon=False)
axes = figure.add_subplot(grid[2, 3:])
for part, name, colour in ((0, "vertical", COLOURS[2]), (1, "horizontal", COLOURS[3])):
    gain_db = 20 * np.log10(np.abs(response[:, part]))
    axes.plot(band_hz / 1e6, gain_db, color=colour, label=name)
top = 20 * np.log10(np.abs(response).max())
axes.set(xlabel="offset from the carrier, MHz", ylabel="|H|², dB")
axes.set(xlim=(-50, 50), ylim=(top - 45, top + 3))
axes.set_title("Its frequency response", loc="left")
axes.legend(frameon=False)
for axes in figure.axes[-2:]:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
figure.get_layout_engine().set(hspace=0.06)

OUT.mkdir(parents=True, exist_ok=True)
figure.savefig(OUT / "paths.png", dpi=110)
print(
    f"{len(paths)} paths by {len(paths.chains)} chains; the marked pixel has {len(mechanism)}, "
    f"its delay spread is {1e9 * radio.delay_spread_s[0][PIXEL]:.1f} ns"
)
