"""What edges bend: first-order diffraction, alone and with a mirror."""
