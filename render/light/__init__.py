"""Light: sun, sky, city glow, street lamps and lit windows."""
