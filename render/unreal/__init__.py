"""The Unreal backend: pictures drawn by a running Unreal, through UnrealCV."""

from vasgen.render.unreal.backend import UnrealRenderer

__all__ = ["UnrealRenderer"]
