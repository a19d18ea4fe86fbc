"""Where power is received: the surfaces that cameras see, and grids in the air."""
