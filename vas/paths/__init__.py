"""Paths as geometry, and all that follows from them without rays."""
