"""Textures: what surfaces are painted with, made from recipes before a picture is drawn."""
