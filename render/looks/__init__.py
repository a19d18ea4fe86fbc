"""Looks: what a point of a surface looks like, drawn differently on every building, and worn."""
