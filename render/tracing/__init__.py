"""Tracing: light paths from the camera through the scene, and the picture they make."""
