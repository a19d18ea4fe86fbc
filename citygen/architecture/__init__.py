"""Buildings: their plans, massing and roofs, by kind of lot or to given figures."""
