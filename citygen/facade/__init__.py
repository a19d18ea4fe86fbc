"""Facades as real geometry: storeys, modules, and the grammar that chooses them."""
