"""Where the parts of a car are in the coordinates of its textures.

Models lie on the textures, and painters paint them, by the same numbers. The first coordinate
counts along the car, from 0 at the tail to 1; the second across it.
"""

from __future__ import annotations

#: Rear and front axle, along. The middle of the tail and of the nose are there, too.
AXLES = (0.25, 0.75)

#: Of paint, across: sill and belt, and the most that sides reach.
SILL, BELT, SIDES = 0.02, 0.62, 0.66

#: Of paint, across: where there is nothing but paint, for tops.
BARE = (0.71, 0.83)

#: Of paint, across: foot and top of the tail and of the nose of light models; half their width,
#: along.
ENDS, HALF_END = (0.86, 0.98), 0.22

#: Of windows, across: the belt is 0, the roof this; foot and top of windscreens.
ROOF, SCREENS = 0.6, (0.70, 0.98)
