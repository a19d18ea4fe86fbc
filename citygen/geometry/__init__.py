"""The geometry kernel: plan pieces, shells, and their triangles."""
